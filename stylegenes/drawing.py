"""Drawing with a trained generator: single pictures, style mixing, interpolation. Codes in, uint8 pictures out.

Pictures are drawn one at a time, because the last bit of a convolution depends on the batch: so a code gives the very
same pixels alone and among others.
"""

from __future__ import annotations

import operator
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, SupportsIndex, cast

import numpy as np
import torch

from stylegenes.errors import UserError, shown
from stylegenes.generator import Generator, check_psi
from stylegenes.pictures import to_uint8
from stylegenes.records import Condition, Noise, NoiseMode
from stylegenes.words import did_you_mean

BANDS = ("coarse", "middle", "fine")


Way = Literal["own", "code", "w"]
"""Ways between two codes: the latent's own (`blend`), through the code's own space (`path`), straight through W."""


@dataclass(frozen=True)
class DrawSettings:
    """How codes become pictures.

    Attributes:
        psi: truncation towards the mean w; 1 leaves w as it is, 0 is the mean, negative values are opposites.
        cutoff: number of leading layers that are truncated; None truncates all.
        noise: `const` (stored noise), `none`, or `random` (seeded by the code, so that it repeats as well).
        condition: label [1, L] and camera [1, 25] that a conditional model needs; or a row for each code.

    Raises:
        UserError: for a psi that is no number, or beyond what pictures are drawn with.
    """

    psi: float = 1.0
    cutoff: int | None = None
    noise: NoiseMode = "const"
    condition: Condition = field(default_factory=Condition)

    def __post_init__(self) -> None:
        check_psi(self.psi)

    def part(self, which: slice) -> DrawSettings:
        """The settings of some of the codes."""
        return replace(self, condition=self.condition.map(lambda rows: rows[which] if len(rows) > 1 else rows))

    def between(self, start: int, end: int, steps: Sequence[float]) -> DrawSettings:
        """The settings on the way from one code to another: labels and cameras go straight from one's to the other's.

        Args:
            start: number of a code.
            end: number of a code.
            steps: where on the way, from 0 to 1; the ends have their own condition exactly.
        """

        def rows(given: torch.Tensor) -> torch.Tensor:
            first, last = (given[i] if len(given) > 1 else given[0] for i in (start, end))
            return torch.stack([last if t == 1 else torch.lerp(first, last, t) for t in steps])

        return replace(self, condition=self.condition.map(rows))

    def told(self, index: int) -> Condition:
        """What the latent is told for the code with this number: not the camera, so that all sides are of one thing."""
        return Condition(label=self.row(index).label)

    def row(self, index: int) -> Condition:
        """The condition [1, ...] of the code with this number."""
        return self.part(slice(index, index + 1)).condition


def codes_of_seeds(generator: Generator, seeds: Sequence[int]) -> torch.Tensor:
    """One code for each seed, [len(seeds), ...]; a seed's code does not depend on the other seeds.

    Raises:
        UserError: without seeds, or for one that is no whole number.
    """
    if not len(seeds):
        raise UserError("no seed was given; at least one is needed")
    return torch.cat([generator.sample(1, random_of(seed)) for seed in seeds])


def random_of(seed: SupportsIndex) -> torch.Generator:
    """A source of chance that begins at a seed, a whole number of Python's, NumPy's or torch's.

    Raises:
        UserError: for anything else, or one that needs more than 64 bits.
    """
    number = as_whole(seed, "a seed")
    if not -(2**63) <= number < 2**63:
        raise UserError(f"a seed lies between -2^63 and 2^63; got {number}")
    return torch.Generator().manual_seed(number)


def as_whole(number: object, what: str) -> int:
    """A whole number of Python's, NumPy's or torch's as an int; `what` it is stands in the error.

    Raises:
        UserError: for anything else.
    """
    try:
        return operator.index(cast(SupportsIndex, number))
    except TypeError:
        raise UserError(f"{what} is a whole number; got {shown(repr(number))}") from None


