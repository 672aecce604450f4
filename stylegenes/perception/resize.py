"""Preparing pictures for frozen networks: channels, ranges and the two resize filters that numbers depend on."""

from __future__ import annotations

import torch
from torch import nn

from stylegenes.errors import UserError


def to_rgb(images: torch.Tensor) -> torch.Tensor:
    """Gray pictures [N, 1, H, W] repeated to three channels; color ones [N, 3, H, W] as they are.

    Raises:
        UserError: for any other shape.
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise UserError(f"a frozen network takes pictures [N, 1 or 3, H, W] in [-1, 1]; got {list(images.shape)}")
    return images.expand(-1, 3, -1, -1)


def to_bytes_range(images: torch.Tensor) -> torch.Tensor:
    """From [-1, 1] to the scale of 8-bit pixels, 0 to 255, without rounding."""
    return (images + 1) * 127.5


def resize(images: torch.Tensor, size: int | None) -> torch.Tensor:
    """Bicubic resize to `size` x `size` pixels, antialiased when shrinking; None keeps the size.

    The filter is wider where it shrinks (as an image library does it), so that a network sees no aliasing.
    """
    if size is None or images.shape[-2:] == (size, size):
        return images
    return nn.functional.interpolate(images, (size, size), mode="bicubic", antialias=True, align_corners=False)


def resize_tf1(images: torch.Tensor, size: int) -> torch.Tensor:
    """Bilinear resize as the first TensorFlow did it: output pixel i reads the input at i * in / out, no half-pixel.

    The 2015 FID graph was defined with it; it aliases when shrinking, and FID is defined to do so.

    Args:
        images: [N, C, H, W].
        size: height and width of the result in pixels.
    """
    rows = _tf1_taps(images.shape[2], size, images)
    columns = _tf1_taps(images.shape[3], size, images)
    images = images[:, :, rows.low] + (images[:, :, rows.high] - images[:, :, rows.low]) * rows.weight[:, None]
    return images[..., columns.low] + (images[..., columns.high] - images[..., columns.low]) * columns.weight


class _Taps:
    """For each output position its two input positions and the weight of the second."""

    def __init__(self, low: torch.Tensor, high: torch.Tensor, weight: torch.Tensor) -> None:
        self.low, self.high, self.weight = low, high, weight


def _tf1_taps(size_in: int, size_out: int, like: torch.Tensor) -> _Taps:
    position = torch.arange(size_out, device=like.device, dtype=like.dtype) * (size_in / size_out)
    low = position.floor().long()
    return _Taps(low, (low + 1).clamp(max=size_in - 1), position - low)
