"""What picture files say about themselves, read without their pixels, so that a file may be of any size.

Pillow refuses pictures of more than 179 million pixels and decodes a PNG before it tells all of its text.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

from PIL import Image
from PIL.PngImagePlugin import PngStream

_PNG = b"\x89PNG\r\n\x1a\n"
_TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"eXIf")


def read_info(file: BinaryIO) -> dict[str, Any] | None:
    """Texts by keyword, `exif` and `comment` of a PNG, WebP or GIF, by Pillow's names; None for another format.

    Args:
        file: at its beginning; can seek.

    Raises:
        OSError, SyntaxError, ValueError, struct.error: for a file that is damaged or cut short.
    """
    head = file.read(16)
    file.seek(0)
    if head.startswith(_PNG):
        return _of_png(file)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _of_webp(file)
    return _of_gif(file) if head[:6] in (b"GIF87a", b"GIF89a") else None


def exif_of(info: dict[str, Any]) -> Image.Exif:
    """The EXIF block of what `read_info` gave; empty without one."""
    bare = Image.new("L", (1, 1))
    bare.info.update(info)
    return bare.getexif()


def _of_png(file: BinaryIO) -> dict[str, Any]:
    """Text may stand before the pixels and after them (PNG specification, section 5.6)."""
    file.seek(len(_PNG))
    stream = PngStream(file)
    while True:
        kind, place, length = stream.read()
        if kind == b"IEND":
            return {str(key): value for key, value in {**stream.im_info, **stream.im_text}.items()}
        if kind in _TEXTS:
            stream.crc(kind, stream.call(kind, place, length))
        else:
            file.seek(place + length + 4)


def _of_webp(file: BinaryIO) -> dict[str, Any]:
    """The chunk EXIF of a RIFF container."""
    _, whole, _ = struct.unpack("<4sI4s", file.read(12))
    if file.seek(0, os.SEEK_END) < 8 + whole:
        raise OSError("the file was cut short")
    place = 12
    while place + 8 <= 8 + whole:
        file.seek(place)
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind == b"EXIF":
            return {"exif": file.read(min(length, whole))}
        place += 8 + length + length % 2
    return {}


def _of_gif(file: BinaryIO) -> dict[str, Any]:
    """The comments before the first frame."""
    flags = struct.unpack("<10xB2x", file.read(13))[0]
    if flags & 0x80:
        file.seek(3 << ((flags & 7) + 1), os.SEEK_CUR)
    comments = []
    while (kind := file.read(1)) == b"!":
        label, content = file.read(1), b"".join(_blocks(file))
        if label == b"\xfe":
            comments.append(content)
    if kind not in (b",", b";"):
        raise OSError("the file was cut short" if not kind else f"there is no block of kind {kind!r}")
    return {"comment": b"\n".join(comments)} if comments else {}


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """The blocks of an extension, up to the empty one."""
    while length := file.read(1)[0]:
        yield file.read(length)
