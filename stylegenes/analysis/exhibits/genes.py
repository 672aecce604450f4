"""Exhibits about genes that need nothing but a model and its survey."""

from __future__ import annotations

import torch

from stylegenes.analysis.editing import difference_map, redraw, traverse
from stylegenes.analysis.exhibits.exhibit import Exhibit, Table, Words
from stylegenes.analysis.exhibits.tables import attribute_table, gene_table, usage_table, variant_table
from stylegenes.analysis.importance import GeneReport
from stylegenes.analysis.inference import Significance
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.plots.curves import usage_figure
from stylegenes.analysis.plots.genes import GeneStrip, gene_strips, heat_map, polar, variant_curves
from stylegenes.analysis.plots.style import picture_rows
from stylegenes.analysis.pruning import Usage
from stylegenes.analysis.statistics import VariantStatistics
from stylegenes.drawing import codes_of_seeds
from stylegenes.latents import genome_of
from stylegenes.perception.trust import warn_of_doubts

VARIANTS_SHOWN = 8


def polar_exhibit(report: GeneReport, made: str) -> Exhibit:
    """Which genes affect which attribute; `made` says how the survey was made."""
    words = Words(
        "genes-polar",
        "Which genes affect which attribute?",
        "Mean absolute standard score of every gene (around the circle) for every attribute (a line each; the "
        "strongest in color), of variant means shrunk by their sampling noise. A name stands at the gene of its "
        f"largest score. {made}",
        10,
    )
    return Exhibit(words, polar(report), gene_table(report))


def map_exhibit(statistics: VariantStatistics, report: GeneReport, found: Significance, made: str) -> Exhibit:
    """The same scores as a map, with a table of what the survey resolves.

    Args:
        statistics: of the survey.
        report: scores of its genes.
        found: which genes and variants are shown to matter.
        made: a sentence on how the survey was made, which ends the caption.
    """
    words = Words(
        "genes-map",
        "Genes and attributes",
        "The same scores as a map; white where a gene is not shown to act (false-discovery rate 10 % over the "
        "genes of an attribute). The table: how many genes and variants matter for each attribute (in words where no "
        "variant could be found, whatever it does), how sure its estimates are, which share of their spread is noise, "
        f"and which difference the survey resolves. {made}",
        11,
    )
    return Exhibit(words, heat_map(report), attribute_table(statistics, report, found))


def variants_exhibit(
    statistics: VariantStatistics, report: GeneReport, found: Significance, fdr: float, made: str
) -> Exhibit:
    """The variants of the most important gene, and a table of all that matter at the false-discovery rate `fdr`.

    Args:
        statistics: of the survey.
        report: scores of its genes.
        found: which variants are shown to matter.
        fdr: the false-discovery rate that they were found at, in (0, 1).
        made: a sentence on how the survey was made, which ends the caption.
    """
    strongest = report.strongest(1)[0]
    shown = "" if report.acting(strongest) else "No gene is shown to act on any attribute; more pictures may show one. "
    words = Words(
        "variants",
        "Variants that matter",
        f"{shown}The variants of the most important gene for {statistics.attributes[strongest]}, in order of their "
        "mean probability. The table lists, for all genes and attributes, the variants whose pictures differ from the "
        f"average at a false-discovery rate of {fdr:.0%}. {made}",
        12,
    )
    figure = variant_curves(report, statistics.mean, statistics.careful_error, strongest)
    return Exhibit(words, figure, variant_table(statistics, report, found))


def usage_exhibit(found: Usage, realness: torch.Tensor | None) -> Exhibit:
    """Dead and duplicate variants, and the realness [G, V] of each where it is known."""
    words = Words(
        "usage",
        "The gene pool",
        "Effective variants: exp of the entropy over groups of equal variants; the line is the number in the bank. "
        "Realness of a variant: mean logit of the discriminator over the pictures that contain it.",
        13,
    )
    return Exhibit(words, usage_figure(found, realness), usage_table(found, realness))


def strips_exhibits(
    labeler: CodeLabeler, report: GeneReport, attributes: list[int], seed: int
) -> tuple[Exhibit, Exhibit]:
    """The top gene of each attribute re-drawn, all else fixed, with a map of where it acts; and in order.

    Args:
        labeler: shows genotypes to the classifier.
        report: scores of the genes.
        attributes: columns of the attributes, a strip for each.
        seed: of the picture that is changed, and of the variants drawn.
    """
    rng, start = torch.Generator().manual_seed(seed), codes_of_seeds(labeler.generator, [seed])[0]
    genome = genome_of(labeler.generator.latent, "strips of genes")
    strips, ordered, rows, drawn_codes, ordered_codes = [], [], [], [], []
    warn_of_doubts(labeler.classifier, [report.attributes[a] for a in attributes])
    for a in attributes:
        gene, name = report.top(a, 1)[0], report.attributes[a]
        again = redraw(start, gene, VARIANTS_SHOWN, genome.num_variants, rng)
        pictures = labeler.shown(again)
        drawn_codes += genome.to_strings(again)
        where = difference_map(pictures)
        doubt = "" if report.acting(a) else "\n(not shown to act)"
        strips.append(GeneStrip(f"gene {gene}\n{name.replace('_', ' ')}{doubt}", pictures, where))
        line = traverse(report.shrunk.mean, start, gene, a, VARIANTS_SHOWN)
        ordered.append(labeler.shown(line))
        ordered_codes += genome.to_strings(line)
        probability = labeler.probabilities(line)[:, a]
        rows.append([name, gene, float(report.explained[gene, a]), float(where.mean()), *probability.tolist()])
    shown = max(len(row) for row in rows) - 4
    columns = ["attribute", "gene", "variance_explained", "mean_difference", *(f"p_at_{i}" for i in range(shown))]
    table = Table(columns, rows)
    drawn = Words(
        "gene-strips",
        "What the top genes do",
        f"The picture of seed {seed} with the variant of one gene re-drawn at random, all else fixed; at the end, "
        f"where the pictures differ (standard deviation over {VARIANTS_SHOWN} variants, one scale for all genes).",
        20,
    )
    in_order = Words(
        "gene-orders",
        "Top genes, in order",
        "The variants of one gene ordered by their mean probability of the attribute, from lowest to highest, all "
        "else fixed. The table has the classifier's probability of each picture.",
        21,
    )
    labels = [strip.label for strip in strips]
    return (
        Exhibit(drawn, gene_strips(strips), table, drawn_codes),
        Exhibit(in_order, picture_rows(ordered, labels), table, ordered_codes),
    )
