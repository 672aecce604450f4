"""What can be said about a variant at a given number of draws: tests, reliability, resolution, stopping."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy
import torch

from stylegenes.analysis.exact import Pool, hypergeometric_tail, two_sided
from stylegenes.analysis.spread_test import spread_test
from stylegenes.analysis.statistics import VariantStatistics, tally_draws
from stylegenes.survey import Draws, SurveyPlan

TOO_FEW = "too few draws to say"
_LEAST = 1e-300


@dataclass(frozen=True)
class Significance:
    """Which variants differ from the average draw.

    Attributes:
        p_value: [G, V, A], of "its draws are like all draws"; 1 within a standard error of the mean, where nobody asks.
        z: [G, V, A], the normal deviate of the same p-value, with the sign of the difference.
        q_value: [G, V, A], the smallest false-discovery rate at which the variant is called.
        significant: bool [G, V, A].
        fdr: expected share of false calls among the calls of an attribute, on average over the attributes with calls.
    """

    p_value: torch.Tensor
    z: torch.Tensor
    q_value: torch.Tensor
    significant: torch.Tensor
    fdr: float


@dataclass(frozen=True)
class Resolution:
    """The difference in probability that a survey finds in four cases of five, [A] each; infinite where it finds none.

    Upwards or downwards, whichever is harder; where one of them cannot be found at any size, the other.

    Attributes:
        single: when one variant is asked about (two-sided, 5 %).
        family: when all variants of all genes are asked about at once (Bonferroni, 5 %).
    """

    single: torch.Tensor
    family: torch.Tensor


def false_discovery_rates(p_value: torch.Tensor) -> torch.Tensor:
    """q-values [..., A] of p-values [..., A]: the tests of an attribute are a family, and there are A families.

    Within a family by Benjamini and Hochberg 1995. Across families by Benjamini and Bogomolov 2014 (section 2.1): where
    calls are made in k of A families only, each is allowed k / A of the rate. So chance calls nothing anywhere in most
    surveys without effects, however many attributes there are; and an attribute that nothing acts on is not flooded
    with calls because others have many.
    """
    num = p_value.shape[-1]
    within = torch.from_numpy(scipy.stats.false_discovery_control(p_value.reshape(-1, num).numpy(), axis=0))
    families = torch.from_numpy(scipy.stats.false_discovery_control(within.amin(dim=0).numpy())).sort().values
    q_value = torch.full_like(within, torch.inf)
    for k, threshold in enumerate(families.tolist(), 1):
        torch.minimum(q_value, (within * num / k).clamp_min(threshold), out=q_value)
    return q_value.clamp_max(1).view_as(p_value)


def significance(statistics: VariantStatistics, fdr: float = 0.05) -> Significance:
    """Test every variant against "its draws are like all draws", by `exact.two_sided` at any number of draws."""
    found = _scores(statistics)
    q_value = false_discovery_rates(found.p_value)
    z = torch.from_numpy(-scipy.special.ndtri(found.p_value.clamp_min(_LEAST).numpy() / 2)) * found.excess.sign()
    return Significance(found.p_value, z, q_value, q_value <= fdr, fdr)


def gene_q_values(statistics: VariantStatistics) -> torch.Tensor:
    """False-discovery rate at which each gene is said to act on each attribute at all, [G, A].

    Two questions are asked of a gene, and the better answer counts twice: whether one of its variants stands out (Simes
    1986, Theorem 1), and whether all of them together are spread wider than chance has it (`spread_test`). Where rare
    attributes or few draws give Pearson's chi-squared a heavy tail, each variant adds no more to it than the normal
    deviate of its own exact p-value, squared: that keeps the level, at the cost of finding less.
    """
    found = _scores(statistics)
    simes = scipy.stats.false_discovery_control(found.p_value.numpy(), axis=1).min(axis=1)
    freedom = ((statistics.seen > 0).sum(dim=1, keepdim=True) - 1).numpy()
    careful = np.where(freedom > 0, scipy.special.chdtrc(np.maximum(freedom, 1), found.bounded.sum(dim=1).numpy()), 1.0)
    spread = spread_test(found.square.sum(dim=1).numpy(), statistics.seen.numpy(), _pool(statistics))
    together = np.where(spread.holds, spread.p_value, careful)
    return false_discovery_rates(torch.from_numpy(np.minimum(1.0, 2 * np.minimum(simes, together))))


@dataclass(frozen=True)
class _Scores:
    """How far every variant is from what chance gives it, [G, V, A] each.

    Attributes:
        excess: sum of its probabilities less what as many average draws have.
        p_value: exact, two-sided.
        square: its share of Pearson's chi-squared; the expectation is 1 - seen / all draws, whatever the distribution.
        bounded: the same, but no more than its exact normal deviate gives.
    """

    excess: torch.Tensor
    p_value: torch.Tensor
    square: torch.Tensor
    bounded: torch.Tensor


def _scores(statistics: VariantStatistics) -> _Scores:
    seen, size, variance = statistics.seen[..., None], statistics.num_draws, statistics.spread.square()
    excess = torch.where(seen > 0, statistics.total.sum(dim=0) - seen * statistics.overall, 0.0)
    rest = 1 - seen / max(size, 1)
    # A variance that is rounding of equal numbers is none.
    known = variance > 1e-12 * statistics.overall.square() + _LEAST
    square = torch.where(known, excess.square() / (seen.clamp_min(1) * variance.clamp_min(_LEAST)), 0.0)
    square *= (size - 1) / max(size, 1)
    p_value = torch.ones_like(excess)
    asked = (square > rest) & (rest > 0)
    cells = asked.nonzero(as_tuple=True)
    drawn, columns = statistics.seen[cells[0], cells[1]].numpy(), cells[2].numpy()
    pool = _pool(statistics).at(columns)
    far = excess[asked].numpy()
    exact, beyond = (np.nan_to_num(two_sided(far, drawn, pool, more=more), nan=1.0) for more in (0, 1))
    p_value[asked] = torch.from_numpy(exact)
    deviate = torch.from_numpy(scipy.special.ndtri(np.maximum((exact + beyond) / 4, _LEAST))).square()
    bounded = square.clone()
    bounded[asked] = torch.minimum(square[asked], rest.expand_as(excess)[asked] * deviate)
    return _Scores(excess, p_value, square, bounded)


def _pool(statistics: VariantStatistics) -> Pool:
    """All draws of every attribute, arrays [A]."""
    mean = statistics.overall
    below, above = (mean - statistics.low).clamp_min(1e-9), (statistics.high - mean).clamp_min(1e-9)
    arrays = (each.numpy() for each in (mean, statistics.spread.square(), below, above))
    return Pool(float(statistics.num_draws), *arrays)


def split_half_reliability(statistics: VariantStatistics) -> torch.Tensor:
    """How far two halves of the survey agree on a gene's variants, [G, A], in [-1, 1].

    Pearson's correlation between the halves' means over the variants, carried to the whole survey by the
    Spearman-Brown formula 2 r / (1 + r). Near zero: the table of this gene and attribute is noise.
    """
    first, second = statistics.half_means - statistics.half_means.mean(dim=2, keepdim=True)
    product = (first * second).sum(dim=1)
    r = product / (first.square().sum(dim=1) * second.square().sum(dim=1)).sqrt().clamp_min(1e-12)
    return (2 * r / (1 + r.clamp_min(-0.5))).clamp(-1, 1)


def resolution(statistics: VariantStatistics) -> Resolution:
    """What this many draws resolve, given each attribute's distribution and draws per variant (S / V)."""
    cells = statistics.num_genes * statistics.num_variants
    pool, drawn = _pool(statistics), statistics.num_draws / max(statistics.num_variants, 1)
    both = [[_resolved(each, drawn, 0.05 / tests) for each in (pool, pool.flipped)] for tests in (1, cells)]
    # A rare attribute cannot be found rarer still; what can be found on one side only counts there.
    single, family = (
        np.where(np.isinf(up), down, np.where(np.isinf(down), up, np.maximum(up, down))) for up, down in both
    )
    return Resolution(torch.from_numpy(single), torch.from_numpy(family))


