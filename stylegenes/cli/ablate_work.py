"""The work of `stylegenes ablate`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stylegenes.analysis.ablation import ablate, check_grid
from stylegenes.analysis.exhibits.models import ablation_exhibit
from stylegenes.cli.console import say
from stylegenes.devices import pick_device
from stylegenes.errors import UserError
from stylegenes.metrics.reference import Yardstick, measure_real, open_real
from stylegenes.notation import parse_seeds
from stylegenes.recipes import recipe
from stylegenes.snapshot import Card, load_snapshot
from stylegenes.training import Machine, RunConfig, apply_overrides, train

if TYPE_CHECKING:
    from stylegenes.cli.ablate import Args


def run(args: Args) -> None:
    """Fill the grid and draw it."""
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
    config = apply_overrides(recipe(args.recipe), [f"data.source={args.data}", *args.set])
    return config if args.kimg is None else replace(config, kimg=args.kimg)


def _w_dim(config: RunConfig) -> int:
    return int(config.model.synthesis["w_dim"])


def _score(config: RunConfig, folder: Path, args: Args, real: Yardstick) -> float:
    result = train(config, folder, machine=Machine(args.accelerator, args.devices))
    if not result.finished or result.snapshot is None:
        raise KeyboardInterrupt
    generator = load_snapshot(result.snapshot, real.device).generator
    score = real.of_generator(generator, args.samples, seed=0)
    if score != score:
        raise UserError("the distance is not a number")
    return score
