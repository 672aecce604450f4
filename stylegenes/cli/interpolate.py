"""ways between codes, through the code's own space and straight through W

Examples:
  stylegenes interpolate runs/0001 --seeds 1,2,3             strips in both spaces, one above the other
  stylegenes interpolate runs/0001 --seeds 1,2 --space w --steps 48 --out way.mp4
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro


@dataclass(frozen=True)
class Args:
    """Interpolate between codes."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot) or name of a shipped model"""
    seeds: str = "0-2"
    """seeds of the codes to go between, in this order"""
    codes: str | None = None
    """code strings instead, or a file of them"""
    space: Literal["code", "w", "both"] = "both"
    """code: the latent's own way (z on a great arc, genotypes by their variants); w: straight in W"""
    steps: int = 8
    """steps from each code to the next"""
    out: Path = Path("interpolation.png")
    """.png, .webp: strips; .gif, .mp4: an animation"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Draw, write and say where.

    Raises:
        UserError: for fewer than two codes, or an unknown suffix.
    """
    from stylegenes.cli import latent_work

    latent_work.run_interpolate(args)
