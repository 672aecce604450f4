"""What a run has written so far, read while it goes on: losses, signals, metrics, grids, the last lines of its log."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stylegenes.errors import UserError
from stylegenes.files import read_json_lines, read_object
from stylegenes.training.folder import HOLDER, is_training
from stylegenes.training.history import METRICS_FILE, read_history
from stylegenes.training.images import sample_grids

SIGNALS = ("real_sign", "gap", "augment_p", "rate", "memory", "rollbacks")
_POINTS, _LINES, _TAIL = 1000, 40, 64 * 1024
_WATCHED = ("stats.jsonl", METRICS_FILE, "log.txt", "samples", "snapshots", HOLDER)


@dataclass(frozen=True)
class Diary:
    """A run so far.

    Attributes:
        name: of its folder.
        live: whether it trains at this moment.
        total_kimg: its length in thousand images, or None where its configuration does not say.
        kimg: thousand images at each status line; at most a thousand lines, evenly chosen.
        losses: mean losses by phase, None where a line has none or no number.
        signals: what else a line says, by name.
        rate: images a second at last, or None.
        eta: seconds to the end, or None.
        health: in words.
        metrics: the evaluations, kimg and values by name.
        grids: the sample grids by thousand images.
        lines: the end of the log.
    """

    name: str
    live: bool
    total_kimg: float | None
    kimg: list[float]
    losses: dict[str, list[float | None]]
    signals: dict[str, list[float | None]]
    rate: float | None
    eta: float | None
    health: str
    metrics: list[dict[str, float]]
    grids: dict[float, Path]
    lines: list[str]


def read_diary(folder: Path) -> Diary:
    """What a run has written so far; what is missing or half written is left out."""
    ticks = _thinned(_in_order(_ticks(folder / "stats.jsonl")))
    last = ticks[-1] if ticks else {}
    names = list(dict.fromkeys(name for tick in ticks for name in _part(tick, "losses")))
    vitals = list(dict.fromkeys(name for tick in ticks for name in _part(tick, "vitals")))
    signals = {name: [_number(tick.get(name)) for tick in ticks] for name in SIGNALS}
    signals |= {name: [_number(_part(tick, "vitals").get(name)) for tick in ticks] for name in vitals}
    live = is_training(folder)
    return Diary(
        name=folder.resolve().name,
        live=live,
        total_kimg=_length(folder / "config.json"),
        kimg=[tick["kimg"] for tick in ticks],
        losses={name: [_number(_part(tick, "losses").get(name)) for tick in ticks] for name in names},
        signals=signals,
        rate=_number(last.get("rate")),
        eta=_number(last.get("eta")) if live else None,
        health=str(last.get("health", "nothing is known yet")),
        metrics=read_history(folder),
        grids=sample_grids(folder),
        lines=_tail(folder / "log.txt"),
    )


def signature(folder: Path) -> tuple[tuple[int, int], ...]:
    """Something that changes whenever a run writes."""
    found = []
    for name in _WATCHED:
        try:
            status = os.stat(folder / name)
        except OSError:
            found.append((0, 0))
        else:
            found.append((status.st_mtime_ns, status.st_size))
    return tuple(found)


def _ticks(path: Path) -> list[dict[str, Any]]:
    try:
        lines = read_json_lines(path) if path.is_file() else []
    except UserError:
        return []
    return [line for line in lines if isinstance(line, dict) and _number(line.get("kimg")) is not None]


def _in_order(ticks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the lines of a time that a run went back before."""
    kept: list[dict[str, Any]] = []
    for tick in ticks:
        while kept and kept[-1]["kimg"] >= tick["kimg"]:
            kept.pop()
        kept.append(tick)
    return kept


def _thinned(ticks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(ticks) <= _POINTS:
        return ticks
    return [ticks[round(i * (len(ticks) - 1) / (_POINTS - 1))] for i in range(_POINTS)]


def _part(tick: dict[str, Any], name: str) -> dict[str, Any]:
    found = tick.get(name)
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if good else None


def _length(path: Path) -> float | None:
    try:
        return _number(read_object(path).get("kimg"))
    except (UserError, OSError):
        return None


def _tail(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.path.getsize(path) - _TAIL))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return text.splitlines()[-_LINES:]
