"""The table of metrics of a generator's latent: path length, separability, disentanglement, equivariance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from stylegenes.data.protocols import LabelSource
from stylegenes.generator import Generator
from stylegenes.metrics.disentanglement import LINEAR, DisentanglementSettings, OneHot, Rows, disentanglement
from stylegenes.metrics.equivariance import MAX_SHIFT, Mismatch, Trial, rotation_trial, translation_trial, trials_pass
from stylegenes.metrics.labeled_draws import LabeledDraws, draws_pass
from stylegenes.metrics.path_length import PathSettings, Sampling, Space, path_pass, summarize
from stylegenes.metrics.row_pass import RowPass
from stylegenes.metrics.separability import MAX_STEPS, linear_separability
from stylegenes.perception import AttributeClassifier, PerceptualDistance
from stylegenes.progress import OnProgress, naming
from stylegenes.shares import Share


@dataclass(frozen=True)
class LatentMeasurement:
    """A number about a generator's latent, before it becomes a record.

    Attributes:
        metric: its full name.
        value: the number; None where it could not be obtained.
        network: the frozen network that it depends on, "" where none.
        network_weights: sha256 of its weights.
        settings: everything else it depends on.
        spread: standard error, where there is one.
        failure: what could not be fitted, or "".
        details: numbers that explain it.
    """

    metric: str
    value: float | None
    network: str
    network_weights: str
    settings: dict[str, Any]
    spread: float | None = None
    failure: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LatentContext:
    """What these metrics work with; a pass that several of them need is made once."""

    generator: Generator
    num: int
    seed: int
    batch: int
    psi: float
    labels: LabelSource
    distance: PerceptualDistance | None
    classifier: AttributeClassifier | None
    work: Path | None
    share: Share
    on_progress: OnProgress
    _rows: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)

    @property
    def draws(self) -> dict[str, Any]:
        """What all passes are told of the draws."""
        return {"num": self.num, "seed": self.seed, "batch": self.batch, "psi": self.psi, "labels": self.labels}

    def placed(self, plan: RowPass) -> RowPass:
        """The pass as this process makes it: where, which part, and who hears of it."""
        told = naming(plan.name, self.on_progress)
        return replace(plan, folder=self.work, share=self.share, on_block=told)

    def rows(self, plan: RowPass) -> torch.Tensor:
        """What the pass gives."""
        key = plan.key()
        if key not in self._rows:
            self._rows[key] = self.placed(plan).run()
        return self._rows[key]

    def need_classifier(self) -> AttributeClassifier:
        """The classifier, whose presence the evaluator has checked."""
        assert self.classifier is not None
        return self.classifier

    def need_distance(self) -> PerceptualDistance:
        """The distance, whose presence the evaluator has checked."""
        assert self.distance is not None
        return self.distance


@dataclass(frozen=True)
class LatentMetric:
    """How a latent is measured, and what by.

    Attributes:
        passes: the passes to make, which processes share.
        score: the numbers, from the rows of these passes in their order.
        needs_distance: whether a perceptual distance is needed.
        needs_classifier: whether an attribute classifier is needed.
        needs_movable: whether the synthesis network's input must be movable.
    """

    passes: Callable[[LatentContext], list[RowPass]]
    score: Callable[[LatentContext, list[torch.Tensor]], list[LatentMeasurement]]
    needs_distance: bool = False
    needs_classifier: bool = False
    needs_movable: bool = False

    def measure(self, context: LatentContext) -> list[LatentMeasurement]:
        """Make the passes and score them."""
        return self.score(context, [context.rows(plan) for plan in self.passes(context)])


def _paths(crop: bool) -> LatentMetric:
    kinds: list[tuple[Space, Sampling]] = [("z", "full"), ("z", "end"), ("w", "full"), ("w", "end")]
    settings = [PathSettings(space, sampling, crop=crop) for space, sampling in kinds]

    def passes(context: LatentContext) -> list[RowPass]:
        return [path_pass(context.generator, context.need_distance(), one, **context.draws) for one in settings]

    def score(context: LatentContext, rows: list[torch.Tensor]) -> list[LatentMeasurement]:
        return [_path_length(context, one, lengths.flatten()) for one, lengths in zip(settings, rows, strict=True)]

    return LatentMetric(passes, score, needs_distance=True)


def _path_length(context: LatentContext, settings: PathSettings, lengths: torch.Tensor) -> LatentMeasurement:
    distance, length = context.need_distance(), summarize(lengths, settings.reject)
    name = f"ppl_{settings.space}_{settings.sampling}" + ("_crop" if settings.crop else "")
    return LatentMeasurement(
        metric=distance.metric_name(name),
        value=length.mean,
        network=distance.name,
        network_weights=distance.weights_hash,
        settings={**asdict(settings), "spread": "standard error", "noise": "const"},
        spread=length.standard_error,
        details={"pairs": length.num, "kept": length.num_kept},
    )


def _draws(context: LatentContext) -> list[RowPass]:
    return [draws_pass(context.generator, context.need_classifier(), **context.draws)]


def _labeled(context: LatentContext, rows: list[torch.Tensor]) -> LabeledDraws:
    return LabeledDraws.read(rows[0], context.generator.latent.w_dim, context.need_classifier().attributes)


def _separability(context: LatentContext, rows: list[torch.Tensor]) -> list[LatentMeasurement]:
    classifier, draws = context.need_classifier(), _labeled(context, rows)
    found = []
    for space, features in draws.spaces.items():
        result = linear_separability(features, draws.probability, draws.attributes)
        fitted = [a.name for a in result.attributes if a.entropy is not None]
        found.append(
            LatentMeasurement(
                metric=f"separability_{space}",
                value=result.score,
                network=classifier.name,
                network_weights=classifier.weights_hash,
                settings={"kept": 0.5, "max_steps": MAX_STEPS, "attributes": fitted},
                failure=f"not fitted: {', '.join(result.failed)}" if result.failed else "",
                details={a.name: asdict(a) for a in result.attributes},
            )
        )
    return found


def _disentanglement(name: str, reader: DisentanglementSettings) -> LatentMetric:
    def score(context: LatentContext, rows: list[torch.Tensor]) -> list[LatentMeasurement]:
        classifier, draws = context.need_classifier(), _labeled(context, rows)
        settings = replace(reader, seed=context.seed)
        found = []
        for space, features in _readable(context, draws).items():
            result = disentanglement(features, draws.probability, draws.attributes, settings)
            found.append(
                LatentMeasurement(
                    metric=f"{name}_{space}",
                    value=result.mean,
                    network=classifier.name,
                    network_weights=classifier.weights_hash,
                    settings={**asdict(settings), "classes": "balanced", "attributes": sorted(result.accuracy)},
                    failure=f"too rare: {', '.join(result.failed)}" if result.failed else "",
                    details=dict(result.accuracy),
                )
            )
        return found

    return LatentMetric(_draws, score, needs_classifier=True)


def _readable(context: LatentContext, draws: LabeledDraws) -> dict[str, Rows]:
    """The spaces that attributes are read from: z, w and, of a genome, its genes as zeros and ones."""
    latent = context.generator.latent
    chosen = latent.choices(draws.spaces["z"])
    spaces: dict[str, Rows] = {**draws.spaces}
    return spaces if chosen is None else {**spaces, "genes": OneHot(chosen.cpu(), latent.num_variants)}


def _equivariance(name: str, trial: Trial, settings: dict[str, Any]) -> LatentMetric:
    def passes(context: LatentContext) -> list[RowPass]:
        return [trials_pass(name, context.generator, trial, **context.draws)]

    def score(context: LatentContext, rows: list[torch.Tensor]) -> list[LatentMeasurement]:
        squared, count = rows[0].sum(dim=0).tolist()
        transforms = {"transforms": -(-context.num // context.batch)}
        return [
            LatentMeasurement(
                name, Mismatch(squared, count).decibels, "", "", {**settings, "unit": "dB"}, details=transforms
            )
        ]

    return LatentMetric(passes, score, needs_movable=True)


LATENT_METRICS: dict[str, LatentMetric] = {
    "ppl": _paths(crop=False),
    "ppl_crop": _paths(crop=True),
    "separability": LatentMetric(_draws, _separability, needs_classifier=True),
    "disentanglement": _disentanglement("disentanglement", DisentanglementSettings()),
    "disentanglement_linear": _disentanglement("disentanglement_linear", LINEAR),
    "eq_t": _equivariance("eq_t", translation_trial, {"max_shift": MAX_SHIFT}),
    "eq_r": _equivariance("eq_r", rotation_trial, {}),
}
