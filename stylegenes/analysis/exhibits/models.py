"""Exhibits that compare models or their versions: correlations, pruning, ablation, evolution, interpolation."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from stylegenes.analysis.ablation import Cell
from stylegenes.analysis.correlation import Correlation
from stylegenes.analysis.evolution import Evolution
from stylegenes.analysis.exhibits.exhibit import Exhibit, Table, Words
from stylegenes.analysis.exhibits.tables import ablation_table, correlation_table, evolution_table, pruning_table
from stylegenes.analysis.plots.curves import (
    ablation_figure,
    correlation_figure,
    evolution_figure,
    pruning_curve_figure,
)
from stylegenes.analysis.plots.style import picture_rows
from stylegenes.analysis.pruning import PruningPoint, Worth, named_by
from stylegenes.drawing import DrawSettings, codes_of_seeds, draw_images_between
from stylegenes.generator import Generator


def correlation_exhibit(sets: Sequence[Correlation], classifier: str) -> Exhibit:
    """Matrices side by side and their differences from the first."""
    noise = max(one.noise for one in sets)
    caption = (
        f"Pearson's correlation of the outputs of {classifier}. A correlation near zero has a standard "
        f"error of up to {noise:.3f}. The table begins with the pairs that differ most."
    )
    words = Words("correlation", "Attributes that go together", caption, 70)
    return Exhibit(words, correlation_figure(sets), correlation_table(sets))


def pruning_exhibit(
    points: Sequence[PruningPoint], distance_name: str, caption: str, by: Worth = "realness"
) -> Exhibit:
    """Distance over the number of pruned variants (StyleGenes, Table 4).

    Args:
        points: of the curve.
        distance_name: what the Frechet distance is called.
        caption: how it was measured.
        by: what the variants were judged by.
    """
    title = "Pruning the gene pool" + ("" if by == "realness" else f" by {by}")
    words = Words(named_by("pruning", by), title, caption, 60)
    return Exhibit(words, pruning_curve_figure(points, distance_name), pruning_table(points, distance_name))


def ablation_exhibit(cells: Sequence[Cell], distance_name: str, caption: str) -> Exhibit:
    """Distance over genes and variants (StyleGenes, Table 1)."""
    words = Words("ablation", "Genes and variants", caption, 90)
    return Exhibit(words, ablation_figure(cells, distance_name), ablation_table(cells, distance_name))


def evolution_exhibit(found: Evolution, gene: int) -> Exhibit:
    """How the bank of one gene, and all banks in the mean, changed over a training."""
    caption = (
        f"Above, the variants of gene {gene} on the two main axes of its last bank, over their density. Below, spread "
        "of the variants, distance to the nearest neighbor, and way since the first snapshot: a line a gene, the mean "
        f"in color. {len(found.kimg)} snapshots from {found.kimg[0]:g} to {found.kimg[-1]:g} thousand images."
    )
    words = Words("evolution", "The codebook over training", caption, 61)
    return Exhibit(words, evolution_figure(found, gene), evolution_table(found))


def interpolation_exhibit(generator: Generator, seed: int, drawing: DrawSettings) -> Exhibit:
    """Three ways between the genotypes of successive seeds."""
    times, rows, strings = [i / 8 for i in range(9)], [], []
    for first in (seed, seed + 2, seed + 4):
        start, end = codes_of_seeds(generator, [first]), codes_of_seeds(generator, [first + 1])
        rows.append(draw_images_between(generator, start, end, times, drawing))
        strings.append([first, first + 1, *generator.latent.to_strings(torch.cat([start, end]))])
    words = Words(
        "interpolation",
        "Between two genotypes",
        "Straight lines between the codes of two genotypes; all but the ends are codes that no genotype has.",
        80,
    )
    labels = [f"{row[0]} to {row[1]}" for row in strings]
    table = Table(["first_seed", "second_seed", "first_genotype", "second_genotype"], strings)
    codes = [string for row in strings for string in map(str, row[2:])]
    return Exhibit(words, picture_rows(rows, labels, columns=[f"{t:g}" for t in times]), table, codes)
