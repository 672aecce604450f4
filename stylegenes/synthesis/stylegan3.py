"""StyleGAN3's synthesis network: "Alias-Free Generative Adversarial Networks" (Karras et al. 2021).

Features are samples of band-limited continuous signals. They start from Fourier features that a learned affine map
moves about; every layer convolves, and applies its nonlinearity at a higher sampling rate between two low-pass
filters, so that no frequency folds back (sections 2 and 3). Configuration T is the default; R, which turns with its
input as well, has 1x1 convolutions, rotationally symmetric downsampling filters and twice the channels:
`conv_kernel=1, radial_filters=True, channel_base=65536, channel_max=1024`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from stylegenes.errors import UserError
from stylegenes.layers import Layer, Linear
from stylegenes.ops.convolution import alias_free_modulated_conv2d, quick_layout
from stylegenes.ops.filtered_lrelu import design_lowpass_filter, filtered_lrelu
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.shape import Count, Few, Positive, Range, Share
from stylegenes.size import Resolution, Size
from stylegenes.synthesis.base import SYNTHESES, SynthesisNetwork


@dataclass(frozen=True)
class Signal:
    """One layer's output as a sampled signal; frequencies are in cycles over the longer side of the picture.

    Attributes:
        size: height and width in samples, margin included.
        rate: samples over the longer side of the picture.
        cutoff: where the pass band ends.
        half_width: half the width of the transition band.
        channels: number of signals.
    """

    size: Size
    rate: int
    cutoff: float
    half_width: float
    channels: int


def plan_signals(
    size: Size,
    *,
    image_channels: int,
    channel_base: int,
    channel_max: int,
    num_layers: int,
    num_critical: int,
    first_cutoff: float,
    first_stopband: float,
    last_stopband_rel: float,
    margin: int,
) -> list[Signal]:
    """The signals of layers 0 to `num_layers`, the last being the picture (section 3.2 and figure 4).

    Cutoff and stop band grow geometrically until `num_critical` layers before the end, where the cutoff meets the
    picture's Nyquist frequency; the sampling rate is the next that holds the stop band: a
    power of two, times the odd sides that the picture's may have (3 for 384x256), so that all sizes are whole.

    Args:
        size: of the picture.
        image_channels: channels of the picture.
        channel_base: a signal of cutoff f has channel_base / 2 / f channels ...
        channel_max: ... but at most these.
        num_layers: layers before the picture.
        num_critical: layers at the end whose cutoff is the picture's Nyquist frequency; below num_layers.
        first_cutoff: of the first layer, in cycles over the longer side of the picture.
        first_stopband: of the first layer, in the same unit.
        last_stopband_rel: stop band of the last layer, relative to its cutoff.
        margin: samples beyond each edge, in all layers but the last two.
    """
    resolution, unit = size.longer, size.aspect.longer
    last_cutoff = resolution / 2
    growth = np.minimum(np.arange(num_layers + 1) / (num_layers - num_critical), 1)
    cutoffs = first_cutoff * (last_cutoff / first_cutoff) ** growth
    stopbands = first_stopband * (last_cutoff * last_stopband_rel / first_stopband) ** growth
    rates = unit * np.exp2(np.ceil(np.log2(np.minimum(stopbands * 2, resolution) / unit)))
    half_widths = np.maximum(stopbands, rates / 2) - cutoffs
    sizes = [_grid(size, rate, margin) if i < num_layers - 1 else size for i, rate in enumerate(rates)]
    channels = np.rint(np.minimum(channel_base / 2 / cutoffs, channel_max))
    channels[-1] = image_channels
    return [
        Signal(sizes[i], int(rates[i]), float(cutoffs[i]), float(half_widths[i]), int(channels[i]))
        for i in range(num_layers + 1)
    ]


def _grid(size: Size, rate: float, margin: int) -> Size:
    """The samples of a picture of that aspect at a rate, with a margin on every side."""
    width, height = (int(side * rate) // size.longer for side in (size.width, size.height))
    return Size(width + 2 * margin, height + 2 * margin)


class FourierInput(Layer):
    """Sinusoids of random frequencies within the band, moved and turned as w says (appendix F)."""

    def __init__(
        self,
        signal: Signal,  # what comes out
        *,
        w_dim: int,  # length of w
    ) -> None:
        super().__init__()
        self.signal = signal
        directions = torch.randn(signal.channels, 2)
        radii = directions.norm(dim=1, keepdim=True)
        # Radii of a Gaussian are spread so that frequencies are uniform within the disc of the pass band.
        self.register_buffer("freqs", directions / (radii * radii.square().exp().pow(0.25)) * signal.cutoff)
        self.register_buffer("phases", torch.rand(signal.channels) - 0.5)
        self.register_buffer("transform", torch.eye(3))
        self.weight = nn.Parameter(torch.randn(signal.channels, signal.channels))
        self.affine = Linear(w_dim, 4)
        with torch.no_grad():
            self.affine.weight.zero_()
            self.affine.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))  # type: ignore[union-attr]

    freqs: torch.Tensor
    phases: torch.Tensor
    transform: torch.Tensor
    """[3, 3], a user's transform of the picture plane, in units of the picture's longer side around its center."""

    def forward(self, w: torch.Tensor) -> torch.Tensor:
        """Features [N, C, height, width] from w [N, w_dim]."""
        moved = self.placement(w)
        phases = self.phases + (self.freqs @ moved[:, :2, 2:]).squeeze(2)
        freqs = self.freqs @ moved[:, :2, :2]
        beyond = freqs.norm(dim=2) - self.signal.cutoff
        amplitudes = (1 - beyond / (self.signal.rate / 2 - self.signal.cutoff)).clamp(0, 1)
        # The grid is separable: sin(2 pi (fx x + fy y + phase)) with one angle per axis.
        across = self._positions(self.signal.size.width, w) * freqs[:, None, :, 0]
        down = self._positions(self.signal.size.height, w) * freqs[:, None, :, 1] + phases[:, None]
        waves = torch.sin((down[:, :, None] + across[:, None]) * (2 * math.pi)) * amplitudes[:, None, None]
        x = F.linear(waves, self.weight.to(waves.dtype) / math.sqrt(self.signal.channels))
        return x.permute(0, 3, 1, 2)

    def placement(self, w: torch.Tensor) -> torch.Tensor:
        """The affine maps [N, 3, 3] of the picture plane: the user's transform, then a translation, then a rotation."""
        t = self.affine(w)
        c, s, x, y = (t / t[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        zero, one = torch.zeros_like(c), torch.ones_like(c)
        rotation = _matrix([[c, -s, zero], [s, c, zero], [zero, zero, one]])
        translation = _matrix([[one, zero, -x], [zero, one, -y], [zero, zero, one]])
        return rotation @ translation @ self.transform

    def _positions(self, size: int, like: torch.Tensor) -> torch.Tensor:
        """Sample positions [size, 1] along an axis in units of the picture's longer side, centered."""
        return ((torch.arange(size, dtype=like.dtype, device=like.device) + 0.5 - size / 2) / self.signal.rate)[:, None]


class AliasFreeLayer(Layer):
    """Modulated convolution, then bias and leaky ReLU at a raised sampling rate between two low-pass filters."""

    def __init__(
        self,
        before: Signal,  # what comes in
        after: Signal,  # what comes out
        *,
        w_dim: int,  # length of w
        conv_kernel: int,  # height and width of the convolution
        filter_taps: int,  # taps of a filter for each step of resampling
        oversampling: int,  # sampling rate of the nonlinearity, relative to the larger of both sides
        radial: bool,  # whether the downsampling filter is rotationally symmetric
        to_image: bool,  # whether this layer makes the picture: no nonlinearity, no resampling, no demodulation
        conv_clamp: float | None,  # bound on the absolute value after the nonlinearity
        magnitude_beta: float,  # decay of the running mean square of the input, a step at a time
    ) -> None:
        super().__init__()
        self.to_image, self.conv_clamp, self.magnitude_beta = to_image, conv_clamp, magnitude_beta
        self.conv_kernel = 1 if to_image else conv_kernel
        self.affine = Linear(w_dim, before.channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(after.channels, before.channels, self.conv_kernel, self.conv_kernel))
        self.bias = nn.Parameter(torch.zeros(after.channels))
        self.register_buffer("magnitude_ema", torch.ones(()))
        self.register_buffer("magnitude", torch.ones(()), persistent=False)
        rate = max(before.rate, after.rate) * (1 if to_image else oversampling)
        self.up, self.down = rate // before.rate, rate // after.rate
        up_taps, down_taps = (1 if to_image or step == 1 else filter_taps * step for step in (self.up, self.down))
        up_filter = design_lowpass_filter(up_taps, before.cutoff, 2 * before.half_width, rate)
        down_filter = design_lowpass_filter(down_taps, after.cutoff, 2 * after.half_width, rate, radial=radial)
        self.register_buffer("up_filter", up_filter, persistent=False)
        self.register_buffer("down_filter", down_filter, persistent=False)
        # The full convolution and both filters widen the signal; what remains is centered, a surplus sample goes first.
        widened = up_taps + down_taps - 1 - self.down - (self.conv_kernel - 1) * self.up
        across = after.size.width * self.down - before.size.width * self.up + widened
        down = after.size.height * self.down - before.size.height * self.up + widened
        left, top = (across + self.up) // 2, (down + self.up) // 2
        self.padding = (left, across - left, top, down - top)

    magnitude_ema: torch.Tensor
    """Running mean square of the input, a scalar."""
    magnitude: torch.Tensor
    """Mean square of the input in the last forward in training mode, a scalar."""
    up_filter: torch.Tensor | None
    down_filter: torch.Tensor | None

    def forward(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        """Map `x` [N, C_in, H, W] to [N, C_out, H', W'] in the style w [N, w_dim].

        In training mode the magnitude of the input is noted; the running one, which scales it, waits for `settle`.
        """
        if self.training:
            self.observe(x)
        styles = self.affine(w)
        if self.to_image:
            styles = styles / math.sqrt(self.weight.shape[1] * self.conv_kernel**2)
        x = alias_free_modulated_conv2d(
            x,
            self.weight,
            styles,
            demodulate=not self.to_image,
            padding=self.conv_kernel - 1,
            input_gain=self.magnitude_ema.rsqrt(),
        )
        return filtered_lrelu(
            x,
            self.up_filter,
            self.down_filter,
            self.bias.to(x.dtype),
            up=self.up,
            down=self.down,
            padding=self.padding,
            gain=1.0 if self.to_image else math.sqrt(2),
            slope=1.0 if self.to_image else 0.2,
            clamp=self.conv_clamp,
        )

    @torch.no_grad()
    def observe(self, x: torch.Tensor) -> None:
        """Note the mean square of `x` [N, C_in, H, W]."""
        self.magnitude.copy_(x.to(self.magnitude.dtype).square().mean())

    @torch.no_grad()
    def settle(self, magnitude: torch.Tensor) -> None:
        """Move the running mean square towards that of a whole batch, a scalar."""
        self.magnitude_ema.copy_(magnitude.to(self.magnitude_ema).lerp(self.magnitude_ema, self.magnitude_beta))


@SYNTHESES.register("stylegan3")
class StyleGAN3Synthesis(SynthesisNetwork):
    """ws to pictures through alias-free layers; it has no noise inputs.

    Raises:
        UserError: for a size below 16 pixels or that no small grid leads to by doubling, or sizes out of range.
    """

    movable = True

    def __init__(
        self,
        resolution: Resolution,  # of the picture in pixels: a number for squares, else `384x256`
        w_dim: Count = 512,  # length of w
        *,
        image_channels: Count = 3,  # color channels of the picture
        channel_base: int = 32768,  # a signal of cutoff f has channel_base / 2 / f channels ...
        channel_max: int = 512,  # ... but at most these
        num_layers: Few = 14,  # layers before the one that makes the picture
        num_critical: int = 2,  # layers at the end whose cutoff is the picture's Nyquist frequency
        first_cutoff: float = 2.0,  # cutoff of the first layer, in cycles over the picture
        first_stopband: Annotated[float, Range(0, 64, open_low=True)] = 2**2.1,  # least stop band of the first layer
        last_stopband_rel: Positive = 2**0.3,  # least stop band of the last layer, relative to its cutoff
        margin: Few = 10,  # samples beyond each edge of the picture
        conv_kernel: Few = 3,  # height and width of the convolutions; 1 for configuration R
        filter_taps: Few = 6,  # taps of a low-pass filter for each step of resampling
        oversampling: Few = 2,  # sampling rate of the nonlinearities, relative to their surroundings
        radial_filters: bool = False,  # rotationally symmetric downsampling filters; True for configuration R
        conv_clamp: Positive | None = 256.0,  # bound on the absolute value of every layer; None sets none
        magnitude_beta: Share = 0.999,  # decay of the running mean squares, a training step at a time
        output_scale: float = 0.25,  # factor on the picture
    ) -> None:
        super().__init__()
        size = Size.of(resolution)
        size.steps(16)
        if not 0 <= num_critical < num_layers or min(w_dim, image_channels, conv_kernel, filter_taps, oversampling) < 1:
            raise UserError(
                "num_layers must exceed num_critical, and w_dim, image_channels, conv_kernel, filter_taps and "
                f"oversampling be at least 1; got {num_layers=}, {num_critical=}, {w_dim=}, {image_channels=}, "
                f"{conv_kernel=}, {filter_taps=}, {oversampling=}"
            )
        self.resolution, self.w_dim, self.image_channels = size.notation, w_dim, image_channels
        self.output_scale = output_scale
        signals = plan_signals(
            size,
            image_channels=image_channels,
            channel_base=channel_base,
            channel_max=channel_max,
            num_layers=num_layers,
            num_critical=num_critical,
            first_cutoff=first_cutoff,
            first_stopband=first_stopband,
            last_stopband_rel=last_stopband_rel,
            margin=margin,
        )
        if min(signal.channels for signal in signals) < 1:
            raise UserError(f"channel_base {channel_base} leaves a layer without channels at resolution {size}")
        self.input = FourierInput(signals[0], w_dim=w_dim)
        self.layers = nn.ModuleList(
            AliasFreeLayer(
                signals[max(i - 1, 0)],
                signals[i],
                w_dim=w_dim,
                conv_kernel=conv_kernel,
                filter_taps=filter_taps,
                oversampling=oversampling,
                radial=radial_filters and i < num_layers - num_critical,
                to_image=i == num_layers,
                conv_clamp=conv_clamp,
                magnitude_beta=magnitude_beta,
            )
            for i in range(num_layers + 1)
        )
        self.layer_resolutions = [min(signal.rate, size.longer) for signal in (signals[0], *signals)]
        self.num_ws = len(self.layer_resolutions)

    def forward(
        self, ws: torch.Tensor, condition: Condition | None = None, *, noise: Noise | None = None
    ) -> ImageBatch:
        """Pictures [N, C, H, W], at least float32, from ws [N, num_ws, w_dim]; `noise` changes nothing.

        Raises:
            UserError: when `ws` has another shape.
        """
        if ws.ndim != 3 or ws.shape[1:] != (self.num_ws, self.w_dim):
            raise UserError(f"ws has shape {list(ws.shape)}; this network needs [N, {self.num_ws}, {self.w_dim}]")
        x = quick_layout(self.input(ws[:, 0]))
        for layer, w in zip(self.layers, ws[:, 1:].unbind(1), strict=True):
            x = layer(x, w)
        image = x.to(torch.promote_types(x.dtype, torch.float32)) * self.output_scale
        return ImageBatch(image=image.contiguous(), condition=condition or Condition())

    def _alias_free(self) -> list[AliasFreeLayer]:
        return cast(list[AliasFreeLayer], list(self.layers))

    def observed(self) -> torch.Tensor:
        """Mean squares [layers] of every layer's input in the last forward in training mode."""
        return torch.stack([layer.magnitude for layer in self._alias_free()])

    def settle(self, averaged: torch.Tensor) -> None:
        """Move the running mean squares towards those of a step's whole batch [layers]."""
        for layer, magnitude in zip(self._alias_free(), averaged.unbind(), strict=True):
            layer.settle(magnitude)

    @contextmanager
    def placed(self, transform: torch.Tensor) -> Iterator[None]:
        """Within this context the inputs are seen through `transform` [3, 3] of the picture plane, then as before.

        It maps positions of the result to positions in the unmoved picture, in its longer sides around the center.
        """
        before = self.input.transform.clone()
        self.input.transform.copy_(transform)
        try:
            yield
        finally:
            self.input.transform.copy_(before)


def _matrix(rows: list[list[torch.Tensor]]) -> torch.Tensor:
    return torch.stack([torch.stack(row, -1) for row in rows], -2)
