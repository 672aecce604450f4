"""Equivariance to translation and rotation, EQ-T and EQ-R ("Alias-Free GANs", Karras et al. 2021, section 3, Eq. 3).

A peak signal-to-noise ratio in decibels between the picture of moved inputs and the moved picture. A network is seen
only as a function from a transform of the picture plane to a batch of pictures, all else held fixed.

Rotations are compared within the disc of frequencies that every rotation of the pixel grid can hold: both pictures
pass the same rotationally symmetric low-pass filter, one of them at rotated positions. The paper filters by the
intersection of the two squares of frequencies instead, so figures may differ by a fraction of a decibel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from stylegenes.data.protocols import LabelSource
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.metrics.row_pass import RowPass
from stylegenes.metrics.sources import block_seed, draw_condition, draws_identity
from stylegenes.records import Noise

Render = Callable[[torch.Tensor], torch.Tensor]
"""From the inverse transform [3, 3] of the picture plane (units: longer sides, y down) to pictures [N, C, H, W]."""

Trial = Callable[[Render, torch.Generator], "Mismatch"]
"""One comparison at a random transform that the generator draws."""

PEAK = 2.0
"""Range of pictures in [-1, 1]."""
RADIUS = 8
"""Radius in pixels of the rotation's filter."""
MAX_SHIFT = 0.125
"""Largest translation, relative to the picture's size."""


@dataclass(frozen=True)
class Mismatch:
    """A sum of squared differences over some pixels.

    Attributes:
        squared: the sum.
        count: the number of values in it.
    """

    squared: float
    count: float

    def __add__(self, other: Mismatch) -> Mismatch:
        return Mismatch(self.squared + other.squared, self.count + other.count)

    @property
    def decibels(self) -> float:
        """10 log10(peak^2 / mean square); infinite for equal pictures.

        Raises:
            UserError: when no pixel was compared.
        """
        if self.count == 0:
            raise UserError("no pixel to compare: the pictures are too small for this transform")
        return 10 * math.log10(PEAK**2 * self.count / self.squared) if self.squared else math.inf


def translation_mismatch(reference: torch.Tensor, moved: torch.Tensor, shift: tuple[int, int]) -> Mismatch:
    """Compare `moved` [N, C, H, W] with `reference` moved by whole pixels (right, down), where both are known."""
    height, width = reference.shape[2:]
    right, down = shift
    target = moved[:, :, max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)]
    source = reference[:, :, max(-down, 0) : height + min(-down, 0), max(-right, 0) : width + min(-right, 0)]
    return Mismatch((target.double() - source.double()).square().sum().item(), float(target.numel()))


def rotation_mismatch(reference: torch.Tensor, moved: torch.Tensor, angle: float) -> Mismatch:
    """Compare `moved` [N, C, H, W] with `reference` turned by `angle` radians (x towards y), where both are known."""
    turned, inside = low_pass_turned(reference, angle)
    still, within = low_pass_turned(moved, 0.0)
    mask = (inside & within).double()
    squared = ((turned - still).square() * mask).sum().item()
    return Mismatch(squared, mask.sum().item() * reference.shape[0] * reference.shape[1])


