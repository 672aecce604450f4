"""Color augmentation: all transforms composed into one affine map of (r, g, b) (Karras et al. 2020, App. B)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from stylegenes.ops.transfer import constant
from stylegenes.training.augment.draws import Amounts


@dataclass(frozen=True)
class ColorRanges:
    """How far the color transforms go."""

    brightness_std: float = 0.2
    """Standard deviation of the brightness added."""
    contrast_std: float = 0.5
    """Standard deviation of log2 of the contrast."""
    hue_max: float = 1.0
    """Largest rotation of the hue; 1 is a half turn either way."""
    saturation_std: float = 1.0
    """Standard deviation of log2 of the saturation."""


def color_matrix(amounts: Amounts, ranges: ColorRanges) -> torch.Tensor:
    """The matrices [N, 4, 4], float64, of all color transforms: (r, g, b, 1) before to (r, g, b, 1) after.

    The luma axis is the gray diagonal. A luma flip mirrors at the plane across it, hue turns around it, saturation
    scales the distance from it.
    """
    some = next(iter(amounts.values.values()))
    gray = constant((1, 1, 1, 0), some) / math.sqrt(3)
    luma, eye = torch.outer(gray, gray), torch.eye(4, dtype=some.dtype, device=some.device)
    matrix = eye[None]
    if (n := amounts["brightness"]) is not None:
        matrix = _brightness(n * ranges.brightness_std) @ matrix
    if (n := amounts["contrast"]) is not None:
        gain = torch.exp2(n * ranges.contrast_std).expand(-1, 3)
        matrix = torch.diag_embed(torch.nn.functional.pad(gain, [0, 1], value=1.0)) @ matrix
    if (u := amounts["lumaflip"]) is not None:
        matrix = (eye - 2 * luma * (u * 2).floor()[..., None]) @ matrix
    if (u := amounts["hue"]) is not None:
        matrix = _hue_rotation((u * 2 - 1) * (math.pi * ranges.hue_max)) @ matrix
    if (n := amounts["saturation"]) is not None:
        matrix = (luma + (eye - luma) * torch.exp2(n * ranges.saturation_std)[..., None]) @ matrix
    return matrix


def apply_color(images: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Map the colors of `images` [N, C, H, W], C = 1 or 3, by `matrix` [N, 4, 4]; gray pictures get the mean row."""
    matrix = matrix[:, :3].to(images)
    if images.shape[1] == 1:
        matrix = matrix.mean(1, keepdim=True)
        return images * matrix[:, :, :3, None].sum(2, keepdim=True) + matrix[:, :, 3:, None]
    return torch.baddbmm(matrix[:, :, 3:], matrix[:, :, :3], images.flatten(2)).reshape(images.shape)


def _brightness(shift: torch.Tensor) -> torch.Tensor:
    """[N, 1] shifts to [N, 4, 4]."""
    matrix = torch.eye(4, dtype=shift.dtype, device=shift.device).repeat(len(shift), 1, 1)
    matrix[:, :3, 3] = shift
    return matrix


def _hue_rotation(angle: torch.Tensor) -> torch.Tensor:
    """[N, 1] angles around the gray axis to [N, 4, 4] (Rodrigues' formula)."""
    cos, sin = angle.cos()[..., None], angle.sin()[..., None]
    cross = constant(((0, -1, 1), (1, 0, -1), (-1, 1, 0)), angle) / math.sqrt(3)
    turned = cos * torch.eye(3, dtype=angle.dtype, device=angle.device) + sin * cross + (1 - cos) / 3
    matrix = torch.eye(4, dtype=angle.dtype, device=angle.device).repeat(len(angle), 1, 1)
    matrix[:, :3, :3] = turned
    return matrix
