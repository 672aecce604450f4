"""Figures of directions, components and noise: few lines, no chart junk, readable in print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stylegenes.analysis.directions import Fit
from stylegenes.analysis.noise_study import NoiseEffect
from stylegenes.analysis.pca import Components
from stylegenes.analysis.sparsity import SparsityRow
from stylegenes.files import atomic_path
from stylegenes.pictures import to_pil, to_uint8

INK, PALE = "#333333", "#bbbbbb"
COLORS = {"w": "#1f6f8b", "z": "#d1802f"}


def write_figure(path: Path, figure: Figure, text: Mapping[str, str] | None = None) -> Path:
    """Write a figure atomically, with `text` inside; the suffix chooses the format. Returns the path."""
    with atomic_path(path) as part:
        figure.savefig(part, dpi=150, bbox_inches="tight", metadata=dict(text or {}))
    return path


def _bare(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=8)


def plot_fits(fits: Sequence[Fit]) -> Figure:
    """Cross-validated AUC of every attribute, a dot a space, the best told apart on top."""
    spaces = sorted({fit.space for fit in fits}, reverse=True)
    best = {fit.attribute: fit.auc for fit in fits if fit.space == spaces[0] and fit.scored}
    order = sorted(best, key=lambda name: best[name])
    figure = Figure(figsize=(5, 0.8 + 0.2 * max(4, len(order))))
    axes = figure.add_subplot()
    for space in spaces:
        rows = [(order.index(f.attribute), f.auc, f.auc_std) for f in fits if f.space == space and f.attribute in best]
        if rows:
            height, auc, spread = np.array(rows).T
            color = COLORS.get(space, INK)
            axes.errorbar(auc, height, xerr=spread, fmt="o", ms=4, lw=0.8, color=color, label=space.upper())
    axes.axvline(0.5, color=PALE, lw=0.8)
    axes.set_yticks(range(len(order)), order)
    axes.set_ylim(-0.7, max(len(order), 1) - 0.3)
    axes.set_xlabel("area under the ROC curve (bars: deviation over folds)", fontsize=8, color=INK)
    _bare(axes)
    if len(spaces) > 1:
        axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def plot_sparsity(rows: Sequence[SparsityRow], label: int = 6) -> Figure:
    """AUC, share flipped and share kept over the number of coordinates; a line an attribute, a few of them named.

    A pale line marks chance where there is one: a half of the AUC, and of the pictures that keep what they had.
    """
    names, total = list(dict.fromkeys(row.attribute for row in rows)), max((row.total for row in rows), default=1)
    panels = {
        "auc": "area under the ROC curve",
        "flipped": "share that gains the attribute",
        "kept": "share that keeps",
    }
    figure = Figure(figsize=(9, 3), layout="constrained")
    shades = [f"C{index}" for index in range(label)]
    for axes, (field, title) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        for index, name in enumerate(names):
            points = [(row.nonzero, getattr(row, field)) for row in rows if row.attribute == name]
            named = index < label
            color, text = (shades[index], name) if named else (PALE, None)
            axes.plot(*zip(*points), "o-", ms=3, lw=1, color=color, label=text, zorder=2 + named)
        if field != "flipped":
            axes.axhline(0.5, color=PALE, lw=0.8, zorder=1)
        axes.set(xlim=(0, 1.03 * total), ylim=(0, 1.03))
        axes.set_xlabel(f"coordinates with a weight, of {total}", fontsize=8, color=INK)
        axes.set_title(title, fontsize=9, color=INK)
        _bare(axes)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=7)
    return figure


def plot_components(components: Components, coordinates: torch.Tensor, shown: int = 2000) -> Figure:
    """Cumulative explained variance, and the samples [N, C] on the first two components."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    explained = components.explained.cpu().numpy()
    left.plot(range(1, len(explained) + 1), explained, color=COLORS["w"], lw=1.5)
    for share in (0.8, 0.95):
        needed = components.needed(share)
        left.plot([needed, needed], [0, share], color=PALE, lw=0.8)
        left.annotate(
            f"{share:.0%}: {needed}", (needed, share), xytext=(6, -10), textcoords="offset points", fontsize=8
        )
    left.set(ylim=(0, 1.02), xlim=(0, len(explained)))
    left.set_xlabel("components", fontsize=8)
    left.set_ylabel("share of the variance", fontsize=8)
    scores = components.scores(coordinates[:shown])[:, :2].cpu().numpy()
    right.scatter(*scores.T, s=3, color=COLORS["w"], alpha=0.4, lw=0)
    right.set_xlabel(f"component 1 ({float(components.explained[0]):.1%})", fontsize=8)
    right.set_ylabel("component 2", fontsize=8)
    for axes in (left, right):
        _bare(axes)
    return figure


def plot_noise(effects: Sequence[NoiseEffect], row: int = 0) -> Figure:
    """For one picture (number `row`): an example of every case above the map of its standard deviation."""
    figure = Figure(figsize=(2 * len(effects) + 0.6, 4.2), layout="constrained")
    top, bottom = figure.subplots(2, len(effects))
    limit = max(float(effect.deviation[row].max()) for effect in effects) or 1.0
    for above, below, effect in zip(top, bottom, effects, strict=True):
        above.imshow(to_pil(to_uint8(effect.examples[row : row + 1])[0]).convert("RGBA"))
        shown = below.imshow(effect.deviation[row].cpu().numpy(), cmap="magma", vmin=0, vmax=limit)
        above.set_title(effect.case.name, fontsize=9, color=INK)
        below.set_title(f"mean {float(effect.deviation[row].mean()):.3f}", fontsize=8, color=INK)
        for axes in (above, below):
            axes.set_axis_off()
    bar = figure.colorbar(shown, ax=list(bottom), shrink=0.9)
    bar.ax.tick_params(labelsize=7)
    bar.set_label("deviation, of pixels in [-1, 1]", fontsize=7)
    return figure
