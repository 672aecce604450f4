"""Variant estimates freed from sampling noise: empirical Bayes for each gene and attribute.

A variant's mean is its true value plus noise of known size. Per gene and attribute the true values are taken as spread
around the overall mean with a variance that the table itself tells (what is left of the observed variance after the
noise is subtracted); the best estimate then moves each mean towards the overall one by the noise's share. A gene that
is not shown to act at all has no variance of its own and keeps the overall mean: it stays uniform in sampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stylegenes.analysis.inference import gene_q_values
from stylegenes.analysis.statistics import VariantStatistics


@dataclass(frozen=True)
class Shrunk:
    """Estimates after shrinkage.

    Attributes:
        mean: [G, V, A], posterior mean of p(a | k_i = j).
        effect_variance: [G, A], variance of the true values over a gene's variants.
        q_value: [G, A], false-discovery rate at which the gene is said to act on the attribute.
        noise_share: [A], the part of the observed variance between variants that is sampling noise, in [0, 1].
    """

    mean: torch.Tensor
    effect_variance: torch.Tensor
    q_value: torch.Tensor
    noise_share: torch.Tensor


def shrink(statistics: VariantStatistics, *, fdr: float = 0.1) -> Shrunk:
    """Shrink the means of a survey by their sampling noise.

    Args:
        statistics: of at least two draws per variant, or nearly everything shrinks to the overall mean.
        fdr: genes are taken to act on an attribute at this false-discovery rate; all others are left out.
    """
    deviation = statistics.mean - statistics.overall
    noise = statistics.within[:, None] / statistics.seen.clamp_min(1)[..., None]
    observed = deviation.square().mean(dim=1)
    effect = (observed - noise.mean(dim=1)).clamp_min(0)
    q_value = gene_q_values(statistics)
    effect = torch.where(q_value <= fdr, effect, 0.0)
    keep = effect[:, None] / (effect[:, None] + noise).clamp_min(1e-300)
    share = noise.mean(dim=(0, 1)) / observed.mean(dim=0).clamp_min(1e-300)
    return Shrunk(statistics.overall + keep * deviation, effect, q_value, share.clamp_max(1))
