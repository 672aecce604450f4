"""One picture a claim: what its verdict rests on, at a glance. Dots are trainings, bars and lines their means."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stylegenes.analysis.editing import METHODS
from stylegenes.analysis.plots.style import COLORS, GRAY, PALE, SMALL, new_figure, tidy
from stylegenes.reproduction.attribute_tables import read_sides
from stylegenes.reproduction.results import Results
from stylegenes.reproduction.sampling_tables import PRUNINGS, pruned_curves, tradeoff_curves
from stylegenes.reproduction.scale import Pair
from stylegenes.reproduction.shared import shared_means
from stylegenes.reproduction.steps import CONTINUOUS, GENOME, latent_words, mixing_name, rivals_of
from stylegenes.reproduction.training_tables import scores_of

Groups = dict[str, list[float]]


def claim_figures(results: Results) -> dict[str, Figure]:
    """A figure for each letter of a claim of which something is measured."""
    makers: dict[str, Callable[[Results], Figure | None]] = {
        "a": _latents, "b": _grid, "c": _readers, "d": _trade, "e": _pruning, "f": _edits, "g": _linear, "h": _mixing,
    }  # fmt: skip
    drawn = {letter: make(results) for letter, make in makers.items()}
    return {letter: figure for letter, figure in drawn.items() if figure is not None}


def _latents(results: Results) -> Figure | None:
    groups: Groups = {}
    for pair in (results.scale.main, *results.scale.pairs):
        for latent in (GENOME, CONTINUOUS):
            if latent == CONTINUOUS or not pair.genome_of:
                groups[_side(results, pair, latent)] = scores_of(results, pair, latent)
    return _bars(groups, "Frechet distance")


def _grid(results: Results) -> Figure | None:
    scale = results.scale
    cells = {v: {g: results.cell(g, v) for g in sorted(scale.genes)} for v in sorted(scale.variants)}
    if not any(scores for row in cells.values() for scores in row.values()):
        return None
    figure, axes = _axes("Frechet distance")
    axes.xaxis.update_units([str(g) for g in sorted(scale.genes)])
    for color, (v, row) in zip(COLORS, cells.items()):
        _line(axes, {str(g): scores for g, scores in row.items()}, color, f"{v} variants")
    axes.set_xlabel("genes", fontsize=SMALL)
    return _told(figure, axes)


def _readers(results: Results) -> Figure | None:
    groups: Groups = {}
    for side, means in shared_means(read_sides(results)).items():
        if side.space != "z":
            space = "zeros and ones" if side.space == "genes" else side.space
            groups[f"{_side(results, side.pair, side.latent)}, {space}, {side.reader}"] = means
    return _bars(groups, "balanced accuracy, %", start=50)


def _trade(results: Results) -> Figure | None:
    curves = tradeoff_curves(results)
    if not curves:
        return None
    figure, axes = _axes("accuracy by the second classifier, %")
    for color, (method, curve) in zip(COLORS, curves.items()):
        style = {"color": color, "marker": "o", "ms": 4, "lw": 1.2 if curve.tempered else 0, "label": method}
        axes.plot([x for x, _ in curve.points], [y for _, y in curve.points], **style)
    axes.set_xlabel("Frechet distance; dots along a line are temperatures", fontsize=SMALL)
    return _told(figure, axes)


def _pruning(results: Results) -> Figure | None:
    figure, axes = _axes("Frechet distance")
    axes.xaxis.update_units([str(n) for n in results.scale.pruned])
    for color, (by, name) in zip(COLORS, PRUNINGS.items()):
        curves = pruned_curves(results, by)
        numbers = sorted(set.intersection(*map(set, curves))) if curves else []
        _line(axes, {str(n): [curve[n][0] for curve in curves] for n in numbers}, color, name)
    axes.set_xlabel("pruned variants of each gene", fontsize=SMALL)
    return _told(figure, axes) if axes.lines else None


def _edits(results: Results) -> Figure | None:
    figure, axes = _axes("change of the edited attribute")
    for color, method in zip(COLORS, METHODS):
        rows = results.exhibit(f"edits-{method}") or []
        points = [(float(row["mean_change_of_others"]), float(row["absolute_change"])) for row in rows]
        if points:
            axes.plot([x for x, _ in points], [y for _, y in points], "o", color=color, ms=3, label=method)
    if not axes.lines:
        return None
    axes.axline((0, 0), slope=1, color=GRAY, lw=0.8)
    axes.set_xlabel("mean change of the others; each dot an attribute", fontsize=SMALL)
    return _told(figure, axes)


def _linear(results: Results) -> Figure | None:
    rows = results.fitted_directions()
    if not rows:
        return None
    figure, axes = _axes("AUC, ± spread over folds")
    for color, space in zip(COLORS, "wz"):
        values = [float(row[f"auc {space}"]) for row in rows]
        spread = [float(row.get(f"auc spread {space}") or 0) for row in rows]
        style = {"fmt": "o", "color": color, "ms": 4, "capsize": 2, "label": space.upper()}
        axes.errorbar(range(len(rows)), values, yerr=spread, **style)
    axes.set_xticks(range(len(rows)), [row["attribute"] for row in rows], rotation=40, ha="right", fontsize=SMALL)
    return _told(figure, axes)


def _mixing(results: Results) -> Figure | None:
    figure, axes = _axes("Frechet distance")
    axes.xaxis.update_units(["1", "2", "3", "4"])
    for color, share in zip(COLORS, sorted(results.scale.mixings)):
        found = enumerate(results.mixed(mixing_name(results.scale, share)), 1)
        known = {str(n): [value] for n, value in found if value is not None}
        _line(axes, known, color, f"mixing at {share:.0%}")
    axes.set_xlabel("codes mixed in a picture", fontsize=SMALL)
    return _told(figure, axes) if axes.lines else None


def _side(results: Results, pair: Pair, latent: str) -> str:
    """The latent in words, with the pair's name where another pair has such a latent too."""
    named = pair != results.scale.main and pair not in rivals_of(results.scale)
    return f"{pair.name}: {latent_words(pair, latent)}" if named else latent_words(pair, latent)


def _axes(label: str) -> tuple[Figure, Axes]:
    figure = new_figure(4.6, 2.6)
    axes = tidy(figure.add_subplot())
    axes.set_ylabel(label, fontsize=SMALL)
    return figure, axes


def _told(figure: Figure, axes: Axes) -> Figure:
    axes.legend(fontsize=SMALL, frameon=False)
    return figure


def _line(axes: Axes, groups: Groups, color: str, label: str) -> None:
    """Means by name, joined, and a small dot for each training."""
    known = {name: values for name, values in groups.items() if values}
    if not known:
        return
    axes.plot(list(known), [statistics.fmean(v) for v in known.values()], "o-", color=color, ms=4, lw=1.2, label=label)
    for name, values in known.items():
        axes.plot([name] * len(values), values, ".", color=color, ms=3, alpha=0.5)


def _bars(groups: Groups, label: str, start: float = 0.0) -> Figure | None:
    """Means as bars from `start` on, and a dot for each training."""
    known = {name: values for name, values in groups.items() if values}
    if not known:
        return None
    figure = new_figure(4.6, 0.7 + 0.26 * len(known))
    axes = tidy(figure.add_subplot())
    names: Sequence[str] = list(known)
    axes.barh(names, [statistics.fmean(v) - start for v in known.values()], left=start, color=PALE, height=0.6)
    for name, values in known.items():
        axes.plot(values, [name] * len(values), "o", color=COLORS[0], ms=3.5)
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=SMALL)
    axes.set_xlabel(label, fontsize=SMALL)
    return figure
