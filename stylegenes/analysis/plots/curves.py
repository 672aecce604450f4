"""Figures of curves and matrices: trade-off, pruning, evolution, correlation, ablation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from stylegenes.analysis.ablation import Cell
from stylegenes.analysis.correlation import Correlation, difference, mean_difference
from stylegenes.analysis.evolution import Evolution
from stylegenes.analysis.plots.style import (
    COLORS,
    DIVERGING,
    GRAY,
    NORMAL,
    PALE,
    SEQUENTIAL,
    SMALL,
    new_figure,
    split,
    tidy,
)
from stylegenes.analysis.pruning import PruningPoint, Usage
from stylegenes.analysis.tradeoff import Average

_MARKERS = ["o", "s", "^", "D", "v", "P", "X"]


def trade_off_curves(rows: Sequence[Average], distance_name: str) -> Figure:
    """Accuracy against Frechet distance and against variety, a line a method, a point a setting."""
    figure = new_figure(7.0, 3.2)
    left, right = (tidy(axes) for axes in figure.subplots(1, 2, sharey=True))
    for i, method in enumerate(dict.fromkeys(row.method for row in rows)):
        own = [row for row in rows if row.method == method]
        accuracy = [100 * row.second_accuracy for row in own]
        style = {"color": COLORS[i % len(COLORS)], "marker": _MARKERS[i % len(_MARKERS)], "ms": 4, "lw": 1.2}
        left.plot([row.frechet for row in own], accuracy, label=method, **style)
        right.plot([row.variety for row in own], accuracy, label=method, **style)
        for row, y in zip(own, accuracy, strict=True):
            text = row.setting.removeprefix("T = ")
            left.annotate(text, (row.frechet, y), xytext=(3, 3), textcoords="offset points", fontsize=SMALL - 1.5)
    left.set_xlabel(f"{distance_name} (less is better)")
    left.set_ylabel("accuracy by a second classifier, %")
    right.set_xlabel("variety: perceptual distance of pairs")
    left.legend(frameon=False, fontsize=SMALL)
    return figure


def pruning_curve_figure(points: Sequence[PruningPoint], distance_name: str) -> Figure:
    """Frechet distance against the number of pruned variants, with the spread over runs."""
    figure = new_figure(3.8, 2.6)
    axes = tidy(figure.add_subplot())
    x = range(len(points))
    axes.errorbar(
        x,
        [p.mean for p in points],
        yerr=[p.spread for p in points],
        color=COLORS[0],
        marker="o",
        ms=4,
        lw=1.2,
        capsize=2,
    )
    for i, point in enumerate(points):
        axes.plot([i] * len(point.distances), point.distances, ".", color=GRAY, ms=3, zorder=1)
    axes.set_xticks(list(x), [str(p.num_pruned) for p in points])
    axes.set_xlabel("pruned variants of each gene")
    axes.set_ylabel(distance_name)
    return figure


def usage_figure(found: Usage, realness: torch.Tensor | None) -> Figure:
    """Effective variants of every gene; and, where it is known, the range of its variants' realness [G, V]."""
    panels = 1 if realness is None else 2
    figure = new_figure(3.6 * panels, 2.4)
    axes = [tidy(one) for one in figure.subplots(1, panels, squeeze=False)[0]]
    num_genes = len(found.effective)
    axes[0].bar(range(num_genes), found.effective.numpy(), color=COLORS[0], width=0.8)
    axes[0].axhline(found.duplicate.shape[1], color=GRAY, lw=0.6)
    axes[0].set(xlabel="gene", ylabel="effective variants", ylim=(0, 1.05 * found.duplicate.shape[1]))
    if realness is not None:
        ordered = realness[realness.mean(dim=1).argsort()].double()
        levels = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0], dtype=torch.float64)
        low, lower, middle, upper, high = ordered.quantile(levels, dim=1).numpy()
        x = range(num_genes)
        axes[1].fill_between(x, low, high, color=PALE, lw=0, label="all variants")
        axes[1].fill_between(x, lower, upper, color=COLORS[5], lw=0, label="middle half")
        axes[1].plot(x, middle, color=COLORS[0], lw=1, label="median")
        axes[1].set(xlabel="genes, by mean realness", ylabel="realness (mean logit)")
        axes[1].legend(frameon=False, fontsize=SMALL - 1)
    return figure


