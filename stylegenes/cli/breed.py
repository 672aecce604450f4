"""children of two pictures, or generations under selection, with their lineage

Examples:
  stylegenes breed runs/0001 --parents 3,8                               12 children of seeds 3 and 8
  stylegenes breed runs/0001 --parents AbC...,XyZ... --cross block --mutation 0.05
  stylegenes breed runs/0001 --parents 3,8 --genes 0-7,12                genes that come from the second parent
  stylegenes breed runs/0001 --generations 10 --fitness Smiling=1        selection among 32 a generation
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class Args:
    """Children of two pictures, or generations under selection."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    parents: str | None = None
    """two parents or more founders: seeds like 3,8, genotype strings, or a file of `stylegenes sample`"""
    cross: Literal["uniform", "block"] = "uniform"
    """each gene from either parent by chance, or one block of neighboring genes from the second"""
    genes: str | None = None
    """instead of chance: the genes that come from the second parent, like 0-7,12"""
    mutation: float = 0.02
    """chance of every gene to mutate"""
    count: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """children (default 12), or individuals of a generation (default 32)"""
    generations: int = 0
    """generations of selection"""
    fitness: str | None = None
    """what is selected for, like "Smiling=1,Hat=0" """
    seed: int = 0
    """of all chance"""
    out: Path | None = None
    """picture to write; lineage and table lie beside (default: among the model's exhibits)"""
    classifier: Path | None = None
    """attribute classifier for the fitness; otherwise the one of the survey"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Breed, draw, write the lineage.

    Raises:
        UserError: for parents that cannot be read, and whatever is wrong with the model.
    """
    from stylegenes.cli.console import say
    from stylegenes.cli.given import at_most_one
    from stylegenes.cli.places import check_exhibit_place, show_exhibit
    from stylegenes.model import open_model

    at_most_one(args, "cross", "genes", "which genes come from the second parent")
    check_exhibit_place(args, (".lineage.json",))
    model = open_model(args.snapshot, label=args.label, classifier=args.classifier, device=args.device)
    found = model.breed(
        args.parents,
        count=args.count,
        cross=args.cross if args.genes is None else args.genes,
        mutation=args.mutation,
        generations=args.generations,
        fitness=args.fitness,
        seed=args.seed,
    )
    kept = show_exhibit(args, model, found.exhibit).with_suffix(".lineage.json")
    found.lineage.save(kept)
    say(f"lineage: {kept}")
    for line in found.lines:
        say(line)
