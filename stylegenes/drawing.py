"""Drawing with a trained generator: single pictures, style mixing, interpolation. Codes in, uint8 pictures out.

Pictures are drawn one at a time, because the last bit of a convolution depends on the batch: so a code gives the very
same pixels alone and among others.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.pictures import to_uint8
from stylegenes.records import Condition, Noise, NoiseMode
from stylegenes.words import did_you_mean

BANDS = ("coarse", "middle", "fine")


@dataclass(frozen=True)
class Look:
    """How codes become pictures.

    Attributes:
        psi: truncation towards the mean w; 1 leaves w as it is, 0 is the mean, negative values are opposites.
        cutoff: number of leading layers that are truncated; None truncates all.
        noise: `const` (stored noise), `none`, or `random` (seeded by the code, so that it repeats as well).
        condition: label [1, L] and camera [1, 25] that a conditional model needs.
    """

    psi: float = 1.0
    cutoff: int | None = None
    noise: NoiseMode = "const"
    condition: Condition = field(default_factory=Condition)


def codes_of_seeds(generator: Generator, seeds: Sequence[int]) -> torch.Tensor:
    """One code for each seed, [len(seeds), ...]; a seed's code does not depend on the other seeds."""
    return torch.cat([generator.sample(1, torch.Generator().manual_seed(seed)) for seed in seeds])


@torch.no_grad()
def draw(generator: Generator, codes: torch.Tensor, look: Look) -> Iterator[np.ndarray]:
    """One picture [H, W, C] for each of the codes [N, ...]."""
    for code, name in zip(codes.split(1), generator.latent.to_strings(codes), strict=True):
        ws = generator.express(code, look.condition, psi=look.psi, cutoff=look.cutoff)
        yield _synthesize(generator, ws, look, name)


@torch.no_grad()
def draw_mixed(
    generator: Generator, rows: torch.Tensor, columns: torch.Tensor, layers: torch.Tensor, look: Look
) -> Iterator[np.ndarray]:
    """Style mixing: a picture for each row and column, row by row.

    Args:
        generator: the model.
        rows: codes [R, ...] that drive every layer except `layers`.
        columns: codes [C, ...] that drive `layers`.
        layers: bool [num_ws].
        look: as for `draw`.
    """
    for row, name in zip(rows.split(1), generator.latent.to_strings(rows), strict=True):
        own = generator.express(row, look.condition, psi=look.psi, cutoff=look.cutoff)
        for column in columns.split(1):
            other = generator.express(column, look.condition, psi=look.psi, cutoff=look.cutoff)
            yield _synthesize(generator, torch.where(layers[None, :, None], other, own), look, name)


@torch.no_grad()
def draw_between(
    generator: Generator, start: torch.Tensor, end: torch.Tensor, steps: Sequence[float], look: Look
) -> Iterator[np.ndarray]:
    """Pictures on the way between two codes [1, ...], at each t of `steps` in [0, 1]. Random noise stays that of start.

    Which way it is, is the latent's own: see `LatentDistribution.blend`.
    """
    (name,) = generator.latent.to_strings(start)
    for t in steps:
        ws = generator.broadcast(generator.latent.blend(start, end, t, look.condition))
        yield _synthesize(generator, generator.truncate(ws, look.psi, look.cutoff, look.condition), look, name)


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


def _synthesize(generator: Generator, ws: torch.Tensor, look: Look, name: str) -> np.ndarray:
    noise = Noise(look.noise, torch.Generator().manual_seed(zlib.crc32(name.encode())))
    return to_uint8(generator.synthesis(ws, look.condition, noise=noise).image)[0]
