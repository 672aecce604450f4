"""Exhibits about pictures by wish: rows that get colder, and methods compared (StyleGenes, Fig. 4 and Table 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from stylegenes.analysis.conditional import gene_tables
from stylegenes.analysis.exhibits.exhibit import Exhibit, Table, Words
from stylegenes.analysis.exhibits.tables import trade_off_table
from stylegenes.analysis.importance import GeneReport
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.plots.curves import trade_off_curves
from stylegenes.analysis.plots.style import picture_rows
from stylegenes.analysis.tradeoff import Average
from stylegenes.analysis.wishes import Wish, fulfilled
from stylegenes.latents import genome_of

COLUMNS = 8


def conditional_exhibit(
    labeler: CodeLabeler, report: GeneReport, wishes: Sequence[Wish], temperatures: Sequence[float], seed: int
) -> Exhibit:
    """Pictures that should fulfil wishes, a row a temperature, from shrunk tables, below a row without wishes.

    Args:
        labeler: shows genotypes to the classifier.
        report: of the survey.
        wishes: what pictures should show.
        temperatures: above 0, a row of pictures for each.
        seed: of the genotypes; every row begins with it.
    """
    genome = genome_of(labeler.generator.latent, "pictures by wish")
    anything = genome.sample(COLUMNS, torch.Generator().manual_seed(seed))
    by_chance = fulfilled(wishes, labeler.probabilities(anything))
    pictures, labels, rows = [labeler.shown(anything)], [f"any ({by_chance} of {COLUMNS})"], []
    codes = genome.to_strings(anything)
    wanted = ", ".join(map(str, wishes))
    for temperature in temperatures:
        tables = gene_tables(report.shrunk.mean, list(wishes), temperature)
        genotype = tables.sample(COLUMNS, torch.Generator().manual_seed(seed))
        count = fulfilled(wishes, labeler.probabilities(genotype))
        pictures.append(labeler.shown(genotype))
        codes += genome.to_strings(genotype)
        labels.append(f"T = {temperature:g} ({count} of {COLUMNS})")
        rows.append([wanted, temperature, count, tables.variety])
    words = Words(
        "conditional",
        f"Pictures by wish: {wanted}",
        "First row: genotypes drawn without a wish. Below: by Eq. 6 from shrunk estimates; colder rows fulfil "
        f"the wish more often and vary less. In brackets: how many {labeler.classifier.name} finds to fulfil it.",
        30,
    )
    table = Table(["wish", "temperature", f"fulfilled_of_{COLUMNS}", "variety"], rows)
    return Exhibit(words, picture_rows(pictures, labels), table, codes)


def trade_off_exhibit(rows: Sequence[Average], distance_name: str, caption: str) -> Exhibit:
    """Accuracy, distance and variety of methods over temperatures."""
    words = Words("tradeoff", "Accuracy, quality and variety", caption, 31)
    return Exhibit(words, trade_off_curves(rows, distance_name), trade_off_table(rows))
