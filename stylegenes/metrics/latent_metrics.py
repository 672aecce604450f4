"""The table of metrics of a latent space: path length, separability, disentanglement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from stylegenes.generator import Generator
from stylegenes.metrics.disentanglement import DisentanglementSettings, disentanglement
from stylegenes.metrics.labeled_draws import LabeledDraws, draw_labeled
from stylegenes.metrics.path_length import PathSettings, Sampling, Space, path_length
from stylegenes.metrics.separability import MAX_STEPS, linear_separability
from stylegenes.metrics.sources import LabeledImages
from stylegenes.perception import AttributeClassifier, PerceptualDistance


@dataclass(frozen=True)
class Found:
    """A number about a latent space, before it becomes a record.

    Attributes:
        metric: its full name.
        value: the number; None where it could not be obtained.
        judge: the network that judged.
        judge_weights: sha256 of its weights.
        settings: everything else it depends on.
        spread: standard error, where there is one.
        failure: what could not be fitted, or "".
        details: numbers that explain it.
    """

    metric: str
    value: float | None
    judge: str
    judge_weights: str
    settings: dict[str, Any]
    spread: float | None = None
    failure: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """What metrics of a latent space work with; the labeled draws are made once for all of them."""

    generator: Generator
    num: int
    seed: int
    batch: int
    psi: float
    data: LabeledImages
    distance: PerceptualDistance | None
    classifier: AttributeClassifier | None
    on_progress: Callable[[str, int, int], None]

    @cached_property
    def draws(self) -> LabeledDraws:
        """Codes and the classifier's probabilities of their pictures."""
        return draw_labeled(
            self.generator,
            self.need_classifier(),
            self.num,
            seed=self.seed,
            batch=self.batch,
            psi=self.psi,
            labels=self.data,
            on_block=lambda done, total: self.on_progress("labeled draws", done, total),
        )

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
    """How a latent space is measured, and what by."""

    measure: Callable[[Probe], list[Found]]
    needs_distance: bool = False
    needs_classifier: bool = False


def _path_lengths(crop: bool) -> Callable[[Probe], list[Found]]:
    def measure(probe: Probe) -> list[Found]:
        kinds: list[tuple[Space, Sampling]] = [("z", "full"), ("z", "end"), ("w", "full"), ("w", "end")]
        return [_path_length(probe, PathSettings(space, sampling, crop=crop)) for space, sampling in kinds]

    return measure


def _path_length(probe: Probe, settings: PathSettings) -> Found:
    distance = probe.need_distance()
    name = f"ppl_{settings.space}_{settings.sampling}"
    length = path_length(
        probe.generator,
        distance,
        settings,
        num=probe.num,
        seed=probe.seed,
        batch=probe.batch,
        labels=probe.data,
        on_block=lambda done, total: probe.on_progress(name, done, total),
    )
    return Found(
        metric=distance.metric_name(name + ("_crop" if settings.crop else "")),
        value=length.mean,
        judge=distance.name,
        judge_weights=distance.weights_hash,
        settings={**asdict(settings), "spread": "standard error", "noise": "const"},
        spread=length.standard_error,
        details={"pairs": length.num, "kept": length.num_kept},
    )


def _separability(probe: Probe) -> list[Found]:
    classifier = probe.need_classifier()
    found = []
    for space, features in probe.draws.spaces.items():
        result = linear_separability(features, probe.draws.probability, probe.draws.attributes)
        fitted = [a.name for a in result.attributes if a.entropy is not None]
        found.append(
            Found(
                metric=f"separability_{space}",
                value=result.score,
                judge=classifier.name,
                judge_weights=classifier.weights_hash,
                settings={"kept": 0.5, "max_steps": MAX_STEPS, "attributes": fitted},
                failure=f"not fitted: {', '.join(result.failed)}" if result.failed else "",
                details={a.name: asdict(a) for a in result.attributes},
            )
        )
    return found


def _disentanglement(probe: Probe) -> list[Found]:
    classifier, settings = probe.need_classifier(), DisentanglementSettings(seed=probe.seed)
    found = []
    for space, features in probe.draws.spaces.items():
        result = disentanglement(features, probe.draws.probability, probe.draws.attributes, settings)
        found.append(
            Found(
                metric=f"disentanglement_{space}",
                value=result.mean,
                judge=classifier.name,
                judge_weights=classifier.weights_hash,
                settings={**asdict(settings), "classes": "balanced", "attributes": sorted(result.accuracy)},
                failure=f"too rare: {', '.join(result.failed)}" if result.failed else "",
                details=dict(result.accuracy),
            )
        )
    return found


LATENT_METRICS: dict[str, LatentMetric] = {
    "ppl": LatentMetric(_path_lengths(crop=False), needs_distance=True),
    "ppl_crop": LatentMetric(_path_lengths(crop=True), needs_distance=True),
    "separability": LatentMetric(_separability, needs_classifier=True),
    "disentanglement": LatentMetric(_disentanglement, needs_classifier=True),
}
