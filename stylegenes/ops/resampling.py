"""Separable resampling as products with small dense matrices: the fastest way on a CPU for pictures of ordinary size.

A one-dimensional linear operator on n samples is a matrix [m, n]. Padding, filtering, upsampling and downsampling
compose by multiplication, so a chain of them costs one product an axis. A filter's matrix is a band: `resample_fir`
multiplies by one block of it after the other and leaves out the zeros.
"""

from __future__ import annotations

from typing import Any

import torch

BLOCK = 32
"""Outputs of one block of a filter's matrix: wide enough for an efficient product, narrow enough to skip zeros."""


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
    return _block(kernel, range(count), range(size), up, down, padding[0])


def _block(kernel: torch.Tensor, outputs: range, inputs: range, up: int, down: int, before: int) -> torch.Tensor:
    """The part of a correlation's matrix for some outputs and inputs, [len(outputs), len(inputs)]."""
    row = torch.arange(outputs.start, outputs.stop, device=kernel.device)[:, None] * down
    column = torch.arange(inputs.start, inputs.stop, device=kernel.device)[None, :] * up + before
    offset = column - row
    inside = (offset >= 0) & (offset < len(kernel))
    return kernel[offset.clamp(0, len(kernel) - 1)] * inside.to(kernel.dtype)


def reflection_matrix(size: int, before: int, after: int, like: torch.Tensor) -> torch.Tensor:
    """The matrix [`before` + `size` + `after`, `size`] that pads by reflection, the edge not repeated, typed `like`."""
    source = torch.arange(-before, size + after, device=like.device).abs()
    source = torch.where(source < size, source, 2 * (size - 1) - source)
    return torch.nn.functional.one_hot(source, size).to(like.dtype)


def resample(x: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Apply `rows` [h, H] down and `columns` [w, W] across `x` [N, C, H, W]; gives [N, C, h, w]."""
    return rows @ (x @ columns.T)


def resample_fir(
    x: torch.Tensor,
    taps: torch.Tensor,
    *,
    up: tuple[int, int],
    down: tuple[int, int],
    padding: tuple[int, int, int, int],
    flip: bool = False,
) -> torch.Tensor:
    """Insert zeros, pad or crop, filter and decimate along both axes, with one filter, by banded products.

    Args:
        x: [N, C, H, W]; channels last is the quick layout.
        taps: [T] of the dtype of `x`; it gets no derivative.
        up: factors of the upsampling, (x, y).
        down: factors of the decimation, (x, y).
        padding: zeros around the upsampled picture, (left, right, top, bottom); negative numbers crop.
        flip: False convolves, True correlates.

    Returns:
        [N, C, H', W'] in channels-last layout.
    """
    kernel = taps if flip else taps.flip(0)
    left, right, top, bottom = padding
    n, c, height, width = x.shape
    rows = (height * up[1] + top + bottom - len(taps)) // down[1] + 1
    columns = (width * up[0] + left + right - len(taps)) // down[0] + 1
    y = x.permute(0, 2, 3, 1).reshape(n, height, width * c)
    y = _Banded.apply(y, kernel, up[1], down[1], top, rows)
    y = _Banded.apply(y.reshape(n * rows, width, c), kernel, up[0], down[0], left, columns)
    return y.reshape(n, rows, columns, c).permute(0, 3, 1, 2)


class _Banded(torch.autograd.Function):
    """Correlation along the middle axis, between zero insertion and decimation.

    Its derivative is the same operation with the kernel flipped and the factors exchanged.
    """

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, kernel: torch.Tensor, up: int, down: int, before: int, count: int
    ) -> torch.Tensor:
        """[B, n, K] to [B, count, K]."""
        ctx.save_for_backward(kernel)
        ctx.up, ctx.down, ctx.before, ctx.size = up, down, before, x.shape[1]
        x, y = x.contiguous(), x.new_empty(x.shape[0], count, x.shape[2])
        for start in range(0, count, BLOCK):
            outputs = range(start, min(start + BLOCK, count))
            first = max(-((before - start * down) // up), 0)
            last = min(((outputs.stop - 1) * down + len(kernel) - 1 - before) // up, x.shape[1] - 1)
            if first > last:
                y[:, outputs.start : outputs.stop] = 0
                continue
            block = _block(kernel, outputs, range(first, last + 1), up, down, before)
            torch.matmul(block, x[:, first : last + 1], out=y[:, outputs.start : outputs.stop])
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # type: ignore[override]
        """The gradient of the input."""
        (kernel,) = ctx.saved_tensors
        before = len(kernel) - 1 - ctx.before
        gradient = _Banded.apply(gradients[0], kernel.flip(0), ctx.down, ctx.up, before, ctx.size)
        return gradient, None, None, None, None, None
