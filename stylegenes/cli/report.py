"""all exhibits of a model's genes in one HTML page that needs no other file

Examples:
  stylegenes report runs/0001                       makes what is missing and gathers all
  stylegenes report runs/0001 --out report.html --fresh
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class Args:
    """All exhibits of a model's genes in one HTML page."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot) or name of a shipped model, with a survey"""
    out: Path | None = None
    """the page (default: genes/report.html in the snapshot)"""
    fresh: bool = False
    """make the exhibits again that are there already"""
    seed: int = 0
    """of the pictures that are edited, re-drawn and crossed"""
    classifier: Path | None = None
    """attribute classifier; otherwise the one of the survey"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Make, gather, say where.

    Raises:
        UserError: when the model has no survey, or no genome.
    """
    from stylegenes.cli import report_work

    report_work.run(args)
