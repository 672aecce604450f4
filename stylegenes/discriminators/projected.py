"""The projected discriminator: "Projected GANs Converge Faster" (Sauer et al. 2021).

A frozen EfficientNet-Lite0 describes the picture at four scales. Random convolutions, frozen too, mix the channels of
each scale and then the scales from coarse to fine (section 3.2); a small head judges each mixed map (section 3.1).
Only the heads are trained. The trunk comes from its package, so that no state carries it; the random mixing is kept in
buffers, which no optimizer sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.functional import interpolate, leaky_relu

from stylegenes.discriminators.base import DISCRIMINATORS, Discriminator
from stylegenes.errors import UserError
from stylegenes.layers import Layer, spectral
from stylegenes.perception.lite0 import TAP_CHANNELS, TAP_STRIDES, Lite0Trunk
from stylegenes.records import ImageBatch
from stylegenes.registry import Spec
from stylegenes.shape import Count
from stylegenes.size import Resolution, Size

HEAD_CHANNELS = {4: 512, 8: 512, 16: 256, 32: 128, 64: 64, 128: 64, 256: 32, 512: 16, 1024: 8}
"""Channels of a head at each resolution in pixels."""


class FixedConv(Layer):
    """A random 1x1 convolution whose weights are buffers: saved, never trained."""

    def __init__(
        self,
        in_channels: int,  # channels of the input
        out_channels: int,  # channels of the output
    ) -> None:
        super().__init__()
        start = nn.Conv2d(in_channels, out_channels, 1)
        self.weight: torch.Tensor
        self.bias: torch.Tensor
        self.register_buffer("weight", start.weight.detach())
        self.register_buffer("bias", None if start.bias is None else start.bias.detach())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, C_in, H, W] to [N, C_out, H, W]."""
        return nn.functional.conv2d(x, self.weight.to(x.dtype), self.bias.to(x.dtype))


class Mixing(Layer):
    """Cross-channel mixing of every map, then cross-scale mixing from the coarsest to the finest.

    Attributes:
        out_channels: channels of the maps that `forward` returns, finest first.
    """

    def __init__(
        self,
        in_channels: Sequence[int],  # channels of the maps, finest first
        *,
        channels: int = 64,  # channels of the finest map after mixing
        expand: bool = True,  # double the channels from a map to the next coarser one
    ) -> None:
        super().__init__()
        widths = [channels << i if expand else channels for i in range(len(in_channels))]
        self.out_channels = [widths[0], *widths[:-1]]
        self.across = nn.ModuleList(FixedConv(a, b) for a, b in zip(in_channels, widths, strict=True))
        self.scales = nn.ModuleList(FixedConv(a, b) for a, b in zip(widths, self.out_channels, strict=True))

    def mix_channels(self, maps: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Each map [N, C_i, H_i, W_i] at its size."""
        return [conv(x) for conv, x in zip(self.across, maps, strict=True)]

    def forward(self, maps: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Maps [N, C_i, H_i, W_i], finest first, to [N, out_channels[i], 2 H_i, 2 W_i]."""
        mixed: list[torch.Tensor] = []
        above: torch.Tensor | None = None
        for x, conv in zip(reversed(self.mix_channels(maps)), reversed(self.scales), strict=True):
            x = x if above is None else x + above[:, :, : x.shape[2], : x.shape[3]]
            finer = conv(interpolate(x, scale_factor=2, mode="bilinear", align_corners=True))
            mixed.append(finer)
            above = finer
        return mixed[::-1]


class PointBlock(Layer):
    """A 1x1 convolution with norm and leaky ReLU, which looks no further than the map before it."""

    def __init__(
        self,
        channels: int,  # channels of input and output
    ) -> None:
        super().__init__()
        self.conv = spectral(nn.Conv2d(channels, channels, 1, bias=False))
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, C, H, W] to the same shape."""
        return leaky_relu(self.norm(self.conv(x)), 0.2)


class DownBlock(Layer):
    """Halves the resolution: a strided convolution, or a separable one with pooling; batch norm, leaky ReLU."""

    def __init__(
        self,
        in_channels: int,  # channels of the input
        out_channels: int,  # channels of the output
        *,
        separable: bool,  # a depthwise and a pointwise convolution in place of one
        patch: bool,  # add a 1x1 block
    ) -> None:
        super().__init__()
        self.depthwise = None
        if separable:
            self.depthwise = spectral(nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False))
            self.conv = spectral(nn.Conv2d(in_channels, out_channels, 1, bias=False))
        else:
            self.conv = spectral(nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1))
        self.norm = nn.BatchNorm2d(out_channels)
        self.point = PointBlock(out_channels) if patch else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, C_in, H, W] to [N, C_out, H // 2, W // 2]."""
        if self.depthwise is None:
            x = leaky_relu(self.norm(self.conv(x)), 0.2)
        else:
            x = leaky_relu(self.norm(self.conv(self.depthwise(x))), 0.2)
            x = nn.functional.avg_pool2d(x, 2)
        return x if self.point is None else self.point(x)


