"""Attribute tables: a CSV beside the images, or CelebA's list."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from stylegenes.data.columns import MOST_LABELS, Column, large_numbers
from stylegenes.data.decode import SUFFIXES
from stylegenes.data.rows import LabelTable, Row
from stylegenes.errors import UserError, shown
from stylegenes.files import decoded

_CELEBA_VALUES = frozenset(["-1", "0", "1"])
_QUOTED = re.compile(r'(?<![^,;\t\n])"(?:[^"]++|"")*+"')
_FILLED = re.compile(r"^.*[^\s,;].*$", re.MULTILINE)


@dataclass(frozen=True)
class _Line:
    """One row of a table: its place, such as `row 3` (the line where it ends, as an editor counts), and its cells."""

    where: str
    cells: list[str]


def parse_table(name: str, content: bytes) -> LabelTable:
    """Read a CSV (comma, semicolon or tab; first line names the columns; first column is the file) or CelebA's list.

    A column of numbers or of true and false is one label; -1 in a column of -1 and 1 becomes 0, as in CelebA. A column
    of words becomes one label for each word.

    Raises:
        UserError: when it is no such table, or a column can be read in two ways.
    """
    lines = _text(name, content).split("\n")
    if len(lines) > 1 and lines[0].strip().isdecimal() and lines[0].isascii():
        header, body = _celeba(name, lines)
    else:
        header, body = _csv(name, lines)
    header, body, warnings = _without_empty_columns(name, header, body)
    _check_header(name, header)
    width = len(header)
    good = [line for line in body if len(line.cells) == width]
    places = [line.where for line in good]
    columns = [Column.of(name, header[i], [line.cells[i] for line in good], places) for i in range(1, width)]
    labels = [label for column in columns for label in column.labels]
    _check_labels(name, labels)
    read = iter(_rows(good, columns, len(labels)))
    rows = [next(read) if len(line.cells) == width else _uneven(line, width) for line in body]
    warnings += large_numbers(name, labels, [row.values for row in rows if row.values is not None])
    return LabelTable(name, labels, rows, warnings)


def _text(name: str, content: bytes) -> str:
    """As text with `\\n` at the ends of lines."""
    try:
        text = decoded(content)
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is no text in UTF-8; save it as CSV with that encoding") from error
    if "\0" in text:
        raise UserError(f"{name} holds zero characters; is it UTF-16, or no text? save it as CSV in UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _celeba(name: str, lines: list[str]) -> tuple[list[str], list[_Line]]:
    """CelebA's own layout: the number of images, then the attribute names, then a line for each image."""
    header = ["file", *lines[1].split()]
    body = [_Line(f"row {number}", line.split()) for number, line in enumerate(lines[2:], 3) if line.strip()]
    if lines[0].strip() != str(len(body)):
        raise UserError(
            f"{name} says that it lists {shown(lines[0].strip(), 20)} images and lists {len(body)}; was it cut short? "
            "get it again, or write the right number into its first line"
        )
    for line in body:
        wrong = set(line.cells[1:]) - _CELEBA_VALUES
        if wrong or len(line.cells) != len(header):
            what = f"the value {shown(min(wrong), 20)!r}" if wrong else f"{len(line.cells) - 1} values"
            raise UserError(
                f"{line.where} of {name} holds {what}; CelebA's list has {len(header) - 1} of -1 or 1 in every row; "
                "get it again"
            )
    return header, body


def _csv(name: str, lines: list[str]) -> tuple[list[str], list[_Line]]:
    text = "\n".join(lines)
    cells = list(_cells(name, text, _delimiter(text)))
    if len(cells) < 2 or len(cells[0].cells) < 2:
        raise UserError(f"{name} is no attribute table: a line of column names, then lines of file,value,...")
    header = cells[0].cells
    if PurePosixPath(header[0]).suffix.lower() in SUFFIXES:
        raise UserError(f"{name}: the first line must name the columns (file,attribute,...), not an image")
    return header, cells[1:]


def _delimiter(text: str) -> str:
    """What stands most often in the first line that is not empty; what is in quotation marks does not count."""
    first = _FILLED.search(_QUOTED.sub("x", text))
    return max(",;\t", key=first[0].count) if first else ","


def _cells(name: str, text: str, delimiter: str) -> Iterator[_Line]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield _Line(f"row {reader.line_num}", [cell.strip() for cell in row])
    except csv.Error as error:
        raise UserError(
            f"row {reader.line_num} of {name} cannot be read ({shown(error)}); is a quotation mark not closed, or a "
            "cell very long?"
        ) from error


def _without_empty_columns(name: str, header: list[str], body: list[_Line]) -> tuple[list[str], list[_Line], list[str]]:
    """Spreadsheets leave columns without any content; they mean nothing."""
    empty = set(range(1, len(header)))
    for line in body:
        empty = {i for i in empty if i >= len(line.cells) or not line.cells[i]}
    if not empty:
        return header, body, []
    keep = [i for i in range(max(len(header), *(len(line.cells) for line in body))) if i not in empty]
    warnings = [f"column {shown(header[i])} of {name} is empty and is not used" for i in sorted(empty) if header[i]]
    cut = [_Line(line.where, [line.cells[i] for i in keep if i < len(line.cells)]) for line in body]
    return [header[i] for i in keep if i < len(header)], cut, warnings


def _check_header(name: str, header: list[str]) -> None:
    if len(header) < 2:
        raise UserError(f"{name} has no column of values beside the file names")
    if "" in header[1:]:
        raise UserError(f"column {header.index('', 1) + 1} of {name} has no name; give it one in the first line")
    twice = _twice(header[1:])
    if twice is not None:
        raise UserError(f"{name} has two columns named {shown(twice)}; rename one")


def _check_labels(name: str, labels: list[str]) -> None:
    if len(labels) > MOST_LABELS:
        raise UserError(f"{name} makes {len(labels):,} labels, more than {MOST_LABELS:,}; remove columns of text")
    twice = _twice(labels)
    if twice is not None:
        raise UserError(f"two columns of {name} make the label {shown(twice)}; rename one")


def _twice(names: list[str]) -> str | None:
    """The first name that occurs again, or None."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _rows(lines: list[_Line], columns: list[Column], num_labels: int) -> list[Row]:
    """Rows of lines that have a cell for every column."""
    values = np.zeros((len(lines), num_labels), np.float32)
    problems = [""] * len(lines)
    start = 0
    for number, column in enumerate(columns, 1):
        cells = [line.cells[number] for line in lines]
        values[:, start : start + len(column.labels)], found = column.read(cells)
        start += len(column.labels)
        if found:
            problems = [problem or found.get(cell, "") for problem, cell in zip(problems, cells, strict=True)]
    return [
        Row(line.where, line.cells[0], None if problem else row, problem)
        for line, row, problem in zip(lines, values, problems, strict=True)
    ]


def _uneven(line: _Line, width: int) -> Row:
    return Row(line.where, line.cells[0], None, f"has {len(line.cells)} cells, expected {width}")