def _resolved(pool: Pool, drawn: float, level: float) -> np.ndarray:
    """The least rise of a variant's mean that is found in four cases of five at a two-sided level, [A]."""
    chance = pool.variance / (pool.variance + pool.above**2)
    low, high = drawn * chance, np.full_like(chance, drawn)
    for _ in range(60):
        hits = (low + high) / 2
        called = hypergeometric_tail(hits, pool.size * chance, drawn, pool.size) <= level / 2
        low, high = np.where(called, low, hits), np.where(called, hits, high)
    # A count is whole where labels are 0 or 1; between them the next whole number is careful.
    hits = np.minimum(np.ceil(high - 1e-6), np.floor(drawn + 1e-6))
    found = hypergeometric_tail(hits, pool.size * chance, drawn, pool.size) <= level / 2
    needed = scipy.special.betaincinv(np.maximum(hits, 1), np.maximum(drawn - hits + 1, 1e-9), 0.8)
    rise = (needed - chance) * (pool.above + pool.variance / pool.above)
    return np.where(found & (pool.variance > 0), rise, np.inf)


def resolves(resolved: torch.Tensor) -> float | str:
    """A number of a `Resolution` as tables have it: in words where no difference is found at any size."""
    return float(resolved) if resolved.isfinite() else TOO_FEW


