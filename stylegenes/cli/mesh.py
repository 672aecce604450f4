"""write what a 3D model makes as a mesh, or as densities

Examples:
  stylegenes mesh runs/0001 --seed 3                            mesh.glb, colored, for any viewer
  stylegenes mesh runs/0001 --seed 3 --resolution 256 --out figure.ply
  stylegenes mesh runs/0001 --seed 3 --out figure.npz           the densities themselves
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class Args:
    """Write a mesh in world units, y up, with a color at every vertex."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot) or name of a shipped model"""
    seed: int = 0
    """seed of the code"""
    code: str | None = None
    """a code string instead"""
    resolution: int = 128
    """points along each axis of the box"""
    level: str = "auto"
    """density at the surface; auto takes the one whose surface lies where the pictures' depth is"""
    out: Path = Path("mesh.glb")
    """.glb, .ply, .obj: a mesh; .npz: the densities and the side of their box"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Sample the volume, find its surface, write and say where.

    Raises:
        UserError: for a model that is flat, a level that meets no surface, or an unknown suffix.
    """
    from stylegenes.cli import solid_work

    solid_work.run_mesh(args)
