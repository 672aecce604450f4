"""Layers with equalized learning rate (Karras et al. 2018, "Progressive Growing of GANs", section 4.1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils import parametrize

from stylegenes.errors import UserError
from stylegenes.ops.activation import bias_act, split_gain
from stylegenes.ops.convolution import conv2d_resample
from stylegenes.ops.fir import Taps, setup_filter
from stylegenes.size import Size


class Layer(nn.Module):
    """A module whose printed form tells its numbers and the shapes of its own parameters and buffers."""

    def extra_repr(self) -> str:
        """`resolution=32, up=2, weight=[32, 64, 3, 3], bias=[32]`."""
        plain = {name: value for name, value in vars(self).items() if isinstance(value, bool | int | float | str)}
        facts = [
            f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value!r}"
            for name, value in plain.items()
            if name != "training" and name[0] != "_"
        ]
        own = {**self._parameters, **self._buffers}
        return ", ".join(facts + [f"{name}={list(tensor.shape)}" for name, tensor in own.items() if tensor is not None])


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


class HostBuffers(nn.Module):
    """A module some of whose buffers stay on the CPU wherever it goes: settings that every forward looks at.

    Attributes:
        on_host: their names.
    """

    on_host: tuple[str, ...] = ()
    _read: Mapping[str, float] = MappingProxyType({})

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> HostBuffers:
        kept = {name: self._buffers[name] for name in self.on_host}
        super()._apply(fn, recurse)
        self._buffers.update(kept)
        return self

    def number(self, name: str) -> float:
        """The value of one of them; `torch.export`, which shows buffers that have none, gets what was last read."""
        if not torch.compiler.is_exporting():
            self._read = {**self._read, name: getattr(self, name).item()}
        return self._read[name]


class Linear(Layer):
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


class Conv2d(Layer):
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
        resample_filter: Taps = (1, 3, 3, 1),  # low-pass filter of the resampling
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


def init_scaled(weight: torch.Tensor, gain: float = 1.0) -> None:
    """Fill a weight [out, in, ...] with normal numbers of standard deviation gain / sqrt(fan_in) (He et al. 2015)."""
    nn.init.normal_(weight, std=gain / math.sqrt(weight[0].numel()))


class GroupedResidual(Layer):
    """R3GAN's residual block ("The GAN is dead; long live the GAN!", Huang et al. 2024, section 3.3).

    Widen by a 1x1 convolution, convolve 3x3 in groups, narrow by 1x1; two leaky ReLUs with biases in between, no
    normalization. The last convolution starts at zero and the others are scaled down with the depth of the network
    (Zhang et al. 2019, "Fixup Initialization").
    """

    def __init__(
        self,
        channels: int,  # channels of input and output
        *,
        groups: int,  # groups of the 3x3 convolution
        expansion: int = 2,  # how many times wider the inside is
        depth: int = 1,  # residual blocks in the whole network, for the scale of the start
    ) -> None:
        super().__init__()
        inside = channels * expansion
        if inside % groups:
            raise UserError(f"{inside} channels ({channels} x expansion {expansion}) do not split into {groups} groups")
        self.widen = nn.Conv2d(channels, inside, 1, bias=False)
        self.filter = nn.Conv2d(inside, inside, 3, padding=1, groups=groups, bias=False)
        self.narrow = nn.Conv2d(inside, channels, 1, bias=False)
        self.bias0 = nn.Parameter(torch.zeros(inside))
        self.bias1 = nn.Parameter(torch.zeros(inside))
        for conv in (self.widen, self.filter):
            init_scaled(conv.weight, math.sqrt(2 / (1 + 0.2**2)) * depth**-0.25)
        nn.init.zeros_(self.narrow.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, C, H, W] to the same shape."""
        hidden = bias_act(self.widen(x), self.bias0, act="lrelu", gain=1.0)
        hidden = bias_act(self.filter(hidden), self.bias1, act="lrelu", gain=1.0)
        return x + self.narrow(hidden)


@dataclass(frozen=True)
class Stages:
    """Channels, groups and residual blocks of every stage, from the start grid up."""

    widths: list[int]
    groups: list[int]
    blocks: list[int]


def fit_stages(size: Size, widths: Sequence[int], groups: Sequence[int], blocks: Sequence[int]) -> Stages:
    """One entry for every stage from the start grid to `size`.

    Lists are counted from the picture's end, so that a size of fewer stages leaves out the coarse ones, and one of
    more gives their first entry to all that are coarser still.

    Args:
        size: of the picture.
        widths: channels of each stage, at least 1.
        groups: groups of each stage's convolutions, at least 1.
        blocks: blocks of each stage, at least 1.

    Raises:
        UserError: for a size that no small grid leads to by doubling, lists of unlike lengths, or numbers below one.
    """
    stages = len(size.steps())
    if not len(widths) == len(groups) == len(blocks) > 0:
        raise UserError(
            f"widths, groups and blocks are lists of one length, an entry for each stage ({size} px takes {stages}, "
            f"from {size.start} px up); got {len(widths)}, {len(groups)} and {len(blocks)}"
        )
    if min(*widths, *groups, *blocks) < 1:
        raise UserError(f"widths, groups and blocks must be at least 1; got {widths=}, {groups=}, {blocks=}")
    return Stages(
        *([values[0]] * (stages - len(values)) + list(values[-stages:]) for values in (widths, groups, blocks))
    )


class SpectralNorm(nn.Module):
    """Divides a weight by its largest singular value, followed by one power iteration in each training forward.

    "Spectral Normalization for Generative Adversarial Networks" (Miyato et al. 2018, algorithm 1). The estimate is
    carried by two buffers, so that evaluation repeats the last one.
    """

    WARM_UP = 15
    """Power iterations on the initial weight."""

    def __init__(
        self,
        weight: torch.Tensor,  # the initial weight
        *,
        dim: int = 0,  # the dimension of the outputs
    ) -> None:
        super().__init__()
        self.dim = dim
        rows = self._rows(weight.detach())
        self.u: torch.Tensor
        self.v: torch.Tensor
        self.register_buffer("u", nn.functional.normalize(torch.randn(rows.shape[0]), dim=0))
        self.register_buffer("v", nn.functional.normalize(torch.randn(rows.shape[1]), dim=0))
        if not rows.is_meta:  # shapes alone have no singular values
            for _ in range(self.WARM_UP):
                self._iterate(rows)

    def _rows(self, weight: torch.Tensor) -> torch.Tensor:
        return weight.transpose(0, self.dim).flatten(1)

    @torch.no_grad()
    def _iterate(self, rows: torch.Tensor) -> None:
        self.v.copy_(nn.functional.normalize(rows.T @ self.u, dim=0, eps=1e-12))
        self.u.copy_(nn.functional.normalize(rows @ self.v, dim=0, eps=1e-12))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """The weight over its spectral norm, same shape."""
        with torch.autocast(weight.device.type, enabled=False):
            rows = self._rows(weight)
            if self.training:
                self._iterate(rows)
            # Copies, since a later forward moves the buffers before this one is back-propagated.
            return weight / torch.dot(self.u.clone(), rows @ self.v.clone())


M = TypeVar("M", bound=nn.Module)


def spectral(layer: M, *, dim: int = 0) -> M:
    """The layer with its weight [.., out at `dim`, ..] spectrally normalized."""
    weight = layer.get_parameter("weight")
    parametrize.register_parametrization(layer, "weight", SpectralNorm(weight, dim=dim), unsafe=True)
    return layer
