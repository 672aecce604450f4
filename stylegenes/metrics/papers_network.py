"""The papers' attribute classifier: for every attribute a discriminator without minibatch standard deviation."""

from __future__ import annotations

import torch
from torch import nn

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.perception import ATTRIBUTE_NETWORKS, AttributeNetwork
from stylegenes.records import ImageBatch
from stylegenes.size import Resolution


@ATTRIBUTE_NETWORKS.register("discriminator")
class OnePerAttribute(AttributeNetwork):
    """A StyleGAN2 discriminator of one output for each attribute (StyleGAN, appendix C)."""

    def __init__(
        self,
        num_attributes: int,  # outputs, and networks
        resolution: Resolution,  # of the pictures in pixels: a number for squares, else `384x256`
        *,
        image_channels: int = 3,  # their color channels
        channel_base: int = 32768,  # channels at resolution r are channel_base // r ...
        channel_max: int = 512,  # ... but at most these
    ) -> None:
        super().__init__()
        spec = {
            "name": "stylegan2",
            "resolution": resolution,
            "image_channels": image_channels,
            "channel_base": channel_base,
            "channel_max": channel_max,
            "mbstd_num_channels": 0,
        }
        self.networks = nn.ModuleList(DISCRIMINATORS.build(spec) for _ in range(num_attributes))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits [N, num_attributes] of pictures [N, C, resolution, resolution] in [-1, 1]."""
        return torch.cat([network(ImageBatch(images)) for network in self.networks], dim=1)
