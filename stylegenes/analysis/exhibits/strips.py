"""Pictures that show what steering and editing do: rows by wish, one face with its edits."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from stylegenes.analysis.conditional import gene_tables, sample_accepted
from stylegenes.analysis.editing import Strength, editor
from stylegenes.analysis.exhibits.exhibit import Exhibit, Table, Value, Words
from stylegenes.analysis.gene_study import GeneStudy
from stylegenes.analysis.plots.style import SMALL, new_figure, picture_rows, show_picture
from stylegenes.analysis.wishes import Wish, fulfilled
from stylegenes.drawing import codes_of_seeds

COLUMNS, NUM_GENES = 10, (1, 2, 4, 8)


def wished(study: GeneStudy, wishes: Sequence[Wish], temperature: float) -> Exhibit:
    """Rows of pictures by wish, below a row without one; the same seeds in every row.

    How many of a row fulfil its wish stands before it, with how many of the first row do.
    """
    plain = codes_of_seeds(study.generator, list(range(COLUMNS))).cpu()
    rows, labels, codes = [study.labeler.shown(plain)], ["no wish"], study.genome.to_strings(plain)
    counts: list[list[Value]] = []
    by_chance = study.labeler.probabilities(plain)
    for wish in wishes:
        tables = gene_tables(study.report.shrunk.mean, [wish], temperature)
        sources = [torch.Generator().manual_seed(seed) for seed in range(COLUMNS)]
        found = sample_accepted(study.labeler, tables, [wish], sources)
        rows.append(study.labeler.shown(found.genotype))
        codes += study.genome.to_strings(found.genotype)
        count, plainly = fulfilled([wish], found.probability), fulfilled([wish], by_chance)
        labels.append(f"{wish}\n{count} of {COLUMNS}\n(no wish: {plainly})")
        counts.append([str(wish), count, plainly])
    words = Words("by-wish", "Pictures by wish", f"Ten seeds without a wish, then by wish, T = {temperature:g}.", 32)
    return Exhibit(words, picture_rows(rows, labels), Table(["wish", "fulfilled", "without"], counts), codes)


def edited(study: GeneStudy, wishes: Sequence[Wish], seed: int) -> Exhibit:
    """A row for each wish: the picture of a seed, and its edits with more and more genes."""
    start = codes_of_seeds(study.generator, [seed])[0].cpu()
    figure = new_figure(1.3 + len(NUM_GENES) + 1, 1.25 * len(wishes))
    grid = figure.subplots(len(wishes), len(NUM_GENES) + 1, squeeze=False)
    codes: list[str] = []
    rows: list[list[Value]] = []
    for line, wish in zip(grid, wishes, strict=True):
        makers = [editor(study.labeler, study.report, Strength(num_genes=n)) for n in NUM_GENES]
        edits = [make(start, [wish]).after for make in makers]
        genotypes = torch.stack([start, *edits])
        probability = study.labeler.probabilities(genotypes)[:, wish.column].tolist()
        codes += study.genome.to_strings(genotypes)
        rows.append([str(wish), *probability])
        names = [f"seed {seed}", *(f"{n} gene{'s' * (n > 1)}" for n in NUM_GENES)]
        for axes, picture, name, p in zip(line, study.labeler.shown(genotypes), names, probability, strict=True):
            show_picture(axes, picture, f"{name}: {p:.2f}")
        line[0].set_ylabel(str(wish), rotation=0, ha="right", va="center", fontsize=SMALL)
    words = Words("edits", "Edits by more and more genes", f"The picture of seed {seed}, edited for each wish.", 43)
    return Exhibit(words, figure, Table(["wish", "p_before", *(f"p_by_{n}" for n in NUM_GENES)], rows), codes)


def edit_strip(study: GeneStudy, attributes: Sequence[int], seed: int, num_genes: int = 4) -> Exhibit:
    """The picture of a seed, then one edit for each attribute, away from what it shows now.

    Above each: what was asked for, and the classifier's probability of the attribute before and after.

    Args:
        study: model, survey and classifier.
        attributes: columns of the attributes, an edit for each.
        seed: of the picture.
        num_genes: genes that each edit may change.
    """
    start = codes_of_seeds(study.generator, [seed])[0].cpu()
    before = study.labeler.probabilities(start[None])[0]
    wishes = [Wish(study.report.attributes[a], a, present=bool(before[a] < 0.5)) for a in attributes]
    make = editor(study.labeler, study.report, Strength(num_genes=num_genes))
    edits = [make(start, [wish]).after for wish in wishes]
    genotypes = torch.stack([start, *edits])
    after = study.labeler.probabilities(genotypes)[1:]
    titles = [
        f"{'' if wish.present else 'not '}{wish.attribute.replace('_', ' ')}\n{before[a]:.2f} to {p[a]:.2f}"
        for wish, a, p in zip(wishes, attributes, after, strict=True)
    ]
    figure = picture_rows(
        [study.labeler.shown(genotypes)], [f"{num_genes} genes\nat most"], columns=[f"seed {seed}\n", *titles], size=1
    )
    rows = [[str(w), float(before[a]), float(p[a])] for w, a, p in zip(wishes, attributes, after, strict=True)]
    words = Words("edits", "One picture, edited", f"The picture of seed {seed} and an edit for each attribute.", 44)
    table = Table(["wish", "p_before", "p_after"], rows)
    return Exhibit(words, figure, table, study.genome.to_strings(genotypes))
