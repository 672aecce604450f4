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
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name, with a survey"""
    out: Path | None = None
    """the page (default: genes/report.html in the snapshot, or the next free name)"""
    fresh: bool = False
    """make the exhibits again that are there already"""
    seed: int = 0
    """of the pictures that are edited, re-drawn and crossed"""
    classifier: Path | None = None
    """attribute classifier; otherwise the one of the survey"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Make, gather, say where.

    Raises:
        UserError: when the model has no survey, or no genome.
    """
    from stylegenes.cli.console import say
    from stylegenes.cli.places import made_by, picture_place
    from stylegenes.model import open_model

    model = open_model(args.snapshot, label=args.label, classifier=args.classifier, device=args.device)
    out = picture_place(args, model.study.folder / "report.html")
    found = model.report(fresh=args.fresh, seed=args.seed, made=made_by(args), on_note=say)
    size = f"{len(found.page) / 2**20:.1f} MiB"
    say(f"report: {found.save(out)} ({size}, nothing else is needed to read it)")
