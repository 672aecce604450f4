"""Finite impulse response filters with zero-insertion upsampling and decimation, on [N, C, H, W].

The convention of all padding and factor pairs is x (width) first: `(x, y)` and `(left, right, top, bottom)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from stylegenes.errors import UserError, shown
from stylegenes.ops.exporting import is_exporting
from stylegenes.ops.resampling import resample_fir

Pair = int | Sequence[int]
Padding = int | Sequence[int]
Factors = tuple[int, int]
Sides = tuple[int, int, int, int]

SEPARABLE_TAPS = 8
"""One-dimensional filters with at least this many taps are applied an axis at a time."""


def pair(value: Pair) -> tuple[int, int]:
    """`n` or `(x, y)` as `(x, y)`."""
    x, y = (value, value) if isinstance(value, int) else value
    if min(x, y) < 1:
        raise UserError(f"a resampling factor must be at least 1; got {value}")
    return x, y


def sides(padding: Padding) -> Sides:
    """`n`, `(x, y)` or `(left, right, top, bottom)` as `(left, right, top, bottom)`; negative numbers crop."""
    if isinstance(padding, int):
        return padding, padding, padding, padding
    if len(padding) == 2:
        return padding[0], padding[0], padding[1], padding[1]
    left, right, top, bottom = padding
    return left, right, top, bottom


Taps = Sequence[float] | Sequence[Sequence[float]]
"""A filter, [T] for both axes or [T_y, T_x]."""


def _has_a_sum(taps: float | Taps) -> bool:
    """Whether the taps can be scaled to unit sum."""
    values = np.asarray(taps, np.float64)
    largest = np.abs(values).max(initial=0.0)
    return bool(0 < largest <= 1e6 and abs(values.sum()) > 1e-6 * largest)


def setup_filter(
    taps: float | Sequence[float] | Sequence[Sequence[float]] | torch.Tensor | None,
    *,
    normalize: bool = True,
    flip: bool = False,
    gain: float = 1.0,
    separable: bool | None = None,
    device: torch.device | str | None = None,
) -> torch.Tensor:
    """Prepare a filter for `upfirdn2d`.

    Args:
        taps: one number, [T] or [T_y, T_x]; None is the identity.
        normalize: scale it to unit sum.
        flip: reverse it.
        gain: factor on the signal it filters.
        separable: keep [T] to be applied an axis at a time, or take the outer product; None decides by the length.
        device: where the filter goes.

    Returns:
        [T] or [T_y, T_x] float32.
    """
    f = torch.as_tensor(1.0 if taps is None else taps, dtype=torch.float32, device=device).clone()
    if f.ndim > 2 or f.numel() == 0:
        raise UserError(f"a filter has one or two dimensions and at least one tap; got shape {list(f.shape)}")
    if normalize and not isinstance(taps, torch.Tensor) and taps is not None and not _has_a_sum(taps):
        raise UserError(f"a filter has taps of at most 1e6 whose sum is not 0; got {shown(taps)} (resample_filter)")
    f = f.reshape(1) if f.ndim == 0 else f
    if f.ndim == 1 and not (f.numel() >= SEPARABLE_TAPS if separable is None else separable):
        f = torch.outer(f, f)
    if normalize:
        f = f / f.sum()
    if flip:
        f = f.flip(tuple(range(f.ndim)))
    return f * gain ** (f.ndim / 2)


def filter_size(f: torch.Tensor | None) -> tuple[int, int]:
    """Taps of a prepared filter as `(x, y)`; None is one tap."""
    return (1, 1) if f is None else (f.shape[-1], f.shape[0])


def upfirdn2d(
    x: torch.Tensor,
    f: torch.Tensor | None,
    *,
    up: Pair = 1,
    down: Pair = 1,
    padding: Padding = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
) -> torch.Tensor:
    """Insert zeros, pad (or crop), filter, decimate. No arithmetic is spent on inserted zeros.

    Args:
        x: [N, C, H, W].
        f: filter from `setup_filter`, [T] or [T_y, T_x]; None is the identity.
        up: every pixel is followed by `up - 1` zeros.
        down: every `down`-th pixel of the result is kept.
        padding: zeros around the upsampled picture, see `sides`.
        flip_filter: False convolves, True correlates.
        gain: factor on the result.

    Returns:
        [N, C, (H up + top + bottom - T_y) // down + 1, the same for W].
    """
    (up_x, up_y), (down_x, down_y), (left, right, top, bottom) = pair(up), pair(down), sides(padding)
    taps = (x.new_ones(1, 1) if f is None else f.to(x.dtype)) * (gain if f is None or f.ndim == 2 else gain**0.5)
    # Exporters cannot record banded products, which write into parts of their result.
    if taps.ndim == 1 and x.device.type == "cpu" and not is_exporting():
        return resample_fir(
            x, taps, up=(up_x, up_y), down=(down_x, down_y), padding=(left, right, top, bottom), flip=flip_filter
        )
    if taps.ndim == 1:
        around_x, around_y = (left, right, 0, 0), (0, 0, top, bottom)
        x = upfirdn2d(x, taps[None], up=(up_x, 1), down=(down_x, 1), padding=around_x, flip_filter=flip_filter)
        return upfirdn2d(x, taps[:, None], up=(1, up_y), down=(1, down_y), padding=around_y, flip_filter=flip_filter)
    kernel = taps if flip_filter else taps.flip((0, 1))
    # Without gradients the operation is called as it is, so that exporters can trace it.
    resample = _Resample.apply if torch.is_grad_enabled() else _resample
    return resample(x, kernel, (up_y, up_x), (down_y, down_x), (left, right, top, bottom))


def _resample(x: torch.Tensor, kernel: torch.Tensor, up: Factors, down: Factors, padding: Sides) -> torch.Tensor:
    """[N, C, H, W] to [N, C, H', W']; see `_Resample`."""
    if up == (1, 1):
        return _decimating(x, kernel, down, padding)
    y = _interpolating(x, kernel.flip((0, 1)), up, padding)
    return y if down == (1, 1) else y[:, :, :: down[0], :: down[1]].clone()


class _Resample(torch.autograd.Function):
    """Correlation of every channel with a fixed kernel, between zero insertion and decimation; factors are `(y, x)`.

    Its derivative is the same operation with the kernel flipped and the factors exchanged. Saying so lets the backward
    pass use the quick forward kernels, and makes every order of derivative available. The kernel has no derivative.
    """

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, kernel: torch.Tensor, up: Factors, down: Factors, padding: Sides
    ) -> torch.Tensor:
        """[N, C, H, W] to [N, C, H', W']."""
        ctx.save_for_backward(kernel)
        ctx.up, ctx.down, ctx.padding, ctx.size = up, down, padding, x.shape[2:]
        return _resample(x, kernel, up, down, padding)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # type: ignore[override]
        """The gradient of the picture."""
        (kernel,), (gradient,) = ctx.saved_tensors, gradients
        left, right, top, bottom = ctx.padding
        (top, bottom), (left, right) = (
            (
                kernel.shape[i] - 1 - before,
                (ctx.size[i] - 1) * ctx.up[i] - gradient.shape[2 + i] * ctx.down[i] + 1 + before,
            )
            for i, before in ((0, top), (1, left))
        )
        flipped = kernel.flip((0, 1)).to(gradient.dtype)
        return _Resample.apply(gradient, flipped, ctx.down, ctx.up, (left, right, top, bottom)), None, None, None, None


def _decimating(x: torch.Tensor, kernel: torch.Tensor, down: Factors, padding: Sides) -> torch.Tensor:
    """Correlate every channel with `kernel` [T_y, T_x] at a stride `(y, x)`."""
    left, right, top, bottom = padding
    inner = (max(min(top, bottom), 0), max(min(left, right), 0))
    outer = (left - inner[1], right - inner[1], top - inner[0], bottom - inner[0])
    x = F.pad(x, outer) if any(outer) else x
    if avoids_groups(x):
        return _of_one_channel(F.conv2d, x, kernel, stride=down, padding=inner)
    channels, (taps_y, taps_x) = int(x.shape[1]), kernel.shape
    return F.conv2d(x, kernel.expand(channels, 1, taps_y, taps_x), stride=down, padding=inner, groups=channels)


def avoids_groups(x: torch.Tensor) -> bool:
    """Whether convolutions that treat every channel by itself have no quick kernels where `x` lies: on GPUs."""
    return x.device.type == "cuda"


def _of_one_channel(
    function: Callable[..., torch.Tensor], x: torch.Tensor, kernel: torch.Tensor, **given: Any
) -> torch.Tensor:
    """A convolution of `x` [N, C, H, W] with `kernel` [T_y, T_x], every channel as a picture of its own.

    The result is in the layout of `x` and no view, so that it may be overwritten.
    """
    n, c = x.shape[:2]
    y = function(x.reshape(n * c, 1, *x.shape[2:]), kernel[None, None], **given)
    last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    layout = torch.channels_last if last else torch.contiguous_format
    return y.reshape(n, c, *y.shape[2:]).clone(memory_format=layout)


def _interpolating(x: torch.Tensor, kernel: torch.Tensor, up: Factors, padding: Sides) -> torch.Tensor:
    """Convolve every channel with `kernel` [T_y, T_x] after inserting zeros `(y, x)`: a strided transposed convolution.

    The transposed convolution of an axis of n pixels covers (n - 1) up + T outputs; the wanted ones start at
    T - 1 - (padding before) and are n up + (both paddings) - T + 1 many.
    """
    left, right, top, bottom = padding
    channels, (taps_y, taps_x) = int(x.shape[1]), kernel.shape
    if avoids_groups(x):
        full = _of_one_channel(F.conv_transpose2d, x, kernel, stride=up)
    else:
        full = F.conv_transpose2d(x, kernel.expand(channels, 1, taps_y, taps_x), stride=up, groups=channels)
    wanted_y = x.shape[2] * up[0] + top + bottom - taps_y + 1
    wanted_x = x.shape[3] * up[1] + left + right - taps_x + 1
    before_y, before_x = top - taps_y + 1, left - taps_x + 1
    pads = (before_x, wanted_x - full.shape[3] - before_x, before_y, wanted_y - full.shape[2] - before_y)
    return F.pad(full, pads) if any(pads) else full


def filter2d(
    x: torch.Tensor,
    f: torch.Tensor | None,
    *,
    padding: Padding = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
) -> torch.Tensor:
    """Filter [N, C, H, W] at its size; `padding` is added to what keeps the size.

    Args:
        x: [N, C, H, W].
        f: filter from `setup_filter`, [T] or [T_y, T_x]; None is the identity.
        padding: further zeros on each side, see `sides`.
        flip_filter: False convolves, True correlates.
        gain: factor on the result.
    """
    (taps_x, taps_y), (left, right, top, bottom) = filter_size(f), sides(padding)
    around = (left + taps_x // 2, right + (taps_x - 1) // 2, top + taps_y // 2, bottom + (taps_y - 1) // 2)
    return upfirdn2d(x, f, padding=around, flip_filter=flip_filter, gain=gain)


def pad_for_up(padding: Sides, taps: tuple[int, int], up: tuple[int, int]) -> Sides:
    """`padding` plus what keeps the pixels of input and output aligned when upsampling with a filter of `taps`."""
    left, right, top, bottom = padding
    (taps_x, taps_y), (up_x, up_y) = taps, up
    left, right = left + (taps_x + up_x - 1) // 2, right + (taps_x - up_x) // 2
    return left, right, top + (taps_y + up_y - 1) // 2, bottom + (taps_y - up_y) // 2


def pad_for_down(padding: Sides, taps: tuple[int, int], down: tuple[int, int]) -> Sides:
    """`padding` plus what keeps the pixels of input and output aligned when downsampling with a filter of `taps`."""
    left, right, top, bottom = padding
    (taps_x, taps_y), (down_x, down_y) = taps, down
    left, right = left + (taps_x - down_x + 1) // 2, right + (taps_x - down_x) // 2
    return left, right, top + (taps_y - down_y + 1) // 2, bottom + (taps_y - down_y) // 2


def upsample2d(
    x: torch.Tensor,
    f: torch.Tensor | None,
    *,
    up: Pair = 2,
    padding: Padding = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
) -> torch.Tensor:
    """Upsample [N, C, H, W] by `up`, preserving the mean; `padding` is added to what gives exactly `up` times.

    Args:
        x: [N, C, H, W].
        f: filter from `setup_filter`, [T] or [T_y, T_x]; None is the identity.
        up: factor, one number or one for each axis (x, y).
        padding: further zeros on each side of the upsampled picture, see `sides`.
        flip_filter: False convolves, True correlates.
        gain: factor on the result.
    """
    up_x, up_y = pair(up)
    around = pad_for_up(sides(padding), filter_size(f), (up_x, up_y))
    return upfirdn2d(x, f, up=up, padding=around, flip_filter=flip_filter, gain=gain * up_x * up_y)


def downsample2d(
    x: torch.Tensor,
    f: torch.Tensor | None,
    *,
    down: Pair = 2,
    padding: Padding = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
) -> torch.Tensor:
    """Downsample [N, C, H, W] by `down`; `padding` is added to what gives exactly one `down`-th.

    Args:
        x: [N, C, H, W].
        f: filter from `setup_filter`, [T] or [T_y, T_x]; None is the identity.
        down: factor, one number or one for each axis (x, y).
        padding: further zeros on each side, see `sides`.
        flip_filter: False convolves, True correlates.
        gain: factor on the result.
    """
    around = pad_for_down(sides(padding), filter_size(f), pair(down))
    return upfirdn2d(x, f, down=down, padding=around, flip_filter=flip_filter, gain=gain)
