"""Frechet distance over genes x variants: one training for each cell of a grid, resumable

Examples:
  stylegenes ablate avatars --recipe tiny32 --genes 32,8,2 --variants 64,256 --kimg 100 --out runs/grid
  stylegenes ablate photos --recipe ffhq256 --genes 64,8,2 --variants 256,512,1024,2048 --out runs/grid

The same command again goes on after an interruption; finished cells are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from stylegenes.errors import UserError

if TYPE_CHECKING:
    from stylegenes.metrics.reference import FrechetReference
    from stylegenes.training import RunConfig


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
    from stylegenes.analysis.ablation import ablate, check_grid
    from stylegenes.analysis.exhibits.models import ablation_exhibit
    from stylegenes.cli.console import say
    from stylegenes.devices import pick_device
    from stylegenes.metrics.reference import measure_real, open_real
    from stylegenes.notation import parse_seeds
    from stylegenes.snapshot import Card

    base = _base(args)
    genes, variants = parse_seeds(args.genes, "genes"), parse_seeds(args.variants, "variants")
    check_grid(genes, variants, _w_dim(base))
    data = open_real(Card("ablation"), args.data, base.data.resolution)
    real = measure_real(data, args.out / "reals", pick_device(args.accelerator))

    def train_and_score(num_genes: int, num_variants: int, folder: Path) -> float:
        say(f"{num_genes} genes x {num_variants} variants: {folder}")
        latent = {"name": "genome", "w_dim": _w_dim(base), "num_genes": num_genes, "num_variants": num_variants}
        config = replace(base, model=replace(base.model, latent=latent))
        return _score(config, folder / "run", args, real)

    cells = ablate(args.out, genes, variants, train_and_score, w_dim=_w_dim(base))
    caption = (
        f"{real.name} of {args.samples:,} pictures after {base.kimg:g} thousand images of {args.data}, recipe "
        f"{base.recipe}. Two halves of the reals are {real.floor:.2f} apart."
    )
    exhibit = ablation_exhibit(cells, real.name, caption)
    say(f"table and figure: {exhibit.save(args.out)}")
    say(" | ".join(map(str, exhibit.table.columns)))
    for row in exhibit.table.rows:
        say(" | ".join("failed" if value is None else f"{value:.6g}" for value in row))
    for cell in cells:
        if cell.note:
            say(f"{cell.num_genes} x {cell.num_variants} failed: {cell.note}")


def _base(args: Args) -> RunConfig:
    from stylegenes.recipes import recipe
    from stylegenes.training import apply_overrides

    config = apply_overrides(recipe(args.recipe), [f"data.source={args.data}", *args.set])
    return config if args.kimg is None else replace(config, kimg=args.kimg)


def _w_dim(config: RunConfig) -> int:
    return int(config.model.synthesis["w_dim"])


def _score(config: RunConfig, folder: Path, args: Args, real: FrechetReference) -> float:
    from stylegenes.snapshot import load_snapshot
    from stylegenes.training import Machine, train

    result = train(config, folder, machine=Machine(args.accelerator, args.devices))
    if not result.finished or result.snapshot is None:
        raise KeyboardInterrupt
    generator = load_snapshot(result.snapshot, real.device).generator
    score = real.of_generator(generator, args.samples, seed=0)
    if score != score:
        raise UserError("the distance is not a number")
    return score
