"""Cells of a table as labels: columns of numbers, of true and false, or of words; a cell that is neither is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from stylegenes.data.decode import SUFFIXES
from stylegenes.errors import UserError, shown

MOST_LABELS = 10_000
"""More label columns than this, from classes, words or vectors, are taken for a mistake."""
LARGEST = 1e9
"""Numbers beyond this are refused: no network learns from them, and their squares overflow."""
_LARGE = 1e3
_WORDS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
_MISSING = frozenset(["", "nan", "null", "n/a", "#n/a", "<na>"])
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_OTHERWISE = re.compile(r"[+\-\u2212]?(0[xX][\da-fA-F]+|\d{1,3}([ _'.,]\d{3})+([.,]\d+)?|\d+(_\d+)*([.,]\d+)?)\s*%?")
"""Numbers as spreadsheets and programs write them too, which are no words: 1,5 and 1.000,5 and 1_000 and 50 %."""
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
        first: dict[str, int] = {}
        for index, cell in enumerate(cells):
            first.setdefault(cell, index)

        def told(cell: str) -> str:
            return f"{places[first[cell]]}: {shown(cell)!r}"

        kinds = {cell: _kind(cell) for cell in first if cell.lower() not in _MISSING}
        numbers = [cell for cell, kind in kinds.items() if kind == "number"]
        word = next((cell for cell, kind in kinds.items() if kind == "word"), None)
        where = f"column {shown(name)} of {table}"
        if word is None:
            odd = next((cell for cell in numbers if _value(cell) not in (0.0, 1.0)), None)
            if odd is not None and "truth" in kinds.values():
                raise UserError(f"{where} mixes true and false with numbers ({told(odd)}); use one of the two")
            values = {_value(cell) for cell in numbers}
            return cls(name, [name], {}, signed=-1.0 in values and values <= {-1.0, 1.0})
        if numbers:
            both = f"{told(numbers[0])}, {told(word)}"
            raise UserError(f"{where} mixes numbers and words ({both}); make all of it numbers, or all of it words")
        otherwise = next((cell for cell, kind in kinds.items() if kind == "word" and _OTHERWISE.fullmatch(cell)), None)
        if otherwise is not None:
            raise UserError(
                f"{where} writes numbers in a way that is not read ({told(otherwise)}); write them as 1234.5, with a "
                "point and nothing else"
            )
        image = next((cell for cell in kinds if PurePosixPath(cell).suffix.lower() in SUFFIXES), None)
        if image is not None:
            raise UserError(f"{where} holds names of images ({told(image)}); they belong into the first column alone")
        if len(kinds) > MOST_LABELS or len(kinds) > max(_MANY_WORDS, len(cells) // 2):
            many = f"{len(kinds):,} different words in {len(cells):,} rows"
            raise UserError(f"{where} holds {many}; is it text, not a label? remove it")
        words = sorted(kinds)
        return cls(name, [f"{name}={word}" for word in words], {word: i for i, word in enumerate(words)}, signed=False)

    def read(self, cells: Sequence[str]) -> tuple[np.ndarray, dict[str, str]]:
        """Labels of cells, float32 [N, number of labels], and by cell why it is none; its labels are zero."""
        known = {cell: number for number, cell in enumerate(dict.fromkeys(cells))}
        problems = {cell: problem for cell in known if (problem := self._problem(cell))}
        values = np.zeros((len(known), len(self.labels)), np.float32)
        for cell, row in zip(known, values, strict=True):
            if cell not in problems:
                self._encode(cell, row)
        return values[[known[cell] for cell in cells]], problems

    def _problem(self, cell: str) -> str:
        if cell == "":
            return f"column {shown(self.name)} is empty"
        if cell.lower() in _MISSING or (not self.words and _kind(cell) == "infinite"):
            return f"column {shown(self.name)} holds {shown(cell)!r}, which is no {'word' if self.words else 'number'}"
        if not self.words and abs(_value(cell)) > LARGEST:
            return f"column {shown(self.name)} holds {shown(cell)}, too large for a label (at most {LARGEST:g})"
        return ""

    def _encode(self, cell: str, row: np.ndarray) -> None:
        if self.words:
            row[self.words[cell]] = 1
        else:
            row[0] = max(_value(cell), 0.0) if self.signed else _value(cell)


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
