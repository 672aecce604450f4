"""Pictures to look at a run, and the same codes' pictures to measure it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from stylegenes.drawing import DrawSettings, draw
from stylegenes.generator import Generator
from stylegenes.pictures import grid, read_text, save_picture, to_uint8
from stylegenes.records import Condition, Noise
from stylegenes.sheets import Origin, Sheet, origin_of, read_sheet, texts_of
from stylegenes.survey import fingerprint
from stylegenes.training.draws import Codes

_GRID = re.compile(r"(\d+)(?:_(\d{3}))?")
"""Names of sample grids: thousand images, `000120`, and the rest, `000000_512`, where they are drawn more often."""


def save_grid(path: Path, images: torch.Tensor) -> None:
    """Write pictures [N, C, H, W] in [-1, 1] edge to edge, all or nothing."""
    save_picture(path, grid(list(to_uint8(images)), gap=0))


def code_sheet(generator: Generator, codes: Codes, model: str, label_names: Sequence[str], images_seen: int) -> Sheet:
    """Fixed codes as they are drawn now, edge to edge; the file carries the codes.

    Args:
        generator: makes the pictures.
        codes: with the condition of each.
        model: its name.
        label_names: names of the label's columns.
        images_seen: reals that the model was trained on so far.
    """
    drawing = DrawSettings(condition=codes.condition)
    seen = {"Images": str(images_seen)}
    origin = origin_of(model, fingerprint(generator), drawing, label_names, seen)
    with _evaluating(generator):
        pictures = list(draw(generator, codes.code, drawing))
    return Sheet(pictures, generator.latent.to_strings(codes.code), origin, scale=1, gap=0)


def sample_grids(folder: Path) -> dict[float, Path]:
    """The grids of fixed codes of a run by thousand images, in order."""
    named = {path: _GRID.fullmatch(path.stem) for path in (folder / "samples").glob("*.png")}
    found = {float(f"{name[1]}.{name[2] or 0}"): path for path, name in named.items() if name}
    return dict(sorted(found.items()))


def is_grid(path: Path) -> bool:
    """Whether a picture says that it is a sample grid."""
    return {"Images", "Codes"} <= texts_of(path).keys()


def grid_name(images: int, *, often: bool) -> str:
    """The file name of the sample grid after so many images; `often` says that there may be several a thousand."""
    kimg, rest = divmod(images, 1000)
    return f"{kimg:06d}_{rest:03d}.png" if often and rest else f"{kimg:06d}.png"


def over_time(folder: Path, *, codes: int = 8, times: int = 8) -> Sheet | None:
    """The same codes over the course of a run, a row for each of at most `times` grids from its first to its last.

    Args:
        folder: the run's.
        codes: pictures a row, the first of each grid.
        times: rows.

    Returns:
        None where the run has written no grid that carries codes.
    """
    grids = [path for path in sample_grids(folder).values() if read_sheet(path).codes]
    if len(grids) > times:
        grids = [grids[round(i * (len(grids) - 1) / max(times - 1, 1))] for i in range(times)]
    rows = [_first_of(path, codes) for path in grids]
    if not rows:
        return None
    last = read_sheet(grids[-1])
    columns = min(map(len, rows))
    captions = [f"{int(read_text(path).get('Images', '0')) / 1000:,.1f} kimg" for path in grids]
    beside = [""] * (columns - 1)
    return Sheet(
        [picture for row in rows for picture in row[:columns]],
        last.codes[:columns],
        last.origin or Origin(folder.name),
        captions=[text for caption in captions for text in (caption, *beside)],
        columns=columns,
    )


def _first_of(path: Path, count: int) -> list[np.ndarray]:
    """The first pictures [H, W, C] of the first row of a grid that lies edge to edge."""
    number = len(read_sheet(path).codes)
    columns = math.ceil(math.sqrt(number))
    with Image.open(path) as image:
        sheet = np.asarray(image)
    sheet = sheet[:, :, None] if sheet.ndim == 2 else sheet
    height, width = sheet.shape[0] // math.ceil(number / columns), sheet.shape[1] // columns
    return [sheet[:height, i * width : (i + 1) * width] for i in range(min(count, columns, number))]


@torch.no_grad()
def render(generator: Generator, code: torch.Tensor, condition: Condition, *, micro: int = 16) -> torch.Tensor:
    """Pictures [N, C, H, W] of fixed codes with constant noise, `micro` at a time, to be measured.

    Args:
        generator: makes the pictures.
        code: [N, ...].
        condition: labels and cameras, N rows.
        micro: pictures at once.
    """
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
