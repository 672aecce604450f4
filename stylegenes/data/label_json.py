"""The StyleGAN tools' `dataset.json`: {"labels": [["00000/img.png", 3], ...]}; numbers are classes, lists vectors."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from stylegenes.cameras import CAMERA_NAMES, NUMBERS, why_no_cameras
from stylegenes.data.columns import LARGEST, MOST_LABELS, large_numbers
from stylegenes.data.rows import LabelTable, Row
from stylegenes.errors import UserError, shown

_CLASS, _VECTOR = "a class number", "a vector"
_FORM = '{"labels": [[name, label], ...]}'


def parse_json(name: str, content: bytes) -> LabelTable:
    """Read a label file of the StyleGAN tools; a table without columns where it gives no labels.

    A picture whose label is missing, no number or not finite has a row with a problem.

    Raises:
        UserError: when it is no such file, or its labels are neither all classes nor all vectors of one length.
    """
    pairs = _pairs(name, content)
    if not pairs:
        return LabelTable(name, [], [])
    kinds = Counter(_kind(value) for _, value in pairs if value is not None)
    usual = max(kinds, key=kinds.__getitem__, default="only null")
    if len(kinds) > 1:
        number, odd = next(
            (i, _kind(value)) for i, (_, value) in enumerate(pairs) if _kind(value) not in (usual, "null")
        )
        raise UserError(
            f"{name}: labels must be all class numbers, or all vectors of one length; labels[{number}] "
            f"({shown(pairs[number][0])}) is {odd}, others are {usual}"
        )
    if usual == _CLASS:
        return _classes(name, pairs)
    if usual.startswith(_VECTOR):
        return _vectors(name, pairs)
    raise UserError(f"{name}: labels must be class numbers or vectors of numbers; they are {usual}")


def _pairs(name: str, content: bytes) -> list[tuple[str, Any]]:
    wrong = f"{name} is no label file of the StyleGAN tools, {_FORM}"
    try:
        value = json.loads(content, object_pairs_hook=lambda pairs: _object(name, pairs))
    except UserError:
        raise
    except RecursionError as error:
        raise UserError(f"{wrong}: it is nested too deeply") from error
    except ValueError as error:
        raise UserError(f"{wrong}: {shown(error)}") from error
    if not isinstance(value, dict) or "labels" not in value:
        raise UserError(f'{wrong}: it has no "labels"')
    pairs = value["labels"]
    if pairs is None:
        return []
    if not isinstance(pairs, list):
        raise UserError(f'{wrong}: its "labels" is no list')
    for number, pair in enumerate(pairs):
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
            raise UserError(f"{wrong}: labels[{number}] is no pair of a name and a label")
    return [(key, label) for key, label in pairs]


def _object(name: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise UserError(f"{name} has {shown(twice)!r} twice in one object; remove one")
    return found


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return f"{_VECTOR} of length {len(value)}"
    kinds = {int: _CLASS, float: "a fraction", str: "a word", bool: "true or false", dict: "an object"}
    return kinds.get(type(value), "null")


def _classes(name: str, pairs: list[tuple[str, Any]]) -> LabelTable:
    for number, (key, label) in enumerate(pairs):
        if label is not None and not 0 <= label < MOST_LABELS:
            raise UserError(
                f"{name}: labels[{number}] ({shown(key)}) has class {_digits(label)}; classes are numbered from 0 to "
                f"{MOST_LABELS - 1:,}"
            )
    count = 1 + max(label for _, label in pairs if label is not None)
    # Pictures of a class share one row, so that many classes cost no memory.
    shared = {label: _one_hot(label, count) for _, label in pairs if label is not None}
    rows = [
        Row(place, key, None, f"the label of {shown(key)} is null") if label is None else Row(place, key, shared[label])
        for place, (key, label) in zip(_places(pairs), pairs, strict=True)
    ]
    empty = count - len(shared)
    warnings = [f"{empty} of the {count} classes of {name} have no picture"] if empty else []
    return LabelTable(name, [f"class_{i}" for i in range(count)], rows, warnings)


def _vectors(name: str, pairs: list[tuple[str, Any]]) -> LabelTable:
    length = next(len(label) for _, label in pairs if label is not None)
    if not 0 < length <= MOST_LABELS:
        raise UserError(f"{name}: its vectors have {length} numbers; a label has 1 to {MOST_LABELS:,}")
    rows = []
    for place, (key, label) in zip(_places(pairs), pairs, strict=True):
        problem = f"the label of {shown(key)} is null" if label is None else _problem(label)
        rows.append(Row(place, key, None if problem else np.array(label, np.float32), problem))
    values = [row.values for row in rows if row.values is not None]
    columns, warnings = [f"label_{i}" for i in range(length)], list[str]()
    reason = why_no_cameras(torch.from_numpy(np.stack(values)[:, :NUMBERS])) if values and length >= NUMBERS else ""
    if reason is None:
        # EG3D's labels are cameras; other labels may follow them, and stand before them here.
        order = [*range(NUMBERS, length), *range(NUMBERS)]
        rows = [row if row.values is None else replace(row, values=row.values[order]) for row in rows]
        return LabelTable(name, [*columns[: length - NUMBERS], *CAMERA_NAMES], rows)
    if length == NUMBERS and reason:
        warnings = [f"the vectors of {name} have {NUMBERS} numbers but are no cameras: {reason}"]
    return LabelTable(name, columns, rows, [*warnings, *large_numbers(name, columns, values)])


def _problem(vector: list[Any]) -> str:
    for column, value in enumerate(vector):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"number {column} of the vector is {_kind(value)}"
        if isinstance(value, float) and not math.isfinite(value):
            return f"number {column} of the vector is {value}, which is no number"
        if abs(value) > LARGEST:
            return f"number {column} of the vector is {_digits(value)}, too large for a label (at most {LARGEST:g})"
    return ""


def _digits(value: float) -> str:
    """A number of any length, shortly."""
    if abs(value) < 10**12:
        return str(value)
    return f"about {'-' if value < 0 else ''}1e{math.floor(math.log10(abs(value)))}"


def _places(pairs: list[tuple[str, Any]]) -> list[str]:
    return [f"labels[{number}]" for number in range(len(pairs))]


def _one_hot(index: int, count: int) -> np.ndarray:
    row = np.zeros(count, np.float32)
    row[index] = 1
    return row
