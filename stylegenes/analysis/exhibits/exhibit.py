"""What an analysis leaves behind: words, a figure and a table, in three files of one name."""

from __future__ import annotations

import base64
import html
import io
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from stylegenes.csv_tables import read_csv, write_csv
from stylegenes.errors import UserError
from stylegenes.files import atomic_path, read_record, write_json
from stylegenes.sheets import Origin

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

_SHOWN = 40
"""Rows of a table that a notebook shows."""
Value = str | int | float | bool | None


@dataclass(frozen=True)
class Table:
    """Rows under named columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]

    def save(self, path: str | Path) -> None:
        """Write as CSV, atomically."""
        write_csv(path, self.columns, self.rows)

    def _repr_html_(self) -> str:
        cells = [[html.escape(str(_brief(value))) for value in row] for row in [self.columns, *self.rows[:_SHOWN]]]
        head, *body = ("".join(f"<td>{cell}</td>" for cell in row) for row in cells)
        more = f"<p>and {len(self.rows) - _SHOWN} more rows</p>" if len(self.rows) > _SHOWN else ""
        return f"<table><thead><tr>{head}</tr></thead>{''.join(f'<tr>{row}</tr>' for row in body)}</table>{more}"

    @classmethod
    def load(cls, path: str | Path) -> Table:
        """Read a CSV; every value is text."""
        found = read_csv(path)
        return cls(found.columns, [[row[column] for column in found.columns] for row in found.rows])


@dataclass(frozen=True)
class Words:
    """The words of an exhibit.

    Attributes:
        name: stem of its files.
        title: a few words.
        caption: what is seen and how it was made: sizes, seeds, classifiers.
        order: its place in a report.
    """

    name: str
    title: str
    caption: str
    order: int = 100


@dataclass(frozen=True)
class Exhibit:
    """Words, a figure, and the figure's numbers; and the code strings of the pictures that it shows."""

    words: Words
    figure: Figure
    table: Table
    codes: Sequence[str] = ()
    beside: ClassVar[tuple[str, ...]] = (".csv", ".json")
    """Suffixes of what is written beside the picture."""

    def save(self, folder: Path, name: str | None = None, origin: Origin | None = None) -> Path:
        """Write NAME.png, NAME.csv and NAME.json, with the words' own name unless another is given.

        Args:
            folder: where they go.
            name: stem of the files.
            origin: what the figure's pictures were drawn with; the picture carries it and the codes.

        Returns:
            The picture's path.
        """
        words = self.words if name is None else replace(self.words, name=name)
        picture = self.draw(folder / f"{words.name}.png", origin)
        self.table.save(folder / f"{words.name}.csv")
        write_json(folder / f"{words.name}.json", asdict(words))
        return picture

    def draw(self, path: Path, origin: Origin | None = None) -> Path:
        """Write the figure alone, with its codes and what they were drawn with; returns its path."""
        with atomic_path(path) as part:
            part.write_bytes(self.png(_DPI, origin))
        return path

    def png(self, dpi: float, origin: Origin | None = None) -> bytes:
        """The figure as a PNG file, which carries its codes where `origin` says what they were drawn with."""
        buffer = io.BytesIO()
        metadata = {} if origin is None else origin.text(self.codes)
        self.figure.savefig(buffer, format="png", dpi=dpi, metadata=metadata)
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png(SCREEN_DPI)

    def _repr_html_(self) -> str:
        """Figure and caption, for a notebook."""
        picture = base64.b64encode(self.png(SCREEN_DPI)).decode()
        title, caption = html.escape(self.words.title), html.escape(self.words.caption)
        return f'<h4>{title}</h4><img alt="{title}" src="data:image/png;base64,{picture}"><p>{caption}</p>'


def load_words(folder: Path) -> list[Words]:
    """The words of the exhibits in a folder, in the order of a report; other files of JSON are passed over."""
    found = []
    for path in folder.glob("*.json"):
        if all(path.with_suffix(suffix).is_file() for suffix in (".png", ".csv")):
            try:
                found.append(read_record(path, Words))
            except UserError as error:
                log.warning("%s; it is passed over", error)
    return sorted(found, key=lambda words: (words.order, words.name))


_DPI, SCREEN_DPI = 160, 80


def _brief(value: Value) -> Value:
    return f"{value:.3f}" if isinstance(value, float) else "" if value is None else value
