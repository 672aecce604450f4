"""Image-space corruptions: octave filtering, additive noise, cutout (Karras et al. 2020, App. B)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from stylegenes.errors import UserError
from stylegenes.ops.transfer import constant

BAND_POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)
"""Expected power of natural pictures in the four bands, lowest first: 1/f, normalized."""


@dataclass(frozen=True)
class CorruptionRanges:
    """How far the corruptions go."""

    imgfilter_bands: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    """Relative probabilities of the four bands, lowest first."""
    imgfilter_std: float = 1.0
    """Standard deviation of log2 of a band's gain."""
    noise_std: float = 0.1
    """Standard deviation of the noise's own strength."""
    cutout_size: float = 0.5
    """Edge of the square cut out, relative to the picture's size."""


def band_gains(normals: torch.Tensor, std: float) -> torch.Tensor:
    """Gains [N, 4] of the bands from normal draws [N, 4]: each band in turn is amplified at constant expected power."""
    power = constant(BAND_POWER, normals)
    gains = torch.diag_embed(torch.exp2(normals * std) - 1) + 1
    return (gains * (gains.square() @ power)[..., None].rsqrt()).prod(1)


def filter_bands(images: torch.Tensor, gains: torch.Tensor, bands: torch.Tensor) -> torch.Tensor:
    """Amplify the bands of `images` [N, C, H, W] by `gains` [N, B] with zero-phase filters `bands` [B, T].

    Raises:
        UserError: for pictures too small to be reflected by half the filter's length.
    """
    count, channels, height, width = images.shape
    room = bands.shape[1] // 2
    if min(height, width) <= room:
        raise UserError(f"the imgfilter augmentation needs pictures above {room} pixels, got {height} x {width}")
    taps = (gains.to(bands) @ bands).to(images).repeat_interleave(channels, 0)
    flat = F.pad(images, [room] * 4, mode="reflect").reshape(1, count * channels, height + 2 * room, width + 2 * room)
    flat = F.conv2d(flat, taps[:, None, None, :], groups=count * channels)
    return F.conv2d(flat, taps[:, None, :, None], groups=count * channels).reshape(images.shape)


def add_noise(images: torch.Tensor, sigma: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """Add normal noise `pixels` [N, C, H, W] of strength `sigma` [N, 1] to `images`."""
    return images + pixels.to(images) * sigma.to(images)[..., None, None]


def cut_out(images: torch.Tensor, centers: torch.Tensor, size: float) -> torch.Tensor:
    """Set a square of relative edge `size` in `images` [N, C, H, W] to 0, around `centers` [N, 2] (x, y in [0, 1])."""
    height, width = images.shape[2:]
    x = (torch.arange(width, dtype=centers.dtype, device=centers.device) + 0.5) / width
    y = (torch.arange(height, dtype=centers.dtype, device=centers.device) + 0.5) / height
    outside_x = (x - centers[:, :1]).abs() >= size / 2
    outside_y = (y - centers[:, 1:]).abs() >= size / 2
    return images * (outside_x[:, None, None, :] | outside_y[:, None, :, None]).to(images)
