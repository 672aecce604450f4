"""Alias-free leaky ReLU and the design of its low-pass filters ("Alias-Free GANs", Karras et al. 2021, section 3)."""

from __future__ import annotations

import math

import numpy as np
import scipy
import torch

from stylegenes.errors import UserError
from stylegenes.ops.activation import bias_act
from stylegenes.ops.exporting import is_exporting
from stylegenes.ops.fir import Padding, Pair, Sides, pair, sides, upfirdn2d


def design_lowpass_filter(
    numtaps: int, cutoff: float, width: float, fs: float, *, radial: bool = False
) -> torch.Tensor | None:
    """A Kaiser-windowed low-pass filter of unit sum.

    Args:
        numtaps: its length; 1 gives None, the identity.
        cutoff: cutoff frequency, in the unit of `fs`.
        width: width of the transition band, in the unit of `fs`.
        fs: sampling rate.
        radial: make it rotationally symmetric, [T, T] (the jinc function), instead of separable, [T].

    Returns:
        [T] or [T, T] float32, or None.

    Raises:
        UserError: when `numtaps` is below one.
    """
    if numtaps < 1:
        raise UserError(f"a filter needs at least one tap; got {numtaps}")
    if numtaps == 1:
        return None
    if radial:
        return torch.as_tensor(_radial(numtaps, cutoff, width, fs), dtype=torch.float32)
    return torch.as_tensor(scipy.signal.firwin(numtaps, cutoff, width=width, fs=fs), dtype=torch.float32)


def _radial(numtaps: int, cutoff: float, width: float, fs: float) -> np.ndarray:
    axis = (np.arange(numtaps) - (numtaps - 1) / 2) / fs
    radius = math.pi * np.hypot(axis[:, None], axis[None, :])
    center = radius == 0
    jinc = np.where(center, cutoff, scipy.special.j1(2 * cutoff * radius) / np.where(center, 1, radius))
    window = np.kaiser(numtaps, scipy.signal.kaiser_beta(scipy.signal.kaiser_atten(numtaps, width / (fs / 2))))
    kernel = jinc * np.outer(window, window)
    return kernel / kernel.sum()


def filtered_lrelu(
    x: torch.Tensor,
    fu: torch.Tensor | None = None,
    fd: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    *,
    up: Pair = 1,
    down: Pair = 1,
    padding: Padding = 0,
    gain: float = math.sqrt(2),
    slope: float = 0.2,
    clamp: float | None = None,
    flip_filter: bool = False,
) -> torch.Tensor:
    """Bias, upsampling, leaky ReLU with gain and clamp, downsampling.

    Args:
        x: [N, C, H, W].
        fu: filter of the upsampling, [T] or [T_y, T_x]; None is the identity.
        fd: filter of the downsampling.
        bias: [C] or None.
        up: upsampling factor.
        down: downsampling factor.
        padding: zeros around the upsampled picture; see `ops.fir.sides`.
        gain: factor after the leaky ReLU, positive.
        slope: slope of the negative side.
        clamp: bound on the absolute value after the gain; None sets none.
        flip_filter: correlate with the filters instead of convolving.

    Returns:
        [N, C, H', W'].
    """
    arguments = (fu, fd, pair(up), pair(down), sides(padding), gain, slope, clamp, flip_filter)
    x = bias_act(x, bias)
    differentiated = torch.is_grad_enabled() and x.requires_grad
    if x.device.type != "cpu" or is_exporting() or len(x) == 1 or differentiated:
        return _between_filters(x, *arguments)
    # What lies between the filters is many times the picture; one sample at a time, it stays in the cache. An exporter
    # would record as many samples as it is shown.
    return torch.cat([_between_filters(sample, *arguments) for sample in x.split(1)])


def _between_filters(
    x: torch.Tensor,
    fu: torch.Tensor | None,
    fd: torch.Tensor | None,
    up: tuple[int, int],
    down: tuple[int, int],
    padding: Sides,
    gain: float,
    slope: float,
    clamp: float | None,
    flip_filter: bool,
) -> torch.Tensor:
    """Upsampling, leaky ReLU with gain and clamp, downsampling. The gain is left to the filter, where it is free."""
    widened = fu is not None or any(padding)
    if widened:
        x = upfirdn2d(x, fu, up=up, padding=padding, flip_filter=flip_filter, gain=up[0] * up[1])
    x = bias_act(x, act="lrelu", alpha=slope, gain=1.0, overwrite=widened)
    if clamp is not None:
        bound = clamp / gain
        x = x.clamp(-bound, bound) if x.requires_grad or not widened else x.clamp_(-bound, bound)
    return x * gain if fd is None else upfirdn2d(x, fd, down=down, flip_filter=flip_filter, gain=gain)
