"""Does a target look like what the model makes? Judged against projections of the model's own samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.inversion.objective import Objective
from stylegenes.inversion.projection import Projection, ProjectionSettings, Projector, project
from stylegenes.progress import OnStep, silent_step
from stylegenes.records import Condition, Noise, spread

Verdict = Literal["own", "near", "outside"]

_OUTSIDE_PERCEPTUAL = 0.6
"""Of the distance between two random samples: a projection that stays farther from its target shows something else."""
_OUTSIDE_DEVIATION = 2.25
"""Of own samples' mean deviation: codes beyond it are not what the model learned to draw."""


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
        """What own samples stay below; from a twentieth to a quarter of the distance between two random samples.

        The upper bound is for own samples that get stuck: one of them would excuse nearly any picture.
        """
        return min(max(_limit(self.perceptual), 0.05 * self.pair_perceptual), 0.25 * self.pair_perceptual)

    @property
    def deviation_limit(self) -> float:
        """What own samples' projections stay below."""
        return _limit(self.deviation)

    def verdicts(self, projection: Projection) -> list[Verdict]:
        """One for each target: `own` (reached like an own sample), `near`, or `outside` (out of distribution).

        Outside is what stays far from its projection, or is reached by codes far from the mean only. Both bounds were
        set between held-out pictures and noise, flat color, gradients, negatives and upside-down pictures, on three
        models. Held-out pictures of the kind that the model was trained on are mostly near.
        """
        perceptual, deviation = projection.perceptual.cpu(), projection.deviation.cpu()
        beyond = (perceptual > self.perceptual_limit) | (deviation > self.deviation_limit)
        stranger = perceptual > _OUTSIDE_PERCEPTUAL * self.pair_perceptual
        strained = deviation > _OUTSIDE_DEVIATION * float(self.deviation.mean())
        outside = stranger | (strained & beyond)
        rows = zip(beyond.tolist(), outside.tolist(), strict=True)
        return ["outside" if out else "near" if off else "own" for off, out in rows]


def _limit(values: torch.Tensor) -> float:
    """Three standard deviations above the mean of the logarithms, and never below the largest value seen."""
    logs = values.clamp(min=1e-12).log()
    return max(float((logs.mean() + 3 * logs.std()).exp()), float(values.max()))


@torch.no_grad()
def own_samples(generator: Generator, n: int, seed: int, condition: Condition | None = None) -> torch.Tensor:
    """Pictures [n, C, H, W] of `n` random codes, with the stored noise; the condition has one row or `n`.

    Args:
        generator: makes the pictures.
        n: pictures.
        seed: of the codes.
        condition: label and cameras.
    """
    codes = generator.sample(n, torch.Generator().manual_seed(seed))
    shown = spread(condition, n)
    told = None if shown is None else Condition(shown.label)
    return generator.synthesis(generator.express(codes, told), shown, noise=Noise("const")).image


def calibrate(
    generator: Generator,
    objective: Objective,
    settings: ProjectionSettings,
    *,
    n: int = 8,
    seed: int = 1_000_000,
    condition: Condition | None = None,
    on_step: OnStep = silent_step,
) -> Calibration:
    """Project `n` of the model's own samples with the same settings as the targets; `on_step` is told the progress.

    Args:
        generator: its own pictures are the targets.
        objective: what a projection makes small.
        settings: those of the projection.
        n: pictures, at least three.
        seed: of codes and cameras; far from those that people take.
        condition: its first label counts for all pictures; cameras are drawn.
        on_step: told the steps done and all of them.

    Raises:
        UserError: for fewer than three samples, from which no spread can be told.
    """
    if n < 3:
        raise UserError(f"a calibration needs at least three own samples; got {n}")
    label = None if condition is None or condition.label is None else condition.label[:1].expand(n, -1)
    shared = Condition(label, generator.synthesis.draw_views(n, torch.Generator().manual_seed(seed)))
    targets = own_samples(generator, n, seed, shared)
    found = project(Projector(generator, targets, objective, settings, shared), on_step)
    with torch.no_grad():
        pairs = objective(targets, targets.roll(1, dims=0))
    return Calibration(
        perceptual=found.perceptual.cpu(),
        mse=found.mse.cpu(),
        deviation=found.deviation.cpu(),
        pair_perceptual=float(pairs.perceptual.mean()),
        pair_mse=float(pairs.mse.mean()),
    )
