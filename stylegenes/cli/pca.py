"""principal components of a model's latent space: variance, extremes, strips

Examples:
  stylegenes pca runs/0001                         components of w from 10,000 codes
  stylegenes pca runs/0001 --space z --components 6
  stylegenes pca runs/0001 --layers coarse         move along components on coarse layers only
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro


@dataclass(frozen=True)
class Args:
    """Find principal components."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    space: Literal["w", "z"] = "w"
    """w, or the code's own numbers; for a genome both are its chosen variants"""
    samples: int = 10_000
    """how many codes to draw"""
    components: int = 4
    """how many of them to draw strips and extremes of"""
    strength: float = 3.0
    """how far the strips go to both sides, in standard deviations"""
    layers: str = "all"
    """layers that move in the strips: all, coarse, middle, fine, or numbers like 0-3,7"""
    out: Path | None = None
    """folder to write (default: MODEL-pca, or the next free name)"""
    seed: int = 0
    """of the samples"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Find, draw, write and say where.

    Raises:
        UserError: for a bad model, layers or counts.
    """
    from dataclasses import replace

    from stylegenes.cli.console import say, show_table
    from stylegenes.cli.places import folder_place, made_by
    from stylegenes.errors import UserError
    from stylegenes.model import open_model
    from stylegenes.notation import parse_layers

    if min(args.samples, args.components) < 1:
        raise UserError(f"--samples and --components must be positive; got {args.samples} and {args.components}")
    model = open_model(args.snapshot, label=args.label, device=args.device)
    layers = parse_layers(args.layers, model.generator)
    found = model.components(args.samples, args.space, seed=args.seed)
    found, out = replace(found, origin=found.origin.made(made_by(args))), folder_place(args, f"{model.card.name}-pca")
    show_table(found.rows[: max(8, args.components)], f"components of {found.found.space}, {args.samples} codes")
    say(str(found))
    say(f"components, tables and pictures in {found.save(out, args.components, args.strength, layers)}")
