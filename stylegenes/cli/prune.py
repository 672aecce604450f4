"""replace the worst variants of every gene by its best ones

Examples:
  stylegenes prune runs/0001 --num 16 --out pruned               a snapshot with 16 variants of each gene replaced
  stylegenes prune runs/0001 --curve 0,8,16,32,64 --data photos  the Frechet distance of each, five runs
  stylegenes prune runs/0001 --num 16 --out pruned --by outliers  those whose pictures lie farthest from the reals
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class Args:
    """Replace the worst variants of every gene by its best ones."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder, name of a shipped model or hf://owner/name, with a survey"""
    num: int | None = None
    """variants of each gene to replace, up to half of them"""
    out: Path | None = None
    """folder of the pruned snapshot"""
    curve: str | None = None
    """measure the Frechet distance at these numbers, like 0,8,16,32"""
    by: Literal["realness", "outliers", "chance"] = "realness"
    """what is worst: realness, the discriminator's opinion; outliers, far from all reals by the survey's classifier;
    chance, a control"""
    data: str | None = None
    """real pictures; otherwise those that the model was trained on"""
    samples: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 10_000
    """pictures for one distance"""
    runs: int = 5
    """distances for each number, with seeds 0, 1, ..."""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Prune or measure, or both.

    Raises:
        UserError: when there is nothing to do, or nothing to judge by.
    """
    from dataclasses import replace

    from stylegenes.cli.console import Bars, say
    from stylegenes.cli.places import show_outcome
    from stylegenes.errors import UserError
    from stylegenes.model import open_model
    from stylegenes.notation import parse_seeds
    from stylegenes.snapshot import place_for_snapshot

    if args.num is None and args.curve is None:
        raise UserError("say how many variants to replace (--num 16 --out FOLDER) or measure some (--curve 0,8,16)")
    if (args.num is None) != (args.out is None):
        raise UserError("--num and --out go together: how many variants to replace, and where the snapshot goes")
    if args.out is not None:
        place_for_snapshot(args.out)
    model = open_model(args.snapshot, label=args.label, device=args.device)
    if args.curve is not None:
        numbers = parse_seeds(args.curve, "numbers of pruned variants")
        given = {"by": args.by, "data": args.data, "samples": args.samples, "runs": args.runs}
        with Bars() as bars:
            found = model.pruning(numbers, **given, on_progress=bars.update)
        show_outcome(replace(args, out=None), model, found)
    if args.num is not None and args.out is not None:
        pruned = model.prune(args.num, by=args.by, data=args.data)
        say(f"{pruned.card.notes.splitlines()[-1]}\nsnapshot: {pruned.save(args.out)}")
