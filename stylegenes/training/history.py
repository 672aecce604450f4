"""The metrics of a run over its images, as a figure."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path

from stylegenes.errors import UserError
from stylegenes.files import append_json_line, atomic_path, read_json_lines
from stylegenes.shape import check

METRICS_FILE = "metrics.jsonl"
"""One line for each evaluation: kimg, then values by metric name."""

RISING = ("precision", "recall", "density", "coverage")
"""Metrics of which more is better; of all others, less."""

log = logging.getLogger(__name__)


def best_value(name: str, values: Iterable[float]) -> float:
    """The best of at least one value of a metric, such as `fd_lite0` or `precision_lite0`."""
    return (max if name.partition("_")[0] in RISING else min)(values)


def read_history(folder: Path) -> list[dict[str, float]]:
    """The evaluations of a run, in order; empty before the first. Of two lines of a kimg the later one counts.

    Lines that a power cut left half written, or that say something else, are passed over with a warning.
    """
    file = folder / METRICS_FILE
    by_kimg = {}
    for line in read_json_lines(file) if file.exists() else []:
        try:
            entry = check(line, dict[str, float], str(file))
            by_kimg[entry["kimg"]] = entry
        except (UserError, KeyError) as error:
            log.warning("a line of %s is passed over: %s", file, error)
    return [by_kimg[kimg] for kimg in sorted(by_kimg)]


def add_to_history(folder: Path, images: int, metrics: dict[str, float]) -> None:
    """Add an evaluation, and draw the figure anew."""
    append_json_line(folder / METRICS_FILE, {"kimg": images / 1000, **metrics})
    plot_history(folder)


def forget_after(folder: Path, images: int) -> None:
    """Take back evaluations of what lies beyond the state that a run goes on from; they will be made again."""
    entries = read_history(folder)
    kept = [entry for entry in entries if entry["kimg"] <= images / 1000]
    if len(kept) < len(entries):
        with atomic_path(folder / METRICS_FILE) as part:
            part.write_text("".join(json.dumps(entry) + "\n" for entry in kept), encoding="utf-8")


def plot_history(folder: Path) -> Path:
    """Write metrics.png: one panel a metric over thousand images, its best value marked. Returns its path."""
    from matplotlib.figure import Figure

    entries = read_history(folder)
    names = sorted({name for entry in entries for name in entry} - {"kimg"})
    figure = Figure(figsize=(5, 2.6 * max(len(names), 1)), layout="constrained")
    for i, name in enumerate(names):
        points = [(entry["kimg"], entry[name]) for entry in entries if name in entry]
        axes = figure.add_subplot(len(names), 1, i + 1)
        axes.plot(*zip(*points), marker=".", color="#0072b2")
        best = next(point for point in points if point[1] == best_value(name, (value for _, value in points)))
        axes.annotate(f"{best[1]:.4g}", best, textcoords="offset points", xytext=(0, 6), ha="center", fontsize=8)
        axes.set(xlabel="thousand images", ylabel=name)
        if min(value for _, value in points) >= 0:
            axes.set_ylim(0, None)
        axes.spines[["top", "right"]].set_visible(False)
    path = folder / "metrics.png"
    with atomic_path(path) as part:
        figure.savefig(part, dpi=120)
    return path
