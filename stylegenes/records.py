"""What rooms hand to each other: conditions, noise settings and batches of images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import torch

from stylegenes.words import check_known

NoiseMode = Literal["random", "const", "none"]
TensorMap = Callable[[torch.Tensor], torch.Tensor]
Index = slice | torch.Tensor


@dataclass(frozen=True)
class Condition:
    """What a picture is conditioned on. A label and a camera are two things, never one vector.

    Attributes:
        label: [N, L] float (one-hot class or multi-label vector), or None.
        camera: [N, 25] float (4x4 extrinsics and 3x3 intrinsics, flattened), or None.
    """

    label: torch.Tensor | None = None
    camera: torch.Tensor | None = None

    def map(self, function: TensorMap) -> Condition:
        """The same condition with `function` applied to every tensor that is present."""
        return Condition(
            label=None if self.label is None else function(self.label),
            camera=None if self.camera is None else function(self.camera),
        )

    def to(self, device: torch.device | str) -> Condition:
        """The same condition on `device`."""
        return self.map(lambda tensor: tensor.to(device))

    def __getitem__(self, index: Index) -> Condition:
        return self.map(lambda tensor: tensor[index])


def repeated(condition: Condition | None, n: int) -> Condition | None:
    """The first row of a condition for each of `n` samples; None stays None."""
    return None if condition is None else condition.map(lambda tensor: tensor[:1].expand(n, -1))


def spread(condition: Condition | None, n: int) -> Condition | None:
    """A condition of one row or of n, part by part, for each of `n` samples; None stays None."""
    return None if condition is None else condition.map(lambda rows: rows if len(rows) == n else rows.expand(n, -1))


@dataclass(frozen=True)
class Noise:
    """How a synthesis network fills its noise inputs.

    Attributes:
        mode: `random` (fresh per sample), `const` (the network's stored buffers) or `none`.
        generator: source of randomness for `random`; None uses torch's global one.
        min_resolution: layers below this resolution (in pixels) get no noise.
        max_resolution: layers above this resolution get no noise; None sets no bound.

    Raises:
        UserError: for an unknown mode.
    """

    mode: NoiseMode = "random"
    generator: torch.Generator | None = None
    min_resolution: int = 0
    max_resolution: int | None = None

    def __post_init__(self) -> None:
        check_known("noise mode", self.mode, get_args(NoiseMode))

    def mode_at(self, resolution: int) -> NoiseMode:
        """The mode for a layer of the given resolution, its longer side in pixels."""
        above = self.max_resolution is not None and resolution > self.max_resolution
        return "none" if above or resolution < self.min_resolution else self.mode

    def picture(self, x: torch.Tensor, const: torch.Tensor) -> torch.Tensor | None:
        """The noise for features `x` [N, C, H, W] of a layer that stores `const` [H, W].

        Returns:
            [N, 1, H, W] drawn anew, `const` itself, or None, as the mode at this resolution says.
        """
        mode = self.mode_at(max(x.shape[2:]))
        if mode == "none":
            return None
        if mode == "const":
            return const
        where = x.device if self.generator is None else self.generator.device
        shape = (x.shape[0], 1, *x.shape[2:])
        return torch.randn(shape, generator=self.generator, device=where, dtype=const.dtype).to(x.device)


@dataclass(frozen=True)
class ImageBatch:
    """A batch of pictures, real or fake alike.

    Attributes:
        image: [N, C, H, W] float in [-1, 1].
        raw: [N, C, h, w], the picture before super-resolution (EG3D), or None.
        depth: [N, 1, h, w] in scene units, or None.
        condition: what the pictures are conditioned on.
    """

    image: torch.Tensor
    raw: torch.Tensor | None = None
    depth: torch.Tensor | None = None
    condition: Condition = field(default_factory=Condition)

    def __len__(self) -> int:
        return self.image.shape[0]

    def __getitem__(self, index: Index) -> ImageBatch:
        return self.map(lambda tensor: tensor[index])

    def map(self, function: TensorMap) -> ImageBatch:
        """The same batch with `function` applied to every tensor that is present."""
        return ImageBatch(
            image=function(self.image),
            raw=None if self.raw is None else function(self.raw),
            depth=None if self.depth is None else function(self.depth),
            condition=self.condition.map(function),
        )

    def to(self, device: torch.device | str) -> ImageBatch:
        """The same batch on `device`."""
        return self.map(lambda tensor: tensor.to(device))

    def detach(self) -> ImageBatch:
        """The same batch cut from the graph."""
        return self.map(torch.Tensor.detach)

    @property
    def pictures(self) -> list[torch.Tensor]:
        """The picture, and the one before super-resolution where there is one."""
        return [self.image] if self.raw is None else [self.image, self.raw]

    def with_pictures(self, pictures: Sequence[torch.Tensor]) -> ImageBatch:
        """The same batch with others in the place of `pictures`."""
        image, *raw = pictures
        return replace(self, image=image, raw=raw[0] if raw else None)

    def with_image(self, image: torch.Tensor) -> ImageBatch:
        """The same batch with another picture tensor."""
        return replace(self, image=image)
