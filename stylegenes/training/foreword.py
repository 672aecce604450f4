"""What a training says before it begins: what happens to the pictures, and whether there are enough of them."""

from __future__ import annotations

import torch

from stylegenes.data.originals import DRAWN
from stylegenes.data.poses import oddities
from stylegenes.errors import UserError
from stylegenes.size import Size
from stylegenes.synthesis import SYNTHESES
from stylegenes.synthesis.volume import box_span, cast_rays
from stylegenes.training.augment import AUGMENTS
from stylegenes.training.config import AugmentConfig, RunConfig
from stylegenes.training.feed import Data
from stylegenes.words import counted

FEW = 5_000
"""Below about so many pictures a discriminator learns them by heart before the generator is good."""
HANDFUL = 50
_FITS = {"crop": "cropped to the middle (data.fit=letterbox keeps all)", "letterbox": "framed in black"}
_LOOKED_AT = 256
_PIXELS, _BARELY = 8, 0.02
"""Rays that are cast along each side of a picture, and the share of them that must meet the box."""


def check_variety(data: Data) -> None:
    """Refuse data that holds nothing to tell apart.

    Raises:
        UserError: for a single picture, or copies of one.
    """
    first = data.images(torch.tensor([0]))
    for start in range(1, len(data), _LOOKED_AT):
        if (data.images(torch.arange(start, min(start + _LOOKED_AT, len(data)))) != first).any():
            return
    what = "one picture" if len(data) == 1 else f"{len(data):,} copies of one picture"
    raise UserError(
        f"{data.source} holds {what}; a generator learns how pictures differ: give at least two, better hundreds"
    )


def foreword(config: RunConfig, data: Data, *, begun: bool) -> list[str]:
    """Sentences about the pictures of a run.

    Args:
        config: complete.
        data: what is learned.
        begun: whether the run goes on, so that it is too late for other settings.
    """
    found = data.originals
    formats = f" ({found.words()})" if found.words() and DRAWN not in found.formats else ""
    fitted = _FITS[found.fit or config.data.fit]
    done = [
        f"{found.not_square:,} not {Size.of(data.resolution).shape}: {fitted}" if found.not_square else "",
        f"{found.enlarged:,} smaller than {data.resolution} px: enlarged" if found.enlarged else "",
        f"{found.reduced:,} larger than {data.resolution} px: reduced" if found.reduced else "",
        f"{found.animated:,} of several frames: the first is taken" if found.animated else "",
    ]
    lines = [", ".join([f"{counted(len(data), 'picture')} of {data.source}{formats}", *filter(None, done)])]
    if found.advice() and not begun:
        lines.append(f"{found.advice()} (--set data.resolution)")
    if len(data) < HANDFUL:
        lines.append(f"only {counted(len(data), 'picture')}: expect copies of them, not new ones")
    if len(data) < FEW and not begun:
        lines.append(f"few pictures ({len(data):,}): {_advice(config.augment)}")
    if config.augment.p["name"] != "fixed" and not _adapts(config.augment) and not begun:
        pipe = "none" if config.augment.pipe is None else config.augment.pipe["name"]
        lines.append(f"augment.p ({config.augment.p['name']}) moves nothing: augment.pipe={pipe} has no strength")
    return [*lines, *_words_about_cameras(config, data)]


def _words_about_cameras(config: RunConfig, data: Data) -> list[str]:
    """What is odd about cameras that a 3D network is to be seen through."""
    synthesis = SYNTHESES.get(config.model.synthesis["name"])
    cameras = data.cameras(torch.linspace(0, len(data) - 1, min(len(data), _LOOKED_AT)).long())
    if not synthesis.has_camera or cameras is None:
        return []
    lines = [f"odd cameras: {sentence} (stylegenes data cameras)" for sentence in oddities(cameras)]
    box = config.model.synthesis.get("box", SYNTHESES.parameters(config.model.synthesis["name"])["box"].default)
    span = box_span(cast_rays(cameras, _PIXELS), box)
    if not lines and ((span.far > span.near) & (span.far > 0)).float().mean() < _BARELY:
        lines.append(
            f"odd cameras: they see hardly anything of the box of side {box:g} around the origin, in which things are "
            "made; scale the cameras (stylegenes data cameras --center) or set model.synthesis.box"
        )
    return lines


def _adapts(augment: AugmentConfig) -> bool:
    """Whether there is a pipe whose strength a schedule moves."""
    return augment.pipe is not None and AUGMENTS.get(augment.pipe["name"]).adaptive


def _advice(augment: AugmentConfig) -> str:
    """What helps, or that it is on."""
    wanted = [] if augment.pipe is not None else ["--set augment.pipe=ada"]
    if (augment.pipe is None or _adapts(augment)) and augment.p["name"] == "fixed" and not augment.p.get("value"):
        wanted.append("--set augment.p.name=adaptive")
    if not wanted:
        assert augment.pipe is not None
        return (
            f"the discriminator sees them altered (augment.pipe={augment.pipe['name']}), so that it does not learn them"
        )
    return f"the discriminator will learn them by heart unless it sees them altered; add {' '.join(wanted)}"
