"""Precision, recall, density, coverage and outliers: who lies within whose neighborhood, in feature space.

Precision and recall are those of Kynkaanniemi et al. 2019 (Eq. 1-2), density and coverage of Naeem et al. 2020
(section 3); outliers are ours. Everything goes through blocks of CHUNK x CHUNK distances in float64: at most
4 CHUNK^2 + 2 CHUNK D numbers of 8 bytes at once, besides one radius a picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from stylegenes.errors import UserError
from stylegenes.metrics.door import admit
from stylegenes.metrics.rows import Rows

CHUNK = 2048


@dataclass(frozen=True)
class PrecisionRecall:
    """Shares in [0, 1].

    Attributes:
        precision: fakes that lie within the k-neighborhood of some real.
        recall: reals that lie within the k-neighborhood of some fake.
        k: which neighbor sets the radius.
    """

    precision: float
    recall: float
    k: int


@dataclass(frozen=True)
class DensityCoverage:
    """How well the fakes fill the reals' neighborhoods.

    Attributes:
        density: neighborhoods of reals that hold a fake, per fake and k; 1 is expected of equals, it may exceed 1.
        coverage: reals whose neighborhood holds some fake, in [0, 1].
        k: which neighbor sets the radius.
    """

    density: float
    coverage: float
    k: int


@dataclass(frozen=True)
class Outliers:
    """Fakes that are like no real.

    Attributes:
        share: fakes whose nearest real is farther than `limit`, in [0, 1]; another set of reals has about 1 - quantile.
        limit: the distance that this share of the reals keeps to its nearest other real.
        quantile: which share.
    """

    share: float
    limit: float
    quantile: float


@dataclass(frozen=True)
class _Hits:
    """For each query: how many balls it lies in. For each ball: whether a query lies in it."""

    balls_of_query: torch.Tensor
    ball_is_hit: torch.Tensor


def precision_recall(real: Rows, fake: Rows, *, k: int = 3, chunk: int = CHUNK) -> PrecisionRecall:
    """Precision and recall of features [N, D] and [M, D].

    Args:
        real: [N, D].
        fake: [M, D].
        k: a ball reaches to its center's k-th nearest neighbor.
        chunk: rows compared at once.

    Raises:
        UserError: for features that cannot be compared, see `door.admit`, or when a side has no k-th neighbor.
    """
    admit(real, fake, "precision and recall", least_real=k + 1, least_fake=k + 1)
    precision = _hits(fake, real, _radii(real, k, chunk), chunk).balls_of_query > 0
    recall = _hits(real, fake, _radii(fake, k, chunk), chunk).balls_of_query > 0
    return PrecisionRecall(precision.double().mean().item(), recall.double().mean().item(), k)


def density_coverage(real: Rows, fake: Rows, *, k: int = 5, chunk: int = CHUNK) -> DensityCoverage:
    """Density and coverage of features [N, D] and [M, D].

    Args:
        real: [N, D].
        fake: [M, D].
        k: a ball reaches to its center's k-th nearest neighbor.
        chunk: rows compared at once.

    Raises:
        UserError: for features that cannot be compared, see `door.admit`, or when a real has no k-th neighbor.
    """
    admit(real, fake, "density and coverage", least_real=k + 1)
    hits = _hits(fake, real, _radii(real, k, chunk), chunk)
    density = hits.balls_of_query.double().mean().item() / k
    return DensityCoverage(density, hits.ball_is_hit.double().mean().item(), k)


def outliers(real: Rows, fake: Rows, *, quantile: float = 0.99, chunk: int = CHUNK) -> Outliers:
    """Share of fakes [M, D] that lie farther from the reals [N, D] than reals lie from one another.

    The limit is the ceil(quantile (N + 1))-th smallest distance of a real to its nearest other real: the order
    statistic that one more real exceeds with a chance of at most 1 - quantile. With too few reals for that it is the
    largest, which one more real exceeds with a chance of 1 / (N + 1).

    Args:
        real: [N, D].
        fake: [M, D].
        quantile: share of the reals' own distances below the limit, in (0, 1).
        chunk: rows compared at once.

    Raises:
        UserError: for features that cannot be compared, see `door.admit`, or fewer than two reals.
    """
    admit(real, fake, "a share of outliers", least_real=2)
    own = _radii(real, 1, chunk).sort().values
    limit = own[min(len(own), math.ceil(quantile * (len(own) + 1))) - 1]
    outside = [nearest(block, real, chunk) > limit + _rounding(block) for block in fake.chunks(chunk)]
    return Outliers(torch.cat(outside).double().mean().item(), limit.sqrt().item(), quantile)


def nearest(queries: torch.Tensor, centers: Rows, chunk: int = CHUNK) -> torch.Tensor:
    """Squared distance of every query [N, D] to its nearest center, float64 [N]."""
    found = torch.full((len(queries),), torch.inf, dtype=torch.float64)
    for other in centers.chunks(chunk):
        found = torch.minimum(found, squared_distances(queries, other).min(dim=1).values)
    return found


def k_nearest(queries: torch.Tensor, centers: Rows, k: int, chunk: int = CHUNK) -> tuple[torch.Tensor, torch.Tensor]:
    """Distances float64 [N, k] of queries to their nearest centers, ascending, and which these are, int64 [N, k].

    Args:
        queries: float64 [N, D].
        centers: [M, D].
        k: at most M.
        chunk: centers compared at once.
    """
    best = torch.full((len(queries), 0), 0.0, dtype=torch.float64)
    place, start = torch.zeros((len(queries), 0), dtype=torch.int64), 0
    for block in centers.chunks(chunk):
        here = torch.arange(start, start + len(block)).expand(len(queries), -1)
        both = torch.cat([best, squared_distances(queries, block)], dim=1)
        best, kept = both.topk(min(k, both.shape[1]), dim=1, largest=False)
        place, start = torch.cat([place, here], dim=1).gather(1, kept), start + len(block)
    # Again, and without the rounding of squares that nearly cancel: a copy is at 0.
    exact = torch.stack(
        [(centers.take(row.numpy()) - one).norm(dim=1) for row, one in zip(place, queries, strict=True)]
    )
    order = exact.argsort(dim=1, stable=True)
    return exact.gather(1, order), place.gather(1, order)


def _rounding(rows: torch.Tensor) -> torch.Tensor:
    """The error of a squared distance from rows [N, D], [N]: a copy among copies is no outlier, and in their balls."""
    return rows.square().sum(dim=1) * rows.shape[1] * torch.finfo(rows.dtype).eps


def radii(rows: Rows, k: int, chunk: int = CHUNK) -> torch.Tensor:
    """Squared distance of every row [N, D] to its k-th nearest other row, float64 [N].

    Raises:
        UserError: for features that cannot be compared, see `door.admit`, or when there are no k others.
    """
    if len(rows) <= k:
        raise UserError(f"the {k}-th neighbor needs more than {k} pictures; got {len(rows)}")
    admit(rows, rows, f"the distance to neighbor {k}")
    return _radii(rows, k, chunk)


def _radii(rows: Rows, k: int, chunk: int) -> torch.Tensor:
    if k < 1:
        raise UserError(f"neighbors count from 1; got {k}")
    found = []
    for i, queries in enumerate(rows.chunks(chunk)):
        nearest = torch.full((len(queries), k), torch.inf, dtype=torch.float64)
        for j, others in enumerate(rows.chunks(chunk)):
            distances = squared_distances(queries, others)
            if i == j:
                distances.fill_diagonal_(torch.inf)
            nearest = torch.cat([nearest, distances], dim=1).topk(k, dim=1, largest=False).values
        found.append(nearest[:, -1])
    return torch.cat(found)


def squared_distances(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Squared Euclidean distances [N, M] of rows [N, D] and [M, D]; exactly symmetric in its arguments' values."""
    return (x.square().sum(dim=1)[:, None] + y.square().sum(dim=1) - 2 * (x @ y.T)).clamp_(min=0)


def _hits(queries: Rows, centers: Rows, radius: torch.Tensor, chunk: int) -> _Hits:
    counts, hit = [], torch.zeros(len(centers), dtype=torch.bool)
    for block in queries.chunks(chunk):
        count, start, slack = torch.zeros(len(block), dtype=torch.int64), 0, _rounding(block)[:, None]
        for other in centers.chunks(chunk):
            stop = start + len(other)
            inside = squared_distances(block, other) <= radius[start:stop] + slack
            count += inside.sum(dim=1)
            hit[start:stop] |= inside.any(dim=0)
            start = stop
        counts.append(count)
    return _Hits(torch.cat(counts), hit)
