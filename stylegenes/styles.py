"""Codes as text that say more than a latent's own string can: style vectors, mixtures, and places between codes.

    code := base ( "~" step )*      steps apply from left to right
    base := the latent's own string | "w." base64 of float32 style vectors, w_dim or num_ws * w_dim of them
    step := base "@" layers         on these layers (0-3+7) the style vectors of `base` take over
          | base "*" share          so much of the latent's own way to `base`, from 0 to 1

A text is a recipe and nothing random, so that it draws the very same picture wherever it is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from stylegenes.drawing import DrawSettings, draw_ws
from stylegenes.errors import UserError, shown
from stylegenes.generator import Generator
from stylegenes.latents.strings import decode_numbers, encode
from stylegenes.records import Condition

STEP, VECTORS = "~", "w."
MOST_STEPS = 16
"""Steps of a code string at most."""
_LAYERS = re.compile(r"\d{1,4}(-\d{1,4})?(\+\d{1,4}(-\d{1,4})?)*")
_SHARE = re.compile(r"\d(\.\d{1,12})?")


def is_plain(text: str) -> bool:
    """Whether a code string is the latent's own."""
    return STEP not in text and not text.startswith(VECTORS)


def write_styles(ws: torch.Tensor) -> list[str]:
    """Style vectors [N, num_ws, w_dim] as text; w_dim numbers where all layers have the same."""
    rows = [row[:1] if bool((row == row[:1]).all()) else row for row in ws.detach().float().cpu()]
    return [VECTORS + encode(row.numpy().astype("<f4").tobytes()) for row in rows]


def settled(generator: Generator, text: str, drawing: DrawSettings, most: int = 0) -> str:
    """A code string of at most `most` steps: `text` itself, or else its style vectors under the label of `drawing`.

    What a step names has none, so a mixture is settled before it is the second of two codes; and so is what has no
    room for more steps.

    Args:
        generator: the model.
        text: a code string of any kind.
        drawing: whose label tells the latent what to make of codes.
        most: steps that may stay.

    Raises:
        UserError: for a text that cannot be read, or is of another model.
    """
    if text.count(STEP) <= most:
        return text
    return write_styles(read_styles(generator, [text], replace(drawing, psi=1.0, cutoff=None)))[0]


def mixed(base: str, other: str, layers: Sequence[int]) -> str:
    """`base` with the style vectors of `other`, which has no steps (see `settled`), on some layers."""
    return f"{base}{STEP}{other}@{'+'.join(map(str, layers))}"


def between(base: str, other: str, share: float) -> str:
    """What lies at `share` in [0, 1] on the way from `base` to `other`; the ends are the codes themselves.

    `other` has no steps, see `settled`.
    """
    written = f"{share:.12f}".rstrip("0").rstrip(".")
    return base if share == 0 else other if share == 1 else f"{base}{STEP}{other}*{written}"


@torch.no_grad()
def read_styles(generator: Generator, texts: Sequence[str], drawing: DrawSettings) -> torch.Tensor:
    """Style vectors [N, num_ws, w_dim] of code strings of any kind, truncated as `drawing` says.

    Raises:
        UserError: for a text that cannot be read, or is of another model.
    """
    return torch.cat([_read(generator, text, drawing, index) for index, text in enumerate(texts)])


def draw_texts(generator: Generator, texts: Sequence[str], drawing: DrawSettings) -> Iterator[np.ndarray]:
    """One picture [H, W, C] for each code string; for a latent's own the very same as `drawing.draw` makes of it.

    Raises:
        UserError: as `read_styles`.
    """
    for index, text in enumerate(texts):
        row = replace(drawing, condition=drawing.row(index))
        yield next(draw_ws(generator, read_styles(generator, [text], row), row, [text]))


def check_texts(generator: Generator, texts: Sequence[str]) -> None:
    """See that code strings can be read.

    Raises:
        UserError: names what is wrong with the first that cannot.
    """
    for text in texts:
        _parse(generator, text)


@dataclass(frozen=True)
class _Base:
    """A code [1, ...], or style vectors [1, num_ws, w_dim] where there is no code."""

    code: torch.Tensor | None
    ws: torch.Tensor | None

    def styles(self, generator: Generator, told: Condition | None) -> torch.Tensor:
        """Style vectors [1, num_ws, w_dim], not truncated."""
        if self.ws is not None:
            return self.ws
        assert self.code is not None
        return generator.broadcast(generator.latent(self.code, told))


@dataclass(frozen=True)
class _Step:
    """What changes: layers that another base takes over, or a share of the way to it."""

    base: _Base
    layers: list[int]
    share: float | None


def _read(generator: Generator, text: str, drawing: DrawSettings, index: int) -> torch.Tensor:
    first, steps = _parse(generator, text)
    told = generator.synthesis.seen(drawing.told(index), 1)
    start, ws = first.code, first.styles(generator, told)
    for step in steps:
        if step.share is None:
            taken = torch.tensor([layer in step.layers for layer in range(ws.shape[1])], device=ws.device)
            ws = torch.where(taken[None, :, None], step.base.styles(generator, told), ws)
        elif start is not None and step.base.code is not None:
            ws = generator.broadcast(generator.latent.blend(start, step.base.code, step.share, told))
        else:
            ws = torch.lerp(ws, step.base.styles(generator, told), step.share)
        start = None
    return generator.truncate(ws, drawing.psi, drawing.cutoff, told)


def _parse(generator: Generator, text: str) -> tuple[_Base, list[_Step]]:
    first, *steps = text.strip().split(STEP)
    if len(steps) > MOST_STEPS:
        raise UserError(f"a code string of {len(steps)} steps is refused; at most {MOST_STEPS} are read")
    return _base(generator, first), [_step(generator, step) for step in steps]


def _step(generator: Generator, text: str) -> _Step:
    name, at, layers = text.partition("@")
    if at:
        return _Step(_base(generator, name), _layers(generator, layers), None)
    name, star, share = text.partition("*")
    if not star or not _SHARE.fullmatch(share) or float(share) > 1:
        raise UserError(
            f"{shown(text, 40)!r} is no step of a code string; CODE@0-3 exchanges layers, CODE*0.5 goes half of the way"
        )
    return _Step(_base(generator, name), [], float(share))


def _layers(generator: Generator, text: str) -> list[int]:
    last = generator.synthesis.num_ws - 1
    if not _LAYERS.fullmatch(text):
        raise UserError(f"{shown(text, 40)!r} are no layers; write numbers and ranges from 0 to {last}, like 0-3+7")
    found: list[int] = []
    for part in text.split("+"):
        begin, _, end = part.partition("-")
        found += range(int(begin), int(end or begin) + 1)
    if not found or max(found) > last:
        raise UserError(f"layers {shown(text, 40)!r}: this model has layers 0 to {last}")
    return found


def _base(generator: Generator, text: str) -> _Base:
    if not text.startswith(VECTORS):
        return _Base(generator.latent.from_strings([text]), None)
    num_ws, w_dim = generator.synthesis.num_ws, generator.synthesis.w_dim
    packed = text.removeprefix(VECTORS)
    counts = (w_dim, num_ws * w_dim)
    count = next((n for n in counts if len(packed) == math.ceil(n * 32 / 6)), None)
    if count is None:
        raise UserError(
            f"style vectors of this model are {counts[0]} or {counts[1]} numbers; {shown(text, 40)!r} holds others"
        )
    ws = torch.from_numpy(decode_numbers(packed, count, text)).to(generator.device).reshape(1, -1, w_dim)
    return _Base(None, ws.expand(1, num_ws, w_dim))
