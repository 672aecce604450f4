"""Preparing pictures for frozen networks: channels, ranges and the two resize filters that numbers depend on."""

from __future__ import annotations

import torch
from torch import nn

from stylegenes.errors import UserError
from stylegenes.size import Size


def to_rgb(images: torch.Tensor) -> torch.Tensor:
    """What a frozen network is shown of pictures [N, C, H, W] in [-1, 1], as [N, 3, H, W].

    Gray (1) is repeated, RGB (3) is as it is. With alpha (2: gray and alpha, 4: RGBA) colors lie on white as far as
    alpha covers it, as where transparent files are read as RGB. Of more channels the first three are red, green, blue.

    Raises:
        UserError: for what is no batch of pictures.
    """
    if images.ndim != 4 or not images.shape[1]:
        raise UserError(f"a frozen network takes pictures [N, channels, H, W] in [-1, 1]; got {list(images.shape)}")
    channels = images.shape[1]
    if channels not in (2, 4):
        return images[:, :3].expand(-1, 3, -1, -1)
    cover = (images[:, -1:] + 1) / 2
    return (1 + (images[:, :-1] - 1) * cover).expand(-1, 3, -1, -1)


def from_gray(images: torch.Tensor, channels: int) -> torch.Tensor:
    """Gray pictures [N, 1, H, W] in [-1, 1] as [N, channels, H, W]: the same in all colors, opaque in alpha."""
    if channels not in (2, 4):
        return images.expand(-1, channels, -1, -1)
    return torch.cat([images.expand(-1, channels - 1, -1, -1), torch.ones_like(images)], dim=1)


def to_bytes_range(images: torch.Tensor) -> torch.Tensor:
    """From [-1, 1] to the scale of 8-bit pixels, 0 to 255, without rounding."""
    return (images + 1) * 127.5


def resize(images: torch.Tensor, size: int | str | None) -> torch.Tensor:
    """Bicubic resize to a size in pixels, a number for squares, antialiased when shrinking; None keeps the size.

    The filter is wider where it shrinks (as an image library does it), so that a network sees no aliasing.
    """
    if size is None or images.shape[-2:] == Size.of(size).hw:
        return images
    return nn.functional.interpolate(images, Size.of(size).hw, mode="bicubic", antialias=True, align_corners=False)


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
