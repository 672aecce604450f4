"""how the codebook of a run has changed over its training

Examples:
  stylegenes evolution runs/0001
  stylegenes evolution runs/0001 --gene 7 --out evolution.png
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class Args:
    """How the codebook of a run has changed over its training."""

    run_folder: tyro.conf.Positional[Path]
    """run folder with two snapshots or more"""
    gene: int | None = None
    """the gene whose variants are drawn; otherwise the one that moved most"""
    out: Path | None = None
    """picture to write (default: among the exhibits of the newest snapshot)"""


def run(args: Args) -> None:
    """Follow, draw, write.

    Raises:
        UserError: when the run has no snapshots with a genome, or no such gene.
    """
    from stylegenes.analysis.codebook_history import evolution_of
    from stylegenes.cli.console import say
    from stylegenes.cli.places import check_exhibit_place, made_by, png_place
    from stylegenes.sheets import free_path
    from stylegenes.snapshot import find_snapshot

    check_exhibit_place(args)
    found, made = evolution_of(args.run_folder, args.gene), made_by(args)
    exhibit, folder = found.exhibit, find_snapshot(args.run_folder) / "genes" / "exhibits"
    out = png_place(args.out) if args.out else free_path(folder / f"{exhibit.words.name}.png", made, exhibit.beside)
    say(f"{exhibit.words.title}: {exhibit.save(out.parent, out.stem, found.origin.made(made))}")
