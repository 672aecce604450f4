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
    GRAY,
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
    # Up to three genes the outline is a line or a point, and only the points can be read.
    marker = "o" if num_genes <= 3 else ""
    for place, a in reversed(list(enumerate(ranked))):
        color, width = (COLORS[place], 1.3) if place < len(COLORS) else (PALE, 0.5)
        line = torch.cat([score[:, a], score[:1, a]])
        order = 3 if place < len(COLORS) else 2
        axes.plot(angle.numpy(), line.numpy(), color=color, lw=width, marker=marker, ms=3, zorder=order)
    labels = _label_places(score, ranked)
    for label in labels:
        _write_label(axes, label, report.attributes[label.attribute].replace("_", " "))
    step = max(1, num_genes // 16)
    axes.set_xticks(angle[:-1:step].tolist(), [str(g) for g in range(0, num_genes, step)], fontsize=SMALL, color=INK)
    axes.tick_params(axis="x", pad=-3)
    axes.set_ylim(0, float(score.max()) * 1.5 + 1e-6)
    axes.yaxis.set_tick_params(labelsize=SMALL, labelcolor=GRAY)
    axes.set_yticks(_few_ticks(float(score.max())))
    axes.set_rlabel_position(_free_angle([label.turn for label in labels]))
    axes.grid(color=PALE, lw=0.5)
    axes.spines["polar"].set_visible(False)
    return figure


def _few_ticks(top: float) -> list[float]:
    """Round scores for the rings, up to the largest score."""
    step = next((s for s in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if top / s <= 6), top / 4 or 1.0)
    return [step * i for i in range(1, int(top / step) + 1)] or [step]


@dataclass(frozen=True)
class _Label:
    """Where the name of an attribute stands: at `turn` degrees, `radius` out; `place` is its rank."""

    turn: float
    radius: float
    attribute: int
    place: int


def _write_label(axes: PolarAxes, label: _Label, name: str) -> None:
    """A name that reads outwards on the right and inwards on the left."""
    flipped = 90 < label.turn < 270
    axes.text(
        math.radians(label.turn),
        label.radius,
        name,
        color=COLORS[label.place] if label.place < len(COLORS) else GRAY,
        fontsize=SMALL,
        rotation=label.turn + 180 if flipped else label.turn,
        rotation_mode="anchor",
        ha="right" if flipped else "left",
        va="center",
    )


def _free_angle(turns: Sequence[float]) -> float:
    """The whole degree farthest from every name, for the numbers of the rings."""

    def room(degree: int) -> float:
        return min((min(d, 360 - d) for d in (abs(degree - turn) for turn in turns)), default=0.0)

    return float(max(range(360), key=room))


NAMES, SLOTS = 24, 64
"""Names that a polar plot has room for, and places around its circle (or as many as genes, if those are more)."""


def _label_places(score: torch.Tensor, ranked: list[int]) -> list[_Label]:
    """Every name outside the peak of its attribute, or beside it where another name stands."""
    num_genes = len(score)
    per_gene = max(1, SLOTS // num_genes)
    slots = num_genes * per_gene
    taken: set[int] = set()
    labels = []
    for place, a in enumerate(ranked[:NAMES]):
        peak = int(score[:, a].argmax())
        near = (s % slots for d in range(slots) for s in (peak * per_gene + d, peak * per_gene - d))
        slot = next(s for s in near if s not in taken)
        taken.add(slot)
        spoke = round(slot / per_gene)
        nearby = score[[(spoke + d) % num_genes for d in (-1, 0, 1)]].max()
        radius = float(torch.maximum(score[peak, a], nearby)) * 1.04 + 0.02
        labels.append(_Label(360 * slot / slots, radius, a, place))
    return labels


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
    """The variants of the gene that matters most for an attribute, in order: measured with errors, and shrunk.

    Args:
        report: of the survey, with the shrunk estimates.
        measured: mean of each variant's draws, [G, V, A].
        error: standard errors of these means, [G, V, A].
        attribute: column of the attribute.
    """
    gene = report.top(attribute, 1)[0]
    order = measured[gene, :, attribute].argsort()
    x = torch.arange(len(order)).numpy()
    figure = new_figure(4.2, 2.6)
    axes = tidy(figure.add_subplot())
    center, half = measured[gene, order, attribute], 1.96 * error[gene, order, attribute].clamp_max(1)
    axes.fill_between(x, (center - half).clamp_min(0).numpy(), (center + half).clamp_max(1).numpy(), color=PALE, lw=0)
    axes.plot(x, center.numpy(), color=GRAY, lw=1, label="measured, 95 % interval")
    axes.plot(x, report.shrunk.mean[gene, order, attribute].numpy(), color=COLORS[0], lw=1.3, label="shrunk")
    axes.set_xlabel(f"variants of gene {gene}, in order")
    axes.set_ylabel(f"p({report.attributes[attribute].replace('_', ' ')})")
    axes.legend(frameon=False, fontsize=SMALL)
    axes.set_title(f"gene {gene}", fontsize=NORMAL)
    return figure
