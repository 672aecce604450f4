"""One kind of figure for every table: a panel a column, a line a row."""

from __future__ import annotations

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stylegenes.analysis.exhibits import Value
from stylegenes.analysis.plots.style import COLORS, PALE, SMALL, new_figure, tidy
from stylegenes.reproduction.compared import Compared

_MOST_ACROSS = 8
_MOST_ROWS = 44


def compared_figure(compared: Compared) -> Figure:
    """A panel a measured column, the paper's in one color and ours in another, each on a scale of its own."""
    columns, rows = list(compared.table.columns), list(compared.table.rows)[:_MOST_ROWS]
    names = [", ".join(filter(None, map(_label, row[: compared.labels]))) for row in rows]
    shown = [i for i, name in enumerate(columns) if _is_number(name) and any(row[i] is not None for row in rows)]
    width = min(len(shown), _MOST_ACROSS)
    height = -(-len(shown) // width)
    figure = new_figure(1.4 + 1.25 * width, height * (0.75 + 0.17 * max(len(rows), 3)))
    panels = figure.subplots(height, width, squeeze=False, sharey=True)
    for unused in panels.flat[len(shown) :]:
        unused.set_axis_off()
    for one, column in zip(panels.flat, shown):
        is_ours = columns[column].startswith("our ")
        _dots(one, [row[column] for row in rows], COLORS[0 if is_ours else 1], columns[column])
    for first in panels[:, 0]:
        first.set_yticks(range(len(rows)), names, fontsize=SMALL)
        first.set_ylabel(", ".join(columns[: compared.labels]), fontsize=SMALL)
    panels[0, 0].set_ylim(len(rows) - 0.4, -0.6)
    return figure


def _is_number(column: str) -> bool:
    return column.startswith(("our ", "paper "))


def _dots(axes: Axes, values: list[Value], color: str, title: str) -> None:
    known = [(i, float(value)) for i, value in enumerate(values) if isinstance(value, int | float)]
    tidy(axes).set_title("\n".join(textwrap.wrap(title, 18)), fontsize=SMALL)
    for i in range(len(values)):
        axes.axhline(i, color=PALE, lw=0.4, zorder=0)
    axes.plot([value for _, value in known], [i for i, _ in known], "o", color=color, ms=3.5)
    axes.margins(x=0.12)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=SMALL - 1)
    axes.locator_params(axis="x", nbins=3)


def _label(value: Value) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
