"""Figures of edits and of breeding."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure

from stylegenes.analysis.breeding import Lineage
from stylegenes.analysis.edit_study import EditStudy
from stylegenes.analysis.editing import EditReport, difference_map
from stylegenes.analysis.plots.style import (
    COLORS,
    GRAY,
    INK,
    PALE,
    SEQUENTIAL,
    SMALL,
    new_figure,
    show_map,
    show_picture,
    split,
    tidy,
)

_SHOWN = 14


def edit_figure(report: EditReport) -> Figure:
    """Original, edited picture and difference; beside them requested and achieved change of the attributes."""
    figure = new_figure(7.0, 2.7)
    left, right = split(figure, across=[1.5, 1])
    before, after, where = left.subplots(1, 3)
    show_picture(before, report.pictures[0], "original")
    show_picture(after, report.pictures[1], "edited")
    show_map(where, difference_map(report.pictures), f"difference\nperceptual distance {report.distance:.3f}")
    rest = report.achieved.abs().argsort(descending=True).tolist()
    shown = (report.wanted + [a for a in rest if a not in report.wanted])[:_SHOWN]
    axes = tidy(right.add_subplot())
    rows = torch.arange(len(shown)).flip(0).numpy()
    colors = [COLORS[0] if a in report.wanted else GRAY for a in shown]
    axes.barh(rows, report.achieved[shown].numpy(), color=colors, height=0.62)
    axes.plot(report.predicted[shown].numpy(), rows, "|", color=INK, ms=7, mew=1.2)
    axes.axvline(0, color=GRAY, lw=0.6)
    axes.set_yticks(rows, [report.attributes[a].replace("_", " ") for a in shown], fontsize=SMALL - 0.5)
    bound = max(0.1, float(report.achieved.abs().max()), float(report.predicted.abs().max())) * 1.08
    axes.set_xlim(-bound, bound)
    axes.set_xlabel("change of probability", fontsize=SMALL)
    axes.set_title("bars: achieved, strokes: requested", fontsize=SMALL)
    return figure


def edit_study_figure(study: EditStudy) -> Figure:
    """How much every attribute (columns) changes when one (rows) is edited; beside it, wanted against other change."""
    names = [name.replace("_", " ") for name in study.attributes]
    size = max(2.4, 0.105 * len(names))
    figure = new_figure(2 * size + 2.2, size + 1.1)
    left, right = split(figure, across=[1.15, 1])
    axes = left.add_subplot()
    image = axes.imshow(study.changed.numpy(), cmap=SEQUENTIAL, vmin=0, vmax=1, interpolation="nearest")
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=SMALL - 2)
    axes.set_yticks(range(len(names)), names, fontsize=SMALL - 2)
    axes.set(xlabel="changed", ylabel="edited")
    axes.tick_params(length=0)
    left.colorbar(image, ax=axes, shrink=0.6, pad=0.02).ax.tick_params(labelsize=SMALL - 1)
    points = tidy(right.add_subplot())
    points.plot(study.side_effect.numpy(), study.wanted.numpy(), "o", color=COLORS[0], ms=3.5)
    bound = 1.05 * max(float(study.wanted.max()), float(study.side_effect.max()), 0.05)
    points.plot([0, bound], [0, bound], color=GRAY, lw=0.6)
    points.set(xlabel="mean change of the others", ylabel="change of the edited attribute", xlim=(0, None))
    points.set_ylim(0, bound)
    return figure


def generations_figure(lineage: Lineage, best: Sequence[torch.Tensor]) -> Figure:
    """Fitness of every individual over the generations, and the best pictures [n, C, H, W] of each shown generation."""
    columns = len(best)
    figure = new_figure(max(4.0, 0.85 * columns + 0.6), 2.2 + 0.8 * max(len(row) for row in best))
    upper, lower = split(figure, down=[2.0, 0.8 * max(len(row) for row in best)])
    axes = tidy(upper.add_subplot())
    people = lineage.individuals
    axes.plot([p.generation for p in people], [p.fitness for p in people], ".", color=PALE, ms=4)
    numbers = range(lineage.num_generations + 1)
    axes.plot(numbers, [lineage.generation(g)[0].fitness for g in numbers], color=COLORS[0], lw=1.4, label="best")
    means = [sum(p.fitness for p in lineage.generation(g)) / len(lineage.generation(g)) for g in numbers]
    axes.plot(numbers, means, color=COLORS[1], lw=1.4, label="mean")
    axes.set_xlabel("generation")
    axes.set_ylabel("fitness")
    axes.legend(frameon=False, fontsize=SMALL)
    grid = lower.subplots(max(len(row) for row in best), columns, squeeze=False)
    shown = torch.linspace(0, lineage.num_generations, columns).round().long().tolist()
    for i, (pictures, generation) in enumerate(zip(best, shown, strict=True)):
        for j, line in enumerate(grid):
            show_picture(line[i], pictures[j], f"{generation}" if j == 0 else "")
    return figure


def family_figure(parents: torch.Tensor, children: torch.Tensor, names: Sequence[str]) -> Figure:
    """Two parents [2, C, H, W] and, below them, their children [n, C, H, W] under the names that tables give them."""
    columns = min(8, max(2, len(children)))
    rows = -(-len(children) // columns)
    figure = new_figure(0.85 * columns + 0.2, 0.95 * (rows + 1) + 0.3)
    grid = figure.subplots(rows + 1, columns, squeeze=False)
    for axes in grid.flatten():
        axes.set_axis_off()
    for i, name in enumerate(("parent A", "parent B")):
        grid[0][i].set_axis_on()
        show_picture(grid[0][i], parents[i], name)
    for i, (child, name) in enumerate(zip(children, names, strict=True)):
        axes = grid[1 + i // columns][i % columns]
        axes.set_axis_on()
        show_picture(axes, child, name)
    return figure
