"""Frechet distance over genes x variants: one training for each cell of a grid, resumable

Examples:
  stylegenes ablate avatars --recipe tiny32 --genes 32,8,2 --variants 64,256 --kimg 100 --out runs/grid
  stylegenes ablate photos --recipe ffhq256 --genes 64,8,2 --variants 256,512,1024,2048 --out runs/grid
  stylegenes ablate photos --recipe ffhq256 --out runs/grid --submit slurm --slurm partition=gpu --slurm gpus=4
  stylegenes ablate photos --recipe ffhq256 --out runs/grid --report                table and figure of what is there

The same command again goes on after an interruption; finished cells are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from stylegenes.cli.jobs import JobArgs
from stylegenes.errors import UserError


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
    only: str | None = None
    """train these cells alone, such as 32x64, with commas between; the table holds whatever is there"""
    report: bool = False
    """train nothing: table and figure of what is there, and what has become of the jobs"""
    jobs: Annotated[JobArgs, tyro.conf.arg(name="")] = field(default_factory=JobArgs)
    """trainings as jobs of a cluster"""


def run(args: Args) -> None:
    """Train what is missing, measure, write the table.

    Raises:
        UserError: for sizes that do not fit, and whatever training refuses.
    """
    from stylegenes.ablations import ablate
    from stylegenes.cli import jobs
    from stylegenes.cli.console import say
    from stylegenes.notation import parse_seeds
    from stylegenes.recipes import recipe
    from stylegenes.training import Machine, apply_overrides

    jobs.check(args.jobs)
    length = [] if args.kimg is None else [f"kimg={args.kimg}"]
    base = apply_overrides(recipe(args.recipe), [f"data.source={args.data}", *args.set, *length])
    genes, variants = parse_seeds(args.genes, "genes"), parse_seeds(args.variants, "variants")
    only = () if args.report else _cells(args.only, genes, variants)
    if args.jobs.submit is not None:
        _submit(args, genes, variants, int(base.model.synthesis["w_dim"]))
        return
    if args.only is None and not args.report:
        jobs.refuse_beside_jobs(args.out)
    how = {"samples": args.samples, "machine": Machine(args.accelerator, args.devices), "only": only, "on_note": say}
    found = ablate(base, args.out, genes, variants, **how)
    table = found.exhibit.table
    say(f"table and figure: {found.exhibit.save(args.out)}")
    say(" | ".join(map(str, table.columns)))
    for row in table.rows:
        say(" | ".join("none" if value is None else f"{value:.6g}" for value in row))
    for line in found.lines:
        say(line)
    if args.report:
        done = {f"cell-{cell.num_genes}x{cell.num_variants}" for cell in found.cells if cell.score is not None}
        jobs.tell(args.out, frozenset(done))


def _submit(args: Args, genes: list[int], variants: list[int], w_dim: int) -> None:
    from stylegenes.cli import jobs
    from stylegenes.clusters import grid_steps

    if args.only is not None or args.report:
        raise UserError("--submit hands over all cells that are missing; leave out --only and --report")
    data = str(Path(args.data).resolve()) if Path(args.data).exists() else args.data
    sets = tuple(word for one in args.set for word in ("--set", one))
    length = () if args.kimg is None else ("--kimg", f"{args.kimg:g}")
    grid = ("--genes", args.genes, "--variants", args.variants, "--recipe", args.recipe, "--samples", str(args.samples))
    where = ("--accelerator", args.accelerator)
    jobs.submit(
        args.jobs, args.out, grid_steps(genes, variants, w_dim, ("ablate", data, *grid, *length, *sets, *where)), 1
    )


def _cells(text: str | None, genes: list[int], variants: list[int]) -> list[tuple[int, int]] | None:
    """`32x64,8x64` as pairs of numbers of the grid; None for all."""
    from stylegenes.words import did_you_mean

    if text is None:
        return None
    grid = {f"{g}x{v}": (g, v) for v in variants for g in genes}
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in grid]
    if unknown:
        raise UserError(f"--only {unknown[0]!r} is no cell of this grid{did_you_mean(unknown[0], grid, 'cells')}")
    return [grid[name] for name in names]
