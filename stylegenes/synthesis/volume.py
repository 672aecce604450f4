"""Volume rendering over three feature planes: "Efficient Geometry-aware 3D GANs" (EG3D, Chan et al. 2022), section 4.

Rays are cast through the centers of pixels, sampled once at even steps and once where the first pass found something,
and composited (Mildenhall et al. 2020, "NeRF", section 5; Barron et al. 2021, "Mip-NeRF", for the midpoints).

`official=True` repeats what the published implementation does where that is a slip: planes xy, xz and zx, so that none
sees y and z together; samples jittered past the far end; importance samples half an interval too near; depth clamped
by the range of the whole batch; rays beside the box sent along those of others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch.nn.functional import avg_pool1d, max_pool1d, normalize, pad, softplus
from torch.utils.checkpoint import checkpoint

from stylegenes.cameras import Cameras
from stylegenes.errors import UserError
from stylegenes.ops.bilinear import sample_bilinear
from stylegenes.ops.exporting import is_exporting

PLANES = ((0, 1), (0, 2), (2, 1))
"""The axes (column, row) of the planes: xy, xz, zy."""
OFFICIAL_PLANES = ((0, 1), (0, 2), (2, 0))
"""Those of the published implementation: the third is the second, turned over."""


@dataclass(frozen=True)
class Rays:
    """Half-lines: origins [N, R, 3] and unit directions [N, R, 3], in the row-major order of pixels."""

    origins: torch.Tensor
    directions: torch.Tensor

    def at(self, depth: torch.Tensor) -> torch.Tensor:
        """Points [N, R, S, 3] at the depths [N, R, S]."""
        return self.origins[:, :, None] + depth[..., None] * self.directions[:, :, None]

    def __getitem__(self, part: slice) -> Rays:
        return Rays(self.origins[:, part], self.directions[:, part])


@dataclass(frozen=True)
class Span:
    """Where rays are looked at: near and far [N, R]. Rays whose far is not behind their near see nothing."""

    near: torch.Tensor
    far: torch.Tensor

    def __getitem__(self, part: slice) -> Span:
        return Span(self.near[:, part], self.far[:, part])


@dataclass(frozen=True)
class Field:
    """What is at points: features [N, M, C] in about [0, 1], and density [N, M] before its activation."""

    features: torch.Tensor
    density: torch.Tensor


FieldFunction = Callable[[torch.Tensor], Field]
"""Points [N, M, 3] to what is there."""


@dataclass(frozen=True)
class Rendering:
    """Composited rays: features [N, R, C] in about [-1, 1], depth [N, R], and weight [N, R], 1 where opaque."""

    features: torch.Tensor
    depth: torch.Tensor
    weight: torch.Tensor


@dataclass(frozen=True)
class Body:
    """What one or more codes have made, in space.

    Attributes:
        box: side of the cube around the origin that it fills, in world units.
        colors: how many of its features are colors, the first ones.
        at: what is at points.
        seen: how cameras see it, [N, 25] for N codes or for one, at a resolution in pixels.
    """

    box: float
    colors: int
    at: FieldFunction
    seen: Callable[[torch.Tensor, int], Rendering]


@dataclass(frozen=True)
class Optics:
    """How rays are sampled and composited.

    Attributes:
        samples: samples of the first pass.
        importance: samples of the second pass, 0 for none.
        near: depth of the first sample; None begins at the box.
        far: depth of the last one; None ends at the box.
        box: side of the cube around the origin that the planes cover.
        disparity: even steps in 1 / depth instead of depth; needs near and far.
        white: the background is white, else black.
        official: as the published implementation, see above.

    Raises:
        UserError: for numbers that make no sense together.
    """

    samples: int = 48
    importance: int = 48
    near: float | None = None
    far: float | None = None
    box: float = 1.0
    disparity: bool = False
    white: bool = False
    official: bool = False

    def __post_init__(self) -> None:
        least = 4 if self.importance and self.official else 2
        if self.samples < least or self.importance < 0 or self.box <= 0:
            raise UserError(
                f"rendering needs samples >= {least}, importance >= 0 and box > 0; got samples={self.samples}, "
                f"importance={self.importance}, box={self.box}"
            )
        if (self.near is None) != (self.far is None) or (self.near or 0.0) < 0 or (self.far or 1.0) <= (self.near or 0):
            raise UserError(f"give 0 <= near < far, or neither; got near={self.near}, far={self.far}")
        if self.disparity and not self.near:
            raise UserError("steps in disparity need a near above 0 and a far")


@dataclass(frozen=True)
class Strata:
    """Where in their strata the samples lie, in [0, 1): coarse [N, R, samples] and fine [N, R, importance]."""

    coarse: torch.Tensor
    fine: torch.Tensor

    @classmethod
    def centered(cls, rays: Rays, optics: Optics) -> Strata:
        """The middle of every stratum: the same picture each time."""
        shape, like = rays.origins.shape[:2], rays.origins
        fine = (torch.arange(optics.importance, dtype=like.dtype, device=like.device) + 0.5) / max(optics.importance, 1)
        return cls(like.new_full((*shape, optics.samples), 0.5), fine.expand(*shape, -1))

    @classmethod
    def random(cls, rays: Rays, optics: Optics, generator: torch.Generator | None) -> Strata:
        """Drawn anew, from `generator` or torch's global one."""
        shape, like = rays.origins.shape[:2], rays.origins
        where = like.device if generator is None else generator.device

        def draw(count: int) -> torch.Tensor:
            return torch.rand(*shape, count, generator=generator, device=where, dtype=like.dtype).to(like.device)

        return cls(draw(optics.samples), draw(optics.importance))

    def __getitem__(self, part: slice) -> Strata:
        return Strata(self.coarse[:, part], self.fine[:, part])