def as_count(number: object, what: str) -> int:
    """A whole number above 0; `what` it is stands in the error.

    Raises:
        UserError: for anything else.
    """
    whole = as_whole(number, what)
    if whole < 1:
        raise UserError(f"{what} is at least 1; got {whole}")
    return whole


def draw(generator: Generator, codes: torch.Tensor, drawing: DrawSettings) -> Iterator[np.ndarray]:
    """One picture [H, W, C] for each of the codes [N, ...]."""
    return (to_uint8(image)[0] for image in _images(generator, codes, drawing))


def draw_images(generator: Generator, codes: torch.Tensor, drawing: DrawSettings) -> torch.Tensor:
    """The same pictures before they are rounded, [N, C, H, W] in [-1, 1], on the CPU."""
    return torch.cat([image.cpu() for image in _images(generator, codes, drawing)])


@torch.no_grad()
def express(generator: Generator, codes: torch.Tensor, drawing: DrawSettings) -> torch.Tensor:
    """Style vectors [N, num_ws, w_dim] of codes [N, ...], each as it is for the code alone."""
    return torch.cat(list(_express(generator, codes, drawing)))


@torch.no_grad()
def draw_ws(
    generator: Generator, ws: torch.Tensor, drawing: DrawSettings, names: Sequence[str] = ()
) -> Iterator[np.ndarray]:
    """One picture [H, W, C] for each row of style vectors [N, num_ws, w_dim]; these are not truncated again.

    `names` seed random noise as the code strings of `draw` do; where there are none, the rows' numbers do.

    Args:
        generator: makes the pictures.
        ws: [N, num_ws, w_dim].
        drawing: noise and condition; its psi counts for nothing here.
        names: one for each row, or none.
    """
    for index, one in enumerate(ws.split(1)):
        name = names[index] if names else str(index)
        yield to_uint8(_synthesize(generator, one, drawing, name, drawing.row(index)))[0]


@torch.no_grad()
def draw_mixed(
    generator: Generator,
    rows: torch.Tensor,
    columns: torch.Tensor,
    layers: torch.Tensor,
    drawing: DrawSettings,
    column_look: DrawSettings | None = None,
) -> Iterator[np.ndarray]:
    """Style mixing: a picture for each row and column, row by row.

    Args:
        generator: the model.
        rows: codes [R, ...] that drive every layer except `layers`.
        columns: codes [C, ...] that drive `layers`.
        layers: bool [num_ws].
        drawing: how the rows are drawn.
        column_look: how the columns are expressed, where they have conditions of their own.
    """
    others = list(_express(generator, columns, column_look or drawing))
    names = generator.latent.to_strings(rows)
    for index, (own, name) in enumerate(zip(_express(generator, rows, drawing), names, strict=True)):
        for other in others:
            mixed = torch.where(layers[None, :, None], other, own)
            yield to_uint8(_synthesize(generator, mixed, drawing, name, drawing.row(index)))[0]


def draw_between(
    generator: Generator,
    start: torch.Tensor,
    end: torch.Tensor,
    steps: Sequence[float],
    drawing: DrawSettings,
    way: Way = "own",
) -> Iterator[np.ndarray]:
    """Pictures on the way between two codes [1, ...], at each t of `steps` in [0, 1]. Random noise stays that of start.

    At t = 0 and 1 these are the pictures of the codes.

    Args:
        generator: makes the pictures.
        start: [1, ...].
        end: [1, ...].
        steps: where on the way, from 0 (start) to 1 (end).
        drawing: psi, noise and condition, one row or one for each of `steps` (see `DrawSettings.between`).
        way: `own` is the latent's, `code` and `w` are lines between codes and between style vectors.
    """
    return (to_uint8(image)[0] for image in _images_between(generator, start, end, steps, drawing, way))


