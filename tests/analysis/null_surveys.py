"""Surveys whose truth is known: genotypes independent of every attribute, or with planted effects."""

from __future__ import annotations

import numpy as np
import torch

from stylegenes.analysis.statistics import VariantStatistics, tally_draws

SHAPES = [(2, 2), (64, 4), (8, 32), (4, 256)]


def genotypes(n: int, genes: int, variants: int, rng: np.random.Generator, *, uniform: bool = True) -> np.ndarray:
    """int64 [n, genes]; not uniform: some variants are drawn a few times only, or never."""
    if uniform:
        return rng.integers(0, variants, (n, genes))
    frequency = rng.dirichlet(np.ones(variants), genes)
    return np.stack([rng.choice(variants, n, p=row) for row in frequency], axis=1)


def judged(kind: str, rate: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a classifier says of pictures that have the attribute with chance `rate`, float64 of its shape."""
    true = rng.random(rate.shape) < rate
    if kind == "labels":
        return true.astype(float)
    if kind == "sure":  # Probabilities near 0 and 1, each side with a tail of doubt.
        return np.where(true, rng.beta(9, 0.6, rate.shape), rng.beta(0.3, 9, rate.shape))
    if kind == "noisy":
        return np.clip(np.where(true, 0.93, 0.04) + rng.normal(0, 0.06, rate.shape), 0, 1)
    if kind == "skewed":  # No two sides: a long tail.
        return np.clip(rng.exponential(rate), 0, 1)
    return rng.uniform(0, 2 * np.minimum(rate, 0.5), rate.shape)


def table(genotype: np.ndarray, probability: np.ndarray, variants: int) -> VariantStatistics:
    names = [f"a{i}" for i in range(probability.shape[1])]
    statistics = VariantStatistics.empty(names, genotype.shape[1], variants)
    tally_draws(statistics, torch.from_numpy(genotype), torch.from_numpy(probability).to(torch.float16))
    return statistics


def column(statistics: VariantStatistics, a: int) -> VariantStatistics:
    """The survey of one attribute alone."""
    cells = (statistics.total[..., a : a + 1], statistics.square[..., a : a + 1])
    ends = (statistics.low[a : a + 1], statistics.high[a : a + 1])
    return VariantStatistics([statistics.attributes[a]], statistics.count, *cells, *ends)