def cast_rays(camera: torch.Tensor, resolution: int) -> Rays:
    """One ray through the center of each of resolution x resolution pixels, for cameras [N, 25]."""
    cameras = Cameras.of(camera)
    ticks = (torch.arange(resolution, dtype=camera.dtype, device=camera.device) + 0.5) / resolution
    v, u = torch.meshgrid(ticks, ticks, indexing="ij")
    u, v = u.reshape(1, -1), v.reshape(1, -1)
    focal_x, skew, center_x = cameras.intrinsics[:, 0].split(1, dim=1)
    _, focal_y, center_y = cameras.intrinsics[:, 1].split(1, dim=1)
    y = (v - center_y) / focal_y
    x = (u - center_x - skew * y) / focal_x
    local = torch.stack([x, y, torch.ones_like(x)], dim=2)
    directions = normalize(local @ cameras.pose[:, :3, :3].transpose(1, 2), dim=2)
    return Rays(cameras.position[:, None].expand_as(directions), directions)


def box_span(rays: Rays, box: float) -> Span:
    """Where rays enter and leave the cube of side `box` around the origin; far < near for those that miss it."""
    inverse = 1 / torch.where(rays.directions.abs() < 1e-12, 1e-12, rays.directions)
    one, other = (-box / 2 - rays.origins) * inverse, (box / 2 - rays.origins) * inverse
    return Span(torch.minimum(one, other).amax(dim=2), torch.maximum(one, other).amin(dim=2))


def span_of(rays: Rays, optics: Optics) -> Span:
    """Where `rays` are looked at."""
    if optics.near is not None and optics.far is not None:
        like = rays.origins[..., 0]
        return Span(torch.full_like(like, optics.near), torch.full_like(like, optics.far))
    span = box_span(rays, optics.box)
    hit = span.far > span.near
    if optics.official:
        # Without a look at the values, for which a device would be waited for.
        some, beyond = hit.any(), torch.full_like(span.near, float("inf"))
        first, last = torch.where(hit, span.near, beyond).min(), torch.where(hit, span.near, -beyond).max()
        near, far = torch.where(hit, span.near, first), torch.where(hit, span.far, last)
        return Span(torch.where(some, near, -1.0), torch.where(some, far, -2.0))
    # A ray that starts inside the box begins at its origin; one that misses it passes through nothing.
    near = span.near.clamp(min=0)
    beside = -(rays.origins * rays.directions).sum(dim=2).clamp(max=0)
    hit = hit & (span.far > near)
    return Span(torch.where(hit, near, beside), torch.where(hit, span.far, beside))


