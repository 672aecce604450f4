"""From a sampled avatar to pixels: DiceBear writes the SVG, resvg draws it."""

from __future__ import annotations

import io
import json
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from PIL import Image

from stylegenes.data.avatars.domain import Avatar, Domain

if TYPE_CHECKING:
    from dicebear import Style


def render(domain: Domain, avatar: Avatar, resolution: int) -> Image.Image:
    """Draw an avatar on white, RGB of resolution x resolution pixels."""
    import resvg_py

    svg = to_svg(domain, avatar, resolution)
    picture = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))))
    opaque = Image.new("RGBA", picture.size, "white")
    opaque.alpha_composite(picture.convert("RGBA"))
    return opaque.convert("RGB")


def to_svg(domain: Domain, avatar: Avatar, size: int) -> str:
    """The avatar as SVG.

    DiceBear's own entry point validates the options against a JSON schema, which takes two thirds of its time. Ours
    come from a fixed table, and a test holds this shortcut against that entry point.
    """
    from dicebear.options import Options
    from dicebear.renderer import Renderer
    from dicebear.resolver import Resolver

    options = Options()
    options._data = domain.options(avatar, size)
    style = _style(domain.style)
    return Renderer(style, Resolver(style, options)).render()


def artwork_versions() -> dict[str, str]:
    """Versions of the packages that the pixels depend on."""
    return {name: version(name) for name in ("dicebear-core", "dicebear-styles", "resvg-py")}


@lru_cache(maxsize=8)
def _style(name: str) -> Style:
    from dicebear import Style

    return Style(json.loads(files("dicebear_styles").joinpath(f"{name}.json").read_text("utf-8")))
