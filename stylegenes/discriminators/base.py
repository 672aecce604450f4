"""The contract of a discriminator: pictures in, logits out."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import nn

from stylegenes.records import ImageBatch
from stylegenes.registry import Registry, Spec


class Discriminator(nn.Module, ABC):
    """Judges pictures.

    Attributes:
        resolution: height and width of the pictures in pixels.
        image_channels: their colour channels.
        label_dim: length of the label it needs, 0 for none.
        spec: the registry spec it was built from.
    """

    resolution: int
    image_channels: int
    label_dim: int = 0
    spec: Spec

    def prepare(self, batch: ImageBatch) -> ImageBatch:
        """Add to a batch of reals what fakes bring along (EG3D's raw image). The batch itself by default."""
        return batch

    @abstractmethod
    def forward(self, batch: ImageBatch) -> torch.Tensor:
        """Logits [N, K]: positive means real. K > 1 where several heads judge."""

    def stages(self) -> list[nn.Module]:
        """Its parts from the image end to the logits, for freeze-D."""
        return list(self.children())


DISCRIMINATORS: Registry[Discriminator] = Registry("discriminator")
