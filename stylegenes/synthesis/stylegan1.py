"""StyleGAN's synthesis network: "A Style-Based Generator Architecture for GANs" (Karras et al. 2019).

Adaptive instance normalization after every convolution (Eq. 1), a learned constant or the code itself as input, noise
of one picture a layer: configurations C to F of its Table 1.
"""

from __future__ import annotations

import torch
from torch import nn

from stylegenes.layers import Layer
from stylegenes.ops.convolution import quick_layout
from stylegenes.progressive import (
    HE,
    Growth,
    ScaledConv,
    ScaledLinear,
    ToRGB,
    activate,
    channel_table,
    double,
    fade,
)
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.shape import Count
from stylegenes.size import Resolution, Size
from stylegenes.synthesis.base import SYNTHESES, SynthesisNetwork


def instance_norm(x: torch.Tensor, eps: float = 1e-8) -> torch.Tensor:
    """Every channel of every sample of `x` [N, C, H, W] at zero mean and unit variance, in at least float32."""
    exact = x.to(torch.promote_types(x.dtype, torch.float32))
    exact = exact - exact.mean(dim=(2, 3), keepdim=True)
    return (exact * (exact.square().mean(dim=(2, 3), keepdim=True) + eps).rsqrt()).to(x.dtype)


class Style(Layer):
    """Adaptive instance normalization: scale and shift of each normalized channel are linear in w (Eq. 1)."""

    def __init__(
        self,
        w_dim: int,  # length of w
        channels: int,  # channels of the features
    ) -> None:
        super().__init__()
        self.affine = ScaledLinear(w_dim, 2 * channels, gain=1.0)
        self.bias = nn.Parameter(torch.zeros(2 * channels))

    def styles(self, w: torch.Tensor) -> torch.Tensor:
        """w [N, w_dim] to [N, 2, C]: the scale less one, and the shift."""
        return (self.affine(w) + self.bias.to(w.dtype)).reshape(w.shape[0], 2, -1)

    def forward(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        """Features [N, C, H, W] in the style w [N, w_dim]."""
        styles = self.styles(w).to(x.dtype)[..., None, None]
        return instance_norm(x) * (1 + styles[:, 0]) + styles[:, 1]


class Epilogue(Layer):
    """What follows every convolution, and the input: noise, bias, leaky ReLU, style."""

    def __init__(
        self,
        channels: int,  # channels of the features
        w_dim: int,  # length of w
        size: Size,  # of the features
        *,
        use_noise: bool,  # whether there is a noise input
    ) -> None:
        super().__init__()
        self.resolution = size.longer
        self.bias = nn.Parameter(torch.zeros(channels))
        self.style = Style(w_dim, channels)
        self.noise_strength = nn.Parameter(torch.zeros(channels)) if use_noise else None
        if use_noise:
            self.noise_const: torch.Tensor
            self.register_buffer("noise_const", torch.randn(size.hw))

    def forward(self, x: torch.Tensor, w: torch.Tensor, noise: Noise) -> torch.Tensor:
        """Features [N, C, H, W] and w [N, w_dim] to features of the same shape."""
        if self.noise_strength is not None:
            drawn = noise.picture(x, self.noise_const)
            if drawn is not None:
                x = x + drawn.to(x.dtype) * self.noise_strength.to(x.dtype)[:, None, None]
        return self.style(activate(x, self.bias), w)


class Block(Layer):
    """All layers of one resolution, each with a w of its own."""

    def __init__(
        self,
        in_channels: int,  # channels of the input, 0 for the block at 4 pixels
        out_channels: int,  # channels of the output
        *,
        w_dim: int,  # length of w
        size: Size,  # of the output
        use_noise: bool,  # whether the layers have noise inputs
        const_input: bool,  # the block at 4 pixels starts from a learned constant, else from w
        blur: bool,  # double bilinearly instead of by repetition
    ) -> None:
        super().__init__()
        first = in_channels == 0
        self.height, self.width = size.hw
        self.const = nn.Parameter(torch.ones(out_channels, *size.hw)) if first and const_input else None
        self.linear = (
            ScaledLinear(w_dim, out_channels * size.pixels, gain=HE / 4) if first and not const_input else None
        )
        self.conv0 = None if first else ScaledConv(in_channels, out_channels, up=2, blur=blur)
        self.conv1 = ScaledConv(out_channels, out_channels)
        self.epilogue0 = Epilogue(out_channels, w_dim, size, use_noise=use_noise)
        self.epilogue1 = Epilogue(out_channels, w_dim, size, use_noise=use_noise)

    def forward(self, x: torch.Tensor | None, ws: torch.Tensor, noise: Noise) -> torch.Tensor:
        """Features [N, C_in, H / 2, W / 2] (None at 4 pixels) and ws [N, 2, w_dim] to features [N, C_out, H, W]."""
        x = self.epilogue0(self._begin(x, ws[:, 0]), ws[:, 0], noise)
        return self.epilogue1(self.conv1(x), ws[:, 1], noise)

    def _begin(self, x: torch.Tensor | None, w: torch.Tensor) -> torch.Tensor:
        if self.const is not None:
            return quick_layout(self.const.expand(w.shape[0], -1, -1, -1))
        if self.linear is not None:
            return quick_layout(self.linear(w).reshape(w.shape[0], -1, self.height, self.width))
        assert self.conv0 is not None and x is not None, "only the first block takes no features"
        return self.conv0(x)


@SYNTHESES.register("stylegan1")
class StyleGAN1Synthesis(SynthesisNetwork):
    """ws to pictures through styled blocks from 4 pixels up, grown step by step where training asks for it.

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
        const_input: bool = True,  # start from a learned constant (configuration D on), else from w (configuration C)
        use_noise: bool = True,  # whether the layers have noise inputs (configuration E on)
        blur: bool = True,  # bilinear upsampling, else repeated pixels
    ) -> None:
        super().__init__()
        size = Size.of(resolution)
        channels = [0, *channel_table(size, channel_base, channel_max)]
        steps = size.steps(8)
        self.resolution, self.w_dim, self.image_channels = size.notation, w_dim, image_channels
        self.layer_resolutions = [step.longer for step in steps for _ in range(2)]
        self.num_ws = len(self.layer_resolutions)
        self.blocks = nn.ModuleList(
            Block(
                channels[i],
                channels[i + 1],
                w_dim=w_dim,
                size=step,
                use_noise=use_noise,
                const_input=const_input,
                blur=blur,
            )
            for i, step in enumerate(steps)
        )
        self.to_rgb = nn.ModuleList(ToRGB(width, image_channels) for width in channels[1:])
        self.growth = Growth(size)

    def forward(
        self, ws: torch.Tensor, condition: Condition | None = None, *, noise: Noise | None = None
    ) -> ImageBatch:
        """Pictures [N, C, H, W] from ws [N, num_ws, w_dim], at the full size however far grown.

        Raises:
            UserError: when `ws` has another shape.
        """
        self.check_ws(ws)
        noise, stage = noise or Noise(), self.growth.stage
        below = x = self.blocks[0](None, ws[:, :2], noise)
        for i, block in enumerate(list(self.blocks)[1 : stage.top + 1], start=1):
            below, x = x, block(x, ws[:, 2 * i : 2 * i + 2], noise)
        image = self.to_rgb[stage.top](x)
        if stage.alpha < 1:
            image = fade(self.to_rgb[stage.top - 1](below), image, stage.alpha)
        image = double(image, stage.shrunk)
        return ImageBatch(image=image.contiguous(), condition=condition or Condition())

    @property
    def active_ws(self) -> int:
        """Two for each resolution in use."""
        return 2 * (self.growth.stage.top + 1)

    def grow(self, level: float) -> bool:
        """Show 2^level pixels of detail."""
        return self.growth.set(level)

    def noise_buffers(self) -> dict[str, torch.Tensor]:
        """The stored noise pictures [H, W] by name."""
        return {name: buffer for name, buffer in self.named_buffers() if name.endswith("noise_const")}
