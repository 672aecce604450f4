"""The traditional generator: "Progressive Growing of GANs" (Karras et al. 2018), with bilinear upsampling on request.

These are configurations A and B of "A Style-Based Generator Architecture for GANs" (Karras et al. 2019): the code
enters once, at 4 pixels, so num_ws is 1; pixel norm after every convolution; colors are linear in the features.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from stylegenes.layers import Layer, normalize_second_moment
from stylegenes.ops.convolution import quick_layout
from stylegenes.progressive import HE, Growth, ScaledConv, ScaledLinear, ToRGB, activate, channel_table, double, fade
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.shape import Count
from stylegenes.size import Resolution, Size
from stylegenes.synthesis.base import SYNTHESES, SynthesisNetwork


class Start(Layer):
    """The code as features at 4 pixels: fully connected, pixel norm, and a convolution."""

    def __init__(
        self,
        w_dim: int,  # length of the code
        channels: int,  # channels of the result
        size: Size,  # of the result
    ) -> None:
        super().__init__()
        self.height, self.width = size.hw
        self.linear = ScaledLinear(w_dim, channels * size.pixels, gain=HE / 4)
        self.conv = ScaledConv(channels, channels)
        self.bias0 = nn.Parameter(torch.zeros(channels))
        self.bias1 = nn.Parameter(torch.zeros(channels))

    def forward(self, w: torch.Tensor) -> torch.Tensor:
        """[N, w_dim] to [N, C, height, width], 4 x 4 for square pictures."""
        x = self.linear(w).reshape(w.shape[0], -1, self.height, self.width)
        x = normalize_second_moment(activate(x, self.bias0))
        return normalize_second_moment(activate(self.conv(x), self.bias1))


class Block(Layer):
    """Two convolutions, the first of which doubles the resolution, each with pixel norm."""

    def __init__(
        self,
        in_channels: int,  # channels of the input
        out_channels: int,  # channels of the output
        *,
        blur: bool,  # double bilinearly instead of by repetition
    ) -> None:
        super().__init__()
        self.conv0 = ScaledConv(in_channels, out_channels, up=2, blur=blur)
        self.conv1 = ScaledConv(out_channels, out_channels)
        self.bias0 = nn.Parameter(torch.zeros(out_channels))
        self.bias1 = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, C_in, H, W] to [N, C_out, 2 H, 2 W]."""
        x = normalize_second_moment(activate(self.conv0(x), self.bias0))
        return normalize_second_moment(activate(self.conv1(x), self.bias1))


@SYNTHESES.register("progan")
class ProGANSynthesis(SynthesisNetwork):
    """One w to pictures, through plain blocks from 4 pixels up, grown step by step where training asks for it.

    Raises:
        UserError: for a size that no small grid leads to by doubling, or sizes below one.
    """

    grows = True

    def __init__(
        self,
        resolution: Resolution,  # of the picture in pixels: a number for squares, else `384x256`
        w_dim: Count = 512,  # length of w
        *,
        image_channels: Count = 3,  # color channels of the picture
        channel_base: int = 16384,  # channels at resolution r are channel_base // r ...
        channel_max: int = 512,  # ... but at most these
        blur: bool = True,  # bilinear upsampling (configuration B), else repeated pixels (configuration A)
    ) -> None:
        super().__init__()
        size = Size.of(resolution)
        channels = channel_table(size, channel_base, channel_max)
        self.resolution, self.w_dim, self.image_channels = size.notation, w_dim, image_channels
        self.num_ws, self.layer_resolutions = 1, [size.start.longer]
        self.start = Start(w_dim, channels[0], size.start)
        self.blocks = nn.ModuleList(Block(a, b, blur=blur) for a, b in pairwise(channels))
        self.to_rgb = nn.ModuleList(ToRGB(width, image_channels) for width in channels)
        self.growth = Growth(size)

    def forward(
        self, ws: torch.Tensor, condition: Condition | None = None, *, noise: Noise | None = None
    ) -> ImageBatch:
        """Pictures [N, C, H, W] from ws [N, 1, w_dim], at the full size however far grown; there are no noise inputs.

        Raises:
            UserError: when `ws` has another shape.
        """
        self.check_ws(ws)
        stage = self.growth.stage
        below = x = quick_layout(self.start(ws[:, 0]))
        for block in list(self.blocks)[: stage.top]:
            below, x = x, block(x)
        image = self.to_rgb[stage.top](x)
        if stage.alpha < 1:
            image = fade(self.to_rgb[stage.top - 1](below), image, stage.alpha)
        image = double(image, stage.shrunk)
        return ImageBatch(image=image.contiguous(), condition=condition or Condition())

    def grow(self, level: float) -> bool:
        """Show 2^level pixels of detail."""
        return self.growth.set(level)
