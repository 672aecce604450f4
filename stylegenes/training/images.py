"""Grids of pictures, to look at a run."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from PIL import Image

from stylegenes.files import atomic_path
from stylegenes.generator import Generator
from stylegenes.records import Condition, Noise


def to_uint8(images: torch.Tensor) -> torch.Tensor:
    """Pictures in [-1, 1] to uint8 of the same shape, on the CPU."""
    return images.detach().float().mul(127.5).add(128).clamp(0, 255).to(torch.uint8).cpu()


def make_grid(images: torch.Tensor, columns: int | None = None) -> Image.Image:
    """Pictures [N, C, H, W] in [-1, 1] side by side, row by row; `columns` None makes the grid about square."""
    n, channels, height, width = images.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    sheet = torch.zeros(rows * height, columns * width, channels, dtype=torch.uint8)
    for i, image in enumerate(to_uint8(images)):
        row, column = divmod(i, columns)
        place = sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]
        place.copy_(image.permute(1, 2, 0))
    return Image.fromarray(sheet.squeeze(2).numpy() if channels == 1 else sheet[:, :, :3].numpy())


def save_grid(path: Path, images: torch.Tensor) -> None:
    """Write a grid as PNG, all or nothing."""
    with atomic_path(path) as part:
        make_grid(images).save(part)


@torch.no_grad()
def render(generator: Generator, code: torch.Tensor, condition: Condition, *, micro: int = 16) -> torch.Tensor:
    """Pictures [N, C, H, W] of fixed codes with constant noise, `micro` at a time.

    Drawn in evaluation mode: looking at a network in training must not move its running statistics.
    """
    training = generator.training
    generator.eval()
    try:
        parts = [
            generator(code[i : i + micro], condition[slice(i, i + micro)], noise=Noise("const")).image
            for i in range(0, len(code), micro)
        ]
    finally:
        generator.train(training)
    return torch.cat(parts)
