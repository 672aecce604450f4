"""The contract of an augmentation: pictures in, pictures of the same shape out, differentiable twice."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import nn

from stylegenes.registry import Registry, Spec


class Augmentation(nn.Module, ABC):
    """Changes the pictures that the discriminator sees, reals and fakes alike.

    Attributes:
        adaptive: whether a schedule may move `p`; False where every picture is always augmented.
        p: buffer, a scalar in [0, 1]: the probability that one transform is applied to one picture.
        spec: the registry spec it was built from.
    """

    adaptive: bool = False
    p: torch.Tensor
    spec: Spec

    def __init__(self, p: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("p", torch.tensor(float(p)))

    @abstractmethod
    def forward(self, images: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Augment `images` [N, C, H, W] in [-1, 1]; random numbers come from `generator` (None: torch's global one)."""


AUGMENTS: Registry[Augmentation] = Registry("augmentation")


@AUGMENTS.register("none")
class NoAugmentation(Augmentation):
    """Leaves every picture as it is."""

    def __init__(self) -> None:
        super().__init__(p=0.0)

    def forward(self, images: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """The images themselves, [N, C, H, W]."""
        return images
