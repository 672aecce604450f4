"""What the progressive GANs share: layers whose gain sits in the weights, and growth with fade-in.

Conventions of "Progressive Growing of GANs" (Karras et al. 2018) and "A Style-Based Generator Architecture for GANs"
(Karras et al. 2019): a convolution's weight is scaled by sqrt(2 / fan_in) and the leaky ReLU of slope 0.2 has no gain;
pictures double by repeating pixels and halve by averaging; the smoother variant blurs with [1, 2, 1] as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate

from stylegenes.errors import UserError
from stylegenes.layers import HostBuffers, Layer
from stylegenes.ops.activation import bias_act
from stylegenes.ops.convolution import conv2d_resample
from stylegenes.ops.fir import filter2d, setup_filter
from stylegenes.size import Size

HE = math.sqrt(2)
"""The gain of weights before a leaky ReLU."""


def double(x: torch.Tensor, times: int = 2) -> torch.Tensor:
    """[N, C, H, W] to [N, C, H times, W times] by repeating pixels."""
    return x if times == 1 else interpolate(x, scale_factor=times, mode="nearest")


def halve(x: torch.Tensor, times: int = 2) -> torch.Tensor:
    """[N, C, H, W] to [N, C, H / times, W / times] by averaging squares of pixels."""
    return x if times == 1 else avg_pool2d(x, times)


def fade(low: torch.Tensor, high: torch.Tensor, alpha: float) -> torch.Tensor:
    """From the low picture [N, C, H / 2, W / 2], doubled, to the high one [N, C, H, W], as far as alpha in [0, 1]."""
    return torch.lerp(double(low), high, alpha)


def activate(x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Bias [C] and leaky ReLU of slope 0.2, without a gain."""
    return bias_act(x, bias.to(x.dtype), act="lrelu", gain=1.0)


class ScaledConv(Layer):
    """Convolution without bias at an equalized learning rate, with doubling before or halving after it."""

    def __init__(
        self,
        in_channels: int,  # channels of the input
        out_channels: int,  # channels of the output
        *,
        kernel_size: int = 3,  # height and width of the kernel, odd
        gain: float = HE,  # of the weight
        up: int = 1,  # 2 doubles the input
        down: int = 1,  # 2 halves the output
        blur: bool = False,  # filter with [1, 2, 1] after doubling or before halving
    ) -> None:
        super().__init__()
        self.up, self.down, self.blur = up, down, blur
        self.padding = kernel_size // 2
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.weight_gain = gain / math.sqrt(in_channels * kernel_size**2)
        self.box: torch.Tensor
        self.binomial: torch.Tensor
        self.register_buffer("box", setup_filter((1, 1)), persistent=False)
        self.register_buffer("binomial", setup_filter((1, 2, 1)), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, C_in, H, W] to [N, C_out, H up / down, W up / down]."""
        if self.blur and self.down > 1:
            x = filter2d(x, self.binomial)
        x = conv2d_resample(
            x,
            self.weight.to(x.dtype) * self.weight_gain,
            self.box if max(self.up, self.down) > 1 else None,
            up=self.up,
            down=self.down,
            padding=self.padding,
        )
        return filter2d(x, self.binomial) if self.blur and self.up > 1 else x


class ScaledLinear(Layer):
    """Fully connected layer without bias at an equalized learning rate."""

    def __init__(
        self,
        in_features: int,  # size of the input
        out_features: int,  # size of the output
        *,
        gain: float = HE,  # of the weight
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.weight_gain = gain / math.sqrt(in_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, in_features] to [N, out_features]."""
        return nn.functional.linear(x, self.weight.to(x.dtype) * self.weight_gain)


class ToRGB(Layer):
    """1x1 convolution to colors, with a bias and no activation."""

    def __init__(
        self,
        in_channels: int,  # channels of the input
        image_channels: int,  # color channels
    ) -> None:
        super().__init__()
        self.conv = ScaledConv(in_channels, image_channels, kernel_size=1, gain=1.0)
        self.bias = nn.Parameter(torch.zeros(image_channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, C, H, W] to colors [N, image_channels, H, W], at least float32."""
        x = self.conv(x) + self.bias.to(x.dtype)[:, None, None]
        return x.to(torch.promote_types(x.dtype, torch.float32))


def channel_table(size: Size, channel_base: int, channel_max: int) -> list[int]:
    """Channels from the start grid up to `size`: channel_base // r for a longer side of r, at most channel_max.

    Raises:
        UserError: when one would be below one, or for a size below 8 pixels or that no small grid leads to.
    """
    table = [min(channel_base // step.longer, channel_max) for step in size.steps(8)]
    if min(table) < 1:
        raise UserError(f"channel_base={channel_base}, channel_max={channel_max} leave no channel at {size} px")
    return table


@dataclass(frozen=True)
class Stage:
    """Where a growing network stands.

    Attributes:
        top: index of the highest resolution in use; the start grid, 4x4 for squares, is index 0.
        alpha: how far it has faded in, in (0, 1].
        shrunk: how many times smaller than the fully grown picture the highest resolution in use is.
    """

    top: int
    alpha: float
    shrunk: int

    @property
    def parts(self) -> tuple[int, bool]:
        """Which layers take part: those up to `top`, and while it fades in, the colors of the resolution below."""
        return self.top, self.alpha < 1


class Growth(HostBuffers, Layer):
    """How far a network has grown, as log2 of the resolution; a buffer, so that it is saved and averaged with the rest.

    Level 2 is the start grid: 4 pixels for squares. Each level above doubles it.

    Fully grown at the start, so that a network which nobody grows just works.
    """

    def __init__(
        self,
        size: Size,  # of the fully grown picture
    ) -> None:
        super().__init__()
        self.full = 2.0 + size.doublings
        self.level: torch.Tensor
        self.register_buffer("level", torch.tensor(self.full))
        self.on_host = ("level",)

    def set(self, level: float) -> bool:
        """Grow, or shrink, to a level, at least 2 (the start grid) and at most the full size.

        Returns:
            Whether a resolution has begun or ended to fade in, so that other layers take part than before.
        """
        before = self.stage
        self.level.fill_(min(max(level, 2.0), self.full))
        return self.stage.parts != before.parts

    @property
    def stage(self) -> Stage:
        """Where the network stands."""
        level = self.number("level")
        top = math.ceil(level - 1e-6)
        return Stage(top - 2, 1.0 - (top - level) if top - level > 1e-6 else 1.0, 1 << (int(self.full) - top))
