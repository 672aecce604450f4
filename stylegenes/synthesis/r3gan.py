"""R3GAN's generator: "The GAN is dead; long live the GAN! A Modern Baseline GAN" (Huang et al. 2024).

A code scales a learned 4x4 basis; residual stages with grouped convolutions double the resolution by interpolation.
No normalization, no noise, no styles: the code enters once, so num_ws is 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from stylegenes.layers import GroupedResidual, Layer, fit_stages, init_scaled
from stylegenes.ops.convolution import quick_layout
from stylegenes.ops.fir import Taps, setup_filter, upsample2d
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.registry import Spec
from stylegenes.shape import Count
from stylegenes.size import Resolution, Size
from stylegenes.synthesis.base import SYNTHESES, SynthesisNetwork


class Basis(Layer):
    """A learned [C, H, W] picture whose channels a linear map of the code scales."""

    def __init__(
        self,
        in_features: int,  # length of the code
        channels: int,  # C
        size: Size,  # H and W
    ) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.randn(channels, *size.hw))
        self.linear = nn.Linear(in_features, channels, bias=False)
        init_scaled(self.linear.weight)

    def forward(self, code: torch.Tensor) -> torch.Tensor:
        """Code [N, in_features] to [N, C, H, W]."""
        return self.linear(code)[:, :, None, None] * self.basis


class Upsampling(Layer):
    """Doubles the resolution by interpolation, after a 1x1 convolution where the channels change."""

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
        """[N, C_in, H, W] to [N, C_out, 2 H, 2 W]."""
        return upsample2d(x if self.project is None else self.project(x), self.resample_filter)


class Stage(Layer):
    """All layers of one resolution: how it is reached, then residual blocks."""

    def __init__(self, start: nn.Module, blocks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.start = start
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The code [N, F] or features [N, C, H / 2, W / 2] to features [N, C', H, W]."""
        return self.blocks(quick_layout(self.start(x)))


@SYNTHESES.register("r3gan")
class R3GANSynthesis(SynthesisNetwork):
    """One w to pictures, through residual stages from 4 pixels up.

    Raises:
        UserError: when widths, groups and blocks do not fit each other, or the resolution fits no network.
    """

    def __init__(
        self,
        resolution: Resolution,  # of the picture in pixels: a number for squares, else `384x256`
        w_dim: Count = 64,  # length of w
        *,
        image_channels: Count = 3,  # color channels of the picture
        widths: Sequence[int] = (768, 768, 768, 768, 384, 192, 96),  # channels of each stage, see fit_stages
        groups: Sequence[int] = (24, 24, 24, 24, 12, 6, 3),  # groups of each stage's 3x3 convolutions
        blocks: Sequence[int] = (2, 2, 2, 2, 2, 2, 2),  # residual blocks of each stage
        expansion: Count = 2,  # how many times wider the inside of a residual block is
        label_dim: int = 0,  # length of a label that joins w, 0 for none
        label_embed: int = 64,  # length of the embedded label
        resample_filter: Taps = (1, 3, 3, 1),  # low-pass filter of the upsampling
    ) -> None:
        super().__init__()
        size = Size.of(resolution)
        per_stage = fit_stages(size, widths, groups, blocks)
        widths, groups, blocks = per_stage.widths, per_stage.groups, per_stage.blocks
        self.resolution, self.w_dim, self.image_channels = size.notation, w_dim, image_channels
        self.label_dim, self.num_ws, self.layer_resolutions = label_dim, 1, [size.start.longer]
        self.embed = nn.Linear(label_dim, label_embed, bias=False) if label_dim else None
        if self.embed is not None:
            init_scaled(self.embed.weight)
        shared: dict[str, Any] = {"expansion": expansion, "depth": sum(blocks)}
        stages: list[nn.Module] = []
        for i, width in enumerate(widths):
            start = Basis(w_dim + (label_embed if label_dim else 0), width, size.start) if i == 0 else None
            start = start or Upsampling(widths[i - 1], width, resample_filter=resample_filter)
            stages.append(Stage(start, [GroupedResidual(width, groups=groups[i], **shared) for _ in range(blocks[i])]))
        self.stages = nn.Sequential(*stages)
        self.to_rgb = nn.Conv2d(widths[-1], image_channels, 1, bias=False)
        init_scaled(self.to_rgb.weight)

    @classmethod
    def example_spec(cls, resolution: int | str, w_dim: int) -> Spec:
        """A network of a few channels."""
        stages = Size.of(resolution).doublings + 1
        return {
            "resolution": resolution,
            "w_dim": w_dim,
            "widths": [8] * stages,
            "groups": [2] * stages,
            "blocks": [1] * stages,
        }

    def forward(
        self, ws: torch.Tensor, condition: Condition | None = None, *, noise: Noise | None = None
    ) -> ImageBatch:
        """Pictures [N, C, H, W] from ws [N, 1, w_dim]; there are no noise inputs.

        Raises:
            UserError: when `ws` or a needed label has another shape.
        """
        self.check_ws(ws)
        code = ws[:, 0]
        if self.embed is not None:
            code = torch.cat([code, self.embed(self.check_label(condition, ws.shape[0]).to(code.dtype))], dim=1)
        image = self.to_rgb(self.stages(code))
        image = image.to(torch.promote_types(image.dtype, torch.float32))
        return ImageBatch(image=image.contiguous(), condition=condition or Condition())
