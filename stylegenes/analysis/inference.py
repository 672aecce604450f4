"""What can be said about a variant at a given number of draws: tests, reliability, resolution, stopping."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from scipy import stats

from stylegenes.analysis.statistics import VariantStatistics, tally_draws
from stylegenes.survey import Draws, SurveyPlan


@dataclass(frozen=True)
class Significance:
    """Which variants differ from the average draw.

    Attributes:
        z: [G, V, A], the difference from the overall mean in standard errors under "no effect".
        q_value: [G, V, A], the smallest false-discovery rate at which the variant is called.
        significant: bool [G, V, A].
        fdr: expected share of false calls among the calls of one attribute.
    """

    z: torch.Tensor
    q_value: torch.Tensor
    significant: torch.Tensor
    fdr: float


@dataclass(frozen=True)
class Resolution:
    """The difference in probability that a survey finds in four cases of five, [A] each.

    Attributes:
        single: when one variant is asked about (two-sided, 5 %).
        family: when all variants of all genes are asked about at once (Bonferroni, 5 %).
    """

    single: torch.Tensor
    family: torch.Tensor


def benjamini_hochberg(p_value: torch.Tensor) -> torch.Tensor:
    """q-values of a family of tests (Benjamini and Hochberg 1995): p [N, ...] to q [N, ...], families along dim 0."""
    ordered, order = p_value.sort(dim=0)
    shape = [-1] + [1] * (p_value.ndim - 1)
    rank = torch.arange(1, len(p_value) + 1, dtype=p_value.dtype).view(shape)
    raw = ordered * len(p_value) / rank
    monotone = raw.flip(0).cummin(dim=0).values.flip(0).clamp_max(1)
    return torch.empty_like(monotone).scatter(0, order, monotone)


def significance(statistics: VariantStatistics, fdr: float = 0.05) -> Significance:
    """Test every variant against "its draws are like all draws"; the family is all variants of an attribute.

    Under that hypothesis the mean over n draws has the error spread / sqrt(n), whatever the distribution, for n of some
    dozens and more.
    """
    error = statistics.spread / statistics.seen.clamp_min(1).sqrt()[..., None]
    z = (statistics.mean - statistics.overall) / error.clamp_min(1e-12)
    p_value = torch.special.erfc(z.abs() / math.sqrt(2))
    q_value = benjamini_hochberg(p_value.flatten(0, 1)).view_as(z)
    return Significance(z, q_value, q_value <= fdr, fdr)


def gene_q_values(statistics: VariantStatistics) -> torch.Tensor:
    """False-discovery rate at which each gene is said to act on each attribute at all, [G, A].

    One analysis of variance per gene and attribute (F test of variant means), Benjamini-Hochberg over the genes.
    """
    seen, mean = statistics.seen, statistics.mean
    freedom = ((seen > 0).sum(dim=1) - 1).clamp_min(1)[:, None]
    rest = (seen.sum(dim=1) - (seen > 0).sum(dim=1)).clamp_min(1)[:, None]
    between = (seen[..., None] * (mean - statistics.overall) ** 2).sum(dim=1) / freedom
    ratio = between / statistics.within.clamp_min(1e-12)
    return benjamini_hochberg(torch.from_numpy(stats.f.sf(ratio.numpy(), freedom.numpy(), rest.numpy())))


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
    """What this many draws resolve, given each attribute's spread and draws per variant (S / V)."""
    error = statistics.spread * math.sqrt(statistics.num_variants / max(statistics.num_draws, 1))
    cells = statistics.num_genes * statistics.num_variants
    single, family = (float(stats.norm.isf(0.025 / tests) + stats.norm.isf(0.2)) for tests in (1, cells))
    return Resolution(single * error, family * error)


def draws_needed(statistics: VariantStatistics, precision: float) -> int:
    """Draws at which every attribute's standard error of a variant's mean falls to `precision`: V (spread / e)^2."""
    return math.ceil(statistics.num_variants * (float(statistics.spread.max()) / precision) ** 2)


class StopAtPrecision:
    """An `on_shard` for `survey.conduct` that ends the survey once its estimates are as precise as wanted.

    Several processes each count their own draws times the number of processes.

    Attributes:
        statistics: of the draws seen so far, for progress reports.
    """

    def __init__(self, plan: SurveyPlan, precision: float, *, num_parts: int = 1) -> None:
        self.statistics = VariantStatistics.empty(plan.attributes, plan.num_genes, plan.num_variants)
        self.precision = precision
        self.num_parts = num_parts

    def __call__(self, index: int, draws: Draws) -> bool:
        """Take in one shard; True once the precision is reached."""
        tally_draws(self.statistics, draws.genotype, draws.probability)
        return self.num_parts * self.statistics.num_draws >= draws_needed(self.statistics, self.precision)
