"""Streaming moments of features, summed in float64: additive over batches, processes and interruptions."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stylegenes.errors import UserError


@dataclass(frozen=True)
class Gaussian:
    """The first two moments of a set of features.

    Attributes:
        mean: float64 [D].
        covariance: float64 [D, D], unbiased.
        count: how many features.
    """

    mean: torch.Tensor
    covariance: torch.Tensor
    count: int


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
        """Add features [N, D]."""
        rows = features.detach().to("cpu", torch.float64)
        self.count += len(rows)
        self.total += rows.sum(dim=0)
        self.outer.addmm_(rows.T, rows)

    def merged(self, other: Moments) -> Moments:
        """The moments of both sets together."""
        return Moments(self.count + other.count, self.total + other.total, self.outer + other.outer)

    def gaussian(self) -> Gaussian:
        """Mean and covariance.

        Raises:
            UserError: for fewer than two features.
        """
        if self.count < 2:
            raise UserError(f"a covariance needs at least two pictures; got {self.count}")
        mean = self.total / self.count
        covariance = (self.outer - self.count * torch.outer(mean, mean)) / (self.count - 1)
        return Gaussian(mean, (covariance + covariance.T) / 2, self.count)
