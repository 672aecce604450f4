"""Does a target look like what the model makes? Judged against projections of the model's own samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.inversion.objective import Objective
from stylegenes.inversion.projection import Projection, ProjectionSettings, Projector, project
from stylegenes.records import Condition, Noise, repeated

Verdict = Literal["own", "near", "outside"]


@dataclass(frozen=True)
class Calibration:
    """How well, and how far from the mean, the model's own samples are projected; and how far apart they are.

    Attributes:
        perceptual: [M], perceptual distance of each own sample to its projection.
        mse: [M], mean squared error of the same.
        deviation: [M], distance of their projections from the mean of w, in standard deviations.
        pair_perceptual: mean perceptual distance between two random samples.
        pair_mse: mean squared error between two random samples.
    """

    perceptual: torch.Tensor
    mse: torch.Tensor
    deviation: torch.Tensor
    pair_perceptual: float
    pair_mse: float

    @property
    def perceptual_limit(self) -> float:
        """What own samples stay below; never under a twentieth of the distance between two random samples."""
        return max(_limit(self.perceptual), 0.05 * self.pair_perceptual)

    @property
    def deviation_limit(self) -> float:
        """What own samples' projections stay below."""
        return _limit(self.deviation)

    def verdicts(self, projection: Projection) -> list[Verdict]:
        """One for each target: `own` (reached like an own sample), `near`, or `outside` (out of distribution).

        Outside is what is reached worse than own samples and only by codes farther from the mean than theirs, or what
        stays farther from its projection than two random samples are apart. Held-out pictures of the kind that the
        model was trained on are mostly near: their codes are usual, and few are reached as exactly as own samples.
        """
        missed = projection.perceptual.cpu() > self.perceptual_limit
        unusual = projection.deviation.cpu() > self.deviation_limit
        outside = (missed & unusual) | (projection.perceptual.cpu() > self.pair_perceptual)
        rows = zip((missed | unusual).tolist(), outside.tolist(), strict=True)
        return ["outside" if out else "near" if beyond else "own" for beyond, out in rows]


def _limit(values: torch.Tensor) -> float:
    """Three standard deviations above the mean of the logarithms, and never below the largest value seen."""
    logs = values.clamp(min=1e-12).log()
    return max(float((logs.mean() + 3 * logs.std()).exp()), float(values.max()))


@torch.no_grad()
def own_samples(generator: Generator, n: int, seed: int, condition: Condition | None = None) -> torch.Tensor:
    """Pictures [n, C, H, W] of `n` random codes, with the stored noise."""
    shared = repeated(condition, n)
    codes = generator.sample(n, torch.Generator().manual_seed(seed))
    return generator(codes, shared, noise=Noise("const")).image


def calibrate(
    generator: Generator,
    objective: Objective,
    settings: ProjectionSettings,
    *,
    n: int = 8,
    seed: int = 1_000_000,
    condition: Condition | None = None,
) -> Calibration:
    """Project `n` of the model's own samples with the same settings as the targets.

    Raises:
        UserError: for fewer than three samples, from which no spread can be told.
    """
    if n < 3:
        raise UserError(f"a calibration needs at least three own samples; got {n}")
    targets = own_samples(generator, n, seed, condition)
    shared = repeated(condition, n)
    found = project(Projector(generator, targets, objective, settings, shared))
    with torch.no_grad():
        pairs = objective(targets, targets.roll(1, dims=0))
    return Calibration(
        perceptual=found.perceptual.cpu(),
        mse=found.mse.cpu(),
        deviation=found.deviation.cpu(),
        pair_perceptual=float(pairs.perceptual.mean()),
        pair_mse=float(pairs.mse.mean()),
    )
