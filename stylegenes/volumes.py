"""What a 3D generator has made, as solid things: views from any side, depth, normals, densities and meshes."""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import normalize, softplus

from stylegenes.cameras import Cameras
from stylegenes.errors import UserError
from stylegenes.files import atomic_path
from stylegenes.synthesis import SynthesisNetwork
from stylegenes.synthesis.volume import Body, cast_rays

MESHES = (".glb", ".ply", ".obj")
"""Suffixes of meshes."""
MOST_POINTS = 1024
"""Points along an axis of a volume; a thousand of them take 4 GiB."""
_PART = 2**18
_LEVELS = 32


@dataclass(frozen=True, eq=False)
class Volume:
    """Densities on a grid.

    Attributes:
        density: float32 [R, R, R], what is absorbed per world unit at x, y, z.
        box: side of the cube around the origin, in world units; the outermost points lie on its faces.
    """

    density: np.ndarray
    box: float

    def save(self, path: str | Path) -> None:
        """Write an .npz of `density` and `box`, all or nothing."""
        with atomic_path(path) as part, part.open("wb") as file:
            np.savez_compressed(file, density=self.density, box=np.float32(self.box))


@dataclass(frozen=True, eq=False)
class Mesh:
    """A closed surface in world units, y up.

    Attributes:
        vertices: float32 [V, 3].
        faces: int64 [F, 3], counterclockwise seen from outside.
        colors: uint8 [V, 3].
    """

    vertices: np.ndarray
    faces: np.ndarray
    colors: np.ndarray

    def save(self, path: str | Path) -> None:
        """Write .glb, .ply or .obj with the colors at the vertices, all or nothing.

        Raises:
            UserError: for another suffix, or without the package that writes them.
        """
        path = Path(path)
        if path.suffix.lower() not in MESHES:
            raise UserError(f"{path} ends in {path.suffix or 'nothing'}; a mesh can end in {', '.join(MESHES)}")
        trimesh = _needed("trimesh")
        made = trimesh.Trimesh(self.vertices, self.faces, vertex_colors=self.colors, process=False)
        with atomic_path(path) as part, part.open("wb") as file:
            content = made.export(file_type=path.suffix.lower().removeprefix("."))
            file.write(content.encode() if isinstance(content, str) else content)


