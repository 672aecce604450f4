"""EG3D as a textbook writes it, on the weights of our modules: the plain side of the comparison.

All rays are followed at once and everything is kept for the backward pass, transmittance is multiplied up with a
cumulative product, planes are sampled with torch's own function; planes, super-resolution and discriminator are those
of `textbook`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import grid_sample, interpolate, softplus

from benchmarks import textbook
from stylegenes.synthesis.volume import (
    Optics,
    Rays,
    Strata,
    cast_rays,
    importance_depths,
    plane_coordinates,
    spaced,
    span_of,
)

Decode = Callable[[torch.Tensor], Any]
"""Features [N, 3, C, M] of the planes at points to what is there."""


def render(planes: torch.Tensor, decode: Decode, rays: Rays, draws: Strata, optics: Optics) -> torch.Tensor:
    """Features [N, R, F] in about [-1, 1] of planes [N, 3, C, H, W]."""
    span = span_of(rays, optics)
    coarse = spaced(span, draws.coarse, optics)
    color, density = _look(planes, decode, rays, coarse, optics.box)
    weights, _ = _march(color, density, coarse)
    fine = importance_depths(coarse, weights, draws.fine, optics)
    more, dense = _look(planes, decode, rays, fine, optics.box)
    depth, order = torch.cat([coarse, fine], dim=2).sort(dim=2)
    color = torch.cat([color, more], dim=2)
    color = color.gather(2, order[..., None].expand_as(color))
    weights, features = _march(color, torch.cat([density, dense], dim=2).gather(2, order), depth)
    beyond = 1 - weights.sum(dim=2)[..., None] if optics.white else 0
    return (features + beyond) * 2 - 1


def _look(
    planes: torch.Tensor, decode: Decode, rays: Rays, depth: torch.Tensor, box: float
) -> tuple[torch.Tensor, torch.Tensor]:
    grid = plane_coordinates(rays.at(depth).flatten(1, 2) * 2 / box).flatten(0, 1)[:, None]
    found = grid_sample(planes.flatten(0, 1), grid, align_corners=False).squeeze(2)
    field = decode(found.unflatten(0, planes.shape[:2]))
    return field.features.unflatten(1, depth.shape[1:]), field.density.unflatten(1, depth.shape[1:])


def _march(color: torch.Tensor, density: torch.Tensor, depth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    middle = softplus((density[..., 1:] + density[..., :-1]) / 2 - 1)
    alpha = 1 - torch.exp(-middle * depth.diff(dim=2))
    through = torch.cumprod(torch.cat([torch.ones_like(alpha[..., :1]), 1 - alpha + 1e-10], dim=2), dim=2)
    weights = alpha * through[..., :-1]
    return weights, (weights[..., None] * (color[:, :, 1:] + color[:, :, :-1]) / 2).sum(dim=2)


def generator_forward(synthesis: Any, ws: torch.Tensor, camera: torch.Tensor, noise: bool = True) -> Any:
    """Pictures [N, C, H, W] and rendered ones [N, C, h, w] of our EG3D network from ws [N, num_ws, w_dim]."""
    planes = textbook.generator_forward(synthesis.backbone, ws, noise).unflatten(1, (3, synthesis.plane_channels))
    size, optics = int(synthesis.rendering), synthesis.optics
    rays = cast_rays(camera, size)
    draws = Strata.random(rays, optics, None) if noise else Strata.centered(rays, optics)
    features = render(planes, synthesis.decoder, rays, draws, optics).transpose(1, 2).unflatten(2, (size, size))
    raw = features[:, : synthesis.image_channels]
    above = synthesis.super_resolution
    x, image = (_enlarged(part, above.input_resolution) for part in (features, raw))
    for block in (above.block0, above.block1):
        for conv in (block.conv0, block.conv1):
            x = textbook.styled(conv, x, ws[:, -1], noise)
        colors = textbook.colors(block.to_rgb, x, ws[:, -1])
        image = colors + (textbook.upsample(image, block.resample_filter) if block.up > 1 else image)
    return image, raw


def _enlarged(x: torch.Tensor, size: int) -> torch.Tensor:
    return interpolate(x, (size, size), mode="bilinear", align_corners=False)


def discriminator_forward(D: Any, image: torch.Tensor, raw: torch.Tensor) -> torch.Tensor:
    """Logits [N, 1] of our dual discriminator, which is told nothing."""
    return textbook.discriminator_forward(D.network, torch.cat([image, _enlarged(raw, image.shape[-1])], dim=1))
