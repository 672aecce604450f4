"""Convolution with filtered resampling, and StyleGAN2's and StyleGAN3's modulated convolutions."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from stylegenes.ops import fir
from stylegenes.ops.fir import Padding, Sides, filter_size, pad_for_down, pad_for_up, sides, upfirdn2d

JOINED_TAPS = 4
"""Filters of at most so many taps an axis become part of weights where groups are avoided."""


def conv2d_resample(
    x: torch.Tensor,
    weight: torch.Tensor,
    f: torch.Tensor | None = None,
    *,
    bias: torch.Tensor | None = None,
    up: int = 1,
    down: int = 1,
    padding: Padding = 0,
    groups: int = 1,
    flip_weight: bool = True,
    flip_filter: bool = False,
) -> torch.Tensor:
    """Upsample with the filter `f`, convolve, downsample with the filter, in the cheapest equivalent order.

    On a GPU a short filter becomes part of the weight: for 3x3 and 4 taps four times the multiplications, of which
    there are plenty, and fewer passes over the picture.

    Args:
        x: [N, C_in, H, W].
        weight: [C_out, C_in / groups, k_y, k_x].
        f: filter from `ops.fir.setup_filter`, or None.
        bias: [C_out], added to the result, or None.
        up: upsampling factor.
        down: downsampling factor.
        padding: zeros around the upsampled picture, on top of what the filter needs to keep pixels aligned.
        groups: groups of channels that do not mix.
        flip_weight: True correlates, as neural networks do; False convolves.
        flip_filter: the same choice for `f`.

    Returns:
        [N, C_out, H up / down + ..., W up / down + ...].
    """
    around = _aligned(sides(padding), filter_size(f), up, down)
    one_by_one = weight.shape[2:] == (1, 1)
    if f is not None and _can_join(f) and groups == 1 and (up == 1) != (down == 1) and fir.avoids_groups(x):
        f = f.flip((0, 1)) if flip_filter else f
        weight = weight if flip_weight else weight.flip((2, 3))
        if up == 1:
            return _conv(x, _joined(weight, f).to(x.dtype), bias, around, groups, flip_weight=True, stride=down)
        return _add_bias(_conv_up(x, weight, f, around, up), bias)
    filtering = {"f": f, "flip_filter": flip_filter}
    if up == 1 and down == 1:
        return _conv(x, weight, bias, around, groups, flip_weight)
    if one_by_one and up == 1:
        x = upfirdn2d(x, **filtering, down=down, padding=around)
        return _conv(x, weight, bias, (0, 0, 0, 0), groups, flip_weight)
    if one_by_one and down == 1:
        x = _conv(x, weight, None, (0, 0, 0, 0), groups, flip_weight)
        return _add_bias(upfirdn2d(x, **filtering, up=up, padding=around, gain=up**2), bias)
    if up == 1:
        x = upfirdn2d(x, **filtering, padding=around)
        return F.conv2d(x, weight if flip_weight else weight.flip((2, 3)), bias, stride=down, groups=groups)
    k_y, k_x = weight.shape[2:]
    left, right, top, bottom = around
    x = _conv_transposed(x, weight, up, groups, flip_weight)
    rest = (left - k_x + 1, right - k_x + up, top - k_y + 1, bottom - k_y + up)
    x = upfirdn2d(x, **filtering, padding=rest, gain=up**2)
    return _add_bias(upfirdn2d(x, **filtering, down=down) if down > 1 else x, bias)


def _can_join(f: torch.Tensor) -> bool:
    """Whether a filter is short enough to become part of a weight."""
    return f.ndim == 2 and max(f.shape) <= JOINED_TAPS


def _joined(weight: torch.Tensor, f: torch.Tensor) -> torch.Tensor:
    """What correlates as convolving with `f` [T, T] and then correlating with `weight` [C_out, C_in, k, k] does.

    One product with a small matrix, whose rows are the filter at all places that an element of the weight can have.

    Returns:
        [C_out, C_in, k + T - 1, k + T - 1].
    """
    (c_out, c_in, k_y, k_x), (taps_y, taps_x) = weight.shape, f.shape
    with torch.autocast(weight.device.type, enabled=False):
        f = f.to(torch.promote_types(weight.dtype, torch.float32))
        places = torch.eye(k_y * k_x, dtype=f.dtype, device=f.device).reshape(-1, 1, k_y, k_x)
        rows = F.conv2d(places, f[None, None], padding=(taps_y - 1, taps_x - 1)).flatten(1)
        joined = weight.to(f.dtype).reshape(c_out * c_in, k_y * k_x) @ rows
    return joined.reshape(c_out, c_in, k_y + taps_y - 1, k_x + taps_x - 1)


def _conv_up(x: torch.Tensor, weight: torch.Tensor, f: torch.Tensor, padding: Sides, up: int) -> torch.Tensor:
    """Insert zeros, pad, convolve with `f` (and up^2), correlate with `weight`: one transposed convolution.

    With filters of K taps, an axis of n pixels gives (n - 1) up + K; what the padding leaves of them is cut out.
    """
    left, right, top, bottom = padding
    joined = _joined(weight, f * up**2).flip((2, 3)).to(x.dtype).transpose(0, 1)
    k_y, k_x = joined.shape[2:]
    before_y, before_x = k_y - 1 - top, k_x - 1 - left
    after_y, after_x = k_y - up - bottom, k_x - up - right
    if before_y == after_y >= 0 and before_x == after_x >= 0:
        return F.conv_transpose2d(x, joined, stride=up, padding=(before_y, before_x))
    full = F.conv_transpose2d(x, joined, stride=up)
    return F.pad(full, (-before_x, -after_x, -before_y, -after_y))


def _aligned(padding: Sides, taps: tuple[int, int], up: int, down: int) -> Sides:
    """The padding that keeps the pixels of input and output aligned under both resampling filters."""
    if up > 1:
        padding = pad_for_up(padding, taps, (up, up))
    if down > 1:
        padding = pad_for_down(padding, taps, (down, down))
    return padding


def _conv(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    padding: Sides,
    groups: int,
    flip_weight: bool,
    stride: int = 1,
) -> torch.Tensor:
    left, right, top, bottom = padding
    weight = weight if flip_weight else weight.flip((2, 3))
    if left == right >= 0 and top == bottom >= 0:
        return F.conv2d(x, weight, bias, stride, (top, left), groups=groups)
    return F.conv2d(F.pad(x, padding), weight, bias, stride, groups=groups)


def _add_bias(x: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    return x if bias is None else x + bias.to(x.dtype)[:, None, None]


def _conv_transposed(x: torch.Tensor, weight: torch.Tensor, up: int, groups: int, flip_weight: bool) -> torch.Tensor:
    """Full convolution of the zero-inserted picture with `weight` [C_out, C_in / groups, k, k]."""
    c_out, c_in, k_y, k_x = weight.shape
    weight = weight.flip((2, 3)) if flip_weight else weight
    weight = weight.reshape(groups, c_out // groups, c_in, k_y, k_x).transpose(1, 2)
    return F.conv_transpose2d(x, weight.reshape(groups * c_in, c_out // groups, k_y, k_x), stride=up, groups=groups)


def demodulation(weight: torch.Tensor, styles: torch.Tensor, eps: float = 1e-8) -> torch.Tensor:
    """The factor [N, C_out] that gives every modulated filter unit norm (StyleGAN2, Eq. 3), as one small product.

    Args:
        weight: [C_out, C_in, k, k].
        styles: [N, C_in].
        eps: added to the squared norm.
    """
    with torch.autocast(weight.device.type, enabled=False):
        exact = torch.promote_types(weight.dtype, torch.float32)
        energy = weight.to(exact).square().sum(dim=(2, 3))
        return (styles.to(exact).square() @ energy.t() + eps).rsqrt()


def quick_layout(x: torch.Tensor) -> torch.Tensor:
    """`x` [N, C, H, W] in the memory layout in which this device convolves fastest.

    Channels last is up to twice as fast on CPUs for strided, transposed and depthwise convolutions, and is what tensor
    cores take in half precision; convolutions pass the layout on.
    """
    half = x.dtype in (torch.bfloat16, torch.float16) or torch.is_autocast_enabled(x.device.type)
    last = x.device.type == "cpu" or (x.device.type == "cuda" and half)
    return x.contiguous(memory_format=torch.channels_last) if last else x


def scale_channels(x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """`x` [N, C, H, W] times a factor a sample and channel [N, C], in the dtype of `x`."""
    return x * scale.to(x.dtype)[:, :, None, None]


def modulated_conv2d(
    x: torch.Tensor,
    weight: torch.Tensor,
    styles: torch.Tensor,
    f: torch.Tensor | None = None,
    *,
    bias: torch.Tensor | None = None,
    noise: torch.Tensor | None = None,
    gain: float = 1.0,
    up: int = 1,
    down: int = 1,
    padding: Padding = 0,
    demodulate: bool = True,
    flip_weight: bool = True,
) -> torch.Tensor:
    """StyleGAN2's modulated convolution (Eq. 1 and 3), by scaling activations around one shared weight.

    Args:
        x: [N, C_in, H, W].
        weight: [C_out, C_in, k, k].
        styles: [N, C_in].
        f: resampling filter, or None.
        bias: added to the result, [C_out], or None.
        noise: added to the result, broadcastable to it, or None.
        gain: factor on the result before the noise, folded into what is multiplied anyway.
        up: upsampling factor.
        down: downsampling factor.
        padding: as in `conv2d_resample`.
        demodulate: give every filter unit norm.
        flip_weight: True correlates, False convolves.

    Returns:
        [N, C_out, H', W'].
    """
    x = scale_channels(x, styles)
    x = conv2d_resample(x, weight.to(x.dtype), f, up=up, down=down, padding=padding, flip_weight=flip_weight)
    if demodulate:
        scale = (demodulation(weight, styles) * gain).to(x.dtype)[:, :, None, None]
    else:
        scale = torch.full((), gain, dtype=x.dtype, device=x.device)
    shift = None if bias is None else (bias * gain).to(x.dtype)[:, None, None]
    x = x * scale if shift is None else torch.addcmul(shift, x, scale)
    return x if noise is None else x.add_(noise.to(x.dtype))


def alias_free_modulated_conv2d(
    x: torch.Tensor,
    weight: torch.Tensor,
    styles: torch.Tensor,
    *,
    demodulate: bool = True,
    padding: Padding = 0,
    input_gain: torch.Tensor | None = None,
) -> torch.Tensor:
    """StyleGAN3's modulated convolution ("Alias-Free GANs", Karras et al. 2021, appendix).

    With demodulation, every filter and the styles of the whole batch are first normalized to unit mean square, which
    cancels up to the small constant of the demodulation.

    Args:
        x: [N, C_in, H, W].
        weight: [C_out, C_in, k, k].
        styles: [N, C_in].
        demodulate: give every filter unit norm.
        padding: zeros around the picture.
        input_gain: factor on the input after demodulation: a scalar, [C_in] or [N, C_in]; None is one.

    Returns:
        [N, C_out, H', W'].
    """
    scale = None
    if demodulate:
        weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
        styles = styles * styles.square().mean().rsqrt()
        scale = demodulation(weight, styles)
    if input_gain is not None:
        styles = styles * input_gain
    x = scale_channels(x, styles)
    x = conv2d_resample(x, weight.to(x.dtype), padding=padding)
    return x if scale is None else scale_channels(x, scale)
