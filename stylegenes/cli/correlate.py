"""which attributes go together, in real pictures and in models

Examples:
  stylegenes correlate runs/genome --data photos --other runs/mapping   real, genome, mapping, and the differences
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Args:
    """Which attributes go together, in real pictures and in models."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    other: Path | None = None
    """another model, for example one with a mapping network"""
    data: str | None = None
    """real pictures; otherwise those that the model was trained on"""
    num: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 10_000
    """pictures of each; a finished survey gives all it has"""
    seed: int = 0
    """of the draws"""
    classifier: Path | None = None
    """attribute classifier; otherwise the one of the survey"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Classify, correlate, draw.

    Raises:
        UserError: when no classifier or data is known.
    """
    from stylegenes.cli.console import Bars
    from stylegenes.cli.places import show_outcome
    from stylegenes.model import open_model

    model = open_model(args.snapshot, label=args.label, classifier=args.classifier, device=args.device)
    other = None if args.other is None else open_model(args.other, device=args.device)
    with Bars() as bars:
        found = model.correlate(other, data=args.data, num=args.num, seed=args.seed, on_progress=bars.update)
    show_outcome(args, model, found)
