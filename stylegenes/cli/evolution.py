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
    from stylegenes.analysis.evolution import Moment, evolution
    from stylegenes.analysis.exhibits.models import evolution_exhibit
    from stylegenes.cli.console import say
    from stylegenes.cli.places import made_by, png_place
    from stylegenes.errors import UserError
    from stylegenes.latents import genome_of
    from stylegenes.sheets import Origin, free_path
    from stylegenes.snapshot import find_snapshot, load_snapshot, read_card

    paths = [card.parent for card in args.run_folder.glob("snapshots/*/card.json")]
    by_time = {read_card(path).images_seen: path for path in paths}
    if len(by_time) < 2:
        found = "does not exist" if not args.run_folder.exists() else f"holds {len(by_time)} different snapshots"
        raise UserError(f"{args.run_folder} {found}; an evolution needs a run folder with two snapshots or more")
    moments = [
        Moment(images / 1000, genome_of(load_snapshot(path).generator.latent, "an evolution of variants").variants)
        for images, path in by_time.items()
    ]
    found = evolution(moments)
    num_genes = found.moved.shape[1]
    gene = int(found.moved[-1].argmax()) if args.gene is None else args.gene
    if not 0 <= gene < num_genes:
        raise UserError(f"there is no gene {gene}; this genome has genes 0 to {num_genes - 1}")
    exhibit = evolution_exhibit(found, gene)
    folder, made = find_snapshot(args.run_folder) / "genes" / "exhibits", made_by(args)
    out = png_place(args.out) if args.out else free_path(folder / f"{exhibit.words.name}.png", made, (".csv", ".json"))
    origin = Origin(args.run_folder.name).made(made)
    say(f"{exhibit.words.title}: {exhibit.save(out.parent, out.stem, origin)}")
