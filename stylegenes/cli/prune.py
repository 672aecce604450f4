"""replace the least real variants of every gene by its most real ones

Examples:
  stylegenes prune runs/0001 --num 16 --out pruned               a snapshot with 16 variants of each gene replaced
  stylegenes prune runs/0001 --curve 0,8,16,32,64 --data photos  the Frechet distance of each, five runs
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Args:
    """Replace the least real variants of every gene by its most real ones."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder or name of a shipped model, with a survey that recorded realness"""
    num: int | None = None
    """variants of each gene to replace, up to half of them"""
    out: Path | None = None
    """folder of the pruned snapshot"""
    curve: str | None = None
    """measure the Frechet distance at these numbers, like 0,8,16,32"""
    data: str | None = None
    """real pictures; otherwise those that the model was trained on"""
    samples: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 10_000
    """pictures for one distance"""
    runs: int = 5
    """distances for each number, with seeds 0, 1, ..."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Prune or measure.

    Raises:
        UserError: when there is nothing to do, or no realness to go by.
    """
    from stylegenes.cli import prune_work

    prune_work.run(args)
