"""Moments of real pictures that come with the package: features of the embedded faces need not be computed again.

A file is found by the key of the pass that made it: a hash over the content of the pictures, their number, the
extractor's weights and what it does to pixels. Where any of these differs there is no such file, and the pass is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from stylegenes.errors import UserError
from stylegenes.metrics.moments import Moments
from stylegenes.sealed import load_sealed, save_sealed

STATISTICS = Path(__file__).parent.parent / "models" / "statistics"
"""One file a pass."""


@dataclass(frozen=True)
class Shipped:
    """What is known of a pass without making it.

    Attributes:
        moments: of all features; the covariance was rounded to float32.
        half: features in the smaller half.
        floors: metrics of moments alone between the two halves, by name.
    """

    moments: Moments
    half: int
    floors: Mapping[str, float]


def find_shipped(key: str, folder: Path | None = None) -> Shipped | None:
    """What the package knows of the pass with this key; None where it knows nothing.

    Raises:
        UserError: when its file is damaged.
    """
    path = _file(key, folder or STATISTICS)
    if not path.is_file():
        return None
    found = load_sealed(path)
    if found.about["key"] != key:
        raise UserError(f"{path} is of another pass ({found.about['key']}); install stylegenes again")
    mean, count = found.tensors["mean"], int(found.about["count"])
    covariance = _square(found.tensors["covariance"], len(mean)).double()
    outer = covariance * (count - 1) + count * torch.outer(mean, mean)
    half, floors = int(found.about["half"]), json.loads(found.about["floors"])
    return Shipped(Moments(count, mean * count, outer), half, floors)


def ship(key: str, shipped: Shipped, about: Mapping[str, str], folder: Path | None = None) -> Path:
    """Write the file that `find_shipped` reads, with whatever else is to be said about it. Returns its path.

    Args:
        key: names the pass; `find_shipped` asks for it.
        shipped: what is known of the pass.
        about: more to say, text by key.
        folder: where the file goes; the package's own where None.
    """
    gaussian = shipped.moments.gaussian()
    rows, columns = torch.triu_indices(len(gaussian.mean), len(gaussian.mean))
    tensors = {"mean": gaussian.mean, "covariance": gaussian.covariance[rows, columns].float()}
    about = {
        **about,
        "key": key,
        "count": str(shipped.moments.count),
        "half": str(shipped.half),
        "floors": json.dumps(dict(shipped.floors)),
    }
    path = _file(key, folder or STATISTICS)
    save_sealed(path, tensors, about)
    return path


def _file(key: str, folder: Path) -> Path:
    return folder / f"{key[:16]}.safetensors"


def _square(triangle: torch.Tensor, size: int) -> torch.Tensor:
    """The symmetric [size, size] matrix of an upper triangle, row by row."""
    rows, columns = torch.triu_indices(size, size)
    square = torch.empty(size, size, dtype=triangle.dtype)
    square[rows, columns] = triangle
    square[columns, rows] = triangle
    return square
