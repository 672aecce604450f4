"""FastGAN's generator, as ProjectedGAN uses it: "Towards Faster and Stabilized GAN Training" (Liu et al. 2021).

Spectrally normalized convolutions with batch norm and gated linear units double the resolution from 4 pixels up; maps
of low resolution gate the channels of maps 16 times larger ("skip-layer excitation"). The code enters once, so num_ws
is 1. With a label, batch norms take their scale and bias from its embedding ("Projected GANs", Sauer et al. 2021).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import batch_norm, interpolate

from stylegenes.errors import UserError
from stylegenes.layers import Layer, normalize_second_moment, spectral
from stylegenes.ops.convolution import quick_layout
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.registry import Spec
from stylegenes.shape import Count
from stylegenes.size import Resolution, Size
from stylegenes.synthesis.base import SYNTHESES, SynthesisNetwork

GATED = range(4, 8)
"""Which maps are gated, by the one four doublings before, 16 times smaller: for squares 64, 128, 256 and 512 pixels."""


_POOLED = 4
"""Cells a side of what a gate sees of the small map."""


def channels_at(resolution: int, width: int) -> int:
    """Channels at a resolution in pixels: 16 width at 4, halved up to 32, the same at 64, then halved again."""
    factor = 64 / resolution if resolution <= 32 else 128 / resolution
    return max(int(factor * width), 1)


def gated(x: torch.Tensor) -> torch.Tensor:
    """Gated linear unit: the first half of the channels of `x` [N, 2 C, H, W] times the sigmoid of the second.

    Torch's own `glu` returns gradients in another memory layout, which costs a third of a backward pass on a CPU.
    """
    signal, gate = x.chunk(2, dim=1)
    return signal * gate.sigmoid()


class ConditionalNorm(Layer):
    """Batch norm whose scale and bias are linear in an embedding."""

    def __init__(
        self,
        channels: int,  # channels of the map
        embed_dim: int,  # length of the embedding
    ) -> None:
        super().__init__()
        self.scale = spectral(nn.Linear(embed_dim, channels))
        self.shift = spectral(nn.Linear(embed_dim, channels))
        self.running_mean: torch.Tensor
        self.running_var: torch.Tensor
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """Map `x` [N, C, H, W] given an embedding [N, embed_dim]."""
        x = batch_norm(x, self.running_mean, self.running_var, training=self.training, eps=1e-5)
        return x * (1 + self.scale(embedding))[:, :, None, None] + self.shift(embedding)[:, :, None, None]


class GatedConv(Layer):
    """3x3 convolution to twice the channels, noise, batch norm, and a gated linear unit that halves them again."""

    def __init__(
        self,
        in_channels: int,  # channels of the input
        out_channels: int,  # channels of the output
        *,
        size: Size,  # of the output
        use_noise: bool,  # whether the layer has a noise input
        embed_dim: int,  # length of the label's embedding, 0 for none
    ) -> None:
        super().__init__()
        self.conv = spectral(nn.Conv2d(in_channels, 2 * out_channels, 3, padding=1, bias=False))
        self.norm = nn.BatchNorm2d(2 * out_channels) if not embed_dim else None
        self.conditional_norm = ConditionalNorm(2 * out_channels, embed_dim) if embed_dim else None
        self.noise_strength = nn.Parameter(torch.zeros(1)) if use_noise else None
        if use_noise:
            # A picture that is the same in every network of this size, so that weights need not carry it.
            rng = torch.Generator().manual_seed(size.longer)
            self.noise_const: torch.Tensor
            fixed = torch.randn(size.hw, generator=rng, device="cpu")
            self.register_buffer("noise_const", fixed, persistent=False)

    def forward(self, x: torch.Tensor, embedding: torch.Tensor | None, noise: Noise) -> torch.Tensor:
        """[N, C_in, H, W] to [N, C_out, H, W]."""
        x = self.conv(x)
        if self.noise_strength is not None:
            drawn = noise.picture(x, self.noise_const)
            x = x if drawn is None else x + (self.noise_strength * drawn).to(x.dtype)
        if self.conditional_norm is not None and embedding is not None:
            return gated(self.conditional_norm(x, embedding))
        assert self.norm is not None, "a network without labels has plain norms"
        return gated(self.norm(x))


class Gate(Layer):
    """Skip-layer excitation: a small map decides how much of each channel of a large one passes."""

    def __init__(
        self,
        small_channels: int,  # channels of the small map
        large_channels: int,  # channels of the large map
        *,
        size: Size,  # of the small map
    ) -> None:
        super().__init__()
        self.rows: torch.Tensor
        self.columns: torch.Tensor
        self.register_buffer("rows", averages(size.height), persistent=False)
        self.register_buffer("columns", averages(size.width).T.contiguous(), persistent=False)
        self.squeeze = spectral(nn.Conv2d(small_channels, large_channels, 4, bias=False))
        self.excite = spectral(nn.Conv2d(large_channels, large_channels, 1, bias=False))

    def forward(self, small: torch.Tensor, large: torch.Tensor) -> torch.Tensor:
        """Maps [N, C_s, h, w] and [N, C_l, H, W] to [N, C_l, H, W]."""
        pooled = self.rows @ small.to(self.rows.dtype) @ self.columns
        return large * torch.sigmoid(self.excite(nn.functional.silu(self.squeeze(pooled))))


def averages(length: int) -> torch.Tensor:
    """The matrix [4, length] that takes means over four parts of a side, overlapping where it does not divide by four.

    A product, since not every exporter knows adaptive pooling of sides that do not divide.
    """
    matrix = torch.zeros(_POOLED, length)
    for i in range(_POOLED):
        begin, end = i * length // _POOLED, -(-(i + 1) * length // _POOLED)
        matrix[i, begin:end] = 1 / (end - begin)
    return matrix


class Block(Layer):
    """All layers of one resolution."""

    def __init__(
        self,
        size: Size,  # of the output
        width: int,  # channels at 128 pixels
        *,
        lite: bool,  # one convolution without noise in place of two with it
        embed_dim: int,  # length of the label's embedding, 0 for none
    ) -> None:
        super().__init__()
        self.doublings = size.doublings
        out_channels, in_channels = channels_at(size.longer, width), channels_at(size.longer // 2, width)
        sizes = [in_channels, out_channels] if lite else [in_channels, out_channels, out_channels]
        self.convs = nn.ModuleList(
            GatedConv(sizes[i], sizes[i + 1], size=size, use_noise=not lite, embed_dim=embed_dim)
            for i in range(len(sizes) - 1)
        )
        gating = size.halved(4) if self.doublings in GATED else None
        self.gate = Gate(channels_at(gating.longer, width), out_channels, size=gating) if gating else None

    def forward(self, maps: list[torch.Tensor], embedding: torch.Tensor | None, noise: Noise) -> torch.Tensor:
        """The map at this resolution from `maps`, all smaller ones, each twice as large as the one before."""
        x = interpolate(maps[self.doublings - 1], scale_factor=2, mode="nearest")
        for conv in self.convs:
            x = conv(x, embedding, noise)
        return x if self.gate is None else self.gate(maps[self.doublings - 4], x)


@SYNTHESES.register("fastgan")
class FastGANSynthesis(SynthesisNetwork):
    """One w to pictures, through gated blocks from 4 pixels up; skip-layer excitation begins at 64 pixels.

    Raises:
        UserError: for a size that no small grid leads to, sides beyond 8 to 1024 pixels, or sizes below one.
    """

    def __init__(
        self,
        resolution: Resolution,  # of the picture in pixels, 8 to 1024: a number for squares, else `384x256`
        w_dim: Count = 256,  # length of w, which is scaled to unit second moment
        *,
        image_channels: Count = 3,  # color channels of the picture
        width: int = 128,  # channels at 128 pixels
        lite: bool = False,  # one convolution a resolution without noise, in place of two with it
        label_dim: int = 0,  # length of the label that the batch norms follow, 0 for none
    ) -> None:
        super().__init__()
        size = Size.of(resolution)
        first_step, *steps = size.steps(8, 1024)
        if min(w_dim, image_channels, width) < 1 or label_dim < 0:
            raise UserError(f"sizes must be at least 1; got {w_dim=}, {image_channels=}, {width=}, {label_dim=}")
        self.resolution, self.w_dim, self.image_channels = size.notation, w_dim, image_channels
        self.label_dim, self.num_ws, self.layer_resolutions = label_dim, 1, [first_step.longer]
        embed_dim = w_dim if label_dim else 0
        self.embed = nn.Parameter(torch.randn(label_dim, embed_dim)) if label_dim else None
        first = channels_at(first_step.longer, width)
        self.start = spectral(nn.ConvTranspose2d(w_dim, 2 * first, first_step.hw, bias=False), dim=1)
        self.start_norm = nn.BatchNorm2d(2 * first)
        self.blocks = nn.ModuleList(Block(step, width, lite=lite, embed_dim=embed_dim) for step in steps)
        self.to_rgb = spectral(nn.Conv2d(channels_at(size.longer, width), image_channels, 3, padding=1))

    @classmethod
    def example_spec(cls, resolution: int | str, w_dim: int) -> Spec:
        """A network of a few channels."""
        return {"resolution": resolution, "w_dim": w_dim, "width": 2}

    def forward(
        self, ws: torch.Tensor, condition: Condition | None = None, *, noise: Noise | None = None
    ) -> ImageBatch:
        """Pictures [N, C, H, W], at least float32, from ws [N, 1, w_dim].

        In training mode batch norms use the batch's statistics, so that a picture depends on the others of its batch.

        Raises:
            UserError: when `ws` or a needed label has another shape.
        """
        self.check_ws(ws)
        noise, embedding = noise or Noise(), None
        if self.embed is not None:
            embedding = self.check_label(condition, ws.shape[0]).to(ws.dtype) @ self.embed
        code = normalize_second_moment(ws[:, 0])[:, :, None, None]
        maps = [quick_layout(gated(self.start_norm(self.start(code))))]
        for block in self.blocks:
            maps.append(block(maps, embedding, noise))
        image = self.to_rgb(maps[-1])
        image = image.to(torch.promote_types(image.dtype, torch.float32))
        return ImageBatch(image=image.contiguous(), condition=condition or Condition())

    def noise_buffers(self) -> dict[str, torch.Tensor]:
        """The fixed noise pictures [H, W] by name; none where the network is lite."""
        return {name: buffer for name, buffer in self.named_buffers() if name.endswith("noise_const")}
