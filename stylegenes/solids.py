"""Codes of a 3D model as sheets of sides, and as meshes or densities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch

from stylegenes.choice import Choice, Track, untracked
from stylegenes.drawing import as_whole, draw_ws
from stylegenes.errors import UserError
from stylegenes.pictures import to_uint8
from stylegenes.records import Condition
from stylegenes.sheets import Sheet
from stylegenes.synthesis.volume import Body
from stylegenes.volumes import (
    Mesh,
    Volume,
    around,
    depth_pictures,
    find_level,
    make_mesh,
    normal_pictures,
    sample_volume,
)
from stylegenes.volumes import swing as swinging

Shown = Literal["picture", "raw", "depth", "normals"]
Path3D = Literal["around", "swing"]

_MOST_SIDES, _LARGEST = 3600, 4096
"""Sides of one code, and pixels of a side of its pictures, beyond which it is a slip of the hand."""


@dataclass(frozen=True)
class Turn:
    """How a code is turned.

    Attributes:
        show: the picture, the rendered picture that it is made of, the depth (near is dark), or the normals.
        path: once around, or a swing in front.
        steps: sides, each a picture.
        pitch: degrees above the horizon on the way around.
        fov: horizontal angle of view in degrees, or None for the model's own.
        size: height and width in pixels of raw pictures, depth and normals, or None for the picture's.
    """

    show: Shown = "picture"
    path: Path3D = "around"
    steps: int = 8
    pitch: float = 10.0
    fov: float | None = None
    size: int | None = None

    def __post_init__(self) -> None:
        for name, value, most in (("steps", self.steps, _MOST_SIDES), ("size", self.size, _LARGEST)):
            if value is not None and not 1 <= as_whole(value, f"--{name}") <= most:
                raise UserError(f"--{name} is {value}; it must be at least 1 and at most {most}")

    def cameras(self, choice: Choice) -> torch.Tensor:
        """The cameras [steps, 25].

        Raises:
            UserError: for a model that is flat.
        """
        synthesis = choice.generator.synthesis
        if self.path == "around":
            return around(synthesis, self.steps, pitch=self.pitch, fov=self.fov)
        return swinging(synthesis, self.steps, fov=self.fov)


def turned(choice: Choice, turn: Turn, track: Track = untracked) -> Sheet:
    """A row a code, from all sides; or the frames of an animation, where it is saved as one.

    Raises:
        UserError: for a model that is flat.
    """
    cameras, rows = turn.cameras(choice), choice.ws.split(1)
    pictures = [picture for ws in track(rows, "turning", len(rows)) for picture in _sides(choice, ws, cameras, turn)]
    origin = replace(choice.origin, more={**choice.origin.more, "Show": turn.show})
    return Sheet(pictures, choice.strings, origin, columns=turn.steps, notes=choice.notes)


@torch.no_grad()
def _sides(choice: Choice, ws: torch.Tensor, cameras: torch.Tensor, turn: Turn) -> list[np.ndarray]:
    """Pictures [H, W, C] of one ws [1, num_ws, w_dim] from every camera."""
    if turn.show == "picture":
        label = choice.drawing.condition.label
        drawings = [replace(choice.drawing, condition=Condition(label, camera)) for camera in cameras.split(1)]
        return [picture for drawing in drawings for picture in draw_ws(choice.generator, ws, drawing)]
    body, size = choice.generator.synthesis.body(ws), turn.size or choice.generator.synthesis.size.longer
    if turn.show == "depth":
        return depth_pictures(body, cameras, size)
    if turn.show == "normals":
        return normal_pictures(body, cameras, size)
    return [_rendered(body, camera, size) for camera in cameras.split(1)]


def _rendered(body: Body, camera: torch.Tensor, size: int) -> np.ndarray:
    seen = body.seen(camera, size).features[..., : body.colors]
    return to_uint8(seen.mT.unflatten(2, (size, size)))[0]


@dataclass(frozen=True, eq=False)
class VolumeMesh:
    """What a 3D model makes of one code.

    Attributes:
        volume: the densities, on a grid.
        level: density at the surface.
        mesh: the surface.
    """

    volume: Volume
    level: float
    mesh: Mesh


def volume_of(choice: Choice, resolution: int) -> Volume:
    """Densities of the first code, `resolution` points along each axis of the box.

    Raises:
        UserError: for a model that is flat.
    """
    return sample_volume(_body(choice), resolution, choice.generator.device)


def solid_of(choice: Choice, resolution: int, level: float | None = None) -> VolumeMesh:
    """The first code as a mesh in world units, y up, with a color at every vertex.

    Args:
        choice: codes and how they are drawn.
        resolution: points along each axis of the box.
        level: density at the surface; None takes the one whose surface lies where the pictures' depth is.

    Raises:
        UserError: for a model that is flat, or a level that meets no surface.
    """
    body, volume = _body(choice), volume_of(choice, resolution)
    if level is None:
        level = find_level(body, around(choice.generator.synthesis, 6, pitch=15.0))
    return VolumeMesh(volume, level, make_mesh(body, volume, level, choice.generator.device))


@torch.no_grad()
def _body(choice: Choice) -> Body:
    return choice.generator.synthesis.body(choice.ws[:1])
