"""Anybody's image files as targets: any common format and mode, cropped or letterboxed to the model's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import torch

from stylegenes.data.bands import BadImageError
from stylegenes.data.decode import SUFFIXES, Fit, View, bands_to_pixels, open_picture, read_bands
from stylegenes.errors import UserError
from stylegenes.size import Size

_SLACK = 1e-3
"""Pixels that a part may lie outside of its picture: sums of fractions are rounded."""


@dataclass(frozen=True)
class Refused:
    """A file that is no target, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Photos:
    """Targets made from files.

    Attributes:
        paths: where each comes from.
        images: [N, C, H, W] float in [-1, 1].
        refused: files left out.
        enlarged: a sentence for each photo with fewer pixels than a target.
    """

    paths: list[Path]
    images: torch.Tensor
    refused: list[Refused]
    enlarged: list[str]

    @property
    def notes(self) -> list[str]:
        """A sentence for each file left out, and for each photo that was enlarged."""
        left_out = [f"left out {bad.path}: {bad.reason}" for bad in self.refused]
        return left_out + [f"note: {sentence}" for sentence in self.enlarged]

    def names(self) -> list[str]:
        """A short name for each, different for each: the file's stem, with its folder where stems repeat."""
        stems = [path.stem for path in self.paths]
        fuller = [
            path.stem if stems.count(path.stem) == 1 else f"{path.resolve().parent.name}-{path.stem}"
            for path in self.paths
        ]
        names: list[str] = []
        for name in fuller:
            single = fuller.count(name) == 1
            numbered = (f"{name}-{number}" for number in count(1))
            names.append(name if single else next(one for one in numbered if one not in {*fuller, *names}))
        return names


def find_photos(given: Sequence[Path]) -> list[Path]:
    """The given files, and the image files in the given folders (not below them), in the order given.

    Raises:
        UserError: for a path that does not exist, a folder without image files, or no path at all.
    """
    if not given:
        raise UserError("no photos were given; name image files, or folders of them")
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
            if not inside:
                raise UserError(f"the folder {path} holds no image files ({', '.join(sorted(SUFFIXES))})")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise UserError(f"there is no file or folder {path}")
    return list(dict.fromkeys(found))


def load_photos(given: Sequence[Path], *, resolution: int | str, channels: int = 3, fit: Fit = "crop") -> Photos:
    """Decode files and folders of files.

    Args:
        given: image files and folders.
        resolution: of the targets in pixels: a number for squares, else `384x256`.
        channels: of the targets, as `View` says.
        fit: `crop` takes the central part of that shape, `letterbox` keeps all and adds bars.

    Raises:
        UserError: when a path does not exist, or none of the files is a usable picture (the reasons are named).
    """
    view = View(resolution, fit, channels=channels)
    paths, pixels, refused, enlarged = [], [], [], []
    for path in find_photos(given):
        try:
            bands = read_bands(path.read_bytes(), channels)
            pixels.append(bands_to_pixels(bands, view))
            paths.append(path)
            enlarged += _enlarged(str(path), bands[0].size, view)
        except BadImageError as error:
            refused.append(Refused(path, str(error)))
        except OSError as error:
            refused.append(Refused(path, f"cannot be read: {error.strerror or error}"))
    if not pixels:
        reasons = "; ".join(f"{bad.path}: {bad.reason}" for bad in refused[:5])
        raise UserError(f"none of {len(refused)} files is a usable picture: {reasons}")
    images = torch.from_numpy(np.stack(pixels)).float() / 127.5 - 1
    return Photos(paths, images, refused, enlarged)


@dataclass(frozen=True)
class Crop:
    """A part of a picture, in pixels of the upright picture; as high as the target's shape asks for its width.

    Attributes:
        left: where it begins.
        top: where it begins.
        size: its width.
    """

    left: float
    top: float
    size: float

    def box(self, shape: Size, width: int, height: int) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in a picture of width x height, for targets of a shape.

        Raises:
            UserError: when it does not lie in the picture.
        """
        high = self.size * shape.height / shape.width
        right, bottom = self.left + self.size, self.top + high
        beyond = max(-self.left, -self.top, right - width, bottom - height)
        if not (beyond < _SLACK and max(self.size, high) >= 1 - _SLACK):
            most = min(width, height * shape.width / shape.height)
            raise UserError(
                f"a part of {self.size:g} x {high:g} pixels at {self.left:g}, {self.top:g} does not lie in a picture "
                f"of {width} x {height}; for this model's {shape} a part is up to {most:g} pixels wide, and "
                f"{shape.height / shape.width:g} times as high as wide"
            )
        # A side that ends at 80.00000001 pixels shall not see the pixel beyond.
        left, top = round(max(0.0, self.left), 6), round(max(0.0, self.top), 6)
        return left, top, round(min(right, width), 6), round(min(bottom, height), 6)


def photo_of(
    data: bytes, *, resolution: int | str, channels: int = 3, crop: Crop | None = None, most_pixels: int | None = None
) -> Photos:
    """One target from the bytes of an image file.

    Args:
        data: the file.
        resolution: of the target in pixels: a number for squares, else `384x256`.
        channels: of the target, as `View` says.
        crop: the part that is taken; None takes the central part of the target's shape.
        most_pixels: pictures with more are refused before they are decoded.

    Raises:
        BadImageError: for bytes that are no picture, or one that is damaged or too large.
        UserError: for a part that does not lie in the picture.
    """
    width, height = open_picture(data).size
    if most_pixels is not None and width * height > most_pixels:
        raise BadImageError(
            f"the picture has {width} x {height} pixels", f"make it smaller: {most_pixels:,} are allowed"
        )
    bands, view = read_bands(data, channels), View(resolution, channels=channels)
    size = bands[0].size
    box = None if crop is None else crop.box(view.size, *size)
    what, seen = ("the picture", size) if box is None else ("this part", (box[2] - box[0], box[3] - box[1]))
    images = torch.from_numpy(bands_to_pixels(bands, view, box)[None].copy()).float() / 127.5 - 1
    return Photos([Path("photo")], images, [], _enlarged(what, seen, view))


def _enlarged(what: str, size: tuple[float, float], view: View) -> list[str]:
    """A sentence where so many pixels, width and height, are fewer than the target has."""
    if view.scale(*size) <= 1 + 1e-6:
        return []
    return [f"{what} has only {size[0]:.0f}x{size[1]:.0f} pixels; it is enlarged to this model's {view.size}"]
