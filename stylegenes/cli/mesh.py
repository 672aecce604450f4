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
        UserError: for a model that is flat, a level that meets no surface, or an unknown suffix.
    """
    import torch

    from stylegenes.cli.console import say
    from stylegenes.cli.places import picture_place
    from stylegenes.model import open_model
    from stylegenes.volumes import MESHES, around, find_level, make_mesh, sample_volume

    out = picture_place(args, "mesh.glb")
    suffix = out.suffix.lower()
    if suffix not in (*MESHES, DENSITIES):
        raise UserError(f"--out {out} must end in {', '.join((*MESHES, DENSITIES))}")
    level = _level(args.level)
    opened = open_model(args.snapshot, label=args.label, device=args.device)
    choice = opened.choose(seeds=None if args.code else args.seed, codes=args.code)
    with torch.no_grad():
        body = opened.generator.synthesis.body(choice.ws[:1])
    volume = sample_volume(body, args.resolution, opened.device)
    if suffix == DENSITIES:
        volume.save(out)
        low, high = volume.density.min(), volume.density.max()
        say(f"{args.resolution}^3 densities from {low:.3g} to {high:.3g} in {out}; the box is {volume.box:g} wide")
        return
    if level is None:
        level = find_level(body, around(opened.generator.synthesis, 6, pitch=15.0))
    made = make_mesh(body, volume, level, opened.device)
    made.save(out)
    say(f"{len(made.vertices):,} vertices and {len(made.faces):,} faces at density {level:.3g} in {out}")


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
