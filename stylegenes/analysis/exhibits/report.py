"""The report of a model's genes: one ordered list of exhibits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from stylegenes.analysis.breeding import GeneticSearch
from stylegenes.analysis.correlation import Correlation
from stylegenes.analysis.editing import Strength, edit_checked, evaluate_edit
from stylegenes.analysis.exhibits.conditional import conditional_exhibit
from stylegenes.analysis.exhibits.edits import edit_exhibit
from stylegenes.analysis.exhibits.exhibit import Exhibit
from stylegenes.analysis.exhibits.family import family_exhibit
from stylegenes.analysis.exhibits.genes import (
    map_exhibit,
    polar_exhibit,
    strips_exhibits,
    usage_exhibit,
    variants_exhibit,
)
from stylegenes.analysis.exhibits.models import correlation_exhibit, interpolation_exhibit
from stylegenes.analysis.importance import GeneReport
from stylegenes.analysis.inference import significance
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.pruning import usage
from stylegenes.analysis.statistics import VariantStatistics
from stylegenes.analysis.wishes import Wish
from stylegenes.drawing import codes_of_seeds
from stylegenes.latents import genome_of
from stylegenes.perception import PerceptualDistance

FDR, STRIPS, TEMPERATURES = 0.05, 6, (1.0, 0.5, 0.3, 0.1)
"""Of the variants that matter; genes drawn in strips; rows of pictures by wish."""


@dataclass(frozen=True)
class Study:
    """A model with a genome, classified: what exhibits are made from.

    Attributes:
        labeler: the generator, its classifier, and how codes become pictures.
        statistics: of the survey.
        report: scores, tests and reliabilities.
        realness: mean logit of the discriminator for every variant [G, V], where the survey has it.
        perceptual: loads the distance between two pictures.
        correlations: a seed to the correlations of the classifier's outputs over the model's pictures.
    """

    labeler: CodeLabeler
    statistics: VariantStatistics
    report: GeneReport
    realness: torch.Tensor | None
    perceptual: Callable[[], PerceptualDistance]
    correlations: Callable[[int], list[Correlation]]


@dataclass(frozen=True)
class Chapter:
    """One step of the report: the names of its exhibits, and what makes them from a study and a seed."""

    names: Sequence[str]
    make: Callable[[Study, int], Sequence[Exhibit]]


def made_from(study: Study) -> str:
    """A sentence on the survey, for captions."""
    return f"From {study.statistics.num_draws:,} pictures classified by {study.labeler.classifier.name}."


def statistics_exhibits(study: Study, fdr: float = FDR) -> list[Exhibit]:
    """Polar plot, map, and the variants that matter at the false-discovery rate `fdr`."""
    statistics, report, made = study.statistics, study.report, made_from(study)
    found = significance(statistics, fdr)
    return [
        polar_exhibit(report, made),
        map_exhibit(statistics, report, found, made),
        variants_exhibit(statistics, report, found, fdr, made),
    ]


def _usage(study: Study, seed: int) -> list[Exhibit]:
    genome = genome_of(study.labeler.generator.latent, "an exhibit of its usage")
    return [usage_exhibit(usage(genome.variants), study.realness)]


def _favorite(study: Study) -> Wish:
    column = study.report.strongest(1)[0]
    return Wish(study.statistics.attributes[column], column)


def _edit(study: Study, seed: int) -> list[Exhibit]:
    labeler = study.labeler
    start = codes_of_seeds(labeler.generator, [seed])[0].cpu()
    wish = _favorite(study)
    if labeler.probabilities(start[None])[0, wish.column] > 0.5:
        wish = Wish(wish.attribute, wish.column, present=False)
    made = edit_checked(labeler, study.report, start, [wish], Strength())
    before, after = labeler.generator.latent.to_strings(torch.stack([made.before, made.after]))
    return [edit_exhibit(evaluate_edit(labeler, made, [wish], study.perceptual()), [wish], made.genes, before, after)]


def _family(study: Study, seed: int) -> list[Exhibit]:
    genome, rng = genome_of(study.labeler.generator.latent, "a family"), torch.Generator().manual_seed(seed)
    search = GeneticSearch(genome, population=12, survivors=2)
    lineage = search.family(genome.sample(2, rng).cpu(), rng)
    caption = f"Twelve children, each gene from either parent, mutation rate {search.mutation_rate:g}, seed {seed}."
    return [family_exhibit(study.labeler.generator, lineage, study.labeler.drawing, caption)]


EXHIBITS: Sequence[Chapter] = (
    Chapter(("genes-polar", "genes-map", "variants"), lambda study, seed: statistics_exhibits(study)),
    Chapter(("usage",), _usage),
    Chapter(
        ("gene-strips", "gene-orders"),
        lambda study, seed: strips_exhibits(study.labeler, study.report, study.report.strongest(STRIPS), seed),
    ),
    Chapter(
        ("conditional",),
        lambda study, seed: [conditional_exhibit(study.labeler, study.report, [_favorite(study)], TEMPERATURES, seed)],
    ),
    Chapter(("edit",), _edit),
    Chapter(("family",), _family),
    Chapter(
        ("interpolation",),
        lambda study, seed: [interpolation_exhibit(study.labeler.generator, seed, study.labeler.drawing)],
    ),
    Chapter(
        ("correlation",),
        lambda study, seed: [correlation_exhibit(study.correlations(seed), study.labeler.classifier.name)],
    ),
)
"""The report, in its order."""
