"""Cells of a table as labels: columns of numbers, of true and false, or of words; a cell that is neither is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stylegenes.errors import UserError, shown

MOST_LABELS = 10_000
"""More label columns than this, from classes, words or vectors, are taken for a mistake."""
LARGEST = 1e9
"""Numbers beyond this are refused: no network learns from them, and their squares overflow."""
_LARGE = 1e3
_WORDS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
_MISSING = frozenset(["", "nan", "null", "n/a", "#n/a", "<na>"])
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_MANY_WORDS = 100


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: what the table calls it.
        labels: names of the labels that it becomes: one for numbers, one for each word.
        words: the values of a column of words, sorted; empty for numbers.
        signed: whether it holds -1 and 1 only, so that -1 means 0.
    """

    name: str
    labels: list[str]
    words: dict[str, int]
    signed: bool

    @classmethod
    def of(cls, table: str, name: str, cells: Sequence[str], places: Sequence[str]) -> Column:
        """Decide what a column holds.

        Args:
            table: name of the file.
            name: of the column.
            cells: its values.
            places: where each stands, such as `row 3`.

        Raises:
            UserError: when it mixes numbers and words, or looks like text.
        """
        told = [index for index, cell in enumerate(cells) if cell.lower() not in _MISSING]
        kinds = [_kind(cells[index]) for index in told]
        if "word" in kinds and kinds.count("number"):
            odd, even = told[kinds.index("word")], told[kinds.index("number")]
            raise UserError(
                f"column {shown(name)} of {table} mixes numbers and words ({places[even]}: {shown(cells[even])!r}, "
                f"{places[odd]}: {shown(cells[odd])!r}); make all of it numbers, or all of it words"
            )
        if "word" not in kinds:
            values = {_value(cells[index]) for index in told} - {np.inf, -np.inf}
            if "truth" in kinds and not values <= {0.0, 1.0}:
                odd = next(index for index in told if _value(cells[index]) in values - {0.0, 1.0})
                raise UserError(
                    f"column {shown(name)} of {table} mixes true and false with numbers ({places[odd]}: "
                    f"{shown(cells[odd])!r}); use one of the two"
                )
            return cls(name, [name], {}, signed=-1.0 in values and values <= {-1.0, 1.0})
        words = sorted({cells[index] for index in told})
        if len(words) > MOST_LABELS or len(words) > max(_MANY_WORDS, len(told) // 2):
            raise UserError(
                f"column {shown(name)} of {table} holds {len(words):,} different words in {len(told):,} rows; is it "
                "text, not a label? remove it"
            )
        return cls(name, [f"{name}={word}" for word in words], {word: i for i, word in enumerate(words)}, signed=False)

    def problem(self, cell: str) -> str:
        """Why a cell is no label, or ""."""
        if cell == "":
            return f"column {shown(self.name)} is empty"
        if cell.lower() in _MISSING or (not self.words and _kind(cell) == "infinite"):
            return f"column {shown(self.name)} holds {shown(cell)!r}, which is no {'word' if self.words else 'number'}"
        if not self.words and abs(_value(cell)) > LARGEST:
            return f"column {shown(self.name)} holds {shown(cell)}, too large for a label (at most {LARGEST:g})"
        return ""

    def encode(self, cell: str) -> np.ndarray:
        """Labels of a cell without a problem, float32 [number of labels]."""
        if self.words:
            row = np.zeros(len(self.labels), np.float32)
            row[self.words[cell]] = 1
            return row
        value = _value(cell)
        return np.array([max(value, 0.0) if self.signed else value], np.float32)


def large_numbers(table: str, columns: Sequence[str], rows: Sequence[np.ndarray]) -> list[str]:
    """A warning for each column whose numbers a network will hardly learn from as they are."""
    most = np.zeros(len(columns), np.float32)
    for row in rows:
        np.maximum(most, np.abs(row), out=most)
    return [
        f"column {shown(name)} of {table} reaches {value:g}; labels go into the networks as they are, scale it to "
        "about -1 to 1"
        for name, value in zip(columns, most, strict=True)
        if value > _LARGE
    ]


def _kind(cell: str) -> str:
    if cell.lower() in _WORDS:
        return "truth"
    if _NUMBER.fullmatch(cell):
        return "number"
    return "infinite" if _INFINITE.fullmatch(cell) else "word"


def _value(cell: str) -> float:
    return _WORDS[cell.lower()] if cell.lower() in _WORDS else float(cell)