class PictureStem(Layer):
    """A convolution with leaky ReLU, for a head that looks at pictures in place of features."""

    def __init__(
        self,
        in_channels: int,  # channels of the picture
        out_channels: int,  # channels of the result
    ) -> None:
        super().__init__()
        self.conv = spectral(nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, C, H, W] to [N, C_out, H, W]."""
        return leaky_relu(self.conv(x), 0.2)


class Head(Layer):
    """Judges one map: blocks down to `end` pixels, then a 4x4 convolution to logits, with or without a label."""

    def __init__(
        self,
        in_channels: int,  # channels of the map
        *,
        size: int,  # nominal height and width of the map; the nearest power of two counts
        end: int = 8,  # height and width that blocks lead down to
        width: Count | None = None,  # channels of every block; None takes HEAD_CHANNELS
        separable: bool = False,  # depthwise and pointwise convolutions in the blocks
        patch: bool = False,  # add a 1x1 block to each
        picture: bool = False,  # the input is a picture: begin with a convolution at full size
        label_dim: int = 0,  # length of the label, 0 for none
        label_map: Count = 64,  # length of the vector that logits are projected on
        label_embed: Count = 128,  # length of the embedded label
    ) -> None:
        super().__init__()
        size = min(HEAD_CHANNELS, key=lambda known: abs(known - size))
        table = {known: width or channels for known, channels in HEAD_CHANNELS.items()}
        self.stem = PictureStem(in_channels, table[256]) if picture else None
        if not picture:
            table[size] = in_channels
        blocks = []
        while size > end:
            blocks.append(DownBlock(table[size], table[size // 2], separable=separable, patch=patch))
            size //= 2
        self.blocks = nn.Sequential(*blocks)
        self.out = spectral(nn.Conv2d(table[size], label_map if label_dim else 1, 4, bias=False))
        self.embed = nn.Parameter(torch.randn(label_dim, label_embed)) if label_dim else None
        self.project = nn.Linear(label_embed, label_map) if label_dim else None

    def forward(self, x: torch.Tensor, label: torch.Tensor | None = None) -> torch.Tensor:
        """A map [N, C, H, W] and, where needed, a label [N, label_dim] to logits [N, 1, h, w]."""
        logits = self.out(self.blocks(x if self.stem is None else self.stem(x)))
        if self.project is None or self.embed is None or label is None:
            return logits
        direction = leaky_relu(self.project(label.to(logits.dtype) @ self.embed), 0.2)
        scale = 1 / math.sqrt(direction.shape[1])
        return (logits * direction[:, :, None, None]).sum(dim=1, keepdim=True) * scale


@DISCRIMINATORS.register("projected")
class ProjectedDiscriminator(Discriminator):
    """Pictures to logits of all heads.

    Raises:
        UserError: for pictures that are neither gray nor colored, or a trunk size that is too small for the heads.
    """

    def __init__(
        self,
        resolution: Resolution,  # of the pictures in pixels: a number for squares, else `384x256`
        label_dim: int = 0,  # length of the label, 0 for none
        *,
        image_channels: Count = 3,  # color channels of the pictures, 1 or 3
        trunk_size: int | None = None,  # what their shorter side becomes; None: as it is, 224 if smaller
        mix_channels: Count = 64,  # channels of the finest map after mixing
        expand: bool = True,  # double the channels from a map to the next coarser one
        heads: int = 4,  # how many maps are judged, from the finest on
        width: Count | None = None,  # channels of the heads; None takes HEAD_CHANNELS
        separable: bool = False,  # depthwise and pointwise convolutions in the heads
        patch: bool = False,  # add a 1x1 block to each block of a head
        label_map: Count = 64,  # length of the vector that logits are projected on
        label_embed: Count = 128,  # length of the embedded label
        pretrained: bool = True,  # read the trunk's ImageNet weights, else random ones
    ) -> None:
        super().__init__()
        size = Size.of(resolution)
        self.resolution, self.image_channels, self.label_dim = size.notation, image_channels, label_dim
        self.trunk_size = trunk_size or max(size.shorter, 224)
        if image_channels not in (1, 3):
            raise UserError(
                f"projected judges by a trunk that knows gray or colored pictures (1 or 3 channels) and would leave "
                f"other channels, such as alpha, unjudged; got {image_channels=}: take stylegan2's discriminator"
            )
        if not 1 <= heads <= len(TAP_STRIDES):
            raise UserError(f"there are 1 to {len(TAP_STRIDES)} heads; got {heads}")
        # A nominal size, since a trunk at 224 pixels has maps of 56, 28, 14 and 7.
        nominal = 1 << (self.trunk_size - 1).bit_length()
        sizes = [2 * nominal // stride for stride in TAP_STRIDES]
        if sizes[heads - 1] < 4:
            need = 2 * TAP_STRIDES[heads - 1]
            raise UserError(f"{heads} heads need a trunk_size of at least {need}; got {self.trunk_size}")
        # In a tuple the trunk is no submodule: no optimizer moves it and no state carries it.
        with torch.device("cpu"):  # its weights come from a file, wherever the rest is built
            self._frozen = (Lite0Trunk(pretrained=pretrained),)
        self.mixing = Mixing(TAP_CHANNELS, channels=mix_channels, expand=expand)
        shared: dict[str, Any] = {"width": width, "separable": separable, "patch": patch, "label_dim": label_dim}
        shared |= {"label_map": label_map, "label_embed": label_embed}
        self.heads = nn.ModuleList(Head(self.mixing.out_channels[i], size=sizes[i], **shared) for i in range(heads))

    @classmethod
    def example_spec(cls, resolution: int | str) -> Spec:
        """A network of a few channels on a random trunk."""
        return {"resolution": resolution, "trunk_size": 64, "mix_channels": 2, "width": 4, "pretrained": False}

    @property
    def trunk(self) -> Lite0Trunk:
        """The frozen network that describes the pictures."""
        return self._frozen[0]

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> ProjectedDiscriminator:
        """Move the trunk along with the rest."""
        self.trunk._apply(fn)
        return super()._apply(fn, recurse)

    def forward(self, batch: ImageBatch) -> torch.Tensor:
        """Logits [N, K], at least float32: those of all heads side by side.

        Raises:
            UserError: when the pictures or the labels have another shape than this network's.
        """
        image = self.check_image(batch.image)
        label = self.check_label(batch) if self.label_dim else None
        if self.trunk_size != self.size.shorter:
            seen = [round(side * self.trunk_size / self.size.shorter) for side in self.size.hw]
            image = interpolate(image, size=seen, mode="bilinear", align_corners=False)
        maps = self.mixing(self.trunk.taps(image))
        logits = [head(x, label).flatten(1) for head, x in zip(self.heads, maps, strict=False)]
        joined = torch.cat(logits, dim=1)
        return joined.to(torch.promote_types(joined.dtype, torch.float32))

    def stages(self) -> list[nn.Module]:
        """The heads, from the finest map on."""
        return list(self.heads)
