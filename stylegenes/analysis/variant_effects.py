"""What every variant of every gene does to one attribute, as a table to read and to color."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stylegenes.analysis.importance import GeneReport
from stylegenes.analysis.statistics import VariantStatistics
from stylegenes.analysis.wishes import find_attribute

_Z95 = 1.959964


@dataclass(frozen=True, eq=False)
class VariantEffects:
    """What the variants do to one attribute.

    Attributes:
        attribute: its name.
        mean: its mean probability over all pictures.
        draws: pictures behind the table.
        order: genes, the one with the largest effect first.
        acting: how many of them are shown to act.
        score: [G], mean absolute standard score.
        explained: [G], part of the attribute's variance that the gene explains by itself.
        q_value: [G], false-discovery rate at which the gene is said to act.
        reliability: [G], split-half reliability of its variants' means.
        effect: [G, V], measured probability less the mean.
        low: [G, V], lower end of its 95 % interval.
        high: [G, V], upper end.
        count: [G, V], draws that contain the variant.
        shrunk: [G, V], the effect freed from sampling noise; zero for genes that are not shown to act.
    """

    attribute: str
    mean: float
    draws: int
    order: list[int]
    acting: int
    score: torch.Tensor
    explained: torch.Tensor
    q_value: torch.Tensor
    reliability: torch.Tensor
    effect: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    count: torch.Tensor
    shrunk: torch.Tensor


def variant_effects(statistics: VariantStatistics, report: GeneReport, attribute: str) -> VariantEffects:
    """The table of one attribute.

    Raises:
        UserError: for an unknown attribute.
    """
    a = find_attribute(attribute, report.attributes)
    mean = float(statistics.overall[a])
    effect, error = statistics.mean[..., a] - mean, _Z95 * statistics.careful_error[..., a]
    return VariantEffects(
        attribute=report.attributes[a],
        mean=mean,
        draws=statistics.num_draws,
        order=report.top(a, len(report.score)),
        acting=len(report.acting(a)),
        score=report.score[:, a],
        explained=report.explained[:, a],
        q_value=report.q_value[:, a],
        reliability=report.reliability[:, a],
        effect=effect,
        low=effect - error,
        high=effect + error,
        count=statistics.seen,
        shrunk=report.shrunk.mean[..., a] - mean,
    )
