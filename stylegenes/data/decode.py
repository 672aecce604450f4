"""Encoded bytes to pixels of one size: every common format and mode, and a reason where it cannot be done."""

from __future__ import annotations

import io
import warnings
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from stylegenes.errors import UserError, shown
from stylegenes.words import did_you_mean

Fit = Literal["crop", "letterbox"]
Filter = Literal["lanczos", "bicubic", "bilinear", "box"]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
SUFFIXES = frozenset(
    [".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".pbm"]
)
MAX_PIXELS = 2 * 89_478_485
"""Pictures with more pixels than this are refused before they are decoded (Pillow's own limit)."""


class BadImageError(UserError):
    """Bytes that are no usable picture.

    Attributes:
        reason: what is wrong.
        fix: what to do about it.
    """

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(f"{reason}; {fix}")
        self.reason = reason
        self.fix = fix


@dataclass(frozen=True)
class View:
    """How a picture of any size and mode becomes pixels of one size.

    Attributes:
        resolution: height and width in pixels.
        fit: `crop` takes the central square, `letterbox` keeps all and adds black bars.
        filter: resize filter; all of them antialias.
        channels: 3 for RGB, 1 for gray.

    Raises:
        UserError: for a value that is not allowed.
    """

    resolution: int
    fit: Fit = "crop"
    filter: Filter = "lanczos"
    channels: int = 3

    def __post_init__(self) -> None:
        if self.resolution < 1:
            raise UserError(f"resolution is {self.resolution}; give a positive number of pixels")
        if self.fit not in get_args(Fit):
            raise UserError(f"fit {self.fit!r} is unknown{did_you_mean(self.fit, get_args(Fit))}")
        if self.filter not in get_args(Filter):
            raise UserError(f"resize filter {self.filter!r} is unknown{did_you_mean(self.filter, get_args(Filter))}")
        if self.channels not in (1, 3):
            raise UserError(f"channels is {self.channels}; use 3 (RGB) or 1 (gray)")

    @property
    def parameters(self) -> dict[str, str | int | bool]:
        """What goes into the content hash."""
        return {**asdict(self), "alpha": "on white", "orientation": "exif"}


def decode(data: bytes, view: View) -> np.ndarray:
    """Pixels of encoded bytes, uint8 [C, resolution, resolution].

    Raises:
        BadImageError: when the bytes are no picture, or one that is damaged or too large.
    """
    return to_pixels(read_picture(data), view)


def to_pixels(picture: Image.Image, view: View) -> np.ndarray:
    """An upright picture of mode RGB, uint8 [C, resolution, resolution]."""
    sized = _resize(picture.convert("L" if view.channels == 1 else "RGB"), view)
    pixels = np.asarray(sized).reshape(view.resolution, view.resolution, view.channels)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def read_picture(data: bytes) -> Image.Image:
    """An upright 8-bit picture of mode L or RGB; transparency becomes white, an animation its first frame.

    Raises:
        BadImageError: when the bytes are no picture, or one that is damaged or too large.
    """
    picture = open_picture(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture.load()
    # Decoders raise nearly anything on damaged bytes: OSError, SyntaxError, struct.error, IndexError and more.
    except Exception as error:
        raise BadImageError(f"damaged: {shown(error)}", "get the file again, or delete it") from error
    return _opaque(_upright(picture))


def open_picture(data: bytes) -> Image.Image:
    """The picture's header: size, mode and format are known, nothing is decoded.

    Raises:
        BadImageError: when the bytes are no picture of an allowed format, or claim too many pixels.
    """
    if not data:
        raise BadImageError("empty file", "delete it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise BadImageError(
            "not an image of a format that is read", f"delete it, or save it as one of {', '.join(FORMATS)}"
        ) from error
    except Image.DecompressionBombError as error:
        raise BadImageError(f"claims more than {MAX_PIXELS:,} pixels", "delete it, or make it smaller") from error
    # As in read_picture: a hostile header may raise anything.
    except Exception as error:
        raise BadImageError(f"damaged header: {shown(error)}", "get the file again, or delete it") from error


def _upright(picture: Image.Image) -> Image.Image:
    """Turned as its EXIF orientation says; a damaged EXIF block is no reason to lose the picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ImageOps.exif_transpose(picture)
    except Exception:
        return picture


def _opaque(picture: Image.Image) -> Image.Image:
    """As mode L or RGB, on white."""
    if picture.mode.startswith("I") or picture.mode == "F":
        return _from_16_bit(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture)
        return white.convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _from_16_bit(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture).astype(np.float64)
    if picture.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise BadImageError(f"mode {picture.mode}: the range of its values is not known", "save it with 8 or 16 bits")
    return Image.fromarray(np.rint(values / 257).astype(np.uint8))


def _resize(picture: Image.Image, view: View) -> Image.Image:
    resample = Image.Resampling[view.filter.upper()]
    width, height = picture.size
    if view.fit == "crop":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        box = (left, top, left + side, top + side)
        return picture.resize((view.resolution, view.resolution), resample, box=box)
    scale = view.resolution / max(width, height)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    framed = Image.new(picture.mode, (view.resolution, view.resolution))
    framed.paste(
        picture.resize(inner, resample), ((view.resolution - inner[0]) // 2, (view.resolution - inner[1]) // 2)
    )
    return framed
