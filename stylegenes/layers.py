"""Layers with equalized learning rate (Karras et al. 2018, "Progressive Growing of GANs", section 4.1)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from stylegenes.errors import UserError
from stylegenes.ops.activation import bias_act, split_gain
from stylegenes.ops.convolution import conv2d_resample
from stylegenes.ops.fir import setup_filter


def normalize_second_moment(x: torch.Tensor, eps: float = 1e-8) -> torch.Tensor:
    """Scale every row of `x` [N, C] to a mean square of one over C."""
    return x * (x.square().mean(dim=1, keepdim=True) + eps).rsqrt()


def minibatch_std(x: torch.Tensor, group_size: int | None, num_channels: int, eps: float = 1e-8) -> torch.Tensor:
    """Append the mean standard deviation over groups of the batch ("Progressive Growing of GANs", section 3).

    The batch of N is cut into [G, N / G]: sample i belongs to group i mod (N / G).

    Args:
        x: [N, C, H, W].
        group_size: G, samples a group; None or more than N takes the whole batch. It must divide N.
        num_channels: channels appended; the statistic of each covers C / num_channels channels.
        eps: added to the variance.

    Returns:
        [N, C + num_channels, H, W].

    Raises:
        UserError: when a group size does not divide the batch.
    """
    n, c, h, w = x.shape
    group = n if group_size is None else min(group_size, n)
    if n % group:
        raise UserError(
            f"a batch of {n} does not split into groups of {group} for the minibatch standard deviation; "
            f"use a multiple of {group}, or another mbstd_group_size"
        )
    grouped = x.reshape(group, n // group, num_channels, c // num_channels, h, w)
    exact = grouped.to(torch.promote_types(x.dtype, torch.float32))
    deviation = (exact.var(dim=0, correction=0) + eps).sqrt()
    statistic = deviation.mean(dim=(2, 3, 4)).reshape(n // group, num_channels, 1, 1).to(x.dtype)
    return torch.cat([x, statistic.repeat(group, 1, h, w)], dim=1)


class Linear(nn.Module):
    """Fully connected layer whose weight is stored at unit variance and scaled in the forward pass."""

    def __init__(
        self,
        in_features: int,  # size of the input's last dimension
        out_features: int,  # size of the output's last dimension
        *,
        bias: bool = True,  # whether a bias is added
        act: str = "linear",  # activation, a key of ops.activation.ACTIVATIONS
        lr_multiplier: float = 1.0,  # learning rate of this layer relative to the optimizer's
        bias_init: float = 0.0,  # initial value of the effective bias
    ) -> None:
        super().__init__()
        self.act = act
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((out_features,), bias_init / lr_multiplier)) if bias else None
        self.weight_gain = lr_multiplier / math.sqrt(in_features)
        self.bias_gain = lr_multiplier

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `x` [N, in_features] to [N, out_features]."""
        weight = self.weight.to(x.dtype) * self.weight_gain
        bias = None if self.bias is None else self.bias.to(x.dtype) * self.bias_gain
        if self.act == "linear":
            return nn.functional.linear(x, weight, bias)
        return bias_act(nn.functional.linear(x, weight), bias, act=self.act)


class Conv2d(nn.Module):
    """Convolution with optional filtered resampling, whose weight is stored at unit variance.

    The gain of the activation is folded into weight and bias where the activation is positively homogeneous.
    """

    def __init__(
        self,
        in_channels: int,  # channels of the input
        out_channels: int,  # channels of the output
        *,
        kernel_size: int,  # height and width of the kernel, odd
        bias: bool = True,  # whether a bias is added
        act: str = "linear",  # activation, a key of ops.activation.ACTIVATIONS
        up: int = 1,  # upsampling factor
        down: int = 1,  # downsampling factor
        resample_filter: Sequence[float] = (1, 3, 3, 1),  # low-pass filter of the resampling
        conv_clamp: float | None = None,  # bound on the absolute value of the output; None sets none
    ) -> None:
        super().__init__()
        self.act, self.up, self.down, self.conv_clamp = act, up, down, conv_clamp
        self.padding = kernel_size // 2
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.weight_gain = 1 / math.sqrt(in_channels * kernel_size**2)
        self.resample_filter: torch.Tensor
        self.register_buffer("resample_filter", setup_filter(resample_filter), persistent=False)

    def forward(self, x: torch.Tensor, gain: float = 1.0) -> torch.Tensor:
        """Map `x` [N, C_in, H, W] to [N, C_out, H up / down, W up / down]; `gain` scales result and clamp."""
        split = split_gain(self.act, gain)
        weight = self.weight.to(x.dtype) * (self.weight_gain * split.before)
        bias = None if self.bias is None else self.bias.to(x.dtype) * split.before
        x = conv2d_resample(
            x,
            weight,
            self.resample_filter if max(self.up, self.down) > 1 else None,
            bias=bias,
            up=self.up,
            down=self.down,
            padding=self.padding,
            flip_weight=self.up == 1,
        )
        clamp = None if self.conv_clamp is None else self.conv_clamp * gain
        return bias_act(x, act=self.act, gain=split.after, clamp=clamp, overwrite=True)
