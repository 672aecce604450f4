"""The metrics of a run over its images, as a figure."""

from __future__ import annotations

import json
from pathlib import Path

from stylegenes.files import atomic_path

METRICS_FILE = "metrics.jsonl"
"""One line for each evaluation: kimg, then values by metric name."""


def read_history(folder: Path) -> list[dict[str, float]]:
    """The evaluations of a run, in order; empty before the first. After a roll-back the later line of a kimg counts."""
    file = folder / METRICS_FILE
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    by_kimg = {entry["kimg"]: entry for entry in map(json.loads, lines)}
    return [by_kimg[kimg] for kimg in sorted(by_kimg)]


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
        best = min(points, key=lambda point: point[1])
        axes.annotate(f"{best[1]:.4g}", best, textcoords="offset points", xytext=(0, 6), ha="center", fontsize=8)
        axes.set(xlabel="thousand images", ylabel=name, ylim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
    path = folder / "metrics.png"
    with atomic_path(path) as part:
        figure.savefig(part, dpi=120)
    return path
