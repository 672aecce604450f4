"""Pictures to look at a run, and the same codes' pictures to measure it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from stylegenes.drawing import Look, draw
from stylegenes.generator import Generator
from stylegenes.pictures import grid, save_picture, to_uint8
from stylegenes.records import Condition, Noise
from stylegenes.sheets import Sheet, origin_of
from stylegenes.survey import fingerprint
from stylegenes.training.draws import Codes


def save_grid(path: Path, images: torch.Tensor) -> None:
    """Write pictures [N, C, H, W] in [-1, 1] edge to edge, all or nothing."""
    save_picture(path, grid(list(to_uint8(images)), gap=0))


def code_sheet(generator: Generator, codes: Codes, model: str, label_names: Sequence[str], images_seen: int) -> Sheet:
    """Fixed codes as they are drawn now, edge to edge; the file carries the codes."""
    look = Look(condition=codes.condition)
    seen = {"Images": str(images_seen)}
    origin = origin_of(model, fingerprint(generator), look, label_names, seen)
    with _evaluating(generator):
        pictures = list(draw(generator, codes.code, look))
    return Sheet(pictures, generator.latent.to_strings(codes.code), origin, scale=1, gap=0)


@torch.no_grad()
def render(generator: Generator, code: torch.Tensor, condition: Condition, *, micro: int = 16) -> torch.Tensor:
    """Pictures [N, C, H, W] of fixed codes with constant noise, `micro` at a time, to be measured."""
    with _evaluating(generator):
        return torch.cat(
            [
                generator(code[i : i + micro], condition[slice(i, i + micro)], noise=Noise("const")).image
                for i in range(0, len(code), micro)
            ]
        )


@contextmanager
def _evaluating(generator: Generator) -> Iterator[None]:
    """Looking at a network in training must not move its running statistics."""
    training = generator.training
    generator.eval()
    try:
        yield
    finally:
        generator.train(training)
