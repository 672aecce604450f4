"""The table of distribution metrics: each compares two sets of features, whatever made them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stylegenes.errors import UserError
from stylegenes.metrics.features import Features, FeatureSet
from stylegenes.metrics.frechet import frechet_distance
from stylegenes.metrics.kernel import kernel_distance
from stylegenes.metrics.neighbors import density_coverage, outliers, precision_recall
from stylegenes.words import counted


@dataclass(frozen=True)
class Number:
    """A value with its spread, before it becomes a record."""

    metric: str
    value: float
    spread: float | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DistributionMetric:
    """How reals and fakes are compared.

    Attributes:
        compute: from features of reals and fakes to numbers, named without the extractor.
        settings: what the numbers depend on besides the features.
        needs_rows: whether moments are not enough.
        least: pictures that either side must have.
    """

    compute: Callable[[Features, Features], list[Number]]
    settings: dict[str, Any] = field(default_factory=dict)
    needs_rows: bool = True
    least: int = 2


def _frechet(real: Features, fake: Features) -> list[Number]:
    return [Number("fd", frechet_distance(real.moments.gaussian(), fake.moments.gaussian()))]


def _kernel(real: Features, fake: Features) -> list[Number]:
    found = kernel_distance(real.need_rows(), fake.need_rows(), subsets=100, subset_size=1000)
    return [Number("kid", found.mean, found.spread, {"subset_size": found.subset_size})]


def _precision_recall(real: Features, fake: Features) -> list[Number]:
    found = precision_recall(real.need_rows(), fake.need_rows(), k=3)
    return [Number("precision", found.precision), Number("recall", found.recall)]


def _density_coverage(real: Features, fake: Features) -> list[Number]:
    found = density_coverage(real.need_rows(), fake.need_rows(), k=5)
    return [Number("density", found.density), Number("coverage", found.coverage)]


def _outliers(real: Features, fake: Features) -> list[Number]:
    found = outliers(real.need_rows(), fake.need_rows(), quantile=0.99)
    return [Number("outliers", found.share, details={"limit": found.limit})]


DISTRIBUTION_METRICS: dict[str, DistributionMetric] = {
    "fd": DistributionMetric(_frechet, needs_rows=False),
    "kid": DistributionMetric(_kernel, {"kernel": "cubic", "subsets": 100, "subset_size": 1000}),
    "pr": DistributionMetric(_precision_recall, {"k": 3}, least=4),
    "dc": DistributionMetric(_density_coverage, {"k": 5}, least=6),
    "outliers": DistributionMetric(_outliers, {"quantile": 0.99}),
}


def floors_of(name: str, real: FeatureSet) -> dict[str, float]:
    """A metric between the two halves of the reals, by the names of its numbers."""
    if real.halves is None:
        return {name: real.floors[name]}
    return {number.metric: number.value for number in DISTRIBUTION_METRICS[name].compute(*real.halves)}


def need_enough(name: str, source: str, num_real: int, num_fake: int) -> None:
    """See that a metric can be computed, before fakes are drawn for it.

    Args:
        name: a metric of `DISTRIBUTION_METRICS`.
        source: of the reals, for the message.
        num_real: how many reals.
        num_fake: how many fakes.

    Raises:
        UserError: when there are too few of either; the floor is measured between two halves of the reals.
    """
    least = DISTRIBUTION_METRICS[name].least
    if num_real < 2 * least:
        raise UserError(
            f"{source} has {counted(num_real, 'picture')}; {name} needs at least {2 * least}, {least} in either half"
        )
    if num_fake < least:
        raise UserError(f"{name} needs at least {least} fakes; got {num_fake}")
