"""StyleGAN2's synthesis network: "Analyzing and Improving the Image Quality of StyleGAN" (Karras et al. 2020).

Modulated convolutions scale activations around one shared weight (sections 2.2 and 2.3), so no weight is made for
each sample. Gains of activations are folded into demodulation, noise strength and bias.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import torch
from torch import nn

from stylegenes.errors import UserError
from stylegenes.layers import Conv2d, Layer, Linear
from stylegenes.ops.activation import bias_act, split_gain
from stylegenes.ops.convolution import modulated_conv2d, quick_layout, scale_channels
from stylegenes.ops.fir import Taps, setup_filter, upsample2d
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.shape import Count, Positive
from stylegenes.size import Resolution, Size
from stylegenes.synthesis.base import SYNTHESES, SynthesisNetwork
from stylegenes.words import did_you_mean

Architecture = Literal["orig", "skip", "resnet"]


class StyledConv(Layer):
    """Modulated 3x3 convolution, noise, bias and activation."""

    def __init__(
        self,
        in_channels: int,  # channels of the input
        out_channels: int,  # channels of the output
        *,
        w_dim: int,  # length of w
        size: Size,  # of the output
        up: int = 1,  # upsampling factor
        act: str = "lrelu",  # activation
        use_noise: bool = True,  # whether the layer has a noise input
        resample_filter: Taps = (
            1,
            3,
            3,
            1,
        ),  # low-pass filter of the upsampling
        conv_clamp: Positive | None = None,  # bound on the absolute value of the output; None sets none
    ) -> None:
        super().__init__()
        self.resolution, self.up, self.act = size.longer, up, act
        self.use_noise, self.conv_clamp = use_noise, conv_clamp
        self.affine = Linear(w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.resample_filter: torch.Tensor
        self.register_buffer("resample_filter", setup_filter(resample_filter), persistent=False)
        if use_noise:
            self.noise_const: torch.Tensor
            self.register_buffer("noise_const", torch.randn(size.hw))
            self.noise_strength = nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor, w: torch.Tensor, noise: Noise, gain: float = 1.0) -> torch.Tensor:
        """Map `x` [N, C_in, H, W] to [N, C_out, H up, W up] in the style w [N, w_dim]; `gain` scales the result.

        Args:
            x: [N, C_in, H, W].
            w: [N, w_dim].
            noise: how the noise input is filled.
            gain: factor on the result; the bound on its values is scaled too.
        """
        styles, split = self.affine(w), split_gain(self.act, gain)
        drawn = self.noise(x, noise)
        x = modulated_conv2d(
            x,
            self.weight,
            styles,
            self.resample_filter if self.up > 1 else None,
            bias=self.bias,
            noise=None if drawn is None else drawn * (self.noise_strength * split.before),
            gain=split.before,
            up=self.up,
            padding=1,
            flip_weight=self.up == 1,
        )
        clamp = None if self.conv_clamp is None else self.conv_clamp * gain
        return bias_act(x, act=self.act, gain=split.after, clamp=clamp, overwrite=True)

    def noise(self, x: torch.Tensor, noise: Noise) -> torch.Tensor | None:
        """The noise picture before its strength, [N, 1, H, W] or [H, W], or None."""
        mode = noise.mode_at(self.resolution) if self.use_noise else "none"
        if mode == "none":
            return None
        if mode == "const":
            return self.noise_const
        where = x.device if noise.generator is None else noise.generator.device
        shape = (x.shape[0], 1, *self.noise_const.shape)
        return torch.randn(shape, generator=noise.generator, device=where, dtype=self.bias.dtype).to(x.device)


class ToRGB(Layer):
    """Modulated 1x1 convolution to colors, without demodulation."""

    def __init__(
        self,
        in_channels: int,  # channels of the input
        image_channels: int,  # color channels
        *,
        w_dim: int,  # length of w
        conv_clamp: Positive | None = None,  # bound on the absolute value of the output; None sets none
    ) -> None:
        super().__init__()
        self.conv_clamp = conv_clamp
        self.affine = Linear(w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(image_channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(image_channels))
        self.weight_gain = 1 / math.sqrt(in_channels)

    def forward(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        """Map `x` [N, C_in, H, W] to colors [N, image_channels, H, W], at least float32."""
        styles = self.affine(w) * self.weight_gain
        x = nn.functional.conv2d(scale_channels(x, styles), self.weight.to(x.dtype))
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        return bias_act(x, self.bias, clamp=self.conv_clamp)


class SynthesisBlock(Layer):
    """All layers of one resolution: one or two styled convolutions and, where the architecture has it, colors."""

    def __init__(
        self,
        in_channels: int,  # channels of the input, 0 for the block that starts from the constant
        out_channels: int,  # channels of the output
        *,
        w_dim: int,  # length of w
        size: Size,  # of the output
        image_channels: int,  # color channels, 0 for a block without them
        residual: bool,  # add a resampled 1x1 path around the convolutions
        act: str,  # activation
        use_noise: bool,  # whether the layers have noise inputs
        resample_filter: Taps,  # low-pass filter of the upsampling
        conv_clamp: float | None,  # bound on the absolute value of every layer
    ) -> None:
        super().__init__()
        self.resolution = size.longer
        layer: dict[str, Any] = {"w_dim": w_dim, "conv_clamp": conv_clamp}
        conv: dict[str, Any] = {**layer, "size": size, "act": act, "use_noise": use_noise}
        doubling: dict[str, Any] = {"up": 2, "resample_filter": resample_filter}
        first = in_channels == 0
        self.const = nn.Parameter(torch.randn(out_channels, *size.hw)) if first else None
        self.conv0 = None if first else StyledConv(in_channels, out_channels, **conv, **doubling)
        self.conv1 = StyledConv(out_channels, out_channels, **conv)
        self.to_rgb = ToRGB(out_channels, image_channels, **layer) if image_channels else None
        self.skip = None
        if residual and not first:
            self.skip = Conv2d(in_channels, out_channels, kernel_size=1, bias=False, **doubling)

    @property
    def num_conv(self) -> int:
        """Styled convolutions in this block; each takes one w."""
        return 1 if self.conv0 is None else 2

    def forward(self, x: torch.Tensor | None, ws: torch.Tensor, noise: Noise) -> torch.Tensor:
        """Features [N, C_in, H / 2, W / 2] (None where the block starts) and ws [N, >= num_conv, w_dim] to features."""
        if self.const is not None or self.conv0 is None or x is None:
            assert self.const is not None, "only the first block takes no features"
            return self.conv1(quick_layout(self.const.expand(ws.shape[0], -1, -1, -1)), ws[:, 0], noise)
        if self.skip is None:
            return self.conv1(self.conv0(x, ws[:, 0], noise), ws[:, 1], noise)
        half = math.sqrt(0.5)
        around = self.skip(x, gain=half)
        return around + self.conv1(self.conv0(x, ws[:, 0], noise), ws[:, 1], noise, gain=half)


@SYNTHESES.register("stylegan2")
class StyleGAN2Synthesis(SynthesisNetwork):
    """ws to pictures through blocks from a grid of 4 pixels up, colors added up over the resolutions ("skip").

    Raises:
        UserError: for a size that no small grid leads to by doubling, an unknown architecture or sizes below one.
    """

    def __init__(
        self,
        resolution: Resolution,  # of the picture in pixels: a number for squares, else `384x256`
        w_dim: Count = 512,  # length of w
        *,
        image_channels: Count = 3,  # color channels of the picture
        channel_base: int = 32768,  # channels at resolution r are channel_base // r ...
        channel_max: int = 512,  # ... but at most these
        architecture: Architecture = "skip",  # how colors are made: skip, orig (at the end), resnet (residual blocks)
        use_noise: bool = True,  # whether the layers have noise inputs
        activation: str = "lrelu",  # activation of the convolutions
        resample_filter: Taps = (
            1,
            3,
            3,
            1,
        ),  # low-pass filter of the upsampling
        conv_clamp: Positive | None = None,  # bound on the absolute value of every layer; None sets none
    ) -> None:
        super().__init__()
        size = Size.of(resolution)
        steps = size.steps()
        if architecture not in get_args(Architecture):
            raise UserError(
                f"unknown architecture {architecture!r}{did_you_mean(architecture, get_args(Architecture))}"
            )
        if min(w_dim, image_channels, channel_max, channel_base // size.longer) < 1:
            raise UserError(
                f"w_dim, image_channels, channel_max and channel_base // the longer side must be at least 1; got "
                f"{w_dim=}, {image_channels=}, {channel_max=}, {channel_base=} at {resolution=}"
            )
        self.resolution, self.w_dim, self.image_channels = size.notation, w_dim, image_channels
        self.skip = architecture == "skip"
        channels = [0] + [min(channel_base // step.longer, channel_max) for step in steps]
        self.blocks = nn.ModuleList(
            SynthesisBlock(
                channels[i],
                channels[i + 1],
                w_dim=w_dim,
                size=step,
                image_channels=image_channels if self.skip or step == size else 0,
                residual=architecture == "resnet",
                act=activation,
                use_noise=use_noise,
                resample_filter=resample_filter,
                conv_clamp=conv_clamp,
            )
            for i, step in enumerate(steps)
        )
        self.layer_resolutions = [block.resolution for block in self._blocks() for _ in range(block.num_conv)]
        self.layer_resolutions.append(size.longer)
        self.num_ws = len(self.layer_resolutions)
        self.resample_filter: torch.Tensor
        self.register_buffer("resample_filter", setup_filter(resample_filter), persistent=False)

    def _blocks(self) -> list[SynthesisBlock]:
        return list(self.blocks)  # type: ignore[arg-type]

    def forward(
        self, ws: torch.Tensor, condition: Condition | None = None, *, noise: Noise | None = None
    ) -> ImageBatch:
        """Pictures [N, C, H, W], at least float32, from ws [N, num_ws, w_dim].

        Raises:
            UserError: when `ws` has another shape.
        """
        self.check_ws(ws)
        noise, x, image, layer = noise or Noise(), None, None, 0
        for block in self._blocks():
            x = block(x, ws[:, layer:], noise)
            layer += block.num_conv
            if block.to_rgb is not None:
                image = self.add_colors(image, block.to_rgb(x, ws[:, layer]))
        assert image is not None, "the last block makes colors"
        return ImageBatch(image=image.contiguous(), condition=condition or Condition())

    def add_colors(self, image: torch.Tensor | None, colors: torch.Tensor) -> torch.Tensor:
        """`colors` [N, C, H, W] plus the upsampled picture so far [N, C, H / 2, W / 2], never below float32."""
        if image is None:
            return colors
        with torch.autocast(colors.device.type, enabled=False):
            return upsample2d(image, self.resample_filter) + colors

    def noise_buffers(self) -> dict[str, torch.Tensor]:
        """The stored noise pictures [H, W] by name."""
        return {name: buffer for name, buffer in self.named_buffers() if name.endswith("noise_const")}

    def enlarged(self, state: dict[str, torch.Tensor], resolution: int | str) -> dict[str, torch.Tensor]:
        """With the architecture `skip` the larger picture is at first exactly the smaller one, upsampled.

        The colors of the new resolutions begin at nought and learn what to add.
        """
        if self.skip:
            new = range(len(Size.of(resolution).steps()), len(self.blocks))
            own = self.state_dict()
            state = {**state, **{key: torch.zeros_like(own[key]) for key in (f"blocks.{i}.to_rgb.weight" for i in new)}}
        return state

    def widened(self, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The picture is at first the very same: neither old channels nor colors see the new ones yet."""
        own = self.state_dict()
        return {key: _widened(key, old, own[key]) if key in own else old for key, old in state.items()}


def _widened(key: str, old: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
    """A parameter `old` inside the larger one of a new network, which keeps what it drew for new channels."""
    if old.shape == new.shape or old.ndim != new.ndim:
        return old
    wide, inside = new.clone(), tuple(slice(size) for size in old.shape)
    if key.endswith("weight") and "affine" not in key:
        wide[: len(old), old.shape[1] :] = 0
        demodulated = "conv" in key
        # A layer that does not demodulate divides by the root of its inputs, which are more now.
        old = old if demodulated else old * math.sqrt(new.shape[1] / old.shape[1])
    wide[inside] = old
    return wide
