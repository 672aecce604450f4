"""Rows of labels by picture, and which picture each row speaks of: nothing is guessed, nothing is lost in silence."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np

from stylegenes.data.description import LeftOut
from stylegenes.errors import UserError, shown

_SHOWN = 3


@dataclass(frozen=True)
class Row:
    """What a label file says about one picture.

    Attributes:
        where: its place in the file, such as `row 3`.
        key: the picture's name as the file writes it.
        values: float32 [L], or None where the row cannot be used.
        problem: why it cannot be used, or "".
    """

    where: str
    key: str
    values: np.ndarray | None
    problem: str = ""


@dataclass(frozen=True)
class LabelTable:
    """A label file that has been read.

    Attributes:
        name: of the file.
        columns: names of the labels.
        rows: in the file's order.
        warnings: what is odd about the file as a whole.
    """

    name: str
    columns: list[str]
    rows: list[Row]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Matched:
    """The pictures' rows.

    Attributes:
        rows: by entry name, float32 [L].
        left_out: pictures without a row, or with one that cannot be used.
        warnings: what else does not fit together.
    """

    rows: dict[str, np.ndarray]
    left_out: list[LeftOut]
    warnings: list[str]


def match(table: LabelTable, entries: Sequence[str]) -> Matched:
    """Find each picture's row: by its full path, below the folder that all share, by its name, or its name's stem.

    A row that fits several pictures belongs to none of them, and rows for the same picture must agree.

    Raises:
        UserError: when no row names a picture.
    """
    claims: dict[str, list[Row]] = defaultdict(list)
    unclear: dict[str, str] = {}
    strangers: list[Row] = []
    find = _finder(entries)
    for row in table.rows:
        found = find(row.key)
        if len(found) == 1:
            claims[found[0]].append(row)
        elif found:
            reason = f"{row.where} of {table.name}, {shown(row.key)!r}, fits {_some(found)}; write their paths there"
            unclear |= dict.fromkeys(found, reason)
        else:
            strangers.append(row)
    if entries and table.rows and not claims and not unclear:
        raise UserError(
            f"{table.name} names none of the images (it has {shown(table.rows[0].key)}, the data {shown(entries[0])})"
        )
    rows: dict[str, np.ndarray] = {}
    left_out: list[LeftOut] = []
    fix = f"mend {table.name}, or read no labels (--labels none; to train --set data.label_file=none)"
    for entry in entries:
        reason = unclear.get(entry, f"no row in {table.name}")
        row = _agreed(claims[entry], table) if entry in claims else Row("", entry, None, reason)
        if row.values is None:
            left_out.append(LeftOut(entry, row.problem, fix))
        else:
            rows[entry] = row.values
    return Matched(rows, left_out, [*table.warnings, *_unused(strangers, table)])


def common_root(names: Sequence[str]) -> str:
    """The folder that all names lie in, with a slash at its end; empty when there is none."""
    parents = [PurePosixPath(name).parent.parts for name in (min(names), max(names))] if names else [(), ()]
    shared = 0
    while shared < min(map(len, parents)) and parents[0][shared] == parents[1][shared]:
        shared += 1
    return "".join(f"{part}/" for part in parents[0][:shared])


def _finder(entries: Sequence[str]) -> Callable[[str], list[str]]:
    """From a row's key to the pictures it may mean; a stronger kind of match hides the weaker ones."""
    root = common_root(entries)
    kinds: tuple[Callable[[str], str], ...] = (
        str,
        lambda entry: entry.removeprefix(root),
        lambda entry: PurePosixPath(entry).name,
        lambda entry: PurePosixPath(entry).stem,
    )
    # File systems differ in how they compose accents.
    indices = [_index(entries, lambda entry, kind=kind: unicodedata.normalize("NFC", kind(entry))) for kind in kinds]

    def find(key: str) -> list[str]:
        composed = unicodedata.normalize("NFC", key)
        for name in (composed, composed.replace("\\", "/").removeprefix("./")):
            found = next((index[name] for index in indices if name in index), [])
            if found:
                return found
        return []

    return find


def _index(entries: Iterable[str], name: Callable[[str], str]) -> dict[str, list[str]]:
    index: dict[str, list[str]] = {}
    for entry in entries:
        index.setdefault(name(entry), []).append(entry)
    return index


def _agreed(rows: list[Row], table: LabelTable) -> Row:
    """The one row of a picture, or why its rows do not make one."""
    first = next((row for row in rows if row.values is None), rows[0])
    if first.values is None:
        return Row(first.where, first.key, None, f"{first.where} of {table.name}: {first.problem}")
    for other in rows:
        assert other.values is not None
        differing = np.flatnonzero(first.values != other.values)
        if len(differing):
            column = differing[0]
            values = f"{table.columns[column]} is {first.values[column]:g} and {other.values[column]:g}"
            problem = f"{first.where} and {other.where} of {table.name} contradict each other: {shown(values)}"
            return Row(first.where, first.key, None, problem)
    return first


def _unused(rows: list[Row], table: LabelTable) -> list[str]:
    if not rows:
        return []
    places = ", ".join(f"{row.where} {shown(row.key, 40)!r}" for row in rows[:_SHOWN])
    more = ", ..." if len(rows) > _SHOWN else ""
    return [f"{len(rows)} of {len(table.rows)} rows of {table.name} name no image that is there ({places}{more})"]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(shown(name, 40) for name in names[:_SHOWN])}{more}"
