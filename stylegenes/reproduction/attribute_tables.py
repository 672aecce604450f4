"""Tables of attributes: read off the latent, by linear directions, edited, and together."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from itertools import product

from stylegenes.analysis.editing import METHODS
from stylegenes.analysis.exhibits import Table, Value
from stylegenes.reproduction import published
from stylegenes.reproduction.compared import Compared, beside, columns_in_pairs, summed_up
from stylegenes.reproduction.results import Results
from stylegenes.reproduction.scale import Pair
from stylegenes.reproduction.shared import shared_means
from stylegenes.reproduction.steps import CONTINUOUS, GENOME, model_name, rivals_of


def disentanglement(results: Results) -> Compared:
    """StyleGenes, Table 2."""
    ours = {latent: _accuracies(results, latent) for latent in (CONTINUOUS, GENOME)}
    names = [*dict.fromkeys([*results.scale.attributes, *published.DISENTANGLEMENT[GENOME]])]
    names = [*(name for name in names if name != "mean"), "mean"]
    rows: list[list[Value]] = []
    for name in names:
        both = (CONTINUOUS, GENOME)
        papers, mine = ([one[latent].get(name) for latent in both] for one in (published.DISENTANGLEMENT, ours))
        rows.append([name, *beside(papers, mine)])
    columns = ["attribute", "paper w of a mapping, %", "our w of a mapping, %", "paper genome, %", "our genome, %"]
    return Compared(
        "table2",
        "StyleGenes, Table 2: attributes predicted from the latent",
        f"Accuracy of a small network on {results.scale.draws:,} codes. Ours is balanced (guessing scores 50 %), and "
        "its mean is over all attributes of the classifier that are common enough.",
        Table(columns, rows),
        1,
    )


READERS = {"disentanglement_{}": "two hidden layers", "disentanglement_linear_{}": "linear"}
"""The readers by the metric of a space."""


def readings(results: Results, metric: str, pair: Pair, latent: str) -> list[dict[str, float]]:
    """Balanced accuracies by attribute, a dictionary a seed, those that are there.

    Args:
        results: of the reproduction.
        metric: one of READERS with its space.
        pair: whose trainings.
        latent: which side of the pair.
    """
    found = [results.record(model_name(pair, latent, seed), metric) for seed in range(pair.seeds)]
    return [{n: v for n, v in one.details.items() if isinstance(v, float)} for one in found if one is not None]


@dataclass(frozen=True)
class Side:
    """A latent, one of its spaces, and a reader."""

    pair: Pair
    latent: str
    space: str
    reader: str


def read_sides(results: Results) -> dict[Side, list[dict[str, float]]]:
    """What readers read in each space of the main pair and its rivals: a table a training, those that are there."""
    main, found = results.scale.main, dict[Side, list[dict[str, float]]]()
    sides = [(main, GENOME, ("genes", "w"))]
    sides += [(pair, CONTINUOUS, ("w", "z")) for pair in (main, *rivals_of(results.scale))]
    for pair, latent, spaces in sides:
        for space, (metric, reader) in product(spaces, READERS.items()):
            read = readings(results, metric.format(space), pair, latent)
            found[Side(pair, latent, space, reader)] = [table for table in read if table]
    return found


def readers(results: Results) -> Compared:
    """StyleGenes, Table 2, by readers that suit a discrete code too."""
    rows: list[list[Value]] = [
        [side.pair.name, side.latent, side.space, side.reader, *summed_up(means)]
        for side, means in shared_means(read_sides(results)).items()
    ]
    columns = ["pair", "latent", "read from", "reader", "our mean accuracy, %", "spread", "trainings"]
    return Compared(
        "table2-readers",
        "StyleGenes, Table 2: attributes read by other readers and from other forms of the code",
        f"Balanced accuracy on {results.scale.draws:,} codes, mean over the attributes common enough everywhere. "
        "'genes' is the genotype as zeros and ones.",
        Table(columns, rows),
        4,
    )


def _accuracies(results: Results, latent: str) -> dict[str, float]:
    found = results.record(model_name(results.scale.main, latent), "disentanglement_w")
    if found is None or found.value is None:
        return {}
    known = {name: 100 * value for name, value in found.details.items() if isinstance(value, float)}
    return {**known, "mean": 100 * found.value}


def linear(results: Results) -> Compared:
    """Liu 2019, Table 1."""
    found = {row["attribute"]: row for row in results.directions() or []}
    rows: list[list[Value]] = []
    for name in dict.fromkeys([*published.LINEAR, *found]):
        papers, mine = published.LINEAR.get(name, (None,) * 4), found.get(name, {})
        columns = ("auc w", "auc z", "balanced accuracy w", "balanced accuracy z")
        ours = [float(mine[column]) if mine.get(column) else None for column in columns]
        spread = [float(mine[f"auc spread {space}"]) if mine.get(f"auc spread {space}") else None for space in "wz"]
        rows.append([name, *beside(papers, ours), *spread])
    heads = [*columns_in_pairs(("AUC W", "AUC Z", "accuracy W", "accuracy Z")), "spread of AUC W", "of AUC Z"]
    return Compared(
        "liu-table1",
        "Liu 2019, Table 1: attributes by logistic regression in W and Z",
        f"L1 penalty, C = 0.1, 10 folds, {results.scale.draws:,} samples of the main continuous model; accuracy is "
        "balanced, the spread is the standard deviation over the folds.",
        Table(["attribute", *heads], rows),
        1,
    )


def edits(results: Results) -> Compared:
    """What edits by genes change; the paper shows pictures and no number."""
    names = ("change of it", "mean change of others", "flipped", "share changed most")
    keys = ("absolute_change", "mean_change_of_others", "flipped", "changed_most")
    found = {m: {row["edited"]: row for row in results.exhibit(f"edits-{m}") or []} for m in METHODS}
    rows: list[list[Value]] = []
    for attribute in dict.fromkeys(name for of_method in found.values() for name in of_method):
        cells = [found[m].get(attribute, {}).get(key) for key in keys for m in METHODS]
        rows.append([attribute, *(None if cell is None else float(cell) for cell in cells)])
    columns = ["attribute", *(f"our {name}, {m}" for name in names for m in METHODS)]
    return Compared(
        "edits",
        "Edits by genes: the wanted attribute and the others",
        f"Every attribute of {results.scale.edits} pictures edited against its present state by up to four genes, "
        "which the statistics choose alone or with the classifier looking ('checked', this project's own); absolute "
        "changes of the classifier's probability.",
        Table(columns, rows),
        1,
    )


def correlation(results: Results) -> Compared:
    """Correlation of attributes in reals and models; the paper shows pictures and no number."""
    found = results.exhibit("correlation") or []
    models = [column for column in (found[0] if found else {}) if column not in ("a", "b", "real")]
    rows: list[list[Value]] = [
        [model, statistics.fmean(abs(float(row[model]) - float(row["real"])) for row in found)] for model in models
    ]
    return Compared(
        "correlation",
        "Correlation of attributes: models against reals",
        "Mean absolute difference from the reals' correlation matrix, over all pairs of attributes.",
        Table(["model", "our mean difference"], rows),
        1,
    )
