"""A toy model whose truth is known, and what a survey of it says."""

import pytest
import torch
from toy_genome import ATTRIBUTES, NUM_GENES, NUM_VARIANTS, LinearClassifier, effects, toy_generator

from stylegenes.analysis.importance import report_genes
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.statistics import VariantStatistics, tally_draws


@pytest.fixture(scope="session")
def labeler():
    return CodeLabeler(toy_generator(), LinearClassifier(effects()), batch_size=4096)


@pytest.fixture(scope="session")
def report(labeler):
    statistics = VariantStatistics.empty(ATTRIBUTES, NUM_GENES, NUM_VARIANTS)
    genotype = labeler.generator.sample(20_000, torch.Generator().manual_seed(0))
    tally_draws(statistics, genotype, labeler.probabilities(genotype))
    return report_genes(statistics)
