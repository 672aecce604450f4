"""move pictures along an attribute direction or a principal component

Examples:
  stylegenes move runs/0001 directions/w-l1 Smiling                      seven pictures for each of four codes
  stylegenes move runs/0001 directions/w-l2 Glasses --hold Male,Young --classifier judge
  stylegenes move runs/0001 pca/components pc1 --layers coarse --strength 2
  stylegenes move runs/0001 directions/w-l1 Smiling,Glasses              between the two edits
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class Args:
    """Move along a direction."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot) or name of a shipped model"""
    directions: tyro.conf.Positional[Path]
    """file written by stylegenes directions or stylegenes pca"""
    name: tyro.conf.Positional[str]
    """attribute, or pc1, pc2, ...; two with a comma between show the way from one edit to the other"""
    strength: float = 3.0
    """how far to both sides, in standard deviations of the samples along the direction"""
    layers: str = "all"
    """layers that move: all, coarse, middle, fine, or numbers like 0-3,7"""
    hold: str | None = None
    """attributes that should stay, with commas between: their directions are projected out"""
    seeds: str = "0-3"
    """seeds of the codes to move"""
    codes: str | None = None
    """code strings instead, or a file of them"""
    classifier: Path | None = None
    """measures what changes"""
    out: Path = Path("move.png")
    """picture to write"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Move, draw, measure.

    Raises:
        UserError: for an unknown direction or layer, or a model that the file does not fit.
    """
    from stylegenes.cli import direction_work

    direction_work.run_move(args)
