"""What an inversion minimizes: pixels, a perceptual distance, and structure in the noise inputs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from stylegenes.perception import PerceptualDistance

MOST_STEPS = 1_000_000
"""Gradient steps at most, of a projection and of a tuning; hundreds to thousands are usual."""


@dataclass(frozen=True)
class Errors:
    """How far pictures are from their targets.

    Attributes:
        mse: [N], mean squared error of pixels in [-1, 1].
        perceptual: [N], perceptual distance.
        total: [N], their weighted sum.
    """

    mse: torch.Tensor
    perceptual: torch.Tensor
    total: torch.Tensor


@dataclass(frozen=True)
class Objective:
    """A weighted sum of pixel and perceptual error.

    Attributes:
        perceptual: the frozen network, in evaluation mode.
        pixel_weight: weight of the mean squared error.
        perceptual_weight: weight of the perceptual distance.
    """

    perceptual: PerceptualDistance
    pixel_weight: float = 1.0
    perceptual_weight: float = 1.0

    @property
    def identity(self) -> list[str | float]:
        """What its numbers depend on: the network's weights, and both weights of the sum."""
        return [self.perceptual.weights_hash, self.pixel_weight, self.perceptual_weight]

    def __call__(self, images: torch.Tensor, targets: torch.Tensor) -> Errors:
        """Compare pictures [N, C, H, W] in [-1, 1] with their targets; differentiable."""
        mse = (images - targets).square().flatten(1).mean(dim=1)
        perceptual = self.perceptual(images, targets)
        return Errors(mse, perceptual, self.pixel_weight * mse + self.perceptual_weight * perceptual)


def noise_structure(noise: torch.Tensor) -> torch.Tensor:
    """Squared correlation of neighboring pixels over a pyramid of halved sizes (StyleGAN2, appendix D).

    Args:
        noise: [N, 1, H, W], zero mean and unit variance each.

    Returns:
        [N], zero for white noise.
    """
    penalty = torch.zeros(noise.shape[0], device=noise.device)
    while True:
        for axis in (2, 3):
            penalty = penalty + (noise * noise.roll(1, dims=axis)).mean(dim=(1, 2, 3)).square()
        if min(noise.shape[2:]) <= 8:
            return penalty
        # Averaging four independent values halves their deviation; the factor two restores unit variance.
        noise = 2 * nn.functional.avg_pool2d(noise, 2)


@torch.no_grad()
def standardize_noise(noise: torch.Tensor) -> None:
    """Bring every map of `noise` [N, 1, H, W] back to zero mean and unit variance, in place."""
    noise -= noise.mean(dim=(2, 3), keepdim=True)
    noise *= (noise.square().mean(dim=(2, 3), keepdim=True) + 1e-12).rsqrt()
