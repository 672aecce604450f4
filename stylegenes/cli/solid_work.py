"""The work of `stylegenes orbit` and `stylegenes mesh`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from stylegenes.choice import Choice
from stylegenes.cli.console import say, track
from stylegenes.cli.places import made_by, picture_place
from stylegenes.drawing import draw_ws
from stylegenes.errors import UserError
from stylegenes.model import open_model
from stylegenes.pictures import to_uint8
from stylegenes.records import Condition
from stylegenes.sheets import FPS, MOVING, Sheet
from stylegenes.synthesis.volume import Body
from stylegenes.volumes import (
    MESHES,
    around,
    depth_pictures,
    find_level,
    make_mesh,
    normal_pictures,
    sample_volume,
    swing,
)
from stylegenes.words import counted

if TYPE_CHECKING:
    from stylegenes.cli import mesh, orbit

DENSITIES = ".npz"


def run_orbit(args: orbit.Args) -> None:
    """One row of sides for each code, or one animation in which all codes turn one after another."""
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


def _sides(choice: Choice, ws: torch.Tensor, cameras: torch.Tensor, args: orbit.Args) -> list[np.ndarray]:
    """Pictures [H, W, C] of one ws [1, num_ws, w_dim] from every camera."""
    if args.show == "picture":
        label = choice.look.condition.label
        looks = [replace(choice.look, condition=Condition(label, camera)) for camera in cameras.split(1)]
        return [picture for look in looks for picture in draw_ws(choice.generator, ws, look)]
    with torch.no_grad():
        body = choice.generator.synthesis.body(ws)
    size = args.size or choice.generator.synthesis.resolution
    if args.show == "depth":
        return depth_pictures(body, cameras, size)
    if args.show == "normals":
        return normal_pictures(body, cameras, size)
    return [_rendered(body, camera, size) for camera in cameras.split(1)]


@torch.no_grad()
def _rendered(body: Body, camera: torch.Tensor, size: int) -> np.ndarray:
    seen = body.seen(camera, size).features[..., : body.colors]
    return to_uint8(seen.mT.unflatten(2, (size, size)))[0]


def run_mesh(args: mesh.Args) -> None:
    """Sample, find the surface, write."""
    suffix = args.out.suffix.lower()
    if suffix not in (*MESHES, DENSITIES):
        raise UserError(f"--out {args.out} must end in {', '.join((*MESHES, DENSITIES))}")
    level = _level(args.level)
    opened = open_model(args.snapshot, label=args.label, device=args.device)
    choice = opened.choose(seeds=None if args.code else args.seed, codes=args.code)
    with torch.no_grad():
        body = opened.generator.synthesis.body(choice.ws[:1])
    volume = sample_volume(body, args.resolution, opened.device)
    if suffix == DENSITIES:
        volume.save(args.out)
        low, high = volume.density.min(), volume.density.max()
        say(f"{args.resolution}^3 densities from {low:.3g} to {high:.3g} in {args.out}; the box is {volume.box:g} wide")
        return
    if level is None:
        level = find_level(body, around(opened.generator.synthesis, 6, pitch=15.0))
    made = make_mesh(body, volume, level, opened.device)
    made.save(args.out)
    say(f"{len(made.vertices):,} vertices and {len(made.faces):,} faces at density {level:.3g} in {args.out}")


def _level(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise UserError(f"--level {text!r} is neither auto nor a number") from error
    if not np.isfinite(value) or value <= 0:
        raise UserError(f"--level {text}: a density is above 0")
    return value
