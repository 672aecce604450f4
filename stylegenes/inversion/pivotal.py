"""Pivotal tuning ("Pivotal Tuning for Latent-based Editing of Real Images", Roich et al. 2021).

The synthesis network is trained until fixed style vectors, the pivots, make the targets; pictures at a fixed distance
from a pivot, towards random w, are watched (the paper's locality regularization, Eq. 4 and 5).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stylegenes.generator import Generator
from stylegenes.inversion.objective import Objective
from stylegenes.inversion.tuning import OnStep, Plan, Tuned, TuningSettings, tune
from stylegenes.records import Condition, repeated


@dataclass(frozen=True)
class PivotalPlan(Plan):
    """Tune the synthesis network alone; watch pictures near the pivots.

    Attributes:
        pivots: [N, num_ws, w_dim].
        radius: how far from a pivot the watched pictures lie, in units of a random w's typical distance from the mean.
        condition: one row for the mapping network, where it takes labels.
    """

    pivots: torch.Tensor
    radius: float = 1.0
    condition: Condition | None = None

    def parameters(self, model: Generator) -> list[torch.nn.Parameter]:
        """The synthesis network's parameters."""
        return list(model.synthesis.parameters())

    def target_ws(self, model: Generator, rows: torch.Tensor) -> torch.Tensor:
        """The pivots."""
        return self.pivots[rows]

    def watched_ws(self, model: Generator, n: int, seed: int) -> torch.Tensor:
        """Points on the lines from random pivots to random w, at the radius from the pivot."""
        random = torch.Generator().manual_seed(seed)
        shared = model.synthesis.seen(repeated(self.condition, n), n)
        ws = model.express(model.sample(n, random), shared)
        rows = torch.randint(len(self.pivots), (n,), generator=random).to(self.pivots.device)
        pivots = self.pivots[rows]
        unit = (ws - model.latent.mean(shared)[:1, None]).square().mean(dim=(1, 2)).mean().sqrt()
        away = ws - pivots
        length = away.square().mean(dim=(1, 2), keepdim=True).sqrt()
        return pivots + self.radius * unit * away / (length + 1e-8)


def tune_around_pivots(
    generator: Generator,
    pivots: torch.Tensor,
    targets: torch.Tensor,
    objective: Objective,
    settings: TuningSettings | None = None,
    *,
    condition: Condition | None = None,
    on_step: OnStep | None = None,
) -> Tuned:
    """Train a copy of the synthesis network until the pivots [N, num_ws, w_dim] make the targets [N, C, H, W].

    Works with every latent; `generator` is never changed.

    Args:
        generator: what is copied.
        pivots: [N, num_ws, w_dim].
        targets: [N, C, H, W] in [-1, 1].
        objective: what is made small for the targets.
        settings: of the training; the usual ones where None.
        condition: labels and cameras of the targets, N rows.
        on_step: called after every step with its number and the objective of targets and of watched pictures.
    """
    row = None if condition is None else repeated(Condition(condition.label), 1)
    plan = PivotalPlan(pivots, condition=row)
    return tune(generator, plan, targets, objective, settings, condition=condition, on_step=on_step)
