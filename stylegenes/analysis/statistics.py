"""VariantStatistics: what a survey says about every variant of every gene (StyleGenes, section 3.3, Eq. 7).

With S draws each variant is seen about S / num_variants times, so every estimate is a mean over a few hundred noisy
probabilities. The table therefore keeps second moments for standard errors, and two halves for a split-half check.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import scipy
import torch

from stylegenes.errors import UserError
from stylegenes.sealed import load_sealed, save_sealed
from stylegenes.survey import Draws, Survey

_ROWS_AT_ONCE = 16384
_SEPARATOR = "\n"
_TENSORS = ("count", "total", "square", "low", "high")
Recorded = Literal["classifier", "discriminator"]


@dataclass(frozen=True)
class VariantStatistics:
    """Additive sums over classified draws. The first dimension holds two disjoint halves of the draws.

    Attributes:
        attributes: names of the A columns.
        count: float64 [2, G, V], draws that contain the variant.
        total: float64 [2, G, V, A], sum of their probabilities.
        square: float64 [2, G, V, A], sum of the squares.
        low: float64 [A], the smallest probability of any draw.
        high: float64 [A], the largest.
    """

    attributes: list[str]
    count: torch.Tensor
    total: torch.Tensor
    square: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor

    @classmethod
    def empty(cls, attributes: list[str], num_genes: int, num_variants: int) -> VariantStatistics:
        """Statistics of no draws: the zero of addition."""
        cells = torch.zeros(2, num_genes, num_variants, len(attributes), dtype=torch.float64)
        ends = torch.full((len(attributes),), torch.inf, dtype=torch.float64)
        return cls(list(attributes), cells[..., 0].clone(), cells, cells.clone(), ends, -ends)

    def __add__(self, other: VariantStatistics) -> VariantStatistics:
        """Statistics of the draws of both; they must come from the same genome and classifier.

        Raises:
            UserError: when shapes or attributes differ.
        """
        if self.attributes != other.attributes or self.count.shape != other.count.shape:
            raise UserError("statistics of different genomes or attributes cannot be added")
        sums = (self.count + other.count, self.total + other.total, self.square + other.square)
        ends = (torch.minimum(self.low, other.low), torch.maximum(self.high, other.high))
        return VariantStatistics(self.attributes, *sums, *ends)

    def times(self, factor: int) -> VariantStatistics:
        """Statistics of `factor` times as many draws like these."""
        return replace(self, count=factor * self.count, total=factor * self.total, square=factor * self.square)

    @property
    def num_genes(self) -> int:
        """G."""
        return self.count.shape[1]

    @property
    def num_variants(self) -> int:
        """V."""
        return self.count.shape[2]

    @property
    def num_draws(self) -> int:
        """S, the draws behind the table."""
        return int(self.count[:, 0].sum())

    @property
    def seen(self) -> torch.Tensor:
        """Draws that contain each variant, [G, V]."""
        return self.count.sum(dim=0)

    @property
    def overall(self) -> torch.Tensor:
        """Mean probability of every attribute over all draws, [A]."""
        return self.total[:, 0].sum(dim=(0, 1)) / max(self.num_draws, 1)

    @property
    def spread(self) -> torch.Tensor:
        """Standard deviation of the probability over all draws, [A]."""
        mean_square = self.square[:, 0].sum(dim=(0, 1)) / max(self.num_draws, 1)
        return (mean_square - self.overall**2).clamp_min(0).sqrt()

    @property
    def mean(self) -> torch.Tensor:
        """p(a | k_i = j), Eq. 7, [G, V, A]; the overall mean where a variant was never drawn."""
        return _mean(self.total.sum(dim=0), self.seen, self.overall)

    @property
    def half_means(self) -> torch.Tensor:
        """Eq. 7 from each half of the draws alone, [2, G, V, A]."""
        return torch.stack([_mean(self.total[h], self.count[h], self.overall) for h in range(2)])

    @property
    def within(self) -> torch.Tensor:
        """Variance of the probability among draws that share a gene's variant, pooled over the gene, [G, A]."""
        squares = self.square.sum(dim=(0, 2)) - (self.seen[..., None] * self.mean**2).sum(dim=1)
        freedom = (self.seen.sum(dim=1) - (self.seen > 0).sum(dim=1)).clamp_min(1)
        return (squares / freedom[:, None]).clamp_min(0)

    @property
    def standard_error(self) -> torch.Tensor:
        """Standard error of `mean`, [G, V, A], from the variant's own draws; infinite below two draws."""
        seen = self.seen[..., None]
        squares = (self.square.sum(dim=0) - seen * self.mean**2).clamp_min(0)
        error = (squares / (seen - 1).clamp_min(1) / seen.clamp_min(1)).sqrt()
        return torch.where(seen < 2, torch.inf, error)

    @property
    def careful_error(self) -> torch.Tensor:
        """Standard error of `mean`, [G, V, A], as if two more draws had been seen, one at either end of the range.

        Nothing is known better than it could be by chance: of 0/1 labels that were never seen, or always, the plain
        standard error is zero. For such labels this is the standard deviation of the mean's posterior under a uniform
        prior (Laplace's rule of succession). The range of what never varied reaches to 0 and 1, those of a probability.
        """
        varied = self.low < self.high
        low, high = (
            torch.where(varied, end, reached)
            for end, reached in ((self.low, self.low.clamp(max=0)), (self.high, self.high.clamp(min=1)))
        )
        seen = self.seen[..., None] + 2
        mean = (self.total.sum(dim=0) + low + high) / seen
        variance = (self.square.sum(dim=0) + low**2 + high**2) / seen - mean**2
        return (variance.clamp_min(0) / (seen + 1)).sqrt()

    def column(self, attribute: str) -> int:
        """Index of an attribute by its exact name."""
        return self.attributes.index(attribute)

    def save(self, path: str | Path) -> None:
        """Write to a safetensors file, atomically."""
        tensors = {name: getattr(self, name) for name in _TENSORS}
        save_sealed(path, tensors, {"attributes": _SEPARATOR.join(self.attributes)})

    @classmethod
    def load(cls, path: str | Path) -> VariantStatistics:
        """Read what `save` wrote.

        Raises:
            UserError: when there is no such file, or it is damaged.
        """
        if not Path(path).is_file():
            raise UserError(f"no variant statistics at {path}; make them with: stylegenes survey MODEL")
        found = load_sealed(path, is_old=lambda about: set(about) == {"attributes"})
        try:
            names = found.about["attributes"].split(_SEPARATOR)
            # Files of older versions have no ends; they are those of a probability.
            kept = {"low": torch.zeros(len(names)).double(), "high": torch.ones(len(names)).double()} | found.tensors
            return cls(names, **{key: kept[key] for key in _TENSORS})
        except KeyError as error:
            raise UserError(f"{path} is damaged: it lacks {error}") from error


