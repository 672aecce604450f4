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
    from stylegenes.ablations import ablate
    from stylegenes.cli.console import say
    from stylegenes.notation import parse_seeds
    from stylegenes.recipes import recipe
    from stylegenes.training import Machine, apply_overrides

    length = [] if args.kimg is None else [f"kimg={args.kimg}"]
    base = apply_overrides(recipe(args.recipe), [f"data.source={args.data}", *args.set, *length])
    genes, variants = parse_seeds(args.genes, "genes"), parse_seeds(args.variants, "variants")
    how = {"samples": args.samples, "machine": Machine(args.accelerator, args.devices), "on_note": say}
    found = ablate(base, args.out, genes, variants, **how)
    table = found.exhibit.table
    say(f"table and figure: {found.exhibit.save(args.out)}")
    say(" | ".join(map(str, table.columns)))
    for row in table.rows:
        say(" | ".join("failed" if value is None else f"{value:.6g}" for value in row))
    for line in found.lines:
        say(line)
