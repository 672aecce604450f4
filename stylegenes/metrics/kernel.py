"""Kernel distance: the squared maximum mean discrepancy with a cubic kernel (Binkowski et al. 2018, "KID")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from stylegenes.errors import UserError
from stylegenes.metrics.door import admit
from stylegenes.metrics.rows import Rows


@dataclass(frozen=True)
class KernelDistance:
    """The estimate.

    Attributes:
        mean: mean over the subsets; unbiased, so that it may be negative.
        spread: standard deviation over the subsets (of one subset, not of the mean).
        subsets: how many.
        subset_size: pictures of either side in each.
    """

    mean: float
    spread: float
    subsets: int
    subset_size: int


def cubic_kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """(x . y / D + 1)^3 of features [N, D] and [M, D], [N, M]."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def squared_mmd(x: torch.Tensor, y: torch.Tensor) -> float:
    """Unbiased squared maximum mean discrepancy of features [N, D] and [M, D] under the cubic kernel, in float64.

    Raises:
        UserError: for features that cannot be compared, see `door.admit`.
    """
    admit(Rows.of(x), Rows.of(y), "a kernel distance", least_real=2, least_fake=2)
    return _squared_mmd(x.double(), y.double())


def _squared_mmd(x: torch.Tensor, y: torch.Tensor) -> float:
    within_x, within_y, across = cubic_kernel(x, x), cubic_kernel(y, y), cubic_kernel(x, y)
    n, m = len(x), len(y)
    own = (within_x.sum() - within_x.trace()) / (n * (n - 1)) + (within_y.sum() - within_y.trace()) / (m * (m - 1))
    return (own - 2 * across.mean()).item()


def kernel_distance(
    real: Rows, fake: Rows, *, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> KernelDistance:
    """KID over random subsets drawn without replacement.

    Memory is three kernels of subset_size^2 numbers and two subsets of features, whatever the number of pictures.

    Args:
        real: features [N, D].
        fake: features [M, D].
        subsets: how many subsets are averaged.
        subset_size: pictures of either side in each; lowered to the smaller set.
        seed: which subsets.

    Raises:
        UserError: for features that cannot be compared, see `door.admit`, or subsets of fewer than two.
    """
    admit(real, fake, "a kernel distance", least_real=2, least_fake=2)
    if subsets < 1 or subset_size < 2:
        raise UserError(f"a kernel distance takes subsets of at least two pictures; got {subsets} of {subset_size}")
    size = min(subset_size, len(real), len(fake))
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(subsets):
        x = real.take(rng.choice(len(real), size, replace=False))
        y = fake.take(rng.choice(len(fake), size, replace=False))
        values.append(_squared_mmd(x, y))
    return KernelDistance(float(np.mean(values)), float(np.std(values)), subsets, size)
