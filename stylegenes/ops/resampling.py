"""Separable resampling as products with small dense matrices: the fastest way on a CPU for pictures of ordinary size.

A one-dimensional linear operator on n samples is a matrix [m, n]. Padding, filtering, upsampling and downsampling
compose by multiplication, so a chain of them costs one product an axis.
"""

from __future__ import annotations

import torch


def fir_matrix(
    taps: torch.Tensor,
    size: int,
    *,
    up: int = 1,
    down: int = 1,
    padding: tuple[int, int] = (0, 0),
    flip: bool = False,
) -> torch.Tensor:
    """The matrix of: insert zeros, pad, filter, decimate, on `size` samples.

    Args:
        taps: filter [T].
        size: samples that go in.
        up: every sample is followed by `up - 1` zeros.
        down: every `down`-th sample of the result is kept.
        padding: zeros before and after the upsampled signal; negative numbers crop.
        flip: False convolves, True correlates.

    Returns:
        [(size up + sum(padding) - T) // down + 1, size] of the dtype and device of `taps`.
    """
    count = (size * up + sum(padding) - len(taps)) // down + 1
    kernel = taps if flip else taps.flip(0)
    outputs = torch.arange(count, device=taps.device)[:, None] * down
    inputs = torch.arange(size, device=taps.device)[None, :] * up + padding[0]
    offset = inputs - outputs
    inside = (offset >= 0) & (offset < len(taps))
    return kernel[offset.clamp(0, len(taps) - 1)] * inside.to(taps.dtype)


def reflection_matrix(size: int, before: int, after: int, like: torch.Tensor) -> torch.Tensor:
    """The matrix [before + size + after, size] that pads by reflection without repeating the edge, typed `like`."""
    source = torch.arange(-before, size + after, device=like.device).abs()
    source = torch.where(source < size, source, 2 * (size - 1) - source)
    return torch.nn.functional.one_hot(source, size).to(like.dtype)


def resample(x: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Apply `rows` [h, H] down and `columns` [w, W] across `x` [N, C, H, W]; gives [N, C, h, w]."""
    return rows @ (x @ columns.T)
