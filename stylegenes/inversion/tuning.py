"""Tuning a generator on a few pictures while its other pictures stay (PTI, Roich et al. 2021; StyleGenes, section 4).

The loop is one; what is tuned, and which other pictures are watched, differs between codebook inversion and pivotal
tuning and is told by a `Plan`.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch

from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.inversion.objective import MOST_STEPS, Errors, Objective
from stylegenes.records import Condition, Noise

OnStep = Callable[[int, float, float], None]
"""Called after every step with the steps made, the targets' objective and the watched pictures' objective."""


@dataclass(frozen=True)
class TuningSettings:
    """How to tune.

    Attributes:
        steps: gradient steps.
        learning_rate: of Adam.
        batch: targets a step; a random part of them where there are more.
        watched: other pictures a step that must stay.
        keep_weight: weight of the watched pictures' objective.
        seed: of the watched codes.
    """

    steps: int = 300
    learning_rate: float = 1e-3
    batch: int = 8
    watched: int = 8
    keep_weight: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps > MOST_STEPS:
            raise UserError(f"steps are at most {MOST_STEPS:,}; got {self.steps}")
        if min(self.steps, self.batch, self.watched) < 1 or self.learning_rate <= 0 or self.keep_weight < 0:
            raise UserError(f"steps, batch, watched and learning rate must be positive; got {self}")


class Plan(ABC):
    """What is tuned towards the targets, and which other pictures are watched."""

    @abstractmethod
    def parameters(self, model: Generator) -> list[torch.nn.Parameter]:
        """The parameters of `model` that are tuned."""

    @abstractmethod
    def target_ws(self, model: Generator, rows: torch.Tensor) -> torch.Tensor:
        """The style vectors [len(rows), num_ws, w_dim] by which `model` must make the targets of these rows."""

    @abstractmethod
    def watched_ws(self, model: Generator, n: int, seed: int) -> torch.Tensor:
        """Style vectors [n, num_ws, w_dim] of pictures that must stay, the same codes for the same seed."""


@dataclass(frozen=True)
class Drift:
    """How much random pictures changed, beside how far random pictures are apart.

    Attributes:
        mse: mean squared error between before and after.
        perceptual: mean perceptual distance between before and after.
        pair_mse: mean squared error between two random pictures before.
        pair_perceptual: mean perceptual distance between two random pictures before.
    """

    mse: float
    perceptual: float
    pair_mse: float
    pair_perceptual: float

    @property
    def ratio(self) -> float:
        """Perceptual drift in units of the distance between random pictures."""
        return self.perceptual / max(self.pair_perceptual, 1e-12)


@dataclass(frozen=True)
class Tuned:
    """A tuned copy of a generator and what it cost.

    Attributes:
        generator: the copy, in evaluation mode.
        before: the targets' errors under the original.
        after: the targets' errors under the copy.
        images: [N, C, H, W], the targets as the copy makes them.
        drift: change of random pictures.
        trace: [steps, 2], the targets' and the watched pictures' objective at every step.
    """

    generator: Generator
    before: Errors
    after: Errors
    images: torch.Tensor
    drift: Drift
    trace: torch.Tensor


def tune(
    generator: Generator,
    plan: Plan,
    targets: torch.Tensor,
    objective: Objective,
    settings: TuningSettings | None = None,
    *,
    condition: Condition | None = None,
    on_step: OnStep | None = None,
) -> Tuned:
    """Train a copy of `generator` so that the plan's style vectors make the targets and the watched pictures stay.

    Args:
        generator: the original; it is never changed and serves as the frozen reference.
        plan: what is tuned, and what is watched.
        targets: [N, C, H, W] in [-1, 1].
        objective: measures both errors.
        settings: how to tune.
        condition: what the targets are conditioned on, [N, ...].
        on_step: called after every step.
    """
    settings = settings or TuningSettings()
    tuned = copy.deepcopy(generator).eval().requires_grad_(False)
    parameters = plan.parameters(tuned)
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimizer = torch.optim.Adam(parameters, lr=settings.learning_rate)
    random = torch.Generator().manual_seed(settings.seed)
    trace = torch.zeros(settings.steps, 2)
    for step in range(settings.steps):
        rows = torch.randperm(len(targets), generator=random)[: settings.batch].to(targets.device)
        chosen = None if condition is None else condition[rows]
        images = _picture(tuned, plan.target_ws(tuned, rows), chosen)
        wanted = objective(images, targets[rows]).total.mean()
        seed = int(torch.randint(1 << 62, (), generator=random))
        kept = _kept(generator, tuned, plan, objective, settings.watched, seed, chosen)
        optimizer.zero_grad()
        (wanted + settings.keep_weight * kept).backward()
        optimizer.step()
        trace[step] = torch.stack([wanted.detach(), kept.detach()]).cpu()
        if on_step is not None:
            on_step(step + 1, *trace[step].tolist())
    tuned.requires_grad_(False)
    return _report(generator, tuned, plan, targets, objective, trace, condition)


def _picture(model: Generator, ws: torch.Tensor, condition: Condition | None) -> torch.Tensor:
    return model.synthesis(ws, condition, noise=Noise("const")).image


def _kept(
    frozen: Generator,
    tuned: Generator,
    plan: Plan,
    objective: Objective,
    n: int,
    seed: int,
    condition: Condition | None,
) -> torch.Tensor:
    shared = watched_condition(frozen, condition, n, seed)
    with torch.no_grad():
        reference = _picture(frozen, plan.watched_ws(frozen, n, seed), shared)
    return objective(_picture(tuned, plan.watched_ws(tuned, n, seed), shared), reference).total.mean()


def watched_condition(model: Generator, condition: Condition | None, n: int, seed: int) -> Condition:
    """What `n` other pictures are conditioned on: the first target's label, and drawn cameras.

    Args:
        model: draws cameras where it takes some.
        condition: of the targets, or None.
        n: rows of the result.
        seed: of the cameras.
    """
    label = None if condition is None or condition.label is None else condition.label[:1].expand(n, -1)
    return Condition(label, model.synthesis.draw_views(n, torch.Generator().manual_seed(seed % 2**63)))


@torch.no_grad()
def _report(
    frozen: Generator,
    tuned: Generator,
    plan: Plan,
    targets: torch.Tensor,
    objective: Objective,
    trace: torch.Tensor,
    condition: Condition | None,
) -> Tuned:
    rows = torch.arange(len(targets), device=targets.device)
    before = objective(_picture(frozen, plan.target_ws(frozen, rows), condition), targets)
    images = _picture(tuned, plan.target_ws(tuned, rows), condition)
    drift = measure_drift(frozen, tuned, objective, condition=condition)
    return Tuned(tuned, before, objective(images, targets), images, drift, trace)


@torch.no_grad()
def measure_drift(
    frozen: Generator,
    tuned: Generator,
    objective: Objective,
    *,
    n: int = 64,
    seed: int = 2_000_000,
    batch: int = 16,
    condition: Condition | None = None,
) -> Drift:
    """Compare the pictures that two models make of the same `n` random codes (seeds that tuning does not use).

    Args:
        frozen: the model before tuning.
        tuned: the model after it.
        objective: measures how far pictures are apart.
        n: pictures.
        seed: of codes and cameras.
        batch: pictures at once.
        condition: of the targets; its first label counts for all pictures.
    """
    codes = frozen.sample(n, torch.Generator().manual_seed(seed))
    seen = watched_condition(frozen, condition, n, seed)
    changes, pairs = [], []
    for start, part in enumerate(codes.split(batch)):
        shared = seen[start * batch : start * batch + len(part)]
        before, after = (model(part, shared, noise=Noise("const")).image for model in (frozen, tuned))
        changes.append(objective(after, before))
        pairs.append(objective(before, before.roll(1, dims=0)))
    mean = lambda errors, name: float(torch.cat([getattr(error, name) for error in errors]).mean())  # noqa: E731
    return Drift(mean(changes, "mse"), mean(changes, "perceptual"), mean(pairs, "mse"), mean(pairs, "perceptual"))