def _needed(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UserError(f"meshes need {name}: pip install 'stylegenes[mesh]'") from error


def absorption(body: Body, points: torch.Tensor) -> torch.Tensor:
    """What is absorbed per world unit at points [M, 3], [M]."""
    parts = [softplus(body.at(part[None]).density[0] - 1) for part in points.split(_PART)]
    return torch.cat(parts)


@torch.no_grad()
def sample_volume(body: Body, resolution: int, device: torch.device | str = "cpu") -> Volume:
    """Densities at resolution^3 points.

    Raises:
        UserError: for fewer than two points along an axis, or too many.
    """
    if not 2 <= resolution <= MOST_POINTS:
        raise UserError(f"a volume needs 2 to {MOST_POINTS} points along an axis; got {resolution}")
    ticks = torch.linspace(-body.box / 2, body.box / 2, resolution, device=device)
    slices = [
        absorption(body, torch.cartesian_prod(x[None], ticks, ticks)).view(resolution, resolution).cpu() for x in ticks
    ]
    return Volume(torch.stack(slices).float().numpy(), body.box)


@torch.no_grad()
def find_level(body: Body, cameras: torch.Tensor, *, resolution: int = 24, steps: int = 128) -> float:
    """The density whose surface lies nearest to the depth that cameras [N, 25] see.

    Args:
        body: what is looked at.
        cameras: [N, 25].
        resolution: rays along each side of a camera's picture.
        steps: points along each ray.

    Raises:
        UserError: when hardly anything is opaque from these cameras.
    """
    seen, rays = body.seen(cameras, resolution), cast_rays(cameras, resolution)
    opaque = seen.weight > 0.5
    if opaque.float().mean() < 0.002:
        raise UserError("hardly anything of this volume is opaque, so no level can be found; give --level")
    origins, directions, depth = rays.origins[opaque], rays.directions[opaque], seen.depth[opaque]
    reach = body.box * math.sqrt(3) / 2
    ahead = torch.linspace(-reach, reach, steps, device=depth.device) + origins.norm(dim=1, keepdim=True)
    points = origins[:, None] + ahead[..., None] * directions[:, None]
    inside = (points.abs() <= body.box / 2).all(dim=2)
    density = absorption(body, points.flatten(0, 1)).view(ahead.shape) * inside
    top = density.amax(dim=1).quantile(0.9).clamp(min=1e-6)
    levels = top * torch.linspace(0.02, 0.98, _LEVELS, device=top.device)
    errors = torch.stack([_surface_error(density, ahead, depth, level) for level in levels])
    return levels[errors <= errors.min() * 1.02].median().item()


def _surface_error(
    density: torch.Tensor, ahead: torch.Tensor, depth: torch.Tensor, level: torch.Tensor
) -> torch.Tensor:
    """Mean distance from where rays first meet the level to the depth [R]; a ray that meets none counts to its end."""
    above = density > level
    first = ahead.gather(1, above.int().argmax(dim=1, keepdim=True)).squeeze(1)
    return torch.where(above.any(dim=1), (first - depth).abs(), (ahead[:, -1] - depth).abs()).mean()


@torch.no_grad()
def make_mesh(body: Body, volume: Volume, level: float, device: torch.device | str = "cpu") -> Mesh:
    """The surface where the density is `level` (marching cubes), closed at the box, colored as the body is there.

    Args:
        body: gives the colors.
        volume: densities on a grid.
        level: density of the surface, above 0.
        device: of the body.

    Raises:
        UserError: when the level lies outside of the volume's densities, which it names.
    """
    low, high = float(volume.density.min()), float(volume.density.max())
    if not max(low, 0.0) < level < high:
        raise UserError(f"level {level:g} meets no surface; densities of this volume go from {low:.3g} to {high:.3g}")
    measure = _needed("skimage.measure")
    count = len(volume.density)
    padded = np.pad(volume.density, 1)
    # Grid points are a whole step apart from face to face of the box; the published code divides without rounding down,
    # which shears the grid, and leaves vertices in steps.
    step = volume.box / (count - 1)
    vertices, faces, _, _ = measure.marching_cubes(padded, level, gradient_direction="ascent")
    vertices = ((vertices - 1) * step - volume.box / 2).clip(-volume.box / 2, volume.box / 2).astype(np.float32)
    points = torch.from_numpy(vertices).to(device)
    colors = torch.cat([body.at(part[None]).features[0, :, : body.colors] for part in points.split(_PART)])
    rgb = (colors[:, :3] if body.colors > 2 else colors[:, :1].expand(-1, 3)).clamp(0, 1)
    return Mesh(vertices, faces.astype(np.int64), rgb.mul(255).round().to(torch.uint8).cpu().numpy())


@torch.no_grad()
def depth_pictures(body: Body, cameras: torch.Tensor, resolution: int) -> list[np.ndarray]:
    """Depth seen by cameras [N, 25], uint8 [H, W, 3]: near is dark, far is light, nothing is white.

    All cameras share one scale, from the nearest to the farthest that is opaque.
    """
    seen = [body.seen(camera, resolution) for camera in cameras.split(1)]
    depth, opaque = (torch.cat([getattr(one, name) for one in seen]) for name in ("depth", "weight"))
    opaque = opaque > 0.5
    near, far = (depth[opaque].min(), depth[opaque].max()) if opaque.any() else (depth.min(), depth.max())
    gray = torch.where(opaque, (depth - near) / (far - near).clamp(min=1e-6) * 0.85, 1.0).clamp(0, 1)
    pictures = gray.mul(255).round().to(torch.uint8).cpu().view(-1, resolution, resolution, 1).expand(-1, -1, -1, 3)
    return list(pictures.numpy())


def normal_pictures(body: Body, cameras: torch.Tensor, resolution: int) -> list[np.ndarray]:
    """Normals of what cameras [N, 25] see, uint8 [H, W, 3]: red to the right, green up, blue to the camera; else white.

    A normal is the way in which the density falls, where the ray's mean depth is.
    """
    pictures = []
    for camera in cameras.split(1):
        with torch.no_grad():
            seen, rays = body.seen(camera, resolution), cast_rays(camera, resolution)
        points = rays.at(seen.depth[..., None])[0, :, 0].requires_grad_()
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(body.at(points[None]).density.sum(), points)
        local = normalize(-slope @ Cameras.of(camera).pose[0, :3, :3], dim=1) * slope.new_tensor([1.0, -1.0, -1.0])
        rgb = torch.where(seen.weight[0, :, None] > 0.5, (local + 1) / 2, 1.0).view(resolution, resolution, 3)
        pictures.append(rgb.mul(255).round().to(torch.uint8).cpu().numpy())
    return pictures


def around(synthesis: SynthesisNetwork, count: int, *, pitch: float = 0.0, fov: float | None = None) -> torch.Tensor:
    """`count` cameras [count, 25] once around what is shown, from the front to the right.

    Args:
        synthesis: a network with cameras.
        count: cameras.
        pitch: degrees above the horizon.
        fov: horizontal angle of view in degrees; the usual one where None.
    """
    return torch.cat([synthesis.camera_at(360 * i / count, pitch, fov) for i in range(count)])


def swing(synthesis: SynthesisNetwork, count: int, *, reach: float = 30.0, fov: float | None = None) -> torch.Tensor:
    """`count` cameras [count, 25] on an ellipse before what is shown, `reach` degrees to the sides and half that up.

    Args:
        synthesis: a network with cameras.
        count: cameras.
        reach: degrees to either side.
        fov: horizontal angle of view in degrees; the usual one where None.
    """
    turns = [2 * math.pi * i / count for i in range(count)]
    return torch.cat([synthesis.camera_at(reach * math.sin(t), reach / 2 * math.cos(t), fov) for t in turns])
