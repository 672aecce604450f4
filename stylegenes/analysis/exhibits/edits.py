"""Exhibits about edits: one, a gene in order, and many measured."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from stylegenes.analysis.edit_study import EditStudy
from stylegenes.analysis.editing import EditReport, traverse
from stylegenes.analysis.exhibits.exhibit import Exhibit, Table, Words
from stylegenes.analysis.exhibits.tables import edit_study_table, edit_table
from stylegenes.analysis.importance import GeneReport
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.plots.changes import edit_figure, edit_study_figure
from stylegenes.analysis.plots.style import picture_rows
from stylegenes.analysis.wishes import Wish
from stylegenes.perception.trust import warn_of_doubts

STEPS = 10


def edit_exhibit(report: EditReport, wishes: Sequence[Wish], genes: Sequence[int], before: str, after: str) -> Exhibit:
    """One edit, from the code string `before` to `after`, which replaced `genes`.

    Args:
        report: what was measured on the edit.
        wishes: what was asked for.
        genes: numbers of those that changed.
        before, after: code strings.
    """
    words = Words(
        "edit",
        f"Edit: {', '.join(map(str, wishes))}",
        f"Genes {', '.join(map(str, genes)) or '(none)'} of {before} replaced, which gives {after}. Bars: change "
        "of the classifier's probability; blue: asked for; strokes: what the variant statistics promised.",
        40,
    )
    return Exhibit(words, edit_figure(report), edit_table(report), [before, after])


def traversal_exhibit(labeler: CodeLabeler, report: GeneReport, start: torch.Tensor, gene: int, wish: Wish) -> Exhibit:
    """The variants of one gene of the genotype `start` [G], in the order of an attribute.

    Args:
        labeler: shows genotypes to the classifier.
        report: of the survey.
        start: genotype [G].
        gene: number of the gene, from 0.
        wish: the attribute; where it is wished away, the order is turned round.
    """
    warn_of_doubts(labeler.classifier, [wish.attribute])
    strip = traverse(report.shrunk.mean, start, gene, wish.column, STEPS)
    strip = strip if wish.present else strip.flip(0)
    probability = labeler.probabilities(strip)[:, wish.column].tolist()
    words = Words(
        "traversal",
        f"Gene {gene}, in the order of {wish.attribute}",
        f"The variants of gene {gene} ordered by their mean probability of {wish.attribute}; the numbers are the "
        "classifier's probabilities of these very pictures.",
        41,
    )
    figure = picture_rows([labeler.shown(strip)], [f"gene {gene}"], columns=[f"{p:.2f}" for p in probability])
    strings = labeler.generator.latent.to_strings(strip)
    rows = list(zip(strip[:, gene].tolist(), probability, strings, strict=True))
    return Exhibit(words, figure, Table(["variant", "probability", "genotype"], rows), strings)


def edit_study_exhibit(study: EditStudy, method: str, caption: str) -> Exhibit:
    """What edits by one method change, over many pictures."""
    words = Words(f"edits-{method}", f"What edits change, {method}", caption, 42)
    return Exhibit(words, edit_study_figure(study), edit_study_table(study))
