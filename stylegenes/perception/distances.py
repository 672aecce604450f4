"""Perceptual distances: how far two pictures are apart in the feature maps of a frozen network."""

from __future__ import annotations

import torch

from stylegenes.errors import UserError
from stylegenes.perception.base import DISTANCES, PerceptualDistance
from stylegenes.perception.lite0 import Lite0Trunk
from stylegenes.perception.resize import resize


def unit_normalize(features: torch.Tensor, eps: float = 1e-10) -> torch.Tensor:
    """Each position's feature vector [N, C, H, W] scaled to length one; eps bounds the gradient at zero."""
    return features * (features.square().sum(dim=1, keepdim=True) + eps).rsqrt()


def layer_distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Squared distance [N] of unit-normalized feature maps [N, C, H, W], averaged over positions."""
    return (unit_normalize(a) - unit_normalize(b)).square().sum(dim=1).mean(dim=(1, 2))


def check_pair(a: torch.Tensor, b: torch.Tensor) -> None:
    """Refuse batches of different shapes.

    Raises:
        UserError: naming both shapes.
    """
    if a.shape != b.shape:
        raise UserError(f"a perceptual distance compares like with like; got {list(a.shape)} and {list(b.shape)}")


@DISTANCES.register("perceptual_lite0")
class PerceptualLite0(PerceptualDistance):
    """EfficientNet-Lite0's four taps, uniform channel weights, mean over positions and layers. Not LPIPS."""

    name = "perceptual_lite0"

    def __init__(
        self,
        *,
        input_size: int | None = None,  # pixels that both pictures are resized to; None compares them as they are
        pretrained: bool = True,  # read the ImageNet weights, else random ones
    ) -> None:
        super().__init__()
        self.trunk = Lite0Trunk(pretrained=pretrained)
        self.input_size = input_size
        self.weights_hash = self.trunk.weights_hash

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Distance [N] between pictures a and b, both [N, 1 or 3, H, W] in [-1, 1]; differentiable in both."""
        check_pair(a, b)
        maps = self.trunk.taps(torch.cat([resize(a, self.input_size), resize(b, self.input_size)]))
        return torch.stack([layer_distance(*m.chunk(2)) for m in maps]).mean(dim=0)
