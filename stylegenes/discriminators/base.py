"""The contract of a discriminator: pictures in, logits out."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import nn

from stylegenes.errors import UserError
from stylegenes.layers import Layer
from stylegenes.records import ImageBatch
from stylegenes.registry import Registry, Spec
from stylegenes.size import Size


class Discriminator(Layer, ABC):
    """Judges pictures.

    Attributes:
        resolution: of the pictures in pixels: a number for squares, else `384x256`.
        image_channels: their color channels.
        label_dim: length of the label it needs, 0 for none.
        reads_camera: whether it needs the camera.
        grows: whether `grow` does anything.
        group_size: pictures that it compares with one another; 1 for none, None for the whole batch.
        spec: the registry spec it was built from.
    """

    resolution: int | str
    image_channels: int
    label_dim: int = 0
    reads_camera: bool = False
    grows: bool = False
    group_size: int | None = 1
    spec: Spec

    @property
    def size(self) -> Size:
        """Width and height of the pictures."""
        return Size.of(self.resolution)

    def prepare(self, batch: ImageBatch) -> ImageBatch:
        """Add to a batch of reals what fakes bring along (EG3D's raw image). The batch itself by default."""
        return batch

    def render_at(self, resolution: int) -> None:
        """Fakes are rendered at resolution x resolution pixels from here on; nothing to most discriminators."""
        return

    @abstractmethod
    def forward(self, batch: ImageBatch) -> torch.Tensor:
        """Logits [N, K]: positive means real. K > 1 where several heads judge."""

    def stages(self) -> list[nn.Module]:
        """Its parts from the image end to the logits, for freeze-D."""
        return list(self.children())

    def grow(self, level: float) -> bool:
        """Look at 2^level pixels of detail, fractional while a resolution fades in (progressive growing).

        Returns:
            Whether other layers take part than before. Networks that do not grow do nothing.
        """
        return False

    def enlarged(self, state: dict[str, torch.Tensor], resolution: int | str) -> dict[str, torch.Tensor]:
        """The state of the same network for smaller pictures of `resolution` pixels, under the names it has here.

        Raises:
            UserError: for a network that cannot go on from a smaller one.
        """
        raise UserError(f"{type(self).__name__} cannot go on from {resolution} pixels; stylegan2's networks can")

    @classmethod
    def example_spec(cls, resolution: int | str) -> Spec:
        """Keyword arguments of a network of a few channels, for trials."""
        return {"resolution": resolution, "channel_base": 8 * Size.of(resolution).longer, "channel_max": 8}

    def check_image(self, image: torch.Tensor) -> torch.Tensor:
        """The pictures, [N, image_channels, height, width].

        Raises:
            UserError: when they have another shape.
        """
        expected = (self.image_channels, *self.size.hw)
        if image.ndim != 4 or image.shape[1:] != expected:
            raise UserError(f"pictures have shape {list(image.shape)}; this discriminator needs [N, {expected}]")
        return image

    def check_label(self, batch: ImageBatch) -> torch.Tensor:
        """The label [N, label_dim] of a batch.

        Raises:
            UserError: when it is missing or has another shape.
        """
        label = batch.condition.label
        if label is None:
            raise UserError(f"this discriminator needs a label of length {self.label_dim}; none was given")
        if label.shape != (len(batch), self.label_dim):
            raise UserError(f"label has shape {list(label.shape)}; needs [{len(batch)}, {self.label_dim}]")
        return label


DISCRIMINATORS: Registry[Discriminator] = Registry("discriminator")
