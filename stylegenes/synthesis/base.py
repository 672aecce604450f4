"""The contract of a synthesis network: style vectors in, pictures out."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import nn

from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.registry import Registry, Spec


class SynthesisNetwork(nn.Module, ABC):
    """Turns style vectors into pictures.

    Attributes:
        resolution: height and width of the picture in pixels.
        image_channels: colour channels of the picture.
        w_dim: length of one style vector.
        num_ws: style vectors a picture takes; 1 is ordinary.
        layer_resolutions: for each of the num_ws style vectors, the resolution in pixels of the layer it drives.
        spec: the registry spec it was built from.
    """

    resolution: int
    image_channels: int
    w_dim: int
    num_ws: int
    layer_resolutions: list[int]
    spec: Spec

    @abstractmethod
    def forward(
        self, ws: torch.Tensor, condition: Condition | None = None, *, noise: Noise | None = None
    ) -> ImageBatch:
        """Synthesize pictures from ws [N, num_ws, w_dim]; `noise` None means `Noise("random")`."""

    def noise_buffers(self) -> dict[str, torch.Tensor]:
        """The stored noise images [H, W] by name, for `Noise("const")`; empty where a network has none."""
        return {}


SYNTHESES: Registry[SynthesisNetwork] = Registry("synthesis network")
