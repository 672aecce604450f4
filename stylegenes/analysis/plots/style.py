"""What all figures share: fonts, colors, pictures in axes. No global state of matplotlib is touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import matplotlib as mpl
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from stylegenes.pictures import to_pil, to_uint8

COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
"""Colors that the color-blind tell apart (Okabe and Ito 2008), without the yellow that paper swallows."""
GRAY, PALE, INK = "#8a8a8a", "#d9d9d9", "#222222"
SEQUENTIAL, DIVERGING = "Blues", "RdBu_r"
SMALL, NORMAL = 7.0, 8.5


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches, laid out without overlaps."""
    with mpl.rc_context({"font.size": NORMAL}):
        return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def split(figure: Figure, *, across: Sequence[float] = (1,), down: Sequence[float] = (1,)) -> list[SubFigure]:
    """Parts of a figure, side by side or one below the other, with these relative sizes."""
    parts = figure.subfigures(len(down), len(across), width_ratios=across, height_ratios=down, squeeze=False)
    return cast(list[SubFigure], list(parts.flatten()))  # type: ignore[union-attr]


def tidy(axes: Axes) -> Axes:
    """Take away what carries nothing: the upper and right frame, dark ink."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRAY)
    axes.tick_params(labelsize=SMALL, color=GRAY)
    for text in (axes.xaxis.label, axes.yaxis.label, axes.title):
        text.set_fontsize(NORMAL)
    return axes


def bare(axes: Axes) -> Axes:
    """An axis for a picture: no frame, no ticks."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def show_picture(axes: Axes, picture: torch.Tensor, title: str = "") -> None:
    """Draw a picture [C, H, W] in [-1, 1], of any number of channels, as `pictures.to_pil` shows it."""
    bare(axes).imshow(to_pil(to_uint8(picture[None])[0]).convert("RGBA"), interpolation="nearest")
    axes.set_title(title, fontsize=SMALL, pad=2)


def show_map(axes: Axes, values: torch.Tensor, title: str = "", *, top: float | None = None) -> None:
    """Draw a map of non-negative values [H, W], white where nothing happens.

    Args:
        axes: to draw on.
        values: [H, W].
        title: above the map.
        top: the value of the darkest color; the largest one where None.
    """
    bare(axes).imshow(values.numpy(), cmap=SEQUENTIAL, vmin=0, vmax=top, interpolation="nearest")
    axes.set_title(title, fontsize=SMALL, pad=2)


def picture_rows(
    rows: Sequence[torch.Tensor], labels: Sequence[str], *, columns: Sequence[str] = (), size: float = 0.8
) -> Figure:
    """Rows of pictures [n, C, H, W] with a label before each row and a title above each column.

    Args:
        rows: [n, C, H, W] each, of any n.
        labels: one for each row.
        columns: titles of the columns, from the left.
        size: side of a picture in inches.
    """
    width = max(len(row) for row in rows)
    figure = new_figure(1.3 + size * width, (size + 0.06) * len(rows) + 0.3)
    grid = figure.subplots(len(rows), width, squeeze=False)
    for line, row, label in zip(grid, rows, labels, strict=True):
        for i, axes in enumerate(line):
            bare(axes)
            if i < len(row):
                show_picture(axes, row[i])
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=SMALL)
    for axes, title in zip(grid[0], columns, strict=False):
        axes.set_title(title, fontsize=SMALL, pad=2)
    return figure
