"""The contract of an augmentation: pictures in, pictures of the same shape out, differentiable twice."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import nn

from stylegenes.ops.bilinear import resize
from stylegenes.registry import Registry, Spec


class Augmentation(nn.Module, ABC):
    """Changes the pictures that the discriminator sees, reals and fakes alike.

    Attributes:
        adaptive: whether a schedule may move `p`; False where every picture is always augmented.
        idle: whether it leaves every picture as it is.
        p: buffer, a scalar in [0, 1]: the probability that one transform is applied to one picture.
        spec: the registry spec it was built from.
    """

    adaptive: bool = False
    idle: bool = False
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

    idle = True

    def __init__(self) -> None:
        super().__init__(p=0.0)

    def forward(self, images: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """The images themselves, [N, C, H, W]."""
        return images


def color_channels(images: torch.Tensor) -> int:
    """How many channels of pictures [N, C, H, W] are colors, the first: the gray one, or red, green and blue.

    Alpha and what follows red, green and blue are none: color transforms leave them alone.
    """
    return 1 if images.shape[1] < 3 else 3


def augment_alike(
    augment: Augmentation, pictures: Sequence[torch.Tensor], generator: torch.Generator
) -> list[torch.Tensor]:
    """The same augmentation of pictures [N, C, H, W] of one scene at different sizes, such as EG3D's pairs.

    The smaller ones are augmented at the size of the first, and resized back (Chan et al. 2022, supplement 1.2).
    """
    first, *others = pictures
    if augment.idle or not others:
        return [augment(first, generator), *others]
    before = generator.get_state()
    found = [augment(first, generator)]
    for other in others:
        generator.set_state(before)
        found.append(resize(augment(resize(other, first.shape[-1]), generator), other.shape[-1]))
    return found
