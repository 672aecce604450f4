"""Perceptual distances: how far two pictures are apart in the feature maps of a frozen network."""

from __future__ import annotations

from abc import abstractmethod

import torch

from stylegenes.errors import UserError
from stylegenes.perception.base import DISTANCES, PerceptualDistance
from stylegenes.perception.hdf5 import caffe_input, read_converted
from stylegenes.perception.lite0 import Lite0Trunk
from stylegenes.perception.resize import resize
from stylegenes.perception.squeezenet import SqueezeNetTrunk
from stylegenes.perception.vgg import HED_FETCH, HED_FILE, HED_SHA256, VGG16Taps


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


class UniformDistance(PerceptualDistance):
    """Unit-normalized feature maps, uniform channel weights, mean over positions and layers. Not LPIPS."""

    def __init__(
        self,
        *,
        input_size: int | None = None,  # pixels that both pictures are resized to; None compares them as they are
    ) -> None:
        super().__init__()
        self.input_size = input_size

    @abstractmethod
    def taps(self, images: torch.Tensor) -> list[torch.Tensor]:
        """The feature maps [N, c, h, w] of pictures [N, 1 or 3, H, W] in [-1, 1]."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Distance [N] between pictures a and b, both [N, 1 or 3, H, W] in [-1, 1]; differentiable in both."""
        check_pair(a, b)
        maps = self.taps(torch.cat([resize(a, self.input_size), resize(b, self.input_size)]))
        return torch.stack([layer_distance(*m.chunk(2)) for m in maps]).mean(dim=0)


@DISTANCES.register("perceptual_lite0")
class PerceptualLite0(UniformDistance):
    """The distance in EfficientNet-Lite0's four taps."""

    name = "perceptual_lite0"

    def __init__(
        self,
        *,
        input_size: int | None = None,  # pixels that both pictures are resized to; None compares them as they are
        pretrained: bool = True,  # read the ImageNet weights, else random ones
    ) -> None:
        super().__init__(input_size=input_size)
        self.trunk = Lite0Trunk(pretrained=pretrained)
        self.weights_hash = self.trunk.weights_hash

    def taps(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Four maps at strides 4, 8, 16, 32."""
        return self.trunk.taps(images)


@DISTANCES.register("perceptual_squeezenet")
class PerceptualSqueezeNet(UniformDistance):
    """The distance in SqueezeNet's seven taps; pictures of at least 31 pixels."""

    name = "perceptual_squeezenet"

    def __init__(
        self,
        *,
        input_size: int | None = None,  # pixels that both pictures are resized to; None compares them as they are
        pretrained: bool = True,  # read the fetched ImageNet weights, else random ones
    ) -> None:
        super().__init__(input_size=input_size)
        self.trunk = SqueezeNetTrunk(pretrained=pretrained)
        self.weights_hash = self.trunk.weights_hash

    def taps(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Seven maps at strides 2, 4, 8, 16."""
        return self.trunk.taps(images)


@DISTANCES.register("perceptual_vgg16")
class PerceptualVGG16(UniformDistance):
    """The distance in the five taps of a VGG16 trained further to find edges; pictures of at least 16 pixels."""

    name = "perceptual_vgg16"

    def __init__(
        self,
        *,
        input_size: int | None = None,  # pixels that both pictures are resized to; None compares them as they are
        pretrained: bool = True,  # read the fetched weights, else random ones
    ) -> None:
        super().__init__(input_size=input_size)
        self.network = VGG16Taps()
        self.weights_hash = "random"
        if pretrained:
            self.network.load(read_converted(HED_FILE, HED_SHA256, HED_FETCH))
            self.weights_hash = HED_SHA256

    def taps(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Five maps at strides 1, 2, 4, 8, 16."""
        return self.network(caffe_input(images))

    def metric_name(self, metric: str) -> str:
        """Results name the weights: `ppl` is `ppl_vgg16_hed`, for nobody to take it for the ImageNet network's."""
        return f"{metric}_vgg16_hed"


def reported_distance(device: torch.device | str = "cpu") -> PerceptualDistance:
    """The perceptual distance that edits, moves and inversions report, frozen; it comes with the package."""
    return PerceptualLite0().eval().requires_grad_(False).to(device)
