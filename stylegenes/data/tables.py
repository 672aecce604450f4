"""Attribute tables: a CSV beside the images, or CelebA's list."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from stylegenes.data.decode import SUFFIXES
from stylegenes.errors import UserError

_WORDS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
_MOST_CLASSES = 10_000


@dataclass(frozen=True)
class Table:
    """Attributes by file name.

    Attributes:
        columns: names of the label columns.
        rows: by file name, float32 [L], or why the row cannot be used.
    """

    columns: list[str]
    rows: dict[str, np.ndarray | str]


def parse_table(name: str, content: bytes) -> Table:
    """Read a CSV (comma, semicolon or tab; first line names the columns; first column is the file) or CelebA's list.

    A column of numbers or of true and false is one label; -1 in a column of -1 and 1 becomes 0, as in CelebA. A column
    of words becomes one label for each word.

    Raises:
        UserError: when it is no such table.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is no text in UTF-8; save it as CSV with that encoding") from error
    header, lines = _split(name, text)
    width = len(header)
    rows: dict[str, np.ndarray | str] = {}
    whole = {line[0]: line[1:] for line in lines if len(line) == width and all(line)}
    columns = [_Column.of(header[i + 1], [line[i] for line in whole.values()]) for i in range(width - 1)]
    for number, line in enumerate(lines, start=2):
        if line[0] in whole:
            rows[line[0]] = np.concatenate([c.encode(cell) for c, cell in zip(columns, whole[line[0]], strict=True)])
        else:
            rows[line[0]] = f"row {number} of {name} has {sum(map(bool, line))} values, expected {width}"
    return Table([label for column in columns for label in column.labels], rows)


def _split(name: str, text: str) -> tuple[list[str], list[list[str]]]:
    """Header and lines of cells, the first cell being the file name."""
    lines = text.splitlines()
    if len(lines) > 1 and lines[0].strip().isdigit():
        # CelebA's own layout: the number of images, then the attribute names, then a line for each image.
        return ["file", *lines[1].split()], [line.split() for line in lines[2:] if line.strip()]
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    cells = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(row)]
    if len(cells) < 2 or len(cells[0]) < 2:
        raise UserError(f"{name} is no attribute table: a line of column names, then lines of file,value,...")
    if PurePosixPath(cells[0][0]).suffix.lower() in SUFFIXES:
        raise UserError(f"{name}: the first line must name the columns (file,attribute,...), not an image")
    return cells[0], cells[1:]


@dataclass(frozen=True)
class _Column:
    """One column: `labels` are its label names; `words` are the values of a column of words, empty for numbers."""

    labels: list[str]
    words: list[str]
    signed: bool

    @classmethod
    def of(cls, name: str, values: list[str]) -> _Column:
        numbers = [_number(value) for value in values]
        if None not in numbers:
            return cls([name], [], signed=set(numbers) <= {-1.0, 1.0})
        words = sorted(set(values))
        if len(words) > _MOST_CLASSES:
            raise UserError(f"column {name!r} holds {len(words)} different words; is it text, not a label? remove it")
        return cls([f"{name}={word}" for word in words], words, signed=False)

    def encode(self, value: str) -> np.ndarray:
        if self.words:
            return np.array([value == word for word in self.words], np.float32)
        number = _number(value)
        assert number is not None
        return np.array([max(number, 0.0) if self.signed else number], np.float32)


def _number(value: str) -> float | None:
    if value.lower() in _WORDS:
        return _WORDS[value.lower()]
    try:
        number = float(value)
    except ValueError:
        return None
    return number if np.isfinite(number) else None
