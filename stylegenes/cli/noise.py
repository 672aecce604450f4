"""what a model's noise inputs do: none, coarse, fine, all, and where they change the picture

Examples:
  stylegenes noise runs/0001                        four codes, 100 draws of the noise
  stylegenes noise runs/0001 --seeds 7 --boundary 16
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class Args:
    """Study the noise inputs."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    seeds: str = "0-3"
    """seeds of the codes to study"""
    codes: str | None = None
    """code strings instead, or a file of them"""
    draws: int = 100
    """how often each picture is made"""
    boundary: int | None = None
    """the largest coarse resolution in pixels; an eighth of the picture's where nothing is given"""
    out: Path | None = None
    """folder to write (default: MODEL-noise, or the next free name)"""
    seed: int = 0
    """of the noise"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Draw, measure, write and say where.

    Raises:
        UserError: for a model without noise inputs, too few draws, or a boundary below one pixel.
    """
    from dataclasses import replace

    from stylegenes.cli.console import say, show_table
    from stylegenes.cli.given import at_most_one
    from stylegenes.cli.places import folder_place, made_by
    from stylegenes.errors import UserError
    from stylegenes.model import open_model

    at_most_one(args, "seeds", "codes", "which codes to study")
    if args.boundary is not None and args.boundary < 1:
        raise UserError(f"--boundary is {args.boundary}; the largest coarse resolution has at least 1 pixel")
    model = open_model(args.snapshot, label=args.label, device=args.device)
    seeds = args.seeds if args.codes is None else None
    found = model.noise(seeds, codes=args.codes, draws=args.draws, boundary=args.boundary, seed=args.seed)
    found = replace(found, origin=found.origin.made(made_by(args)))
    out = found.save(folder_place(args, f"{model.card.name}-noise"))
    show_table(found.rows, f"deviation of pixels in [-1, 1] over {args.draws} draws of the noise")
    say(f"coarse is up to {found.boundary} px; tables, maps and a figure a picture in {out}")
