"""bring photos into a model: project, quantize to genotypes, tune

Examples:
  stylegenes invert runs/0001 me.jpg                       style vectors (W) that make the photo, with its errors
  stylegenes invert runs/0001 photos/ --space w+           a folder; one vector for each layer
  stylegenes invert runs/0001 photos/ --space genome       the nearest genotypes by L1, L2 and cosine
  stylegenes invert runs/0001 photos/ --space codebook     a tuned model whose genotypes make the photos
  stylegenes invert runs/0001 me.jpg --space pti           a synthesis network tuned around the projection

The same command again goes on where it was stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro


@dataclass(frozen=True)
class Args:
    """Invert photos."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot) or name of a shipped model"""
    photos: tyro.conf.Positional[list[Path]]
    """image files, or folders of them"""
    space: Literal["w", "w+", "genome", "codebook", "pti"] = "w"
    """w, w+: style vectors; genome: nearest genotypes; codebook, pti: tune a copy of the model as well"""
    fit: Literal["crop", "letterbox"] = "crop"
    """crop takes the central square of a photo, letterbox keeps all and adds bars"""
    steps: int = 400
    """steps of the projection"""
    tuning_steps: int = 300
    """steps of the tuning, for codebook and pti"""
    batch: int = 8
    """photos projected at once"""
    optimize_noise: bool = False
    """optimize the noise inputs too; for w and w+ only"""
    calibrate: int = 8
    """how many of the model's own samples are projected to know what looks out of distribution; 0 skips it"""
    out: Path = Path("inversion")
    """folder to write"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Invert, write and say where.

    Raises:
        UserError: for unusable photos, or a space that the model does not have.
    """
    from stylegenes.cli import invert_work

    invert_work.run(args)
