"""Adaptive discriminator augmentation (Karras et al. 2020, "Training GANs with Limited Data", Appendix B)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch

from stylegenes.errors import UserError
from stylegenes.ops.transfer import constant
from stylegenes.training.augment.base import AUGMENTS, Augmentation, color_channels
from stylegenes.training.augment.color import ColorRanges, apply_color, color_matrix
from stylegenes.training.augment.corruption import CorruptionRanges, add_noise, band_gains, cut_out, filter_bands
from stylegenes.training.augment.draws import (
    COLOR,
    GEOMETRIC,
    TRANSFORMS,
    AdaDraws,
    Amounts,
    decide,
    draw,
    resolve_strengths,
)
from stylegenes.training.augment.geometry import GeometryRanges, inverse_matrix, warp
from stylegenes.training.augment.wavelets import band_filters, geometry_filter
from stylegenes.words import did_you_mean


@dataclass(frozen=True)
class Ranges(GeometryRanges, ColorRanges, CorruptionRanges):
    """How far every transform goes, in the paper's defaults."""


@AUGMENTS.register("ada")
class AugmentPipe(Augmentation):
    """Every transform is applied to every picture with its own chance p times strength, in a fixed order.

    Raises:
        UserError: for unknown transforms or ranges, or p outside [0, 1].
    """

    adaptive = True

    def __init__(
        self,
        transforms: str | Mapping[str, float] = "bgc",  # preset, or transform to strength relative to p (0: off)
        *,
        p: float = 0.0,  # probability at the start; a schedule or a caller moves the buffer
        ranges: Mapping[str, float] | None = None,  # fields of Ranges that differ from the paper's
    ) -> None:
        if not 0 <= p <= 1:
            raise UserError(f"augmentation probability p = {p}; it must be in [0, 1]")
        super().__init__(p)
        self.strengths = resolve_strengths(transforms)
        self.ranges = _ranges(ranges or {})
        self.names = [name for name, transform in TRANSFORMS.items() if transform.strength in self.strengths]
        self.register_buffer("taps", torch.tensor(geometry_filter(), dtype=torch.float32), persistent=False)
        self.register_buffer("bands", torch.tensor(band_filters(), dtype=torch.float32), persistent=False)

    taps: torch.Tensor
    bands: torch.Tensor

    def forward(self, images: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Augment `images` [N, C, H, W] in [-1, 1]; random numbers come from `generator` (None: torch's global one)."""
        return self.apply_draws(images, self.draw(images.shape, generator))

    def draw(self, shape: torch.Size, generator: torch.Generator | None = None) -> AdaDraws:
        """Everything random about augmenting images of `shape` [N, C, H, W]; hue and saturation need color."""
        names = [name for name in self.names if shape[1] > 2 or name not in ("hue", "saturation")]
        return draw(names, shape, generator)

    def probabilities(self) -> dict[str, torch.Tensor]:
        """The chance of every transform's gates, float64 [gates] on the device of `p`.

        Rotation is split in two, each with chance 1 - sqrt(1 - p), so that p is the chance of any.
        """
        p = self.p.detach().double().reshape(1)
        chances = {name: p * self.strengths[TRANSFORMS[name].strength] for name in self.names}
        for name in ("rotate_pre", "rotate_post"):
            if name in chances:
                chances[name] = 1 - (1 - chances[name]).clamp(0, 1).sqrt()
        if "imgfilter" in chances:
            chances["imgfilter"] = (
                chances["imgfilter"] * constant(tuple(self.ranges.imgfilter_bands), self.p.float()).double()
            )
        return chances

    def apply_draws(self, images: torch.Tensor, draws: AdaDraws) -> torch.Tensor:
        """Augment `images` [N, C, H, W] by recorded draws: a deterministic function, differentiable twice."""
        amounts = decide(draws, self.probabilities())
        with torch.autocast(images.device.type, enabled=False):
            images = self._move(images.to(_full_precision(images.dtype)), amounts)
            images = self._recolor(images, amounts)
            return self._corrupt(images, amounts, draws.pixels)

    def _move(self, images: torch.Tensor, amounts: Amounts) -> torch.Tensor:
        """Warp the pictures with an open geometric gate; the others pass untouched."""
        moved = amounts.any_active(GEOMETRIC)
        if moved is None:
            return images
        inverse = inverse_matrix(amounts, self.ranges, *images.shape[2:])
        if moved.device.type != "cpu":
            return torch.where(moved[:, None, None, None], warp(images, inverse, self.taps), images)
        if moved.all():
            return warp(images, inverse, self.taps)
        index = moved.nonzero()[:, 0]
        rows = index.to(images.device)
        return images.index_copy(0, rows, warp(images[rows], inverse[index], self.taps))

    def _recolor(self, images: torch.Tensor, amounts: Amounts) -> torch.Tensor:
        if amounts.any_active(COLOR) is None:
            return images
        colors = color_channels(images)
        changed = apply_color(images[:, :colors], color_matrix(amounts, self.ranges))
        return changed if colors == images.shape[1] else torch.cat([changed, images[:, colors:]], dim=1)

    def _corrupt(self, images: torch.Tensor, amounts: Amounts, pixels: torch.Tensor | None) -> torch.Tensor:
        if (normals := amounts["imgfilter"]) is not None and amounts.any_active(("imgfilter",)) is not None:
            images = filter_bands(images, band_gains(normals, self.ranges.imgfilter_std), self.bands)
        if (normals := amounts["noise"]) is not None and pixels is not None:
            images = add_noise(images, normals.abs() * self.ranges.noise_std, pixels)
        if (centers := amounts["cutout"]) is not None:
            images = cut_out(images, centers, self.ranges.cutout_size)
        return images


def _full_precision(dtype: torch.dtype) -> torch.dtype:
    """Half precisions are widened to float32."""
    return torch.promote_types(dtype, torch.float32)


def _ranges(given: Mapping[str, float]) -> Ranges:
    accepted = [field.name for field in fields(Ranges)]
    for name in given:
        if name not in accepted:
            raise UserError(f"unknown augmentation range {name!r}{did_you_mean(name, accepted)}")
    return Ranges(**given)  # type: ignore[arg-type]
