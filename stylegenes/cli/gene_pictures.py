"""Pictures that show what steering and editing do: rows by wish, one face with its edits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure

from stylegenes.analysis.conditional import gene_tables, sample_accepted
from stylegenes.analysis.editing import Strength, editor
from stylegenes.analysis.plots.style import SMALL, new_figure, picture_rows, show_picture
from stylegenes.analysis.wishes import Wish, fulfilled
from stylegenes.cli.workbench import Workbench
from stylegenes.drawing import codes_of_seeds

COLUMNS, NUM_GENES = 10, (1, 2, 4, 8)


def wished(bench: Workbench, wishes: Sequence[Wish], temperature: float) -> Figure:
    """Rows of pictures by wish, below a row without one; the same seeds in every row.

    How many of a row fulfil its wish stands before it, with how many of the first row do.
    """
    plain = codes_of_seeds(bench.snapshot.generator, list(range(COLUMNS))).cpu()
    rows, labels = [bench.judge.shown(plain)], ["no wish"]
    by_chance = bench.judge.probabilities(plain)
    for wish in wishes:
        tables = gene_tables(bench.report.shrunk.mean, [wish], temperature)
        sources = [torch.Generator().manual_seed(seed) for seed in range(COLUMNS)]
        found = sample_accepted(bench.judge, tables, [wish], sources)
        rows.append(bench.judge.shown(found.genotype))
        share = f"{fulfilled([wish], found.probability)} of {COLUMNS}"
        labels.append(f"{wish}\n{share}\n(no wish: {fulfilled([wish], by_chance)})")
    return picture_rows(rows, labels)


def edited(bench: Workbench, wishes: Sequence[Wish], seed: int) -> Figure:
    """A row for each wish: the picture of a seed, and its edits with more and more genes."""
    start = codes_of_seeds(bench.snapshot.generator, [seed])[0].cpu()
    figure = new_figure(1.3 + len(NUM_GENES) + 1, 1.25 * len(wishes))
    grid = figure.subplots(len(wishes), len(NUM_GENES) + 1, squeeze=False)
    for line, wish in zip(grid, wishes, strict=True):
        makers = [editor(bench.judge, bench.report, Strength(num_genes=n)) for n in NUM_GENES]
        edits = [make(start, [wish]).after for make in makers]
        genotypes = torch.stack([start, *edits])
        probability = bench.judge.probabilities(genotypes)[:, wish.column].tolist()
        names = [f"seed {seed}", *(f"{n} gene{'s' * (n > 1)}" for n in NUM_GENES)]
        for axes, picture, name, p in zip(line, bench.judge.shown(genotypes), names, probability, strict=True):
            show_picture(axes, picture, f"{name}: {p:.2f}")
        line[0].set_ylabel(str(wish), rotation=0, ha="right", va="center", fontsize=SMALL)
    return figure


def edit_strip(bench: Workbench, attributes: Sequence[int], seed: int, num_genes: int = 4) -> Figure:
    """The picture of a seed, then one edit for each attribute, away from what it shows now.

    Above each: what was asked for, and the classifier's probability of the attribute before and after.
    """
    start = codes_of_seeds(bench.snapshot.generator, [seed])[0].cpu()
    before = bench.judge.probabilities(start[None])[0]
    wishes = [Wish(bench.report.attributes[a], a, present=bool(before[a] < 0.5)) for a in attributes]
    make = editor(bench.judge, bench.report, Strength(num_genes=num_genes))
    edits = [make(start, [wish]).after for wish in wishes]
    genotypes = torch.stack([start, *edits])
    after = bench.judge.probabilities(genotypes)[1:]
    titles = [
        f"{'' if wish.present else 'not '}{wish.attribute.replace('_', ' ')}\n{before[a]:.2f} to {p[a]:.2f}"
        for wish, a, p in zip(wishes, attributes, after, strict=True)
    ]
    return picture_rows(
        [bench.judge.shown(genotypes)], [f"{num_genes} genes\nat most"], columns=[f"seed {seed}\n", *titles], size=1
    )
