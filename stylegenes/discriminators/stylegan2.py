"""StyleGAN2's discriminator: "Analyzing and Improving the Image Quality of StyleGAN" (Karras et al. 2020).

Residual blocks halve the resolution down to 4 pixels; a label enters by projection ("cGANs with Projection
Discriminator", Miyato and Koyama 2018) after a mapping network, as in StyleGAN2-ADA.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import torch
from torch import nn

from stylegenes.discriminators.base import DISCRIMINATORS, Discriminator
from stylegenes.errors import UserError
from stylegenes.layers import Conv2d, Layer, Linear, minibatch_std, normalize_second_moment
from stylegenes.ops.convolution import quick_layout
from stylegenes.ops.fir import Taps, downsample2d, setup_filter
from stylegenes.records import ImageBatch
from stylegenes.shape import Count, Few, Positive
from stylegenes.size import Resolution, Size
from stylegenes.words import did_you_mean

Architecture = Literal["orig", "skip", "resnet"]


class LabelMapping(Layer):
    """A multi-layer perceptron from a label [N, label_dim] to the direction [N, features] that logits project on."""

    def __init__(
        self,
        label_dim: int,  # length of the label
        features: int,  # length of the result
        *,
        depth: int = 8,  # fully connected layers after the embedding
        embed_dim: int | None = None,  # width of the embedding; None takes `features`
        hidden_dim: int | None = None,  # width between the layers; None takes `features`
        act: str = "lrelu",  # activation after each layer
        lr_multiplier: float = 0.01,  # learning rate of the layers relative to the optimizer's
    ) -> None:
        super().__init__()
        embed_dim = embed_dim or features
        self.embed = Linear(label_dim, embed_dim)
        widths = [embed_dim] + [hidden_dim or features] * (depth - 1) + [features]
        self.layers = nn.ModuleList(
            Linear(widths[i], widths[i + 1], act=act, lr_multiplier=lr_multiplier) for i in range(depth)
        )

    def forward(self, label: torch.Tensor) -> torch.Tensor:
        """Label [N, label_dim] to [N, features]."""
        x = normalize_second_moment(self.embed(label))
        for layer in self.layers:
            x = layer(x)
        return x


class DiscriminatorBlock(Layer):
    """Two convolutions of one resolution, the second of which halves it."""

    def __init__(
        self,
        in_channels: int,  # channels of the input
        out_channels: int,  # channels of the output
        *,
        residual: bool,  # add a resampled 1x1 path around the convolutions
        act: str,  # activation
        resample_filter: Taps,  # low-pass filter of the downsampling
        conv_clamp: float | None,  # bound on the absolute value of the convolutions
    ) -> None:
        super().__init__()
        shared: dict[str, Any] = {"act": act, "conv_clamp": conv_clamp}
        halving: dict[str, Any] = {"down": 2, "resample_filter": resample_filter}
        self.conv0 = Conv2d(in_channels, in_channels, kernel_size=3, **shared)
        self.conv1 = Conv2d(in_channels, out_channels, kernel_size=3, **shared, **halving)
        self.skip = Conv2d(in_channels, out_channels, kernel_size=1, bias=False, **halving) if residual else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [N, C_in, H, W] to [N, C_out, H / 2, W / 2]."""
        if self.skip is None:
            return self.conv1(self.conv0(x))
        half = math.sqrt(0.5)
        return self.skip(x, gain=half) + self.conv1(self.conv0(x), gain=half)


