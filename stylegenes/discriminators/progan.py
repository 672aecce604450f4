"""The progressive GAN's discriminator: "Progressive Growing of GANs" (Karras et al. 2018), which StyleGAN keeps.

Plain convolutions halve the resolution down to 4 pixels; the minibatch standard deviation enters there. A label picks
its own logit, as in the official code. While a resolution fades in, reals are shown as blurred as the fakes are.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import nn

from stylegenes.discriminators.base import DISCRIMINATORS, Discriminator
from stylegenes.errors import UserError
from stylegenes.layers import Layer, minibatch_std
from stylegenes.ops.convolution import quick_layout
from stylegenes.progressive import Growth, ScaledConv, ScaledLinear, activate, channel_table, double, fade, halve
from stylegenes.records import ImageBatch
from stylegenes.shape import Count
from stylegenes.size import Resolution, Size


class FromRGB(Layer):
    """1x1 convolution of colors with a leaky ReLU."""

    def __init__(
        self,
        image_channels: int,  # color channels
        out_channels: int,  # channels of the output
    ) -> None:
        super().__init__()
        self.conv = ScaledConv(image_channels, out_channels, kernel_size=1)
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """[N, image_channels, H, W] to [N, C, H, W]."""
        return activate(self.conv(image), self.bias)


class Block(Layer):
    """Two convolutions, the second of which halves the resolution."""

    def __init__(
        self,
        in_channels: int,  # channels of the input
        out_channels: int,  # channels of the output
        *,
        blur: bool,  # filter before halving
    ) -> None:
        super().__init__()
        self.conv0 = ScaledConv(in_channels, in_channels)
        self.conv1 = ScaledConv(in_channels, out_channels, down=2, blur=blur)
        self.bias0 = nn.Parameter(torch.zeros(in_channels))
        self.bias1 = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, C_in, H, W] to [N, C_out, H / 2, W / 2]."""
        return activate(self.conv1(activate(self.conv0(x), self.bias0)), self.bias1)


class Epilogue(Layer):
    """From features at 4 pixels to logits."""

    def __init__(
        self,
        channels: int,  # channels of the input
        size: Size,  # of the input
        out_features: int,  # numbers a picture
        *,
        mbstd_group_size: int | None,  # samples a group of the minibatch standard deviation; None takes the batch
        mbstd_num_channels: int,  # channels of it, 0 for none
    ) -> None:
        super().__init__()
        if mbstd_num_channels and channels % mbstd_num_channels:
            raise UserError(f"mbstd_num_channels must divide {channels} channels; got {mbstd_num_channels}")
        self.mbstd_group_size, self.mbstd_num_channels = mbstd_group_size, mbstd_num_channels
        self.conv = ScaledConv(channels + mbstd_num_channels, channels)
        self.fc = ScaledLinear(channels * size.pixels, channels)
        self.out = ScaledLinear(channels, out_features, gain=1.0)
        self.bias0 = nn.Parameter(torch.zeros(channels))
        self.bias1 = nn.Parameter(torch.zeros(channels))
        self.bias2 = nn.Parameter(torch.zeros(out_features))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [N, C, H, W] to [N, out_features]."""
        if self.mbstd_num_channels:
            x = minibatch_std(x, self.mbstd_group_size, self.mbstd_num_channels)
        x = activate(self.conv(x), self.bias0)
        x = activate(self.fc(x.flatten(1)), self.bias1)
        return self.out(x) + self.bias2.to(x.dtype)


@DISCRIMINATORS.register("progan")
class ProGANDiscriminator(Discriminator):
    """Pictures to one logit each, grown step by step where training asks for it.

    Raises:
        UserError: for a size that no small grid leads to by doubling, or sizes below one.
    """

    grows = True

    def __init__(
        self,
        resolution: Resolution,  # of the pictures in pixels: a number for squares, else `384x256`
        label_dim: int = 0,  # length of the label, 0 for none
        *,
        image_channels: Count = 3,  # color channels of the pictures
        channel_base: int = 16384,  # channels at resolution r are channel_base // r ...
        channel_max: int = 512,  # ... but at most these
        blur: bool = True,  # filter before halving (configuration B on), else plain averages (configuration A)
        mbstd_group_size: Count | None = 4,  # samples a group of the minibatch standard deviation; None takes the batch
        mbstd_num_channels: int = 1,  # channels of it, 0 for none
    ) -> None:
        super().__init__()
        size = Size.of(resolution)
        channels = channel_table(size, channel_base, channel_max)
        self.resolution, self.image_channels, self.label_dim = size.notation, image_channels, label_dim
        self.from_rgb = nn.ModuleList(FromRGB(image_channels, width) for width in channels)
        self.blocks = nn.ModuleList(Block(b, a, blur=blur) for a, b in pairwise(channels))
        std: dict[str, Any] = {"mbstd_group_size": mbstd_group_size, "mbstd_num_channels": mbstd_num_channels}
        self.epilogue = Epilogue(channels[0], size.start, max(label_dim, 1), **std)
        self.growth = Growth(size)
        self.group_size = mbstd_group_size if mbstd_num_channels else 1

    def prepare(self, batch: ImageBatch) -> ImageBatch:
        """Show reals at the resolution that has been grown to, faded in as far as fakes are."""
        stage = self.growth.stage
        times = stage.shrunk
        if times == 1 and stage.alpha == 1:
            return batch
        image = halve(batch.image, times)
        if stage.alpha < 1:
            image = fade(halve(image), image, stage.alpha)
        return batch.with_image(double(image, times))

    def forward(self, batch: ImageBatch) -> torch.Tensor:
        """Logits [N, 1], at least float32.

        Raises:
            UserError: when the pictures or the labels have another shape than this network's.
        """
        stage = self.growth.stage
        image = halve(quick_layout(self.check_image(batch.image)), stage.shrunk)
        x = self.from_rgb[stage.top](image)
        for i in reversed(range(stage.top)):
            x = self.blocks[i](x)
            if stage.alpha < 1 and i == stage.top - 1:
                x = torch.lerp(self.from_rgb[i](halve(image)), x, stage.alpha)
        logits = self.epilogue(x)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return (logits * self.check_label(batch)).sum(dim=1, keepdim=True) if self.label_dim else logits

    def grow(self, level: float) -> bool:
        """Look at 2^level pixels of detail."""
        return self.growth.set(level)

    def stages(self) -> list[nn.Module]:
        """Its parts from the image end to the logits."""
        blocks = [nn.ModuleList([self.from_rgb[i + 1], self.blocks[i]]) for i in reversed(range(len(self.blocks)))]
        return [*blocks, nn.ModuleList([self.from_rgb[0], self.epilogue])]