def draw_images_between(
    generator: Generator, start: torch.Tensor, end: torch.Tensor, steps: Sequence[float], drawing: DrawSettings
) -> torch.Tensor:
    """The same pictures before they are rounded, by the latent's own way: [len(steps), C, H, W] in [-1, 1].

    Args:
        generator: makes the pictures.
        start: [1, ...].
        end: [1, ...].
        steps: where on the way, from 0 (start) to 1 (end).
        drawing: psi, noise and condition.
    """
    return torch.cat([image.cpu() for image in _images_between(generator, start, end, steps, drawing, "own")])


@torch.no_grad()
def _images_between(
    generator: Generator,
    start: torch.Tensor,
    end: torch.Tensor,
    steps: Sequence[float],
    drawing: DrawSettings,
    way: Way,
) -> Iterator[torch.Tensor]:
    (name,) = generator.latent.to_strings(start)
    for index, t in enumerate(steps):
        told = generator.synthesis.seen(drawing.told(index), 1)
        w = _between(generator, start.to(generator.device), end.to(generator.device), t, told, way)
        ws = generator.truncate(generator.broadcast(w), drawing.psi, drawing.cutoff, told)
        yield _synthesize(generator, ws, drawing, name, drawing.row(index))


def band_layers(generator: Generator, band: str) -> torch.Tensor:
    """Which style vectors are the coarse, middle or fine ones, bool [num_ws].

    StyleGAN (section 3.1) calls 4-8 px coarse, 16-32 px middle and 64 px on fine. A network without layers in all
    three is divided into thirds of its own resolutions.

    Raises:
        UserError: for another word, or for a network with fewer than three resolutions.
    """
    if band not in BANDS:
        raise UserError(f"there is no band {band!r}{did_you_mean(band, BANDS, 'bands')}")
    resolutions = generator.synthesis.layer_resolutions
    index = BANDS.index(band)
    third = {resolution: 0 if resolution <= 8 else 1 if resolution <= 32 else 2 for resolution in resolutions}
    if len(set(third.values())) < len(BANDS):
        distinct = sorted(third)
        if len(distinct) < len(BANDS):
            raise UserError(
                f"style mixing needs layers at three resolutions or more; this network's styles drive {distinct}"
            )
        third = {resolution: i for i, part in enumerate(np.array_split(distinct, 3)) for resolution in part.tolist()}
    return torch.tensor([third[resolution] == index for resolution in resolutions], device=generator.device)


def _between(
    generator: Generator, start: torch.Tensor, end: torch.Tensor, t: float, condition: Condition, way: Way
) -> torch.Tensor:
    """w [1, w_dim] at `t` on a way between two codes; the ends are the codes themselves, to the last bit."""
    latent = generator.latent
    if t in (0, 1):
        return latent(end if t else start, condition)
    if way == "w":
        return torch.lerp(latent(start, condition), latent(end, condition), t)
    return latent.path(start, end, t, condition) if way == "code" else latent.blend(start, end, t, condition)


def _express(generator: Generator, codes: torch.Tensor, drawing: DrawSettings) -> Iterator[torch.Tensor]:
    for index, code in enumerate(codes.to(generator.device).split(1)):
        yield generator.express(code, drawing.told(index), psi=drawing.psi, cutoff=drawing.cutoff)


@torch.no_grad()
def _images(generator: Generator, codes: torch.Tensor, drawing: DrawSettings) -> Iterator[torch.Tensor]:
    names = generator.latent.to_strings(codes)
    for index, (ws, name) in enumerate(zip(_express(generator, codes, drawing), names, strict=True)):
        yield _synthesize(generator, ws, drawing, name, drawing.row(index))


def _synthesize(
    generator: Generator, ws: torch.Tensor, drawing: DrawSettings, name: str, condition: Condition
) -> torch.Tensor:
    """One picture [1, C, H, W]."""
    noise = Noise(drawing.noise, torch.Generator().manual_seed(zlib.crc32(name.encode())))
    return generator.synthesis(ws, condition, noise=noise).image
