"""Frechet distance over genes x variants: one training for each cell of a grid, resumable

Examples:
  stylegenes ablate avatars --recipe tiny32 --genes 32,8,2 --variants 64,256 --kimg 100 --out runs/grid
  stylegenes ablate photos --recipe ffhq256 --genes 64,8,2 --variants 256,512,1024,2048 --out runs/grid

The same command again goes on after an interruption; finished cells are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class Args:
    """Frechet distance over genes x variants."""

    data: Annotated[str, tyro.conf.Positional]
    """images: a folder, zip, LMDB, or the word avatars"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """folder of the grid: a run in each cell, a table and a figure"""
    genes: str = "64,8,2"
    """numbers of genes with commas between; each must divide w_dim"""
    variants: str = "256,512,1024,2048"
    """numbers of variants with commas between"""
    recipe: str = "tiny32"
    """recipe of every cell; its latent becomes a genome of the cell's size"""
    set: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """override one setting of the recipe, KEY=VALUE; may be repeated"""
    kimg: float | None = None
    """length of each training in thousand real images"""
    samples: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 10_000
    """pictures for the distance"""
    devices: int = 1
    """processes, one device each"""
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """kind of device; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Train what is missing, measure, write the table.

    Raises:
        UserError: for sizes that do not fit, and whatever training refuses.
    """
    from stylegenes.cli import ablate_work

    ablate_work.run(args)
