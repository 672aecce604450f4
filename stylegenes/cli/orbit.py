"""see what a 3D model makes from all sides: pictures, depth or normals

Examples:
  stylegenes orbit runs/0001 --seeds 0-3                        strips of eight sides, one row a seed
  stylegenes orbit runs/0001 --seeds 3 --out turn.mp4           once around in four seconds; .gif works as well
  stylegenes orbit runs/0001 --seeds 3 --path swing --out swing.gif
  stylegenes orbit runs/0001 --seeds 0-3 --show depth           also: normals, raw (as rendered, before enlarging)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from stylegenes.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import torch

    from stylegenes.choice import Choice
    from stylegenes.synthesis.volume import Body


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
    from stylegenes.cli.console import say, track
    from stylegenes.cli.places import made_by, picture_place
    from stylegenes.model import open_model
    from stylegenes.sheets import FPS, MOVING, Sheet
    from stylegenes.volumes import around, swing
    from stylegenes.words import counted

    for name, value in (("steps", args.steps), ("size", args.size)):
        if value is not None and value < 1:
            raise UserError(f"--{name} is {value}; it must be at least 1")
    out = picture_place(args, "orbit.png")
    model = open_model(args.snapshot, label=args.label, device=args.device)
    synthesis, moving = model.generator.synthesis, out.suffix.lower() in MOVING
    steps = args.steps or (96 if moving else 8)
    if args.path == "around":
        cameras = around(synthesis, steps, pitch=args.pitch, fov=args.fov)
    else:
        cameras = swing(synthesis, steps, fov=args.fov)
    choice = model.choose(seeds=None if args.codes else args.seeds, codes=args.codes)
    rows = choice.ws.split(1)
    pictures = [picture for ws in track(rows, "turning", len(rows)) for picture in _sides(choice, ws, cameras, args)]
    origin = replace(choice.origin, more={**choice.origin.more, "Show": args.show, "Made": made_by(args)})
    Sheet(pictures, choice.strings, origin, columns=steps).save(out)
    time = f" ({len(pictures) / FPS:.1f} s)" if moving else ""
    say(f"{counted(len(choice), 'code')} from {counted(steps, 'side')}{time} in {out}")


def _sides(choice: Choice, ws: torch.Tensor, cameras: torch.Tensor, args: Args) -> list[np.ndarray]:
    """Pictures [H, W, C] of one ws [1, num_ws, w_dim] from every camera."""
    import torch

    from stylegenes.drawing import draw_ws
    from stylegenes.records import Condition
    from stylegenes.volumes import depth_pictures, normal_pictures

    if args.show == "picture":
        label = choice.drawing.condition.label
        drawings = [replace(choice.drawing, condition=Condition(label, camera)) for camera in cameras.split(1)]
        return [picture for drawing in drawings for picture in draw_ws(choice.generator, ws, drawing)]
    with torch.no_grad():
        body = choice.generator.synthesis.body(ws)
    size = args.size or choice.generator.synthesis.resolution
    if args.show == "depth":
        return depth_pictures(body, cameras, size)
    if args.show == "normals":
        return normal_pictures(body, cameras, size)
    return [_rendered(body, camera, size) for camera in cameras.split(1)]


def _rendered(body: Body, camera: torch.Tensor, size: int) -> np.ndarray:
    import torch

    from stylegenes.pictures import to_uint8

    with torch.no_grad():
        seen = body.seen(camera, size).features[..., : body.colors]
    return to_uint8(seen.mT.unflatten(2, (size, size)))[0]
