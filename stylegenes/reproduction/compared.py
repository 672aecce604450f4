"""What a table of a comparison is, and how papers' numbers and ours are laid side by side."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from stylegenes.analysis.exhibits import Table, Value


@dataclass(frozen=True)
class Compared:
    """One table.

    Attributes:
        name: of its file.
        title: which table of which paper.
        caption: what was measured, and on how much.
        table: labels first, then pairs of columns, the paper's and ours.
        labels: how many columns are labels.
    """

    name: str
    title: str
    caption: str
    table: Table
    labels: int

    @property
    def is_measured(self) -> bool:
        """Whether anything of ours is there yet."""
        ours = [i for i, column in enumerate(self.table.columns) if column.startswith("our ")]
        return any(row[i] is not None for row in self.table.rows for i in ours)


def summed_up(scores: Sequence[float]) -> tuple[float | None, float | None, int | None]:
    """Mean, standard deviation and number of scores; None where there are too few."""
    spread = statistics.stdev(scores) if len(scores) > 1 else None
    return (statistics.fmean(scores) if scores else None), spread, len(scores) or None


def columns_in_pairs(names: Sequence[str]) -> list[str]:
    """The names of the columns that `beside` fills."""
    return [f"{who} {name}" for name in names for who in ("paper", "our")]


def beside(papers: Sequence[Value], ours: Sequence[Value]) -> list[Value]:
    """The paper's numbers and ours, column by column."""
    return [value for pair in zip(papers, ours, strict=True) for value in pair]
