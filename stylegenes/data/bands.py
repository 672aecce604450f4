"""Pictures of more channels than picture files have: arrays (.npy) and the pages of a TIFF.

An array is [H, W] or [H, W, C], channels last, top row first. Its numbers are levels: uint8 as they are, uint16 from 0
to 65535, bool as black and white, floats from 0 to 1. Up to four channels are gray, gray and alpha, RGB, RGBA, as in
picture files; with five and more each channel stands for itself.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageSequence

from stylegenes.errors import UserError, shown

MAGIC = b"\x93NUMPY"
SUFFIX = ".npy"
MOST_CHANNELS = 64
"""Channels of a picture at most."""
MAX_PIXELS = 2 * 89_478_485
"""Pictures with more pixels than this are refused before they are decoded (Pillow's own limit)."""
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


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


def array_bands(data: bytes) -> list[Image.Image]:
    """The picture in the bytes of an .npy file: one image of up to four channels, or one of mode L for each of more.

    Raises:
        BadImageError: for what is no such array, or one whose numbers are no levels.
    """
    levels = _levels(_array(data))
    channels = levels.shape[2]
    if channels in _MODES:
        bands = [Image.fromarray(levels[:, :, 0] if channels == 1 else np.ascontiguousarray(levels))]
    else:
        bands = [Image.fromarray(np.ascontiguousarray(levels[:, :, i])) for i in range(channels)]
    for band in bands:
        band.format = "NPY"
    return bands


def page_bands(picture: Image.Image) -> list[Image.Image]:
    """Every channel of every page of an opened TIFF, each an image of mode L.

    Raises:
        BadImageError: when the pages differ in size, or hold numbers of an unknown range.
    """
    bands: list[Image.Image] = []
    for page in ImageSequence.Iterator(picture):
        if bands and page.size != bands[0].size:
            sizes = " and ".join("x".join(map(str, size)) for size in (bands[0].size, page.size))
            raise BadImageError(f"its pages differ in size: {sizes}", "save all channels at one size")
        bands += eight_bit(page.convert("RGBA" if page.has_transparency_data else "RGB") if page.mode == "P" else page)
        if len(bands) > MOST_CHANNELS:
            raise BadImageError(f"more than {MOST_CHANNELS} channels", "keep the channels that matter")
    return bands


def eight_bit(picture: Image.Image) -> list[Image.Image]:
    """The channels of a picture as images of mode L.

    Raises:
        BadImageError: for numbers whose range is not known.
    """
    if picture.mode.startswith("I") or picture.mode == "F":
        return [from_16_bit(picture)]
    return list((picture.convert("L") if picture.mode == "1" else picture).split())


def from_16_bit(picture: Image.Image) -> Image.Image:
    """A picture of mode I or F as mode L, 65535 as 255.

    Raises:
        BadImageError: for values beyond 0 to 65535, or floats.
    """
    values = np.asarray(picture).astype(np.float64)
    if picture.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise BadImageError(f"mode {picture.mode}: the range of its values is not known", "save it with 8 or 16 bits")
    return Image.fromarray(np.rint(values / 257).astype(np.uint8))


def counted_bands(bands: list[Image.Image], channels: int) -> list[Image.Image]:
    """The bands, of which there must be `channels`.

    Raises:
        BadImageError: when there are others.
    """
    found = sum(len(band.getbands()) for band in bands)
    if found != channels:
        plural = "s" if found != 1 else ""
        raise BadImageError(
            f"has {found} channel{plural}, and {channels} are asked for",
            f"ask for {found} channel{plural} (data.channels, or --channels where there is one), or save it with "
            f"{channels}",
        )
    return bands


def _array(data: bytes) -> np.ndarray:
    """The array, of the size that the file says and no other."""
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        size, rest = int(np.prod([int(side) for side in shape], dtype=object)) * dtype.itemsize, len(data) - file.tell()
        if dtype.hasobject or size != rest:
            what = "Python objects" if dtype.hasobject else f"{size:,} bytes of numbers, and {rest:,} are there"
            raise BadImageError(f"an array of {what}", "save it again with numpy.save")
        file.seek(0)
        array = np.lib.format.read_array(file, allow_pickle=False)
    except BadImageError:
        raise
    # NumPy raises nearly anything on damaged headers: ValueError, TypeError, SyntaxError, OverflowError and more.
    except Exception as error:
        raise BadImageError(f"damaged array: {shown(error, 100)}", "save it again with numpy.save") from error
    array = array[:, :, None] if array.ndim == 2 else array
    if array.ndim != 3 or 0 in array.shape or array.shape[2] > MOST_CHANNELS:
        raise BadImageError(
            f"an array of shape {list(shape)}",
            f"a picture is [height, width] or [height, width, channels], with up to {MOST_CHANNELS} channels",
        )
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise BadImageError(f"claims more than {MAX_PIXELS:,} pixels", "delete it, or make it smaller")
    return array


def _levels(array: np.ndarray) -> np.ndarray:
    """Numbers of any kind as uint8 levels, [H, W, C]."""
    kind = array.dtype.kind
    if kind == "u" and array.dtype.itemsize == 1:
        return array
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if kind == "u" and array.dtype.itemsize == 2:
        return np.rint(array.astype(np.float64) / 257).astype(np.uint8)
    if kind != "f":
        raise BadImageError(f"an array of {array.dtype}", "save it as uint8, uint16, or floats from 0 to 1")
    low, high = float(array.min()), float(array.max())
    if not (low >= 0 and high <= 1):
        raise BadImageError(f"floats from {low:g} to {high:g}", "scale them to 0 to 1, or save uint8 or uint16")
    return np.rint(array.astype(np.float64) * 255).astype(np.uint8)
