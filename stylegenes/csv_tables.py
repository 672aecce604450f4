"""Tables as CSV: one writer, and one strict reader of what people and spreadsheets write."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from stylegenes.errors import UserError, shown
from stylegenes.files import atomic_path, read_bytes

MOST_TABLE = 2**30
"""Bytes of a table that is read, at most."""


@dataclass(frozen=True)
class CsvTable:
    """What a CSV file holds; every cell is text.

    Attributes:
        columns: their names, each once.
        rows: the cells by column; None where a row ends early.
    """

    columns: list[str]
    rows: list[dict[str, str]]


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table as CSV; numbers that are not whole with six significant digits.

    Columns may be named by users (attributes, models, wishes), and so alike: the later one gets a number, since readers
    tell columns by their names.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_distinct(columns))
    writer.writerows([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row] for row in rows)
    return buffer.getvalue()


def _distinct(names: Sequence[str]) -> list[str]:
    """`a`, `b`, `a` as `a`, `b`, `a (2)`."""
    found: list[str] = []
    for name in map(str, names):
        numbered = (f"{name} ({number})" for number in count(2))
        found.append(name if name not in found else next(one for one in numbered if one not in {*names, *found}))
    return found


def write_csv(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """Write a table, all or nothing; returns the path.

    Raises:
        OSError: when it cannot be written.
    """
    with atomic_path(path) as part:
        part.write_text(csv_text(columns, rows), encoding="utf-8", newline="")
    return Path(path)


def write_table(path: str | Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write rows with the same keys, which name the columns; returns the path.

    Raises:
        OSError: when it cannot be written.
    """
    columns = list(rows[0]) if rows else []
    return write_csv(path, columns, [[row[column] for column in columns] for row in rows])


def read_csv(path: str | Path) -> CsvTable:
    """Read a table whose first line names its columns. The mark and the line ends of spreadsheets are taken.

    Raises:
        UserError: for a missing file, one that is no CSV, two columns of one name, or a row of too many cells.
    """
    try:
        # Spreadsheets write a mark before the first letter, and old ones lone carriage returns.
        text = read_bytes(path, most=MOST_TABLE).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        reader = csv.DictReader(io.StringIO(text), restkey="", strict=True)
        rows, columns = list(reader), list(reader.fieldnames or [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"cannot read {path}: {shown(error)}") from error
    if len(set(columns)) < len(columns) or any(len(row) > len(columns) for row in rows):
        raise UserError(f"{path} has two columns of one name, or a row with more cells than columns")
    return CsvTable(columns, rows)
