"""Are the means of a gene's variants spread wider than chance has it? Pearson's chi-squared under permutations.

Under the hypothesis that the gene does nothing its expectation is exactly the degrees of freedom, and its variance is
known exactly from the draws' kurtosis (Haldane 1940 for counts; linear in the kurtosis, hence true of any draws). Where
that variance is no larger than a chi-squared's, and every variant has some draws on the rare side, its tail is that of
the gamma distribution with these two moments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from stylegenes.analysis.exact import Pool

MOST_VARIANCE = 1.02
"""Times that of a chi-squared. Beyond it rare attributes or rarely drawn variants give the statistic a heavy tail."""
MANY_VARIANTS, LEAST_HITS, LEAST_HITS_OF_MANY = 64, 2.0, 0.5
"""Draws at the far end of the range that an average variant must be expected to have; fewer where many are summed."""


@dataclass(frozen=True)
class SpreadTest:
    """The outcome, [G, A] each.

    Attributes:
        p_value: of the statistic.
        holds: whether the p-value can be relied on.
    """

    p_value: np.ndarray
    holds: np.ndarray


def most_kurtosis(pool: Pool) -> np.ndarray:
    """The largest fourth moment over the squared variance, [A], that mean, variance and range allow.

    With d in [-below, above], (d + below)(above - d) >= 0 bounds d^2 by a line; times d^2 that bounds the fourth moment
    by the third, which is largest for the two points of `exact`.
    """
    far, gap = np.maximum(pool.below, pool.above), np.abs(pool.above - pool.below)
    return (gap * (far - pool.variance / far) + pool.below * pool.above) / pool.variance


def spread_test(statistic: np.ndarray, seen: np.ndarray, pool: Pool) -> SpreadTest:
    """Test Pearson's statistics [G, A], whose expectation is the degrees of freedom; draws of each variant [G, V]."""
    # The moments have four draws less in a divisor; the test does not hold for so few.
    size, rows = max(pool.size, 5.0), (seen > 0).sum(axis=1, keepdims=True)
    freedom = np.maximum(rows - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        uneven = (np.where(seen > 0, size / np.maximum(seen, 1), 0).sum(axis=1, keepdims=True) - rows**2) / (size - 2)
        skewed = (most_kurtosis(pool) - 1) / (size - 2)
        spare_rows, spare_columns = (rows - 1) * (size - rows) / (size - 1), (size - 2) / (size - 1)
        variance = 2 * size / (size - 3) * (spare_rows - uneven) * (spare_columns - skewed)
        variance = (variance + size**2 / (size - 1) * uneven * skewed) * ((size - 1) / size) ** 2
        rare = pool.variance / (pool.variance + np.maximum(pool.below, pool.above) ** 2)
        p_value = scipy.special.gammaincc(freedom**2 / variance, statistic * freedom / variance)
    holds = (variance > 0) & (variance <= MOST_VARIANCE * 2 * freedom) & (rows > 1) & (pool.size > 4)
    least = np.where(rows >= MANY_VARIANTS, LEAST_HITS_OF_MANY, LEAST_HITS)
    holds &= (size / np.maximum(rows, 1) * rare >= least) & np.isfinite(p_value)
    return SpreadTest(p_value, holds)
