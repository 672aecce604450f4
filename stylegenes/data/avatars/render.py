"""From a sampled avatar to pixels: DiceBear writes the SVG, resvg draws it."""

from __future__ import annotations

import io
import json
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from stylegenes.data.avatars.domain import Avatar, Domain

if TYPE_CHECKING:
    from dicebear import Style


def render(domain: Domain, avatar: Avatar, resolution: int) -> np.ndarray:
    """Draw an avatar on white, uint8 [3, resolution, resolution]."""
    import resvg_py
    from dicebear import Avatar as Drawing

    svg = Drawing(_style(domain.style), domain.options(avatar, resolution)).to_string()
    picture = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))))
    opaque = Image.new("RGBA", picture.size, "white")
    opaque.alpha_composite(picture.convert("RGBA"))
    return np.ascontiguousarray(np.asarray(opaque.convert("RGB")).transpose(2, 0, 1))


def artwork_versions() -> dict[str, str]:
    """Versions of the packages that the pixels depend on."""
    return {name: version(name) for name in ("dicebear-core", "dicebear-styles", "resvg-py")}


@lru_cache(maxsize=8)
def _style(name: str) -> Style:
    from dicebear import Style

    return Style(json.loads(files("dicebear_styles").joinpath(f"{name}.json").read_text("utf-8")))
