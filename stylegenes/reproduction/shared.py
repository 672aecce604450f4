"""Scores over those attributes that every one of several models can be scored on: over others they are other scores."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from stylegenes.metrics import MetricRecord

Side = TypeVar("Side")


def shared_names(tables: Iterable[Mapping[str, float]]) -> set[str]:
    """The attributes that all tables have; none where there is no table."""
    every = [set(table) for table in tables]
    return set.intersection(*every) if every else set()


def shared_means(sides: Mapping[Side, Sequence[Mapping[str, float]]]) -> dict[Side, list[float]]:
    """Means in %, one a training, over the attributes that all trainings of all sides have.

    Args:
        sides: for each side shares by attribute, a table a training.
    """
    names = shared_names(table for tables in sides.values() for table in tables)
    return {
        side: [100 * statistics.fmean(table[name] for name in names) for table in tables] if names else []
        for side, tables in sides.items()
    }


def separabilities(records: Sequence[MetricRecord | None]) -> list[float | None]:
    """exp of the summed entropies (StyleGAN, section 4.2) of the attributes that are fitted in all records.

    Args:
        records: of separability; None where it was not measured, which stays None.
    """
    found = [None if record is None else _entropies(record) for record in records]
    names = shared_names(table for table in found if table is not None)
    return [None if not names or table is None else math.exp(sum(table[name] for name in names)) for table in found]


def _entropies(record: MetricRecord) -> dict[str, float]:
    every = {name: one.get("entropy") for name, one in record.details.items() if isinstance(one, dict)}
    return {name: value for name, value in every.items() if value is not None}