def spaced(span: Span, jitter: torch.Tensor, optics: Optics) -> torch.Tensor:
    """Depths [N, R, S] of the first pass: one in each of S even strata, at `jitter` [N, R, S] in [0, 1) of it."""
    count = jitter.shape[2]
    steps = torch.arange(count, dtype=jitter.dtype, device=jitter.device)
    t = (steps + jitter) / (max(count - 1, 1) if optics.official else count)
    near, far = span.near[..., None], span.far[..., None]
    if optics.disparity:
        return 1 / ((1 - t) / near + t / far)
    return near + t * (far - near)


def importance_depths(depth: torch.Tensor, weights: torch.Tensor, draws: torch.Tensor, optics: Optics) -> torch.Tensor:
    """Depths [N, R, F] of the second pass, denser where the first one found something.

    Args:
        depth: [N, R, S], rising.
        weights: [N, R, S - 1], of the intervals between them.
        draws: [N, R, F] in [0, 1).
        optics: the official ones look at the intervals between midpoints, with the weights of those behind.
    """
    flat = weights.detach().flatten(0, 1)[:, None]
    mass = avg_pool1d(max_pool1d(flat, 2, stride=1, padding=1), 2, stride=1).view(-1, *weights.shape[1:]) + 0.01
    edges = depth.detach()
    if optics.official:
        edges = ((edges[..., 1:] + edges[..., :-1]) / 2)[..., :-1]
        mass = mass[..., 1:-1] + 1e-5
    cumulated = pad(torch.cumsum(mass / mass.sum(dim=-1, keepdim=True), dim=-1), (1, 0))
    above = _first_above(cumulated, draws).clamp(1, edges.shape[-1] - 1)
    low, high = cumulated.gather(-1, above - 1), cumulated.gather(-1, above)
    start, end = edges.gather(-1, above - 1), edges.gather(-1, above)
    return start + ((draws - low) / (high - low)).clamp(0, 1) * (end - start)


