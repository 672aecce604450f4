"""Ray casting of solids: balls, boxes, upright cylinders and cones, each stretched along the axes.

A ray is taken into a solid's own coordinates, where the solid reaches from -1 to 1, and met there in closed form; its
parameter stays the distance in the world.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

LIGHT = np.array([0.45, 0.75, 0.48]) / np.linalg.norm([0.45, 0.75, 0.48])
"""Direction towards the sun, fixed in the world."""
AMBIENT = 0.55
"""Share of a color that is seen without sun."""


@dataclass(frozen=True)
class Solid:
    """One solid.

    Attributes:
        kind: a key of `KINDS`.
        center: x, y, z in world units.
        half: half of its width, height and depth.
        color: red, green and blue in [0, 1].
    """

    kind: str
    center: tuple[float, float, float]
    half: tuple[float, float, float]
    color: tuple[float, float, float]


@dataclass(frozen=True)
class Shot:
    """What a camera sees.

    Attributes:
        color: float64 [H, W, 3] in [0, 1], white where nothing is.
        depth: float64 [H, W], the distance to the solid behind a pixel's center, infinite where nothing is.
    """

    color: np.ndarray
    depth: np.ndarray


@dataclass(frozen=True)
class Hit:
    """Where rays meet a surface: distance [R], infinite where they do not, and the normal [R, 3], of any length."""

    distance: np.ndarray
    normal: np.ndarray

    def nearer(self, other: Hit) -> Hit:
        """The first of two surfaces."""
        first = self.distance <= other.distance
        return Hit(np.where(first, self.distance, other.distance), np.where(first[:, None], self.normal, other.normal))


def _kept(distance: np.ndarray, normal: np.ndarray, valid: np.ndarray) -> Hit:
    return Hit(np.where(valid & (distance > 0), distance, np.inf), normal)


def _nearest(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> Sequence[np.ndarray]:
    """Both roots of a t^2 + 2 b t + c, the smaller first; not a number where there is none."""
    root = np.sqrt(b * b - a * c)
    low, high = (-b - root) / a, (-b + root) / a
    return np.minimum(low, high), np.maximum(low, high)


def _ball(o: np.ndarray, d: np.ndarray) -> Hit:
    t, _ = _nearest((d * d).sum(1), (o * d).sum(1), (o * o).sum(1) - 1)
    return _kept(t, o + t[:, None] * d, np.isfinite(t))


def _box(o: np.ndarray, d: np.ndarray) -> Hit:
    near, far = np.sort(np.stack([(-1 - o) / d, (1 - o) / d]), axis=0)
    axis = near.argmax(axis=1)
    t = near.max(axis=1)
    normal = np.zeros_like(o)
    normal[np.arange(len(o)), axis] = -np.sign(d[np.arange(len(o)), axis])
    return _kept(t, normal, t <= far.min(axis=1))


def _disc(o: np.ndarray, d: np.ndarray, y: float) -> Hit:
    t = (y - o[:, 1]) / d[:, 1]
    at = o + t[:, None] * d
    return _kept(t, np.broadcast_to([0.0, np.sign(y), 0.0], o.shape), at[:, 0] ** 2 + at[:, 2] ** 2 <= 1)


def _cylinder(o: np.ndarray, d: np.ndarray) -> Hit:
    flat = np.array([1.0, 0.0, 1.0])
    t, _ = _nearest((d * d * flat).sum(1), (o * d * flat).sum(1), (o * o * flat).sum(1) - 1)
    at = o + t[:, None] * d
    side = _kept(t, at * flat, np.abs(at[:, 1]) <= 1)
    return side.nearer(_disc(o, d, 1.0)).nearer(_disc(o, d, -1.0))


def _cone(o: np.ndarray, d: np.ndarray) -> Hit:
    """x^2 + z^2 = ((1 - y) / 2)^2 below its tip at y = 1, and the disc at y = -1."""
    tip = o - np.array([0.0, 1.0, 0.0])
    form = np.array([1.0, -0.25, 1.0])
    roots = _nearest((d * d * form).sum(1), (tip * d * form).sum(1), (tip * tip * form).sum(1))
    found = _disc(o, d, -1.0)
    for t in roots:
        at = tip + t[:, None] * d
        found = _kept(t, at * form, (at[:, 1] <= 0) & (at[:, 1] >= -2)).nearer(found)
    return found


KINDS: dict[str, Callable[[np.ndarray, np.ndarray], Hit]] = {
    "ball": _ball,
    "box": _box,
    "cylinder": _cylinder,
    "cone": _cone,
}
"""Solids that reach from -1 to 1, by name: origins [R, 3] and directions [R, 3] to where they are met."""


def meet(solid: Solid, origins: np.ndarray, directions: np.ndarray) -> Hit:
    """Where rays from outside meet a solid; normals are in the world and of unit length."""
    half = np.array(solid.half)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = KINDS[solid.kind]((origins - np.array(solid.center)) / half, directions / half)
        normal = found.normal / half
        return Hit(found.distance, normal / np.linalg.norm(normal, axis=1, keepdims=True))


def shoot(solids: Sequence[Solid], camera: np.ndarray, resolution: int, *, fine: int = 3) -> Shot:
    """Draw solids in the sun on white.

    Args:
        solids: what is there; the camera is outside of them.
        camera: [25], see `stylegenes.cameras`.
        resolution: height and width in pixels.
        fine: every pixel is the mean of fine x fine rays, an odd number, so that one goes through its center.
    """
    origin, directions = _rays(camera, resolution * fine)
    depth = np.full(len(directions), np.inf)
    color = np.ones((len(directions), 3))
    for solid in solids:
        near = _passing(solid, origin, directions)
        hit = meet(solid, np.broadcast_to(origin, (len(near), 3)), directions[near])
        first = hit.distance < depth[near]
        light = AMBIENT + (1 - AMBIENT) * np.clip(hit.normal[first] @ LIGHT, 0, None)
        color[near[first]] = light[:, None] * np.array(solid.color)
        depth[near[first]] = hit.distance[first]
    color = color.reshape(resolution, fine, resolution, fine, 3).mean(axis=(1, 3))
    middle = slice(fine // 2, None, fine)
    return Shot(color, depth.reshape(resolution * fine, resolution * fine)[middle, middle])


def _passing(solid: Solid, origin: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Which rays pass through the ball around a solid, int64 [K]: the others need no closer look."""
    way = np.array(solid.center) - origin
    along = directions @ way
    return np.flatnonzero(way @ way - along**2 <= np.square(solid.half).sum())


def _rays(camera: np.ndarray, resolution: int) -> tuple[np.ndarray, np.ndarray]:
    """The origin [3] and the unit directions [R, 3] of the rays through the centers of pixels, row by row."""
    pose, intrinsics = camera[:16].reshape(4, 4).astype(np.float64), camera[16:].reshape(3, 3).astype(np.float64)
    ticks = (np.arange(resolution) + 0.5) / resolution
    v, u = np.meshgrid(ticks, ticks, indexing="ij")
    local = np.stack([u.ravel(), v.ravel(), np.ones(resolution**2)], axis=1) @ np.linalg.inv(intrinsics).T
    directions = local @ pose[:3, :3].T
    return pose[:3, 3], directions / np.linalg.norm(directions, axis=1, keepdims=True)
