"""ways between codes; the same as stylegenes sample --interpolate, which takes its place

Examples:
  stylegenes interpolate runs/0001 --seeds 1,2,3             strips in both spaces, one above the other
  stylegenes sample runs/0001 --seeds 1,2,3 --interpolate 8:both     the same by the command that stays
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro


@dataclass(frozen=True)
class Args:
    """Interpolate between codes."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    seeds: str | None = None
    """seeds of the codes to go between, in this order (default: 0-2)"""
    codes: str | None = None
    """code strings instead, or a file of them"""
    space: Literal["code", "w", "both"] = "both"
    """code: the latent's own way (z on a great arc, genotypes by their variants); w: straight in W"""
    steps: int = 8
    """steps from each code to the next"""
    out: Path | None = None
    """.png, .webp: strips; .gif, .mp4: an animation (default: MODEL-interpolation.png, or the next free name)"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Draw, write and say where.

    Raises:
        UserError: for fewer than two codes, or an unknown suffix.
    """
    from stylegenes.cli import sample
    from stylegenes.cli.console import say
    from stylegenes.cli.given import at_most_one
    from stylegenes.words import command

    at_most_one(args, "seeds", "codes", "which codes to go between")
    seeds = args.seeds or (None if args.codes else "0-2")
    way = f"{args.steps}:{args.space}"
    chosen = ["--seeds", seeds] if args.codes is None and seeds else ["--codes", str(args.codes)]
    say(f"note: this is now {command('sample', args.snapshot, *chosen, '--interpolate', way)}")
    seeds = None if args.codes is not None else seeds
    options = {"seeds": seeds, "codes": args.codes, "interpolate": way, "label": args.label, "device": args.device}
    sample.run(sample.Args(args.snapshot, out=args.out, **options))
