"""The table of distribution metrics: each compares two sets of features, whatever made them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stylegenes.metrics.features import Features
from stylegenes.metrics.frechet import frechet_distance
from stylegenes.metrics.kernel import kernel_distance
from stylegenes.metrics.neighbors import density_coverage, outliers, precision_recall


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
        compute: from features of reals and fakes to numbers, named without the judge.
        settings: what the numbers depend on besides the features.
        needs_rows: whether moments are not enough.
    """

    compute: Callable[[Features, Features], list[Number]]
    settings: dict[str, Any] = field(default_factory=dict)
    needs_rows: bool = True


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
    "pr": DistributionMetric(_precision_recall, {"k": 3}),
    "dc": DistributionMetric(_density_coverage, {"k": 5}),
    "outliers": DistributionMetric(_outliers, {"quantile": 0.99}),
}
