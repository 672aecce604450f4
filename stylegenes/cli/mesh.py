"""write what a 3D model makes as a mesh, or as densities

Examples:
  stylegenes mesh runs/0001 --seed 3                            mesh.glb, colored, for any viewer
  stylegenes mesh runs/0001 --seed 3 --resolution 256 --out figure.ply
  stylegenes mesh runs/0001 --seed 3 --out figure.npz           the densities themselves
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import tyro

from stylegenes.errors import UserError

DENSITIES = ".npz"


@dataclass(frozen=True)
class Args:
    """Write a mesh in world units, y up, with a color at every vertex."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    seed: int = 0
    """seed of the code"""
    code: str | None = None
    """a code string instead"""
    resolution: int = 128
    """points along each axis of the box"""
    level: str = "auto"
    """density at the surface; auto takes the one whose surface lies where the pictures' depth is"""
    out: Path | None = None
    """.glb, .ply, .obj: a mesh; .npz: the densities and the side of their box (default: mesh.glb, or the next free
    name)"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Sample the volume, find its surface, write and say where.

    Raises:
        UserError: for a model that is flat, a level that meets no surface, an unknown suffix, or options that exclude
            each other.
    """
    from stylegenes.cli.console import say
    from stylegenes.cli.given import at_most_one, refuse
    from stylegenes.cli.places import picture_place
    from stylegenes.model import open_model
    from stylegenes.solids import solid_of, volume_of
    from stylegenes.volumes import MESHES

    out = picture_place(args, "mesh.glb")
    suffix = out.suffix.lower()
    if suffix not in (*MESHES, DENSITIES):
        raise UserError(f"--out {out} must end in {', '.join((*MESHES, DENSITIES))}")
    at_most_one(args, "seed", "code", "which code to take")
    if suffix == DENSITIES:
        refuse(args, ("level",), f"chooses a surface, and {DENSITIES} holds all densities; leave it out")
    level = _level(args.level)
    model = open_model(args.snapshot, label=args.label, device=args.device)
    choice = model.choose(seeds=args.seed if args.code is None else None, codes=args.code)
    for note in choice.notes:
        say(note)
    if suffix == DENSITIES:
        volume = volume_of(choice, args.resolution)
        volume.save(out)
        low, high = volume.density.min(), volume.density.max()
        say(f"{args.resolution}^3 densities from {low:.3g} to {high:.3g} in {out}; the box is {volume.box:g} wide")
        return
    made = solid_of(choice, args.resolution, level)
    made.mesh.save(out)
    count = f"{len(made.mesh.vertices):,} vertices and {len(made.mesh.faces):,} faces"
    say(f"{count} at density {made.level:.3g} in {out}")


def _level(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise UserError(f"--level {text!r} is neither auto nor a number") from error
    if not math.isfinite(value) or value <= 0:
        raise UserError(f"--level {text}: a density is above 0")
    return value
