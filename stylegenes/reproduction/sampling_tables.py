"""Tables of what the genome is used for: conditional generation and pruning."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from stylegenes.analysis.exhibits import Table, Value
from stylegenes.recipes import recipe
from stylegenes.reproduction import published
from stylegenes.reproduction.compared import Compared, summed_up
from stylegenes.reproduction.results import Results


def conditional(results: Results) -> Compared:
    """StyleGenes, Table 3, averages."""
    ours = _averages(results)
    rows: list[list[Value]] = []
    for key in dict.fromkeys([*published.CONDITIONAL, *ours]):
        accuracy, fid = published.CONDITIONAL.get(key, (None, None))
        mine = ours.get(key, {})
        by = [None if measure not in mine else 100 * mine[measure] for measure in ("accuracy", "second_accuracy")]
        rows.append([*key, accuracy, *by, fid, mine.get("frechet"), mine.get("variety")])
    columns = ["method", "setting", "paper accuracy, %", "our accuracy, %", "our accuracy by a second classifier, %"]
    return Compared(
        "table3",
        "StyleGenes, Table 3: conditional generation",
        f"Averages over the wishes {results.scale.wishes.replace(';', ', ')}; {results.scale.wished:,} pictures each. "
        "'shrunk' and 'accepted' are this project's own methods.",
        Table([*columns, "paper FID", "our fd", "our variety"], rows),
        2,
    )


def at_equal_distance(results: Results) -> Compared:
    """How accurate each way of conditional sampling is at the same Frechet distance, between its temperatures."""
    curves = tradeoff_curves(results)
    levels = sorted({distance for curve in curves.values() for distance, _ in curve.points})
    rows: list[list[Value]] = []
    for level in levels:
        found = [_at(curve, level) for curve in curves.values()]
        if sum(value is not None for value in found) > 1:
            rows.append([level, *found])
    return Compared(
        "table3-equal",
        "Conditional generation at equal distance",
        "Accuracy by the second classifier, %, at a Frechet distance, linear between neighboring temperatures; "
        "a conditional model has none, and is there at its own distances alone.",
        Table(["fd", *(f"our {name}" for name in curves)], rows),
        1,
    )


def _averages(results: Results) -> dict[tuple[str, str], dict[str, float]]:
    """The averages over the wishes by measure, of each method at each setting."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in results.exhibit("tradeoff") or []:
        found.setdefault((row["method"], row["setting"]), {})[row["measure"]] = float(row["average"])
    return found


@dataclass
class Curve:
    """A method of conditional sampling.

    Attributes:
        points: distance and accuracy in percent, by the second classifier, of each of its settings.
        tempered: whether its settings are temperatures, so that there is something between two of them.
    """

    points: list[tuple[float, float]]
    tempered: bool


def tradeoff_curves(results: Results) -> dict[str, Curve]:
    """Each method that has several settings."""
    curves: dict[str, Curve] = {}
    for (method, setting), one in _averages(results).items():
        if "second_accuracy" in one and "frechet" in one:
            curve = curves.setdefault(method, Curve([], setting.startswith("T = ")))
            curve.points.append((one["frechet"], 100 * one["second_accuracy"]))
    return {method: curve for method, curve in curves.items() if len(curve.points) > 1}


def _at(curve: Curve, level: float) -> float | None:
    """The best accuracy that a method has at a distance."""
    found = [y for x, y in curve.points if x == level]
    for (x0, y0), (x1, y1) in pairwise(curve.points) if curve.tempered else ():
        if min(x0, x1) <= level <= max(x0, x1) and x0 != x1:
            found.append(y0 + (y1 - y0) * (level - x0) / (x1 - x0))
    return max(found, default=None)


PRUNINGS = {"pruning": "by the discriminator", "pruning-outliers": "by outliers", "pruning-chance": "by chance"}
"""What variants are judged by, by exhibit."""


def pruning(results: Results) -> Compared:
    """StyleGenes, Table 4. Rows are matched by the share of the variants that is pruned."""
    total = num_variants(results)
    ours = {by: pruned_curves(results, by) for by in PRUNINGS}
    papers = {number / published.PRUNING_OF: value for number, value in published.PRUNING.items()}
    numbers = {number for curves in ours.values() for curve in curves for number in curve}
    rows: list[list[Value]] = []
    for share in sorted({*(number / total for number in numbers), *papers}):
        number = round(share * total) if share * total in numbers else None
        values: list[Value] = []
        for by in PRUNINGS:
            values += summed_up([curve[number][0] for curve in ours[by] if number in curve])[:2]
        rows.append([f"{share:.1%}", papers.get(share), number, *values])
    columns = ["our fd", "spread", "our fd by outliers", "its spread", "our fd by chance", "spread of that"]
    trainings = f"{results.scale.main.seeds} trainings" if results.scale.main.seeds > 1 else "one training"
    return Compared(
        "table4",
        "StyleGenes, Table 4: pruning by the discriminator's opinion, by outliers, and by chance",
        f"Frechet distance by the share of each gene's variants that is replaced, {trainings} with "
        f"{results.scale.prune_runs} runs each; the spread is the standard deviation over the trainings.",
        Table(["pruned share", "paper FID", "pruned of ours", *columns], rows),
        1,
    )


def pruned_curves(results: Results, by: str) -> list[dict[int, tuple[float, float]]]:
    """For each seed's genome, the mean distance and its spread over runs by the number of pruned variants."""
    curves = []
    for rows in results.exhibits(by):
        mean = next(column for column in rows[0] if column.endswith("_mean"))
        spread = mean.replace("_mean", "_spread")
        curves.append({int(row["pruned"]): (float(row[mean]), float(row[spread])) for row in rows})
    return curves


def num_variants(results: Results) -> int:
    """Of each gene of the main pair's genome."""
    return int(recipe(results.scale.main.genome).model.latent["num_variants"])