def verdict(statistics: VariantStatistics, found: Significance) -> list[str]:
    """What to say of the calls, in sentences: how many variants matter, and where too few draws were made to say."""
    called, all_ = int(found.significant.any(dim=2).sum()), statistics.seen.numel()
    lines = [f"{called:,} of {all_:,} variants matter for some attribute (FDR {found.fdr:.0%})"]
    finest, names = resolution(statistics).family, statistics.attributes
    mute = [a for a in range(len(names)) if not finest[a].isfinite() and not found.significant[..., a].any()]
    if mute:
        named = ", ".join(names[a] for a in mute[:5]) + (f" and {len(mute) - 5} more" if len(mute) > 5 else "")
        each = statistics.num_draws / statistics.num_variants
        lines.append(f"{TOO_FEW} which variants matter for {named}: each was seen {each:.0f} times")
    return lines


def known_to(statistics: VariantStatistics, precision: float) -> str:
    """One sentence: whether every variant of every attribute is known to a standard error of `precision`."""
    worst = float(statistics.careful_error.max())
    if worst <= precision:
        return f"Every variant is known to a standard error of {precision:g} (the least known to {worst:.2g})."
    return (
        f"Not every variant is known to a standard error of {precision:g}: the least known to {worst:.2g}. That takes "
        f"about {draws_needed(statistics, precision):,} pictures (-n)."
    )


def draws_needed(statistics: VariantStatistics, precision: float) -> int:
    """Draws at which every variant's careful standard error falls to about `precision`, from those seen so far."""
    worst = float(statistics.careful_error.max())
    return math.ceil(max(statistics.num_draws, 1) * (worst / precision) ** 2)


class StopAtPrecision:
    """An `on_shard` for `survey.conduct` that ends the survey once its estimates are as precise as wanted.

    Every variant of every attribute must be known to the precision by its own draws, see
    `VariantStatistics.careful_error`. Several processes each take the others to have drawn what they have themselves.

    Attributes:
        statistics: of the draws seen so far, for progress reports.
        reached: whether the precision is reached.
    """

    def __init__(self, plan: SurveyPlan, precision: float, *, num_parts: int = 1) -> None:
        self.statistics = VariantStatistics.empty(plan.attributes, plan.num_genes, plan.num_variants)
        self.precision = precision
        self.num_parts = num_parts
        self.reached = False

    def __call__(self, index: int, draws: Draws) -> bool:
        """Take in one shard; True once the precision is reached."""
        tally_draws(self.statistics, draws.genotype, draws.probability)
        self.reached = bool((self.statistics.times(self.num_parts).careful_error <= self.precision).all())
        return self.reached
