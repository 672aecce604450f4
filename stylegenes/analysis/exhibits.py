"""Exhibits: what an analysis leaves behind: a figure, a table and a caption, in three files of one name."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from matplotlib.figure import Figure

from stylegenes.files import atomic_path, read_json, write_json

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Table:
    """Rows under named columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]

    def save(self, path: str | Path) -> None:
        """Write as CSV, atomically."""
        with atomic_path(path) as part, part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(self.columns)
            writer.writerows([[_text(value) for value in row] for row in self.rows])

    @classmethod
    def load(cls, path: str | Path) -> Table:
        """Read a CSV; every value is text."""
        with Path(path).open(newline="", encoding="utf-8") as file:
            columns, *rows = csv.reader(file)
        return cls(columns, rows)


@dataclass(frozen=True)
class Exhibit:
    """The words of an exhibit.

    Attributes:
        name: stem of its files.
        title: a few words.
        caption: what is seen and how it was made: sizes, seeds, judges.
        order: its place in a report.
    """

    name: str
    title: str
    caption: str
    order: int = 100

    def save(self, folder: Path, figure: Figure, table: Table) -> Path:
        """Write NAME.png, NAME.csv and NAME.json; returns the picture's path."""
        picture = folder / f"{self.name}.png"
        with atomic_path(picture) as part:
            figure.savefig(part, dpi=_DPI)
        table.save(folder / f"{self.name}.csv")
        write_json(folder / f"{self.name}.json", asdict(self))
        return picture


def load_exhibits(folder: Path) -> list[Exhibit]:
    """The exhibits in a folder, in the order of a report."""
    files = [path for path in folder.glob("*.json") if path.with_suffix(".png").is_file()]
    found = [Exhibit(**read_json(path)) for path in files]
    return sorted(found, key=lambda exhibit: (exhibit.order, exhibit.name))


_DPI = 160


def _text(value: Value) -> Value:
    return f"{value:.6g}" if isinstance(value, float) else value