def low_pass_turned(images: torch.Tensor, angle: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures turned by `angle` radians about their center and limited to the disc of frequencies below Nyquist.

    Args:
        images: [N, C, H, W].
        angle: from the x axis (right) towards the y axis (down).

    Returns:
        Float64 [N, C, H, W], and bool [H, W]: where the filter saw nothing from beyond the edges.
    """
    n, c, height, width = images.shape
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float64) - (height - 1) / 2,
        torch.arange(width, dtype=torch.float64) - (width - 1) / 2,
        indexing="ij",
    )
    source_x = x * math.cos(angle) + y * math.sin(angle) + (width - 1) / 2
    source_y = y * math.cos(angle) - x * math.sin(angle) + (height - 1) / 2
    low_x, low_y = source_x.floor(), source_y.floor()
    inside = (low_x >= RADIUS - 1) & (low_x + RADIUS < width) & (low_y >= RADIUS - 1) & (low_y + RADIUS < height)
    padded = F.pad(images.detach().cpu().double(), [RADIUS] * 4)
    corner = (low_y.clamp(0, height - 1) + RADIUS) * (width + 2 * RADIUS) + low_x.clamp(0, width - 1) + RADIUS
    corner, padded = corner.long().flatten(), padded.flatten(2)
    total, weight = torch.zeros(n, c, height, width, dtype=torch.float64), torch.zeros(height, width).double()
    for step_y in range(1 - RADIUS, RADIUS + 1):
        for step_x in range(1 - RADIUS, RADIUS + 1):
            tap = _disc_kernel(torch.hypot(source_x - low_x - step_x, source_y - low_y - step_y))
            pixels = padded.index_select(2, corner + step_y * (width + 2 * RADIUS) + step_x)
            total += tap * pixels.reshape(total.shape)
            weight += tap
    return total / weight, inside


def _disc_kernel(radius: torch.Tensor) -> torch.Tensor:
    """The windowed response of the low-pass filter that keeps frequencies below a bit less than half a cycle a pixel.

    Its Fourier transform is a disc (a Bessel function of the radius), tapered so that the cut is within the window's
    resolution of the Nyquist frequency.
    """
    cutoff = 0.5 - 1.0 / RADIUS
    argument = 2 * math.pi * cutoff * radius
    jinc = torch.where(radius < 1e-9, 0.5, torch.special.bessel_j1(argument) / argument.clamp(min=1e-9))
    window = torch.i0(9.0 * (1 - (radius / RADIUS).square()).clamp(min=0).sqrt())
    return jinc * window * (radius < RADIUS)


def translation_trial(render: Render, generator: torch.Generator) -> Mismatch:
    """The mismatch at one random translation by whole pixels, uniform up to `MAX_SHIFT` of the size either way."""
    reference = render(torch.eye(3, dtype=torch.float64))
    height, width = reference.shape[2:]
    draw = (torch.rand(2, generator=generator, dtype=torch.float64) * 2 - 1) * MAX_SHIFT
    right, down = round(draw[0].item() * width), round(draw[1].item() * height)
    moved = render(translation_transform(-right / max(height, width), -down / max(height, width)))
    return translation_mismatch(reference, moved, (right, down))


def rotation_trial(render: Render, generator: torch.Generator) -> Mismatch:
    """The mismatch at one random angle, uniform over the circle."""
    reference = render(torch.eye(3, dtype=torch.float64))
    angle = torch.rand(1, generator=generator, dtype=torch.float64).item() * 2 * math.pi
    return rotation_mismatch(reference, render(rotation_transform(-angle)), angle)


def eq_t(renders: Iterable[Render], generator: torch.Generator) -> float:
    """Equivariance to translation in decibels.

    Args:
        renders: one a batch, each compared at one random translation.
        generator: source of the translations, on the CPU.
    """
    return _total(renders, generator, translation_trial)


def eq_r(renders: Iterable[Render], generator: torch.Generator) -> float:
    """Equivariance to rotation in decibels; arguments as for `eq_t`."""
    return _total(renders, generator, rotation_trial)


def _total(renders: Iterable[Render], generator: torch.Generator, trial: Trial) -> float:
    return sum((trial(render, generator) for render in renders), Mismatch(0.0, 0.0)).decibels


def trials_pass(
    name: str,
    generator: Generator,
    trial: Trial,
    *,
    num: int,
    seed: int = 0,
    batch: int = 32,
    psi: float = 1.0,
    labels: LabelSource | None = None,
) -> RowPass:
    """A pass over `num` pictures of a generator whose input can be moved; each batch meets a transform of its own.

    Args:
        name: of the metric.
        generator: in eval mode.
        trial: translation or rotation.
        num: pictures.
        seed: of codes and transforms.
        batch: pictures at once; the draws depend on it.
        psi: truncation.
        labels: a data set whose labels condition the pictures, for a conditional model.

    Returns:
        A pass of rows of two numbers: each picture's share of its batch's squared differences, and of their count.
    """

    @torch.no_grad()
    def make(start: int, stop: int) -> torch.Tensor:
        rng = torch.Generator().manual_seed(block_seed(seed, start))
        condition = draw_condition(generator, labels, stop - start, rng)
        ws = generator.express(generator.sample(stop - start, rng), condition, psi=psi)

        def render(transform: torch.Tensor) -> torch.Tensor:
            with generator.synthesis.placed(transform):
                return generator.synthesis(ws, condition, noise=Noise("const")).image

        found = trial(render, rng)
        share = torch.tensor([found.squared, found.count], dtype=torch.float64) / (stop - start)
        return share.expand(stop - start, 2)

    identity = {**draws_identity(generator, labels, num, seed, batch), "psi": psi}
    return RowPass(name=name, identity=identity, num=num, dim=2, batch=batch, make=make)


def translation_transform(x: float, y: float) -> torch.Tensor:
    """The matrix [3, 3] that adds (x, y)."""
    return torch.tensor([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]], dtype=torch.float64)


def rotation_transform(angle: float) -> torch.Tensor:
    """The matrix [3, 3] that turns by `angle` radians, x towards y."""
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
