"""see what a 3D model makes from all sides: pictures, depth or normals

Examples:
  stylegenes orbit runs/0001 --seeds 0-3                        strips of eight sides, one row a seed
  stylegenes orbit runs/0001 --seeds 3 --out turn.mp4           once around in four seconds; .gif works as well
  stylegenes orbit runs/0001 --seeds 3 --path swing --out swing.gif
  stylegenes orbit runs/0001 --seeds 0-3 --show depth           also: normals, raw (as rendered, before enlarging)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro


@dataclass(frozen=True)
class Args:
    """See a 3D model from all sides."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    seeds: str = "0-3"
    """seeds and ranges of seeds"""
    codes: str | None = None
    """code strings instead, or a file of them"""
    show: Literal["picture", "raw", "depth", "normals"] = "picture"
    """the picture, the rendered picture that it is made of, the depth (near is dark), or the normals"""
    path: Literal["around", "swing"] = "around"
    """once around, or a look around in front"""
    pitch: float = 10.0
    """degrees above the horizon on the way around"""
    fov: float | None = None
    """horizontal angle of view in degrees; smaller is nearer"""
    steps: int | None = None
    """sides, each a picture (default: 8 in a sheet, 96 frames in an animation)"""
    size: int | None = None
    """height and width in pixels of raw pictures, depth and normals (default: the picture's)"""
    out: Path | None = None
    """.png, .webp: a sheet; .gif, .mp4: an animation (default: orbit.png, or the next free name)"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Draw, write and say where.

    Raises:
        UserError: for a model that is flat, or an option that cannot be.
    """
    from dataclasses import replace

    from stylegenes.cli.console import say, track
    from stylegenes.cli.given import at_most_one
    from stylegenes.cli.places import made_by, picture_place
    from stylegenes.model import open_model
    from stylegenes.sheets import FPS, MOVING
    from stylegenes.solids import Turn, turned
    from stylegenes.words import counted

    at_most_one(args, "seeds", "codes", "which codes to see")
    out = picture_place(args, "orbit.png")
    moving = out.suffix.lower() in MOVING
    steps = (96 if moving else 8) if args.steps is None else args.steps
    turn = Turn(args.show, args.path, steps, args.pitch, args.fov, args.size)
    model = open_model(args.snapshot, label=args.label, device=args.device)
    choice = model.choose(seeds=args.seeds if args.codes is None else None, codes=args.codes)
    for note in choice.notes:
        say(note)
    sheet = turned(choice, turn, track)
    replace(sheet, origin=sheet.origin.made(made_by(args))).save(out)
    time = f" ({len(sheet.pictures) / FPS:.1f} s)" if moving else ""
    say(f"{counted(len(choice), 'code')} from {counted(steps, 'side')}{time} in {out}")
