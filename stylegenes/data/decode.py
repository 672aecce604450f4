"""Encoded bytes to pixels of one size: every common format and mode, and a reason where it cannot be done."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from stylegenes.data.bands import (
    MAGIC,
    MAX_PIXELS,
    MOST_CHANNELS,
    SUFFIX,
    BadImageError,
    array_bands,
    counted_bands,
    eight_bit,
    from_16_bit,
    page_bands,
)
from stylegenes.errors import UserError, shown
from stylegenes.size import Size
from stylegenes.words import did_you_mean

Fit = Literal["crop", "letterbox"]
Filter = Literal["lanczos", "bicubic", "bilinear", "box"]

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
SUFFIXES = frozenset(
    [SUFFIX, ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".pbm"]
)


@dataclass(frozen=True)
class View:
    """How a picture of any size and mode becomes pixels of one size.

    Attributes:
        resolution: in pixels: a number for squares, else `384x256`.
        fit: `crop` takes the central part of that shape, `letterbox` keeps all and adds black (or clear) bars.
        filter: resize filter; all of them antialias.
        channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA; more are those of arrays (.npy) and of the pages of a TIFF.

    Raises:
        UserError: for a value that is not allowed.
    """

    resolution: int | str
    fit: Fit = "crop"
    filter: Filter = "lanczos"
    channels: int = 3

    def __post_init__(self) -> None:
        if isinstance(self.resolution, int) and self.resolution < 1:
            raise UserError(f"resolution is {self.resolution}; give a positive number of pixels")
        object.__setattr__(self, "resolution", Size.of(self.resolution).notation)
        if self.fit not in get_args(Fit):
            raise UserError(f"fit {self.fit!r} is unknown{did_you_mean(self.fit, get_args(Fit))}")
        if self.filter not in get_args(Filter):
            raise UserError(f"resize filter {self.filter!r} is unknown{did_you_mean(self.filter, get_args(Filter))}")
        if not 1 <= self.channels <= MOST_CHANNELS:
            raise UserError(
                f"channels is {self.channels}; use 1 (gray), 2 (gray and alpha), 3 (RGB), 4 (RGBA), or up to "
                f"{MOST_CHANNELS} of arrays"
            )

    @property
    def parameters(self) -> dict[str, str | int | bool]:
        """What goes into the content hash."""
        return {**asdict(self), "alpha": "on white" if self.channels in (1, 3) else "kept", "orientation": "exif"}

    @property
    def size(self) -> Size:
        """Width and height of the pixels."""
        return Size.of(self.resolution)

    def scale(self, width: float, height: float) -> float:
        """How many times larger a picture of that size becomes, its larger share where it is cropped."""
        scales = (self.size.width / width, self.size.height / height)
        return max(scales) if self.fit == "crop" else min(scales)

    def keeps_shape(self, width: int, height: int) -> bool:
        """Whether a picture of that size is neither cropped nor framed."""
        return width * self.size.height == height * self.size.width


def decode(data: bytes, view: View) -> np.ndarray:
    """Pixels of encoded bytes, uint8 [C, height, width].

    Raises:
        BadImageError: when the bytes are no picture, or one that is damaged, too large or of other channels.
    """
    return bands_to_pixels(read_bands(data, view.channels), view)


def bands_to_pixels(
    bands: Sequence[Image.Image], view: View, box: tuple[float, float, float, float] | None = None
) -> np.ndarray:
    """What `read_bands` gives for the view's channels, uint8 [C, height, width].

    With a `box` (left, top, right, bottom in pixels) only what lies in it, of which the view crops nothing more.
    """
    sized = [np.asarray(_resize(band, view, box)).reshape(*view.size.hw, -1) for band in bands]
    return np.ascontiguousarray(np.concatenate(sized, axis=2).transpose(2, 0, 1))


def to_pixels(picture: Image.Image, view: View) -> np.ndarray:
    """An upright picture of mode RGB or RGBA, uint8 [C, height, width].

    Raises:
        UserError: for more channels than a picture has.
    """
    if view.channels not in _MODES:
        raise UserError(f"what is drawn here has up to 4 channels; got {view.channels}")
    return bands_to_pixels([picture.convert(_MODES[view.channels])], view)


def read_bands(data: bytes, channels: int) -> list[Image.Image]:
    """An upright 8-bit picture of so many channels: one image of mode L, LA, RGB or RGBA; from five on one of L each.

    With one or three channels transparency becomes white. With up to four an animation is its first frame.

    Raises:
        BadImageError: when the bytes are no picture, or one that is damaged, too large or of other channels.
    """
    if channels > 4:
        return counted_bands(_all_bands(data), channels)
    if channels in (1, 3):
        return [_opaque(_loaded(data, channels)).convert(_MODES[channels])]
    picture = _loaded(data, channels)
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = from_16_bit(picture)
    return [picture.convert("RGBA").convert(_MODES[channels])]


def _all_bands(data: bytes) -> list[Image.Image]:
    """Every channel of an array, or of all pages of a TIFF, or of a picture."""
    if data.startswith(MAGIC):
        return array_bands(data)
    picture = open_picture(data)
    if picture.format != "TIFF":
        return eight_bit(_loaded(data))
    try:
        return page_bands(picture)
    except BadImageError:
        raise
    # As in `_loaded`.
    except Exception as error:
        raise BadImageError(f"damaged: {shown(error)}", "get the file again, or delete it") from error


def read_picture(data: bytes) -> Image.Image:
    """An upright 8-bit picture of mode L or RGB; transparency becomes white, an animation its first frame.

    Raises:
        BadImageError: when the bytes are no picture, or one that is damaged or too large.
    """
    return _opaque(_loaded(data))


def _loaded(data: bytes, channels: int = 3) -> Image.Image:
    """The picture, decoded and upright, of any mode."""
    if data.startswith(MAGIC):
        bands = array_bands(data)
        return bands[0] if len(bands) == 1 else counted_bands(bands, channels)[0]
    picture = open_picture(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture.load()
    # Decoders raise nearly anything on damaged bytes: OSError, SyntaxError, struct.error, IndexError and more.
    except Exception as error:
        raise BadImageError(f"damaged: {shown(error)}", "get the file again, or delete it") from error
    return _upright(picture)


def shown_picture(bands: Sequence[Image.Image]) -> Image.Image:
    """What bands look like: the picture itself, or the first three of many channels as red, green and blue."""
    if len(bands) == 1:
        return bands[0]
    merged = Image.merge("RGB", bands[:3])
    merged.format = bands[0].format
    return merged


def open_picture(data: bytes) -> Image.Image:
    """The picture's header: size, mode and format are known, nothing is decoded.

    Raises:
        BadImageError: when the bytes are no picture of an allowed format, or claim too many pixels.
    """
    if not data:
        raise BadImageError("empty file", "delete it")
    if data.startswith(MAGIC):
        return shown_picture(array_bands(data))
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
        return from_16_bit(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture)
        return white.convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _resize(picture: Image.Image, view: View, box: tuple[float, float, float, float] | None = None) -> Image.Image:
    resample = Image.Resampling[view.filter.upper()]
    if box is not None:
        # Filters reach beyond a box: what they shall not see is cut away first.
        left, top, right, bottom = math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3])
        inside = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
        return picture.crop((left, top, right, bottom)).resize((view.size.width, view.size.height), resample, inside)
    (width, height), (wide, high) = picture.size, (view.size.width, view.size.height)
    if view.fit == "crop":
        level = width * high >= height * wide
        inner = (height * wide / high, height) if level else (width, width * high / wide)
        left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
        box = (left, top, left + inner[0], top + inner[1])
        return picture.resize((wide, high), resample, box=box)
    scale = min(wide / width, high / height)
    kept = (max(1, round(width * scale)), max(1, round(height * scale)))
    framed = Image.new(picture.mode, (wide, high))
    framed.paste(picture.resize(kept, resample), ((wide - kept[0]) // 2, (high - kept[1]) // 2))
    return framed
