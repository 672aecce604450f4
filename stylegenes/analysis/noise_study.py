"""What the noise inputs do (StyleGAN, Figures 4 and 5; Liu 2019, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.records import Condition, Noise, NoiseMode


@dataclass(frozen=True)
class NoiseCase:
    """Where noise goes in.

    Attributes:
        name: `none`, `coarse`, `fine` or `all`.
        mode: `none` or `random`.
        min_resolution: smallest layer with noise, in pixels.
        max_resolution: largest layer with noise, in pixels, or None for no bound.
    """

    name: str
    mode: NoiseMode
    min_resolution: int = 0
    max_resolution: int | None = None

    def noise(self, random: torch.Generator) -> Noise:
        """The setting that a synthesis network takes."""
        return Noise(self.mode, random, self.min_resolution, self.max_resolution)


def noise_cases(boundary: int) -> list[NoiseCase]:
    """None, coarse (up to `boundary` pixels), fine (above it), all."""
    return [
        NoiseCase("none", "none"),
        NoiseCase("coarse", "random", max_resolution=boundary),
        NoiseCase("fine", "random", min_resolution=boundary + 1),
        NoiseCase("all", "random"),
    ]


@dataclass(frozen=True)
class NoiseEffect:
    """The pictures of one case over many draws of the noise.

    Attributes:
        case: where the noise went in.
        examples: [N, C, H, W], the pictures of the first draw, in [-1, 1].
        deviation: [N, H, W], standard deviation over the draws of each pixel, the root mean square over its channels.
    """

    case: NoiseCase
    examples: torch.Tensor
    deviation: torch.Tensor


@torch.no_grad()
def noise_study(
    generator: Generator,
    ws: torch.Tensor,
    *,
    random: torch.Generator,
    boundary: int | None = None,
    draws: int = 100,
    condition: Condition | None = None,
) -> list[NoiseEffect]:
    """Make the same pictures again and again with fresh noise in no layer, the coarse, the fine and all of them.

    Args:
        generator: the model.
        ws: [N, num_ws, w_dim].
        random: source of the noise, on the model's device.
        boundary: the largest coarse resolution in pixels; None takes an eighth of the picture's.
        draws: how often each picture is made, at least two.
        condition: what the pictures are conditioned on.

    Raises:
        UserError: for fewer than two draws, or a network without noise inputs.
    """
    if draws < 2:
        raise UserError(f"a standard deviation needs at least two draws; got {draws}")
    if not generator.synthesis.noise_buffers():
        raise UserError("this network has no noise inputs, so there is nothing to study")
    if boundary is not None and boundary < 1:
        raise UserError(f"the largest coarse resolution is at least 1 pixel; got {boundary}")
    boundary = boundary or max(4, generator.synthesis.size.longer // 8)
    return [_repeat(generator, ws, case, random, draws, condition) for case in noise_cases(boundary)]


def noise_rows(effects: Sequence[NoiseEffect]) -> list[dict[str, Any]]:
    """A row for each picture and case: mean and largest deviation of its pixels."""
    return [
        {"picture": row, "noise": effect.case.name, "mean deviation": float(effect.deviation[row].mean())}
        | {"largest deviation": float(effect.deviation[row].max())}
        for row in range(len(effects[0].deviation))
        for effect in effects
    ]


def _repeat(
    generator: Generator,
    ws: torch.Tensor,
    case: NoiseCase,
    random: torch.Generator,
    draws: int,
    condition: Condition | None,
) -> NoiseEffect:
    """Welford's running mean and sum of squares, in float64, so that no draw is kept."""
    first = generator.synthesis(ws, condition, noise=case.noise(random)).image
    mean, squares = first.double(), torch.zeros_like(first, dtype=torch.float64)
    for count in range(2, draws + 1):
        image = generator.synthesis(ws, condition, noise=case.noise(random)).image.double()
        delta = image - mean
        mean = mean + delta / count
        squares = squares + delta * (image - mean)
    deviation = (squares / (draws - 1)).mean(dim=1).sqrt().to(first)
    return NoiseEffect(case, first, deviation)
