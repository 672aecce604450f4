"""Streaming moments of features, summed in float64: additive over batches, processes and interruptions."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stylegenes.errors import UserError
from stylegenes.metrics.door import not_finite


@dataclass(frozen=True)
class FeatureGaussian:
    """The first two moments of a set of features.

    Attributes:
        mean: float64 [D].
        covariance: float64 [D, D], unbiased.
        count: how many features.
    """

    mean: torch.Tensor
    covariance: torch.Tensor
    count: int

    @property
    def num(self) -> int:
        """How many features."""
        return self.count

    @property
    def dim(self) -> int:
        """D."""
        return len(self.mean)

    def double(self) -> FeatureGaussian:
        """The same in float64."""
        return FeatureGaussian(self.mean.double(), self.covariance.double(), self.count)

    def fault(self) -> str:
        """What forbids to compare this with any other, see `door.Comparable`."""
        if self.mean.ndim != 1 or self.covariance.shape != (len(self.mean), len(self.mean)) or not len(self.mean):
            shapes = f"{list(self.mean.shape)} and {list(self.covariance.shape)}"
            return f"have a mean and a covariance of shapes {shapes}, not [D] and [D, D]"
        if not (self.mean.is_floating_point() and self.covariance.is_floating_point()):
            return f"are {self.mean.dtype} and {self.covariance.dtype}, not floating-point numbers"
        return not_finite(sum(int((~each.isfinite()).sum()) for each in (self.mean, self.covariance)))


@dataclass
class Moments:
    """Sums over features; memory O(D^2) whatever their number.

    Attributes:
        count: features seen.
        total: float64 [D], their sum.
        outer: float64 [D, D], the sum of their outer products.
    """

    count: int
    total: torch.Tensor
    outer: torch.Tensor

    @classmethod
    def empty(cls, dim: int) -> Moments:
        """No features of length `dim` yet."""
        return cls(0, torch.zeros(dim, dtype=torch.float64), torch.zeros(dim, dim, dtype=torch.float64))

    def update(self, features: torch.Tensor) -> None:
        """Add features [N, D].

        Raises:
            UserError: for features of another length than those before.
        """
        if features.ndim != 2 or features.shape[1] != len(self.total):
            raise UserError(
                f"features of shape {list(features.shape)} do not go with those of length {len(self.total)}"
            )
        rows = features.detach().to("cpu", torch.float64)
        self.count += len(rows)
        self.total += rows.sum(dim=0)
        self.outer.addmm_(rows.T, rows)

    def merged(self, other: Moments) -> Moments:
        """The moments of both sets together."""
        return Moments(self.count + other.count, self.total + other.total, self.outer + other.outer)

    def gaussian(self) -> FeatureGaussian:
        """Mean and covariance.

        Raises:
            UserError: for fewer than two features.
        """
        if self.count < 2:
            raise UserError(f"a covariance needs at least two pictures; got {self.count}")
        mean = self.total / self.count
        covariance = (self.outer - self.count * torch.outer(mean, mean)) / (self.count - 1)
        return FeatureGaussian(mean, (covariance + covariance.T) / 2, self.count)
