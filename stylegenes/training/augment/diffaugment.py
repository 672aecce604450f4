"""Differentiable augmentation (Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from stylegenes.errors import UserError
from stylegenes.shape import Share
from stylegenes.training.augment.base import AUGMENTS, Augmentation, color_channels
from stylegenes.words import did_you_mean


@dataclass(frozen=True)
class DiffDraws:
    """Everything random about one call.

    Attributes:
        brightness: [N] uniform in [0, 1).
        saturation: [N] uniform in [0, 1).
        contrast: [N] uniform in [0, 1).
        translation: int64 [N, 2], rows and columns that a picture moves up and left, up to an eighth of its size.
        cutout: int64 [N, 2], row and column of the center of the square cut out.
    """

    brightness: torch.Tensor
    saturation: torch.Tensor
    contrast: torch.Tensor
    translation: torch.Tensor
    cutout: torch.Tensor


def brightness(images: torch.Tensor, draws: DiffDraws) -> torch.Tensor:
    """Add u - 1/2 to the colors of `images` [N, C, H, W]."""
    return _on_colors(images, lambda colors: colors + (_per_image(draws.brightness, images) - 0.5))


def saturation(images: torch.Tensor, draws: DiffDraws) -> torch.Tensor:
    """Scale the distance of the colors of `images` [N, C, H, W] from their mean by 2 u."""

    def change(colors: torch.Tensor) -> torch.Tensor:
        mean = colors.mean(1, keepdim=True)
        return mean + (colors - mean) * (2 * _per_image(draws.saturation, images))

    return _on_colors(images, change)


def contrast(images: torch.Tensor, draws: DiffDraws) -> torch.Tensor:
    """Scale the distance of the colors of `images` [N, C, H, W] from each picture's mean by u + 1/2."""

    def change(colors: torch.Tensor) -> torch.Tensor:
        mean = colors.mean((1, 2, 3), keepdim=True)
        return mean + (colors - mean) * (_per_image(draws.contrast, images) + 0.5)

    return _on_colors(images, change)


def translation(images: torch.Tensor, draws: DiffDraws) -> torch.Tensor:
    """Move `images` [N, C, H, W] by whole pixels; what comes in from outside is 0."""
    shift = draws.translation.to(images.device)
    for dim, size in ((2, images.shape[2]), (3, images.shape[3])):
        source = torch.arange(size, device=images.device) + shift[:, dim - 2, None]
        inside = (source >= 0) & (source < size)
        shape = [len(images), 1, 1, 1]
        shape[dim] = size
        index = source.clamp(0, size - 1).reshape(shape).expand_as(images)
        images = images.gather(dim, index) * inside.reshape(shape).to(images)
    return images


def cutout(images: torch.Tensor, draws: DiffDraws, size: float = 0.5) -> torch.Tensor:
    """Set a rectangle of relative edge `size` in `images` [N, C, H, W] to 0, wherever it lies inside the picture."""
    centers = draws.cutout.to(images.device)
    inside = [_within(centers[:, axis], images.shape[2 + axis], size) for axis in range(2)]
    square = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return images * (~square).to(images)


POLICIES = {
    "color": ("brightness", "saturation", "contrast"),
    "translation": ("translation",),
    "cutout": ("cutout",),
}
"""Groups of transforms by the names that a policy uses."""


@AUGMENTS.register("diffaugment")
class DiffAugment(Augmentation):
    """Every picture is augmented by every transform of the policy, in its order.

    Raises:
        UserError: for an unknown transform.
    """

    def __init__(
        self,
        policy: str = "color,translation,cutout",  # groups of POLICIES or single transforms, joined by commas
        *,
        max_translation: Share = 0.125,  # relative to the picture's size
        cutout_size: Share = 0.5,  # edge of the square, relative to the picture's size; 0.2 for projected GANs
    ) -> None:
        super().__init__()
        self.max_translation = max_translation
        self.cutout_size = cutout_size
        self.transforms: dict[str, Callable[[torch.Tensor, DiffDraws], torch.Tensor]] = {
            "brightness": brightness,
            "saturation": saturation,
            "contrast": contrast,
            "translation": translation,
            "cutout": partial(cutout, size=cutout_size),
        }
        self.steps = [step for name in policy.split(",") for step in POLICIES.get(name.strip(), (name.strip(),))]
        for name in self.steps:
            if name not in self.transforms:
                hint = did_you_mean(name, [*POLICIES, *self.transforms])
                raise UserError(f"unknown differentiable augmentation {name!r}{hint}")

    def forward(self, images: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Augment `images` [N, C, H, W] in [-1, 1]; random numbers come from `generator` (None: torch's global one)."""
        return self.apply_draws(images, self.draw(images.shape, generator))

    def draw(self, shape: torch.Size, generator: torch.Generator | None = None) -> DiffDraws:
        """Draw for images of `shape` [N, C, H, W] on the generator's device (the CPU without one)."""
        device = torch.device("cpu") if generator is None else generator.device

        def integers(low: int, high: int) -> torch.Tensor:
            return torch.randint(low, high, (shape[0],), generator=generator, device=device)

        color = [torch.rand(shape[0], generator=generator, device=device) for _ in range(3)]
        reach = [_rounded(size * self.max_translation) for size in shape[2:]]
        shifts = [integers(-most, most + 1) for most in reach]
        centers = [integers(0, size + 1 - _rounded(size * self.cutout_size) % 2) for size in shape[2:]]
        return DiffDraws(*color, translation=torch.stack(shifts, 1), cutout=torch.stack(centers, 1))

    def apply_draws(self, images: torch.Tensor, draws: DiffDraws) -> torch.Tensor:
        """Augment `images` [N, C, H, W] by recorded draws."""
        for name in self.steps:
            images = self.transforms[name](images, draws)
        return images


def _on_colors(images: torch.Tensor, change: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """Change the color channels of `images` [N, C, H, W] and leave the others alone."""
    colors = color_channels(images)
    changed = change(images[:, :colors])
    return changed if colors == images.shape[1] else torch.cat([changed, images[:, colors:]], dim=1)


def _per_image(draw: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    return draw.to(images)[:, None, None, None]


def _rounded(value: float) -> int:
    return int(value + 0.5)


def _within(center: torch.Tensor, count: int, size: float) -> torch.Tensor:
    """Which of `count` positions, bool [N, count], the interval of relative length `size` around `center` covers."""
    edge = _rounded(count * size)
    offset = torch.arange(count, device=center.device) - (center[:, None] - edge // 2)
    return (offset >= 0) & (offset < edge)
