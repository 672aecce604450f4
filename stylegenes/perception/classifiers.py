"""Attribute classifiers with calibrated probabilities, and the network that learns all attributes at once."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from stylegenes.errors import UserError
from stylegenes.perception.base import ATTRIBUTE_NETWORKS, AttributeClassifier, AttributeNetwork
from stylegenes.perception.resize import from_gray, resize, to_rgb
from stylegenes.size import Resolution, Size


@ATTRIBUTE_NETWORKS.register("multihead")
class MultiHead(AttributeNetwork):
    """A small convolutional network with one output for every attribute.

    Convolution, batch norm, ReLU; half the size and twice the width at each step down to 4 x 4, or to the small grid of
    another shape, where the map is flattened, so that a head knows where on the picture it looks.

    Raises:
        UserError: for a size below 8 pixels or that no small grid leads to by doubling.
    """

    def __init__(
        self,
        num_attributes: int,  # outputs
        resolution: Resolution,  # of the pictures in pixels: a number for squares, else `384x256`
        *,
        image_channels: int = 3,  # their color channels
        width: int = 32,  # channels of the first convolution
        max_width: int = 128,  # bound on the channels further down
    ) -> None:
        super().__init__()
        size = Size.of(resolution)
        steps = len(size.steps(8)) - 1
        widths = [min(width << i, max_width) for i in range(steps + 1)]
        layers = [_unit(image_channels, widths[0], 1)]
        layers += [_unit(widths[i], widths[i + 1], 2) for i in range(steps)]
        self.body = nn.Sequential(*layers, _unit(widths[-1], widths[-1], 1), nn.Flatten())
        self.heads = nn.Linear(widths[-1] * size.start.pixels, num_attributes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits [N, num_attributes] of pictures [N, C, resolution, resolution] in [-1, 1]."""
        return self.heads(self.body(images.contiguous(memory_format=torch.channels_last)))


def _unit(channels_in: int, channels_out: int, stride: int) -> nn.Module:
    convolution = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels_out), nn.ReLU())


class CalibratedClassifier(AttributeClassifier):
    """A trained network whose logits l become probabilities sigmoid(scale * l + shift), per attribute (Platt 1999).

    Raises:
        UserError: when the network refuses its arguments.
    """

    def __init__(
        self,
        network: dict[str, Any],  # spec of the network, without num_attributes, resolution and image_channels
        attributes: list[str],  # names of the outputs
        *,
        resolution: Resolution,  # pictures are resized to this many pixels
        image_channels: int = 3,  # their color channels
        name: str = "classifier",  # what records call it
        weights_hash: str = "untrained",  # sha256 of the weights
    ) -> None:
        super().__init__()
        shape = {"num_attributes": len(attributes), "resolution": resolution, "image_channels": image_channels}
        self.network = ATTRIBUTE_NETWORKS.build({**network, **shape})
        self.network_spec = dict(network)
        self.attributes, self.resolution, self.image_channels = list(attributes), resolution, image_channels
        self.name, self.weights_hash = name, weights_hash
        self.scale: torch.Tensor
        self.shift: torch.Tensor
        self.register_buffer("scale", torch.ones(len(attributes)))
        self.register_buffer("shift", torch.zeros(len(attributes)))

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """The network's own logits [N, A] of pictures [N, C, H, W] in [-1, 1], before calibration.

        Raises:
            UserError: for pictures of other channels.
        """
        if images.ndim == 4 and self.image_channels == 3:
            images = to_rgb(images)
        if images.ndim != 4 or images.shape[1] not in (1, self.image_channels):
            raise UserError(
                f"classifier {self.name!r} takes pictures [N, {self.image_channels}, H, W]; got {list(images.shape)}"
            )
        if images.shape[1] == 1:
            images = from_gray(images, self.image_channels)
        return self.network(resize(images, self.resolution))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Calibrated probabilities [N, A] of pictures [N, C, H, W] in [-1, 1]; differentiable in them."""
        return torch.sigmoid(self.logits(images) * self.scale + self.shift)
