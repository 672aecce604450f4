"""R3GAN's discriminator: "The GAN is dead; long live the GAN! A Modern Baseline GAN" (Huang et al. 2024).

The generator's mirror image: residual stages with grouped convolutions halve the resolution by interpolation, a
learned 4x4 basis reads the last features. A label enters by projection (Miyato and Koyama 2018).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from stylegenes.discriminators.base import DISCRIMINATORS, Discriminator
from stylegenes.layers import GroupedResidual, Layer, fit_stages, init_scaled
from stylegenes.ops.convolution import quick_layout
from stylegenes.ops.fir import Taps, downsample2d, setup_filter
from stylegenes.records import ImageBatch
from stylegenes.registry import Spec
from stylegenes.shape import Count
from stylegenes.size import Resolution, Size


class Downsampling(Layer):
    """Halves the resolution by interpolation, before a 1x1 convolution where the channels change."""

    def __init__(
        self,
        in_channels: int,  # channels of the input
        out_channels: int,  # channels of the output
        *,
        resample_filter: Taps,  # low-pass filter
    ) -> None:
        super().__init__()
        self.project = None
        if in_channels != out_channels:
            self.project = nn.Conv2d(in_channels, out_channels, 1, bias=False)
            init_scaled(self.project.weight)
        self.resample_filter: torch.Tensor
        self.register_buffer("resample_filter", setup_filter(resample_filter), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, C_in, H, W] to [N, C_out, H / 2, W / 2]."""
        x = downsample2d(x, self.resample_filter)
        return x if self.project is None else self.project(x)


class Readout(Layer):
    """A learned filter of the whole map on each channel, then a linear map to the logits."""

    def __init__(
        self,
        channels: int,  # channels of the input
        size: Size,  # of the input
        out_features: int,  # numbers a picture
    ) -> None:
        super().__init__()
        self.basis = nn.Conv2d(channels, channels, size.hw, groups=channels, bias=False)
        self.linear = nn.Linear(channels, out_features, bias=False)
        init_scaled(self.basis.weight)
        init_scaled(self.linear.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [N, C, H, W] to [N, out_features]."""
        return self.linear(self.basis(x).flatten(1))


@DISCRIMINATORS.register("r3gan")
class R3GANDiscriminator(Discriminator):
    """Pictures to one logit each.

    Raises:
        UserError: when widths, groups and blocks do not fit each other, or the resolution fits no network.
    """

    def __init__(
        self,
        resolution: Resolution,  # of the pictures in pixels: a number for squares, else `384x256`
        label_dim: int = 0,  # length of the label, 0 for none
        *,
        image_channels: Count = 3,  # color channels of the pictures
        widths: Sequence[int] = (768, 768, 768, 768, 384, 192, 96),  # channels of each stage, see fit_stages
        groups: Sequence[int] = (24, 24, 24, 24, 12, 6, 3),  # groups of each stage's 3x3 convolutions
        blocks: Sequence[int] = (2, 2, 2, 2, 2, 2, 2),  # residual blocks of each stage
        expansion: Count = 2,  # how many times wider the inside of a residual block is
        label_embed: int = 768,  # length of the projected label
        resample_filter: Taps = (1, 3, 3, 1),  # low-pass filter of the downsampling
    ) -> None:
        super().__init__()
        size = Size.of(resolution)
        per_stage = fit_stages(size, widths, groups, blocks)
        widths, groups, blocks = per_stage.widths, per_stage.groups, per_stage.blocks
        self.resolution, self.image_channels, self.label_dim = size.notation, image_channels, label_dim
        self.from_rgb = nn.Conv2d(image_channels, widths[-1], 1, bias=False)
        init_scaled(self.from_rgb.weight)
        stages: list[nn.Module] = []
        for i in reversed(range(len(widths))):
            kwargs = {"groups": groups[i], "expansion": expansion, "depth": sum(blocks)}
            residual: list[nn.Module] = [GroupedResidual(widths[i], **kwargs) for _ in range(blocks[i])]
            if i > 0:
                residual.append(Downsampling(widths[i], widths[i - 1], resample_filter=resample_filter))
            stages.append(nn.Sequential(*residual))
        self.blocks = nn.ModuleList(stages)
        self.readout = Readout(widths[0], size.start, label_embed if label_dim else 1)
        self.embed = nn.Linear(label_dim, label_embed, bias=False) if label_dim else None
        if self.embed is not None:
            init_scaled(self.embed.weight, 1 / math.sqrt(label_embed))

    @classmethod
    def example_spec(cls, resolution: int | str) -> Spec:
        """A network of a few channels."""
        stages = Size.of(resolution).doublings + 1
        return {"resolution": resolution, "widths": [8] * stages, "groups": [2] * stages, "blocks": [1] * stages}

    def forward(self, batch: ImageBatch) -> torch.Tensor:
        """Logits [N, 1], at least float32.

        Raises:
            UserError: when the pictures or the labels have another shape than this network's.
        """
        x = self.from_rgb(quick_layout(self.check_image(batch.image)))
        for block in self.blocks:
            x = block(x)
        logits = self.readout(x)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        if self.embed is None:
            return logits
        direction = self.embed(self.check_label(batch).to(logits.dtype))
        return (logits * direction).sum(dim=1, keepdim=True)

    def stages(self) -> list[nn.Module]:
        """Its parts from the image end to the logits."""
        first, *rest = self.blocks
        end = [self.readout] if self.embed is None else [self.readout, self.embed]
        return [nn.ModuleList([self.from_rgb, first]), *rest, *end]
