"""Which genes matter for which attribute (StyleGenes, section 4.2: mean absolute standard score)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stylegenes.analysis.inference import split_half_reliability
from stylegenes.analysis.shrinkage import Shrunk, shrink
from stylegenes.analysis.statistics import VariantStatistics


def importance(mean: torch.Tensor) -> torch.Tensor:
    """Mean absolute standard score of every gene, [G, A], from p(a | k_i = j) [G, V, A].

    For each attribute the distance of a variant from the mean of the whole codebook, in its standard deviations,
    averaged over the gene's variants.
    """
    center, scale = mean.mean(dim=(0, 1)), mean.std(dim=(0, 1), correction=0)
    # An attribute that no gene moves has a scale that is rounding alone.
    return torch.where(scale > 1e-9, ((mean - center).abs() / scale.clamp_min(1e-9)).mean(dim=1), 0.0)


@dataclass(frozen=True)
class GeneReport:
    """What a survey says about genes and attributes, [G, A] each.

    Attributes:
        attributes: names of the columns.
        score: mean absolute standard score of the measured means, as the paper has it.
        shrunk_score: the same of the shrunk means: zero for genes not shown to act.
        explained: part of the attribute's variance over all pictures that the gene explains by itself.
        q_value: false-discovery rate at which the gene is said to act on the attribute.
        reliability: split-half reliability of the gene's variant means.
        shrunk: the shrunk means and the share of noise.
    """

    attributes: list[str]
    score: torch.Tensor
    shrunk_score: torch.Tensor
    explained: torch.Tensor
    q_value: torch.Tensor
    reliability: torch.Tensor
    shrunk: Shrunk

    def strongest(self, n: int) -> list[int]:
        """The `n` attributes that a single gene explains best, or as many as there are; the best first."""
        return self.explained.amax(dim=0).topk(min(n, len(self.attributes))).indices.tolist()

    def top(self, attribute: int, n: int) -> list[int]:
        """The `n` genes that matter most for an attribute, the most important first; then those that are least idle."""
        effect, doubt = self.shrunk.effect_variance[:, attribute].tolist(), self.q_value[:, attribute].tolist()
        return sorted(range(len(effect)), key=lambda gene: (-effect[gene], doubt[gene]))[:n]

    def acting(self, attribute: int) -> list[int]:
        """The genes that are shown to act on an attribute, the most important first."""
        effect = self.shrunk.effect_variance[:, attribute]
        return self.top(attribute, int((effect > 0).sum()))


def report_genes(statistics: VariantStatistics) -> GeneReport:
    """Scores, tests and reliabilities of every gene and attribute."""
    shrunk = shrink(statistics)
    return GeneReport(
        attributes=statistics.attributes,
        score=importance(statistics.mean),
        shrunk_score=torch.where(shrunk.effect_variance > 0, importance(shrunk.mean), 0.0),
        explained=shrunk.effect_variance / statistics.spread.square().clamp_min(1e-12),
        q_value=shrunk.q_value,
        reliability=split_half_reliability(statistics),
        shrunk=shrunk,
    )
