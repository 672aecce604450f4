"""the pictures of the data that are most like a model's: does it repeat what it was shown?

Examples:
  stylegenes nearest runs/0001                             eight pictures, each beside five of the training data
  stylegenes nearest runs/0001 --seeds 0-31 -k 3           three beside each
  stylegenes nearest avatars32 --codes grid.png --data photos
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Args:
    """Look up the nearest pictures of the data."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    seeds: str = "0-7"
    """seeds of the pictures"""
    codes: str | None = None
    """code strings instead, or a file of them"""
    k: Annotated[int, tyro.conf.arg(aliases=["-k"])] = 5
    """how many of the nearest"""
    data: str | None = None
    """real pictures; otherwise those that the model was trained on"""
    extractor: str = "lite0"
    """the frozen network whose features are compared, as in evaluate"""
    psi: str | None = None
    """truncation: 1 (default) none, 0 the mean picture"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """picture to write, .png or .webp, with a .csv beside it (default: MODEL-nearest.png, or the next free name)"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Draw, compare, write and say where.

    Raises:
        UserError: for codes of another model, too few reals, or where no data is known.
    """
    from stylegenes.cli.console import Bars, say, show_table
    from stylegenes.cli.given import at_most_one
    from stylegenes.cli.places import made_by, picture_place
    from stylegenes.model import open_model
    from stylegenes.words import counted

    at_most_one(args, "seeds", "codes", "which pictures to look up")
    model = open_model(args.snapshot, label=args.label, device=args.device)
    out = picture_place(args, f"{model.card.name}-nearest.png", (".csv",))
    given = {"k": args.k, "data": args.data, "extractor": args.extractor, "psi": args.psi}
    seeds = args.seeds if args.codes is None else None
    with Bars() as bars:
        found = model.nearest(seeds=seeds, codes=args.codes, on_progress=bars.update, **given)
    found.made(made_by(args)).save(out)
    for note in found.sheet.notes:
        say(note)
    shown = [
        {"picture": row["picture"], "nearest": f"#{row['real 1']}", "distance": row["distance 1"],
         "reals nearer to another": f"{row['reals nearer to another']:.1%}"}
        for row in found.rows
    ]  # fmt: skip
    show_table(shown, "the nearest picture of the data, and how many of these have another nearer")
    if found.suspects:
        say(f"nearer to a real than 99 % of the reals are to each other, look at these: {', '.join(found.suspects)}")
    say(f"{counted(len(found.names), 'picture')} and their {args.k} nearest in {out}, numbers beside it")
