"""Geometric augmentation: all transforms composed into one inverse matrix, executed once (Karras et al. 2020, App. B).

An inverse matrix [N, 3, 3] maps pixel positions of the result to positions in the picture, both measured in pixels
from the center: (x, y, 1) with x to the right and y down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from stylegenes.ops.bilinear import sample_bilinear
from stylegenes.ops.fir import downsample2d, upsample2d
from stylegenes.ops.resampling import fir_matrix, reflection_matrix, resample
from stylegenes.ops.transfer import constant
from stylegenes.training.augment.draws import Amounts


@dataclass(frozen=True)
class GeometryRanges:
    """How far the geometric transforms go."""

    xint_max: float = 0.125
    """Largest integer translation, relative to the picture's size."""
    scale_std: float = 0.2
    """Standard deviation of log2 of the isotropic scale."""
    rotate_max: float = 1.0
    """Largest rotation; 1 is a half turn either way."""
    aniso_std: float = 0.2
    """Standard deviation of log2 of the anisotropic scale."""
    xfrac_std: float = 0.125
    """Standard deviation of the fractional translation, relative to the picture's size."""


@dataclass(frozen=True)
class Margins:
    """Pixels of reflection padding on each side of a picture."""

    left: int
    top: int
    right: int
    bottom: int


def inverse_matrix(amounts: Amounts, ranges: GeometryRanges, height: int, width: int) -> torch.Tensor:
    """The inverse matrices [N, 3, 3], float64, of all geometric transforms of one batch of pictures of that size.

    Args:
        amounts: draws for each transform and picture.
        ranges: how far the transforms go.
        height: in pixels.
        width: in pixels.
    """
    size = constant((width, height), next(iter(amounts.values.values())))
    steps = []
    if (u := amounts["xflip"]) is not None:
        steps.append(_scaling(torch.cat([1 - 2 * (u * 2).floor(), torch.ones_like(u)], 1)))
    if (u := amounts["rotate90"]) is not None:
        # A quarter turn would carry a picture that is not square out of its frame; half turns stay.
        turns = 4 if height == width else 2
        steps.append(_rotation((u * turns).floor() * (2 * math.pi / turns)))
    if (u := amounts["xint"]) is not None:
        steps.append(_translation(-((u * 2 - 1) * ranges.xint_max * size).round()))
    if (n := amounts["scale"]) is not None:
        steps.append(_scaling(torch.exp2(-n * ranges.scale_std).expand(-1, 2)))
    if (u := amounts["rotate_pre"]) is not None:
        steps.append(_rotation((u * 2 - 1) * (math.pi * ranges.rotate_max)))
    if (n := amounts["aniso"]) is not None:
        steps.append(_scaling(torch.exp2(torch.cat([-n, n], 1) * ranges.aniso_std)))
    if (u := amounts["rotate_post"]) is not None:
        steps.append(_rotation((u * 2 - 1) * (math.pi * ranges.rotate_max)))
    if (n := amounts["xfrac"]) is not None:
        steps.append(_translation(-n * ranges.xfrac_std * size))
    inverse = steps[0]
    for step in steps[1:]:
        inverse = inverse @ step
    return inverse


