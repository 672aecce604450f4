"""One kind of figure for every table: the paper's numbers on the left, ours on the right, a line a row."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stylegenes.analysis.exhibits import Value
from stylegenes.analysis.plots.style import COLORS, GREY, NORMAL, SMALL, new_figure, tidy
from stylegenes.reproduction.tables import Compared

_MOST_ROWS = 44


def compared_figure(compared: Compared) -> Figure:
    """Dots of the first measure that both have, or of ours alone; each side on a scale of its own."""
    columns = list(compared.table.columns)
    ours = _first(columns, "our ", compared.labels)
    papers = columns.index(f"paper{columns[ours][3:]}") if f"paper{columns[ours][3:]}" in columns else ours - 1
    has_paper = columns[papers].startswith("paper")
    rows = list(compared.table.rows)[:_MOST_ROWS]
    names = [" ".join(_label(value) for value in row[: compared.labels]) for row in rows]
    figure = new_figure(6.4, 0.5 + 0.19 * max(len(rows), 3))
    panels = [(papers, 1), (ours, 0)] if has_paper else [(ours, 0)]
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for one, (column, color) in zip(axes, panels, strict=True):
        _dots(one, [row[column] for row in rows], COLORS[color], columns[column])
    axes[0].set_yticks(range(len(rows)), names, fontsize=SMALL)
    axes[0].set_ylim(len(rows) - 0.4, -0.6)
    return figure


def _dots(axes: Axes, values: list[Value], color: str, title: str) -> None:
    known = [(i, float(value)) for i, value in enumerate(values) if isinstance(value, int | float)]
    tidy(axes).set_title(title, fontsize=NORMAL)
    axes.hlines([i for i, _ in known], 0, [value for _, value in known], color=GREY, lw=0.5)
    axes.plot([value for _, value in known], [i for i, _ in known], "o", color=color, ms=4)
    axes.tick_params(axis="y", length=0)
    if not known:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color=GREY, fontsize=SMALL)


def _first(columns: list[str], prefix: str, start: int) -> int:
    return next(i for i, column in enumerate(columns) if i >= start and column.startswith(prefix))


def _label(value: Value) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