def evolution_figure(found: Evolution, gene: int) -> Figure:
    """The variants of one gene in the plane at up to five moments, and how spread, distance and motion develop."""
    moments = torch.linspace(0, len(found.kimg) - 1, min(5, len(found.kimg))).round().long().tolist()
    figure = new_figure(1.45 * max(len(moments), 3), 3.4)
    upper, lower = split(figure, down=[1.15, 1])
    bound = float(found.plane[:, gene].abs().quantile(0.995)) * 1.15 + 1e-6
    for axes, t in zip(upper.subplots(1, len(moments), squeeze=False)[0], moments, strict=True):
        _density(axes, found.plane[t, gene], bound)
        axes.set_title(f"{found.kimg[t]:g} kimg", fontsize=SMALL)
    series = [("spread", found.spread), ("nearest neighbor", found.nearest), ("way since start", found.moved)]
    for axes, (name, values) in zip(lower.subplots(1, 3), series, strict=True):
        tidy(axes).plot(found.kimg, values.numpy(), color=PALE, lw=0.5)
        axes.plot(found.kimg, values.mean(dim=1).numpy(), color=COLORS[0], lw=1.4)
        axes.set_title(name, fontsize=SMALL)
        axes.set_ylim(0, None)
        axes.set_xlabel("kimg")
    return figure


def _density(axes: Axes, points: torch.Tensor, bound: float) -> None:
    """Points [V, 2] over their density, smoothed by a Gaussian of an eighth of the half width."""
    line = torch.linspace(-bound, bound, 64)
    grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1).view(-1, 1, 2)
    density = (-(grid - points).square().sum(dim=2) / (2 * (bound / 8) ** 2)).exp().mean(dim=1).view(64, 64)
    axes.imshow(density.numpy(), cmap=SEQUENTIAL, vmin=0, extent=(-bound, bound, -bound, bound), origin="lower")
    axes.plot(points[:, 0].numpy(), points[:, 1].numpy(), ".", color=GRAY, ms=1.2)
    axes.set(xticks=[], yticks=[], xlim=(-bound, bound), ylim=(-bound, bound))
    for spine in axes.spines.values():
        spine.set_color(PALE)


def correlation_figure(sets: Sequence[Correlation]) -> Figure:
    """Correlation matrices side by side, then the difference of each from the first."""
    others = sets[1:]
    size = max(1.6, 0.075 * len(sets[0].attributes))
    figure = new_figure(1.4 + (size + 0.2) * (len(sets) + len(others)), size + 1.5)
    grid = figure.subplots(1, len(sets) + len(others), squeeze=False)[0]
    for axes, one in zip(grid, sets, strict=False):
        image = _matrix(axes, one.matrix, f"{one.name}\n{one.count:,} pictures")
    for axes, one in zip(grid[len(sets) :], others, strict=True):
        title = f"{one.name} - {sets[0].name}\nmean |difference| {mean_difference(one, sets[0]):.3f}"
        _matrix(axes, difference(one, sets[0]), title)
    names = [name.replace("_", " ") for name in sets[0].attributes]
    grid[0].set_yticks(range(len(names)), names, fontsize=SMALL - 2)
    for axes in grid:
        axes.set_xticks(range(len(names)), names, fontsize=SMALL - 2, rotation=90)
    bar = figure.colorbar(image, ax=grid, shrink=0.6, pad=0.01)
    bar.ax.tick_params(labelsize=SMALL - 1)
    return figure


def _matrix(axes: Axes, values: torch.Tensor, title: str) -> AxesImage:
    image = axes.imshow(values.numpy(), cmap=DIVERGING, vmin=-1, vmax=1, interpolation="nearest")
    axes.set_title(title, fontsize=SMALL)
    axes.set_yticks([])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return image


def ablation_figure(cells: Sequence[Cell], distance_name: str) -> Figure:
    """Frechet distance over genes x variants; crossed where a training has failed."""
    genes = list(dict.fromkeys(cell.num_genes for cell in cells))
    variants = list(dict.fromkeys(cell.num_variants for cell in cells))
    scores = torch.full((len(variants), len(genes)), torch.nan)
    for cell in cells:
        if cell.score is not None:
            scores[variants.index(cell.num_variants), genes.index(cell.num_genes)] = cell.score
    figure = new_figure(1.6 + 0.75 * len(genes), 1.0 + 0.42 * len(variants))
    axes = tidy(figure.add_subplot())
    axes.imshow(scores.numpy(), cmap=SEQUENTIAL, aspect="auto")
    middle = float(scores.nanmedian())
    for i, row in enumerate(scores.tolist()):
        for j, score in enumerate(row):
            text, dark = (f"{score:.2f}", score > middle) if score == score else ("failed", False)
            axes.text(j, i, text, ha="center", va="center", fontsize=SMALL, color="white" if dark else "black")
    axes.set_xticks(range(len(genes)), [str(g) for g in genes])
    axes.set_yticks(range(len(variants)), [str(v) for v in variants])
    axes.set_xlabel("genes")
    axes.set_ylabel("variants")
    axes.set_title(distance_name, fontsize=NORMAL)
    axes.tick_params(length=0)
    return figure