def tally(survey: Survey, recorded: Recorded = "classifier", *, workers: int = 2) -> VariantStatistics:
    """Statistics of a survey on disk, a few shards at a time.

    Args:
        survey: a survey of a genome.
        recorded: `classifier` for the attributes, `discriminator` for the one column "realness".
        workers: threads; each takes whole genes.

    Raises:
        UserError: when the survey is of a continuous latent, or recorded no realness.
    """
    plan = survey.plan
    if plan.num_genes == 0:
        raise UserError("variant statistics need a genome; this survey is of a continuous latent")
    if recorded == "discriminator" and not plan.discriminator:
        raise UserError("this survey recorded no realness; make one of a snapshot that keeps its discriminator")
    names = {"classifier": plan.attributes, "discriminator": ["realness"]}[recorded]
    statistics = VariantStatistics.empty(names, plan.num_genes, plan.num_variants)
    for genotype, values in _large_blocks(survey.shards(), recorded):
        tally_draws(statistics, genotype, values, workers=workers)
    return statistics


def tally_draws(
    statistics: VariantStatistics, genotype: torch.Tensor, values: torch.Tensor, *, workers: int = 1
) -> None:
    """Add draws to `statistics` in place: genotype [N, G] of any integer type, values [N, A] of any float type.

    Rows go to the two halves in turn. Each gene's sums are one product of a sparse one-hot matrix [V, N] with the
    values, their squares and a column of ones.

    Args:
        statistics: of G genes with V variants and A attributes.
        genotype: [N, G], each number below V.
        values: [N, A].
        workers: threads, which take a gene at a time.
    """
    halves = torch.arange(len(values)) % 2
    rows = halves.numpy() * statistics.num_variants
    values64 = values.double()
    if len(values):
        torch.minimum(statistics.low, values64.amin(dim=0), out=statistics.low)
        torch.maximum(statistics.high, values64.amax(dim=0), out=statistics.high)
    ones = torch.ones(len(values), 1, dtype=torch.float64)
    columns = torch.cat([values64, values64.square(), ones], dim=1).numpy()
    add = partial(_add_gene, statistics, genotype.to(torch.int64).T.contiguous().numpy(), rows, columns)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(add, range(statistics.num_genes)))


def _add_gene(
    statistics: VariantStatistics, genotype: np.ndarray, rows: np.ndarray, columns: np.ndarray, i: int
) -> None:
    n, v, a = len(columns), statistics.num_variants, len(statistics.attributes)
    one_hot = scipy.sparse.csc_array((np.ones(n), genotype[i] + rows, np.arange(n + 1)), shape=(2 * v, n))
    sums = torch.from_numpy(one_hot @ columns).view(2, v, 2 * a + 1)
    statistics.total[:, i] += sums[..., :a]
    statistics.square[:, i] += sums[..., a : 2 * a]
    statistics.count[:, i] += sums[..., -1]


def _large_blocks(shards: Iterable[Draws], recorded: Recorded) -> Iterable[tuple[torch.Tensor, torch.Tensor]]:
    """Join small shards, so that the products have enough rows to be worth their start-up."""
    genotypes, values, rows = [], [], 0
    for draws in shards:
        genotypes.append(draws.genotype)
        values.append(draws.probability if recorded == "classifier" else draws.realness)
        rows += len(draws)
        if rows >= _ROWS_AT_ONCE:
            yield torch.cat(genotypes), torch.cat(values)
            genotypes, values, rows = [], [], 0
    if rows:
        yield torch.cat(genotypes), torch.cat(values)


def _mean(total: torch.Tensor, count: torch.Tensor, fallback: torch.Tensor) -> torch.Tensor:
    return torch.where(count[..., None] > 0, total / count[..., None].clamp_min(1), fallback)