def margins_for(inverse: torch.Tensor, height: int, width: int, taps: int) -> Margins:
    """The smallest padding, shared by a batch, that holds all that inverse matrices [N, 3, 3] and a filter look at.

    Reflection limits it to the picture's size less one. Positions within a millionth of a pixel count as exact.

    Args:
        inverse: [N, 3, 3], on the CPU.
        height: of the pictures in pixels.
        width: of the pictures in pixels.
        taps: length of the filter.
    """
    x, y = (width - 1) / 2, (height - 1) / 2
    corners = torch.tensor([[-x, x, x, -x], [-y, -y, y, y], [1, 1, 1, 1]], dtype=inverse.dtype)
    reached = (inverse @ corners)[:, :2].transpose(0, 1).flatten(1)
    extra = 2 * (taps // 4)
    low = torch.ceil(-reached.amin(1) + extra - torch.tensor([x, y]) - 1e-6).tolist()
    high = torch.ceil(reached.amax(1) + extra - torch.tensor([x, y]) - 1e-6).tolist()
    left, right = (int(min(max(side[0], 0), width - 1)) for side in (low, high))
    top, bottom = (int(min(max(side[1], 0), height - 1)) for side in (low, high))
    return Margins(left, top, right, bottom)


def largest_margins(height: int, width: int) -> Margins:
    """As far as reflection reaches; more padding than is needed changes nothing in the result."""
    return Margins(width - 1, height - 1, width - 1, height - 1)


def sampling_matrix(inverse: torch.Tensor, margins: Margins, height: int, width: int, taps: int) -> torch.Tensor:
    """Inverse matrices [N, 3, 3] in the units of an affine sampling grid, [N, 2, 3].

    The grid's source is the padded picture at twice the resolution, its target the result at twice the resolution
    with room for the filter on every side; both run from -1 to 1 over pixel edges.

    Args:
        inverse: [N, 3, 3], in pixels around the center.
        margins: of the padding.
        height: of the pictures in pixels, without padding.
        width: of the pictures in pixels, without padding.
        taps: length of the filter.
    """
    one = inverse.new_ones(1, 2)
    shift = constant(((margins.left - margins.right, margins.top - margins.bottom),), inverse) / 2
    inverse = _scaling(2 * one) @ _translation(shift) @ inverse @ _scaling(one / 2)
    inverse = _translation(-one / 2) @ inverse @ _translation(one / 2)
    padded = (width + margins.left + margins.right, height + margins.top + margins.bottom)
    source = 2 * constant((padded,), inverse)
    target = 2 * (constant(((width, height),), inverse) + 2 * (taps // 4))
    return (_scaling(2 / source) @ inverse @ _scaling(target / 2))[:, :2]


def warp(images: torch.Tensor, inverse: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    """Move the pixels of `images` [N, C, H, W]; band-limited, with reflection beyond the edges.

    Args:
        images: pictures.
        inverse: [N, 3, 3]. Where it is on a device, nobody looks at it, and the padding is the largest there can be.
        taps: one-dimensional orthogonal low-pass filter [T] for the doubled resolution in between.
    """
    height, width = images.shape[2:]
    count, room = taps.shape[0], taps.shape[0] // 4
    looked = inverse.device.type == "cpu"
    margins = margins_for(inverse, height, width, count) if looked else largest_margins(height, width)
    theta = sampling_matrix(inverse, margins, height, width, count).to(images)
    shape = [*images.shape[:2], (height + 2 * room) * 2, (width + 2 * room) * 2]
    grid = F.affine_grid(theta, shape, align_corners=False)
    execute = warp_by_matrices if images.device.type == "cpu" else warp_by_filters
    return execute(images, grid, margins, taps)


def warp_by_filters(images: torch.Tensor, grid: torch.Tensor, margins: Margins, taps: torch.Tensor) -> torch.Tensor:
    """Pad and double `images` [N, C, H, W], sample them at `grid` [N, h, w, 2], halve the result to [N, C, H, W].

    Args:
        images: [N, C, H, W].
        grid: [N, h, w, 2] in [-1, 1] over pixel edges.
        margins: of the padding, in pixels.
        taps: orthogonal low-pass filter [T].
    """
    images = F.pad(images, [margins.left, margins.right, margins.top, margins.bottom], mode="reflect")
    images = sample_bilinear(upsample2d(images, taps), grid)
    return downsample2d(images, taps, padding=-2 * (taps.shape[0] // 4), flip_filter=True)


def warp_by_matrices(images: torch.Tensor, grid: torch.Tensor, margins: Margins, taps: torch.Tensor) -> torch.Tensor:
    """As `warp_by_filters`; on a CPU several times faster than depthwise convolutions.

    Args:
        images: [N, C, H, W].
        grid: [N, h, w, 2] in [-1, 1] over pixel edges.
        margins: of the padding, in pixels.
        taps: orthogonal low-pass filter [T].
    """
    height, width = images.shape[2:]
    rows = _doubling_matrix(height, margins.top, margins.bottom, taps)
    columns = _doubling_matrix(width, margins.left, margins.right, taps)
    images = sample_bilinear(resample(images, rows, columns), grid)
    return resample(images, _halving_matrix(images.shape[2], taps), _halving_matrix(images.shape[3], taps))


def _doubling_matrix(size: int, before: int, after: int, taps: torch.Tensor) -> torch.Tensor:
    """Pad `size` samples by reflection and double them, keeping the mean and the center."""
    padding = ((taps.shape[0] + 1) // 2, taps.shape[0] // 2 - 1)
    double = fir_matrix(2 * taps, before + size + after, up=2, padding=padding)
    return double @ reflection_matrix(size, before, after, taps)


def _halving_matrix(size: int, taps: torch.Tensor) -> torch.Tensor:
    """Halve `size` samples by the transpose of doubling and drop the room around them."""
    before, after = (taps.shape[0] - 1) // 2, taps.shape[0] // 2 - 1
    room = 2 * (taps.shape[0] // 4)
    return fir_matrix(taps, size, down=2, padding=(before - room, after - room), flip=True)


def _matrix(rows: list[list[torch.Tensor]]) -> torch.Tensor:
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def _scaling(factor: torch.Tensor) -> torch.Tensor:
    """[N, 2] factors of x and y to [N, 3, 3]."""
    return torch.diag_embed(F.pad(factor, [0, 1], value=1.0))


def _translation(shift: torch.Tensor) -> torch.Tensor:
    """[N, 2] shifts of x and y to [N, 3, 3]."""
    return torch.eye(3, dtype=shift.dtype, device=shift.device) + F.pad(shift[..., None], [2, 0, 0, 1])


def _rotation(angle: torch.Tensor) -> torch.Tensor:
    """[N, 1] angles in radians to [N, 3, 3]."""
    c, s = angle[:, 0].cos(), angle[:, 0].sin()
    zero, one = torch.zeros_like(c), torch.ones_like(c)
    return _matrix([[c, -s, zero], [s, c, zero], [zero, zero, one]])
