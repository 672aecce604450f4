"""Figures about genes: which matter for what, and what they do to a picture (StyleGenes, Fig. 2 and 11)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes

from stylegenes.analysis.importance import GeneReport
from stylegenes.analysis.plots.style import (
    COLORS,
    GREY,
    INK,
    NORMAL,
    PALE,
    SEQUENTIAL,
    SMALL,
    new_figure,
    show_map,
    show_picture,
    tidy,
)


def polar(report: GeneReport) -> Figure:
    """Genes around a circle, a line for every attribute, its name at the gene of its largest score.

    The attributes that single genes explain best are in color; those that no gene moves have no line.
    """
    score = report.shrunk_score
    figure = new_figure(6.4, 6.0)
    axes = cast(PolarAxes, figure.add_subplot(projection="polar"))
    num_genes = len(score)
    angle = torch.arange(num_genes + 1) * (2 * math.pi / num_genes)
    best = report.explained.amax(dim=0).argsort(descending=True).tolist()
    ranked = [a for a in best if score[:, a].max() > 0]
    for place, a in reversed(list(enumerate(ranked))):
        color, width = (COLORS[place], 1.3) if place < len(COLORS) else (PALE, 0.5)
        line = torch.cat([score[:, a], score[:1, a]])
        axes.plot(angle.numpy(), line.numpy(), color=color, lw=width, zorder=3 if place < len(COLORS) else 2)
    placed = _label_places(score, ranked)
    for gene, radius, a, place in placed:
        color = COLORS[place] if place < len(COLORS) else GREY
        turn = math.degrees(float(angle[gene]))
        flipped = 90 < turn < 270
        axes.text(
            float(angle[gene]),
            radius,
            report.attributes[a].replace("_", " "),
            color=color,
            fontsize=SMALL,
            rotation=turn + 180 if flipped else turn,
            rotation_mode="anchor",
            ha="right" if flipped else "left",
            va="center",
        )
    step = max(1, num_genes // 16)
    axes.set_xticks(angle[:-1:step].tolist(), [str(g) for g in range(0, num_genes, step)], fontsize=SMALL, color=INK)
    axes.tick_params(axis="x", pad=-3)
    axes.set_ylim(0, float(score.max()) * 1.5 + 1e-6)
    axes.yaxis.set_tick_params(labelsize=SMALL, labelcolor=GREY)
    axes.set_yticks(_few_ticks(float(score.max())))
    axes.set_rlabel_position(_free_angle([place[0] for place in placed], num_genes))
    axes.grid(color=PALE, lw=0.5)
    axes.spines["polar"].set_visible(False)
    return figure


def _few_ticks(top: float) -> list[float]:
    """Round scores for the rings, up to the largest score."""
    step = next((s for s in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if top / s <= 6), top / 4 or 1.0)
    return [step * i for i in range(1, int(top / step) + 1)] or [step]


def _free_angle(spokes: Sequence[int], num_genes: int) -> float:
    """Degrees of the direction farthest from every spoke with a name, for the numbers of the rings."""
    halves = range(1, 2 * num_genes, 2)

    def room(half: int) -> float:
        return min((min(d, num_genes - d) for d in (abs(half / 2 - spoke) for spoke in spokes)), default=0.0)

    return max(halves, key=room) * 180 / num_genes


def _label_places(score: torch.Tensor, ranked: list[int]) -> list[tuple[int, float, int, int]]:
    """(gene, radius, attribute, place) of every label: outside its peak; crowded ones move to the next spoke."""
    taken: set[int] = set()
    places = []
    for place, a in enumerate(ranked[:24]):
        peak = int(score[:, a].argmax())
        spoke = next(
            s % len(score) for d in range(len(score)) for s in (peak + d, peak - d) if s % len(score) not in taken
        )
        taken.add(spoke)
        nearby = score[[(spoke + d) % len(score) for d in (-1, 0, 1)]].max()
        places.append((spoke, float(torch.maximum(score[peak, a], nearby)) * 1.04 + 0.02, a, place))
    return places


def heat_map(report: GeneReport) -> Figure:
    """Genes x attributes: the score, white where the gene is not shown to act; the busiest genes first."""
    score = report.shrunk_score
    order = score.sum(dim=1).argsort(descending=True)
    figure = new_figure(max(4.0, 1.6 + 0.11 * len(score)), max(2.4, 0.9 + 0.15 * len(report.attributes)))
    axes = tidy(figure.add_subplot())
    shown = score[order].T.clone()
    shown[shown == 0] = torch.nan
    image = axes.imshow(shown.numpy(), cmap=SEQUENTIAL, aspect="auto", vmin=0, interpolation="nearest")
    axes.set_yticks(range(len(report.attributes)), [name.replace("_", " ") for name in report.attributes])
    every = max(1, len(score) // 40)
    axes.set_xticks(range(0, len(score), every), [str(int(g)) for g in order[::every]], rotation=90)
    axes.tick_params(labelsize=SMALL - 1, length=0)
    axes.set_xlabel("gene")
    bar = figure.colorbar(image, ax=axes, pad=0.01, aspect=30)
    bar.set_label("mean absolute standard score", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL - 1)
    return figure


@dataclass(frozen=True)
class GeneStrip:
    """One gene re-drawn, all else fixed.

    Attributes:
        label: which gene, and what for.
        pictures: [n, C, H, W] in [-1, 1].
        difference: [H, W], where they differ.
    """

    label: str
    pictures: torch.Tensor
    difference: torch.Tensor


def gene_strips(strips: Sequence[GeneStrip]) -> Figure:
    """A row of pictures for each gene, and a map of where in the picture it acts (one scale for all genes)."""
    columns = len(strips[0].pictures) + 1
    figure = new_figure(1.5 + 0.8 * columns, 0.86 * len(strips) + 0.25)
    grid = figure.subplots(len(strips), columns, squeeze=False)
    top = max(float(strip.difference.max()) for strip in strips) or 1.0
    for line, strip in zip(grid, strips, strict=True):
        for axes, picture in zip(line, strip.pictures, strict=False):
            show_picture(axes, picture)
        show_map(line[-1], strip.difference, top=top)
        line[0].set_ylabel(strip.label, rotation=0, ha="right", va="center", fontsize=SMALL)
    grid[0][-1].set_title("difference", fontsize=SMALL, pad=2)
    return figure


def variant_curves(report: GeneReport, measured: torch.Tensor, error: torch.Tensor, attribute: int) -> Figure:
    """The variants of the gene that matters most for an attribute, in order: measured with errors, and shrunk."""
    gene = report.top(attribute, 1)[0]
    order = measured[gene, :, attribute].argsort()
    x = torch.arange(len(order)).numpy()
    figure = new_figure(4.2, 2.6)
    axes = tidy(figure.add_subplot())
    center, half = measured[gene, order, attribute], 1.96 * error[gene, order, attribute].clamp_max(1)
    axes.fill_between(x, (center - half).clamp_min(0).numpy(), (center + half).clamp_max(1).numpy(), color=PALE, lw=0)
    axes.plot(x, center.numpy(), color=GREY, lw=1, label="measured, 95 % interval")
    axes.plot(x, report.shrunk.mean[gene, order, attribute].numpy(), color=COLORS[0], lw=1.3, label="shrunk")
    axes.set_xlabel(f"variants of gene {gene}, in order")
    axes.set_ylabel(f"p({report.attributes[attribute].replace('_', ' ')})")
    axes.legend(frameon=False, fontsize=SMALL)
    axes.set_title(f"gene {gene}", fontsize=NORMAL)
    return figure
