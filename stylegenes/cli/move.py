"""move pictures along an attribute direction or a principal component

Examples:
  stylegenes move runs/0001 directions/w-l1 Smiling                      seven pictures for each of four codes
  stylegenes move runs/0001 directions/w-l2 Glasses --hold Male,Young --classifier my-classifier
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
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
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
    out: Path | None = None
    """picture to write (default: MODEL-move.png, or the next free name)"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Move, draw, measure.

    Raises:
        UserError: for an unknown direction or layer, or a model that the file does not fit.
    """
    from dataclasses import replace

    from stylegenes.cli.console import say, show_table
    from stylegenes.cli.given import at_most_one
    from stylegenes.cli.places import made_by, picture_place, still_place
    from stylegenes.csv_tables import write_table
    from stylegenes.model import open_model
    from stylegenes.words import counted

    at_most_one(args, "seeds", "codes", "which codes to move")
    model = open_model(args.snapshot, label=args.label, classifier=args.classifier, device=args.device)
    out = still_place(picture_place(args, f"{model.card.name}-move.png", (".csv",) if args.classifier else ()))
    hold = [name.strip() for name in args.hold.split(",")] if args.hold else []
    codes = {"seeds": args.seeds if args.codes is None else None, "codes": args.codes}
    found = model.move(args.directions, args.name, **codes, strength=args.strength, layers=args.layers, hold=hold)
    if not found.own:
        say("note: these directions were found with other weights than this model's; expect less of them")
    replace(found, origin=found.origin.made(made_by(args))).save(out)
    say(f"{counted(len(found.codes), 'code')} moved along {args.name} in {out}")
    if args.classifier is None:
        return
    table = model.measured(found)
    write_table(out.with_suffix(".csv"), table)
    show_table([{key: row[key] for key in list(row)[:5]} for row in table], f"{args.name}, against the original")
    say(f"every attribute's change in {out.with_suffix('.csv')}")
