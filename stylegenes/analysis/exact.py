"""How surprising is the sum of a variant's draws, if the variant does nothing?

Then its draws are a random sample, without replacement, of all draws of the survey, whatever the attribute's
distribution. For labels of 0 and 1 the sum has the hypergeometric distribution, exactly. For probabilities between them
only the draws' mean, variance and range are known; of all distributions with these, one of two points has the heaviest
tail (Bennett 1962, section 2, in the sense of its bound), and its sum is hypergeometric again, up to scale. So one tail
serves all attributes: exact where the classifier is sure, a little careful where it is not, at any number of draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

Array = np.ndarray

_LEAST = 1e-300


@dataclass(frozen=True)
class Pool:
    """What the tests know of all draws of an attribute, in arrays that go together elementwise.

    Attributes:
        size: how many.
        mean: their mean.
        variance: their variance, divided by their number.
        below: how far the smallest lies below the mean.
        above: how far the largest lies above it.
    """

    size: float
    mean: Array
    variance: Array
    below: Array
    above: Array

    def at(self, index: Array) -> Pool:
        """Those at `index` of the last axis."""
        return Pool(self.size, *(each[index] for each in (self.mean, self.variance, self.below, self.above)))

    @property
    def flipped(self) -> Pool:
        """The same draws with their sign changed."""
        return Pool(self.size, -self.mean, self.variance, self.above, self.below)


def hypergeometric_tail(hits: Array, marked: Array, drawn: Array | float, size: float) -> Array:
    """P(H >= `hits`), H the marked ones among `drawn` of `size`, `marked` of which are; between whole numbers smooth.

    A binomial with the chance moved as Wise proposed (1954, Biometrika 41, Eq. 2.3), whose tail is an incomplete beta
    function. At whole numbers it is never below the exact tail, and above it by some per cent at most unless a large
    part of all is drawn (nine times at half of them, far out).
    """
    hits, marked, drawn = np.broadcast_arrays(hits, marked, drawn)
    # The roles of the marked and the drawn are symmetric; the formula is the sharper, the fewer are drawn.
    few, many = np.minimum(marked, drawn), np.maximum(marked, drawn)
    chance = np.clip((many - (hits - 1) / 2) / (size - (few - 1) / 2), 0, 1)
    tail = scipy.special.betainc(np.maximum(hits, _LEAST), np.maximum(few - hits + 1, 1e-9), chance)
    return np.where(hits <= 0, 1.0, tail)


def _marked(pool: Pool) -> Array:
    """The weight of the upper of two points, the largest draw, that share mean and variance with the draws."""
    return pool.variance / (pool.variance + pool.above**2)


def as_hits(excess: Array, drawn: Array, pool: Pool) -> Array:
    """A sum that lies `excess` above its mean as a number of draws at the upper of the two points."""
    return drawn * _marked(pool) + excess / (pool.above + pool.variance / pool.above)


def _tail(excess: Array, drawn: Array, pool: Pool, more: float) -> Array:
    hits = as_hits(excess, drawn, pool) + more
    return hypergeometric_tail(hits, pool.size * _marked(pool), drawn, pool.size)


def _lower_tail(shortage: Array, drawn: Array, pool: Pool, more: float) -> Array:
    """P(sum <= mean - shortage) of the two points whose upper one is the largest draw."""
    hits = drawn * (1 - _marked(pool)) + shortage / (pool.above + pool.variance / pool.above) + more
    return hypergeometric_tail(hits, pool.size * (1 - _marked(pool)), drawn, pool.size)


def two_sided(excess: Array, drawn: Array, pool: Pool, *, more: float = 0) -> Array:
    """p-values of sums of `drawn` draws that lie `excess` above (below: negative) what they are expected to be.

    Twice the chance of a sum as far out on its side. Where a large part of all is drawn, the tail on the light side of
    a skewed distribution is that of the rest on the heavy side; so both pairs of two points are asked, and the larger
    tail is taken.

    Args:
        excess: [N].
        drawn: [N], at least one each.
        pool: of each sum, with a variance above zero.
        more: hits that the sum is taken to have besides; 1 gives the chance of a sum beyond it, for 0/1 labels.
    """
    p = np.empty_like(excess)
    for side, flip in ((excess >= 0, False), (excess < 0, True)):
        mine = pool.at(side)
        near, far = (mine.flipped, mine) if flip else (mine, mine.flipped)
        size, n = np.abs(excess[side]), drawn[side]
        p[side] = np.maximum(_tail(size, n, near, more), _lower_tail(size, n, far, more))
    return np.minimum(1.0, 2 * p)