def _first_above(rising: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """How many of `rising` [N, R, S] are not above each of the values [N, R, F], int64 [N, R, F]."""
    if torch.onnx.is_in_onnx_export():
        # Exporters know no search.
        return (rising[:, :, None] <= values[..., None]).to(torch.int64).sum(dim=3)
    return torch.searchsorted(rising, values.contiguous(), right=True)


def march(density: torch.Tensor, depth: torch.Tensor, *, official: bool = False) -> torch.Tensor:
    """Weights [N, R, S - 1] of the intervals between samples of densities [N, R, S] at rising depths [N, R, S].

    softplus(density - 1), of the mean density of an interval's ends, is absorbed per unit of length.
    """
    thickness = softplus(_middle(density) - 1) * (depth[..., 1:] - depth[..., :-1])
    passed = (torch.exp(-thickness) + 1e-10).log() if official else -thickness
    before = pad(passed.cumsum(dim=2)[..., :-1], (1, 0))
    # Exporters know no expm1.
    absorbed = 1 - torch.exp(-thickness) if torch.onnx.is_in_onnx_export() else -torch.expm1(-thickness)
    return absorbed * before.exp()


def composite(weights: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """The weighted sum [N, R, C] over intervals of features [N, R, S, C] at their ends."""
    return (weights[:, :, None] @ ((features[:, :, 1:] + features[:, :, :-1]) / 2)).squeeze(2)


def _middle(x: torch.Tensor) -> torch.Tensor:
    return (x[..., 1:] + x[..., :-1]) / 2


def render(field_at: FieldFunction, rays: Rays, optics: Optics, draws: Strata) -> Rendering:
    """Follow `rays` in two passes.

    Args:
        field_at: what is at points.
        rays: half-lines [N, R].
        optics: how.
        draws: where in their strata the samples lie.
    """
    span = span_of(rays, optics)
    depth = spaced(span, draws.coarse, optics)
    field = _field_along(field_at, rays, depth)
    if optics.importance:
        first = march(field.density, depth, official=optics.official)
        fine = importance_depths(depth, first, draws.fine, optics)
        field, depth = _merge(field, depth, _field_along(field_at, rays, fine), fine)
    weights = march(field.density, depth, official=optics.official)
    weight = weights.sum(dim=2)
    features = composite(weights, field.features)
    if optics.white:
        features = features + (1 - weight[..., None])
    mean = (weights * _middle(depth)).sum(dim=2)
    if optics.official:
        mean = (mean / weight).nan_to_num(float("inf")).clamp(depth.min(), depth.max())
    else:
        mean = torch.where(weight > 1e-6, mean / weight.clamp(min=1e-6), span.far)
    return Rendering(features * 2 - 1, mean, weight)


def _field_along(field_at: FieldFunction, rays: Rays, depth: torch.Tensor) -> Field:
    """What is at depths [N, R, S]: features [N, R, S, C] and density [N, R, S]."""
    field = field_at(rays.at(depth).flatten(1, 2))
    return Field(field.features.unflatten(1, depth.shape[1:]), field.density.unflatten(1, depth.shape[1:]))


def _merge(a: Field, depth_a: torch.Tensor, b: Field, depth_b: torch.Tensor) -> tuple[Field, torch.Tensor]:
    """The samples of both passes in the order of their depths."""
    depth, order = torch.cat([depth_a, depth_b], dim=2).sort(dim=2)
    features = torch.cat([a.features, b.features], dim=2)
    features = features.gather(2, order[..., None].expand_as(features))
    return Field(features, torch.cat([a.density, b.density], dim=2).gather(2, order)), depth


def plane_coordinates(points: torch.Tensor, *, official: bool = False) -> torch.Tensor:
    """Points [N, M, 3] on the three planes, [N, 3, M, 2] (column, row)."""
    # Taken one by one: a list of indices would be copied to the device.
    x = points.unbind(2)
    planes = OFFICIAL_PLANES if official else PLANES
    return torch.stack([torch.stack([x[i] for i in axes], dim=2) for axes in planes], dim=1)


def sample_planes(planes: torch.Tensor, points: torch.Tensor, *, box: float, official: bool = False) -> torch.Tensor:
    """Features [N, 3, C, M] of planes [N, 3, C, H, W] at points [N, M, 3] of the cube of side `box`; zero outside.

    Args:
        planes: [N, 3, C, H, W].
        points: [N, M, 3].
        box: side of the cube around the origin.
        official: whether the planes lie as in the published models.
    """
    grid = plane_coordinates(points * (2 / box), official=official)
    found = sample_bilinear(planes.flatten(0, 1), grid.flatten(0, 1)[:, None].to(planes.dtype))
    return found.squeeze(2).unflatten(0, (-1, planes.shape[1]))


def in_parts(
    rays: Rays, optics: Optics, draws: Strata, most_points: int, follow: Callable[[Rays, Strata], Rendering]
) -> Rendering:
    """`follow` on as many rays at a time as take at most `most_points` points in one pass, or on one ray.

    Where gradients are wanted, each part is followed anew for its backward pass, so that only one part's samples are in
    memory at a time. Official rays are followed all at once, since their depth depends on one another's.

    Args:
        rays: [N, R, 3] each of origins and directions.
        optics: numbers of samples, and the box.
        draws: where in their strata the samples lie, for all rays.
        most_points: largest number of points in one pass.
        follow: renders some rays with their draws.
    """
    # The parts of a file are the same for every batch: those of one picture.
    n, count = 1 if is_exporting() else len(rays.origins), int(rays.origins.shape[1])
    step = max(most_points // (n * max(optics.samples, optics.importance)), 1)
    if step >= count or optics.official:
        return follow(rays, draws)
    # Nothing is drawn in a part; to keep the state of a device's generator would wait for it, and ends a CUDA graph.
    keeps = partial(checkpoint, follow, use_reentrant=False, preserve_rng_state=False)
    again = keeps if torch.is_grad_enabled() else follow
    parts = [again(rays[part], draws[part]) for part in (slice(i, i + step) for i in range(0, count, step))]
    return Rendering(*(torch.cat(found, dim=1) for found in zip(*map(_tensors, parts), strict=True)))


def _tensors(rendering: Rendering) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return rendering.features, rendering.depth, rendering.weight