class Epilogue(Layer):
    """From features at 4 pixels to logits: minibatch standard deviation, a convolution, two linear layers."""

    def __init__(
        self,
        in_channels: int,  # channels of the input
        size: Size,  # of the input
        out_features: int,  # numbers a picture
        *,
        act: str,  # activation
        mbstd_group_size: int | None,  # samples a group of the minibatch standard deviation; None takes the batch
        mbstd_num_channels: int,  # channels of it, 0 for none
        conv_clamp: float | None,  # bound on the absolute value of the convolution
    ) -> None:
        super().__init__()
        self.mbstd_group_size, self.mbstd_num_channels = mbstd_group_size, mbstd_num_channels
        conv_channels = in_channels + mbstd_num_channels
        self.conv = Conv2d(conv_channels, in_channels, kernel_size=3, act=act, conv_clamp=conv_clamp)
        self.fc = Linear(in_channels * size.pixels, in_channels, act=act)
        self.out = Linear(in_channels, out_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [N, C, H, W] to [N, out_features]."""
        if self.mbstd_num_channels:
            x = minibatch_std(x, self.mbstd_group_size, self.mbstd_num_channels)
        x = self.conv(x)
        return self.out(self.fc(x.flatten(1)))


@DISCRIMINATORS.register("stylegan2")
class StyleGAN2Discriminator(Discriminator):
    """Pictures to one logit each.

    Raises:
        UserError: for a size that no small grid leads to, an unknown architecture, or sizes that do not fit.
    """

    def __init__(
        self,
        resolution: Resolution,  # of the pictures in pixels: a number for squares, else `384x256`
        label_dim: int = 0,  # length of the label, 0 for none
        *,
        image_channels: Count = 3,  # color channels of the pictures
        channel_base: int = 32768,  # channels at resolution r are channel_base // r ...
        channel_max: int = 512,  # ... but at most these
        architecture: Architecture = "resnet",  # resnet (residual), orig (plain) or skip (colors at every resolution)
        activation: str = "lrelu",  # activation of the layers
        resample_filter: Taps = (
            1,
            3,
            3,
            1,
        ),  # low-pass filter of the downsampling
        conv_clamp: Positive | None = None,  # bound on the absolute value of the convolutions; None sets none
        mbstd_group_size: Count | None = 4,  # samples a group of the minibatch standard deviation; None takes the batch
        mbstd_num_channels: int = 1,  # channels of it, 0 for none
        label_features: int | None = None,  # length of the projected label; None takes the channels at 4 pixels
        label_depth: Few = 8,  # layers of the label's mapping network
        label_embed: int | None = None,  # width of the label's embedding; None takes label_features
        label_hidden: int | None = None,  # width of its layers; None takes label_features
        label_activation: str = "lrelu",  # activation of its layers
        label_lr_multiplier: Positive = 0.01,  # learning rate of its layers relative to the optimizer's
    ) -> None:
        super().__init__()
        size = Size.of(resolution)
        steps = size.steps(8)
        if architecture not in get_args(Architecture):
            raise UserError(
                f"unknown architecture {architecture!r}{did_you_mean(architecture, get_args(Architecture))}"
            )
        if min(image_channels, channel_max, channel_base // size.longer) < 1 or label_dim < 0:
            raise UserError(
                f"image_channels, channel_max and channel_base // longer side must be at least 1 and label_dim at "
                f"least 0; got {image_channels=}, {channel_max=}, {channel_base=}, {label_dim=} at {resolution=}"
            )
        self.resolution, self.image_channels, self.label_dim = size.notation, image_channels, label_dim
        channels = [min(channel_base // step.longer, channel_max) for step in reversed(steps)]
        if mbstd_num_channels and channels[-1] % mbstd_num_channels:
            raise UserError(f"mbstd_num_channels must divide {channels[-1]} channels; got {mbstd_num_channels}")
        self.group_size = mbstd_group_size if mbstd_num_channels else 1
        self.skip = architecture == "skip"
        colors: dict[str, Any] = {"kernel_size": 1, "act": activation, "conv_clamp": conv_clamp}
        self.from_rgb = nn.ModuleList(
            Conv2d(image_channels, width, **colors) for width in (channels if self.skip else channels[:1])
        )
        self.blocks = nn.ModuleList(
            DiscriminatorBlock(
                channels[i],
                channels[i + 1],
                residual=architecture == "resnet",
                act=activation,
                resample_filter=resample_filter,
                conv_clamp=conv_clamp,
            )
            for i in range(len(channels) - 1)
        )
        features = (label_features or channels[-1]) if label_dim else 0
        self.epilogue = Epilogue(
            channels[-1],
            size.start,
            features or 1,
            act=activation,
            mbstd_group_size=mbstd_group_size,
            mbstd_num_channels=mbstd_num_channels,
            conv_clamp=conv_clamp,
        )
        self.label_mapping = None
        if label_dim:
            self.label_mapping = LabelMapping(
                label_dim,
                features,
                depth=label_depth,
                embed_dim=label_embed,
                hidden_dim=label_hidden,
                act=label_activation,
                lr_multiplier=label_lr_multiplier,
            )
        self.resample_filter: torch.Tensor
        self.register_buffer("resample_filter", setup_filter(resample_filter), persistent=False)

    def forward(self, batch: ImageBatch) -> torch.Tensor:
        """Logits [N, 1], at least float32.

        Raises:
            UserError: when the pictures or the labels have another shape than this network's.
        """
        logits = self.epilogue(self.features(self.check_image(batch.image)))
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        if self.label_mapping is None:
            return logits
        direction = self.label_mapping(self.check_label(batch).to(logits.dtype))
        return (logits * direction).sum(dim=1, keepdim=True) / math.sqrt(direction.shape[1])

    def features(self, image: torch.Tensor) -> torch.Tensor:
        """Features [N, C, h, w] of pictures [N, image_channels, H, W]."""
        x = self.from_rgb[0](quick_layout(image))
        for i, block in enumerate(self.blocks):
            x = block(x)
            if self.skip:
                image = downsample2d(image, self.resample_filter)
                x = x + self.from_rgb[i + 1](image)
        return x

    def enlarged(self, state: dict[str, torch.Tensor], resolution: int | str) -> dict[str, torch.Tensor]:
        """The blocks count from the image end: those of the smaller network move down, its way in from colors is left.

        With the architecture `skip`, which reads colors at every resolution, the ways in move down as well.
        """
        by = len(self.blocks) - Size.of(resolution).doublings
        moved = {}
        for key, value in state.items():
            room, _, rest = key.partition(".")
            if room == "from_rgb" and not self.skip:
                continue
            if room in ("blocks", "from_rgb"):
                index, _, rest = rest.partition(".")
                key = f"{room}.{int(index) + by}.{rest}"
            moved[key] = value
        return moved

    def stages(self) -> list[nn.Module]:
        """Its parts from the image end to the logits."""
        stages: list[nn.Module] = []
        for i, block in enumerate([*self.blocks, self.epilogue]):
            stages.append(nn.ModuleList([self.from_rgb[i], block] if i < len(self.from_rgb) else [block]))
        return stages + ([] if self.label_mapping is None else [self.label_mapping])
