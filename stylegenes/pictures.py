"""Pictures on disk: grids with captions, PNG and WebP that carry their own description, GIF, WebP and MP4 animations.

A picture here is a uint8 array [H, W, C] with one (gray), two (gray and alpha), three (RGB) or four (RGBA)
channels; of more, the first three are shown as red, green and blue.
"""

from __future__ import annotations

import io
import json
import math
import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from stylegenes.errors import UserError
from stylegenes.files import atomic_path, check_regular
from stylegenes.picture_text import exif_of, read_info
from stylegenes.sound import Sound

STILLS = (".png", ".webp")
ANIMATIONS = (".gif", ".webp", ".mp4")
_EXIF_DESCRIPTION = 0x010E
_DAMAGES = (OSError, ValueError, SyntaxError, IndexError, struct.error, Image.DecompressionBombError)
"""What reading of a damaged picture raises, or of a stranger's that claims to be huge."""
_PAPER, _INK = 255, 40
_GAP = 2


def to_uint8(images: torch.Tensor) -> np.ndarray:
    """Images [N, C, H, W] in [-1, 1] as pictures [N, H, W, C] in 0..255; values outside are clipped."""
    scaled = (images.detach().float() * 127.5 + 127.5).round().clamp(0, 255)
    return scaled.to("cpu", torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def to_pil(picture: np.ndarray) -> Image.Image:
    """A picture [H, W, C] as a Pillow image of mode L, LA, RGB or RGBA; of more channels the first three."""
    if picture.ndim != 3 or not picture.shape[2]:
        raise UserError(f"a picture is [H, W, channels]; got {list(picture.shape)}")
    shown = picture[:, :, :3] if picture.shape[2] > 4 else picture
    return Image.fromarray(np.ascontiguousarray(shown[:, :, 0] if shown.shape[2] == 1 else shown))


def grid(
    pictures: Sequence[np.ndarray],
    *,
    columns: int | None = None,
    captions: Sequence[str] | None = None,
    scale: int = 1,
    gap: int = _GAP,
) -> np.ndarray:
    """Arrange pictures of one size in rows on white paper.

    Args:
        pictures: uint8 [H, W, C], all of one shape, at least one.
        columns: pictures a row; None makes it as square as possible, wider rather than taller.
        captions: a line under each picture, shortened to its width; "" leaves one empty.
        scale: whole number of pixels that each pixel becomes, so that small pictures can be seen.
        gap: pixels of paper around and between the pictures.

    Returns:
        One picture [rows * ..., columns * ..., C].
    """
    columns = min(columns or math.ceil(math.sqrt(len(pictures))), len(pictures))
    height, width, channels = (size * times for size, times in zip(pictures[0].shape, (scale, scale, 1), strict=True))
    caption_height = 14 if captions else 0
    step_y, step_x = height + caption_height + gap, width + gap
    rows = math.ceil(len(pictures) / columns)
    sheet = np.full((rows * step_y + gap, columns * step_x + gap, channels), _PAPER, np.uint8)
    for index, picture in enumerate(pictures):
        y, x = gap + index // columns * step_y, gap + index % columns * step_x
        sheet[y : y + height, x : x + width] = enlarge(picture, scale)
        if captions and captions[index]:
            sheet[y + height : y + height + caption_height, x : x + width] = _caption(
                captions[index], width, caption_height, channels
            )
    return sheet


def enlarge(picture: np.ndarray, scale: int) -> np.ndarray:
    """The picture [H, W, C] with every pixel repeated, [H * scale, W * scale, C]."""
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


def visible_scale(resolution: int) -> int:
    """How many times to enlarge pictures of a longer side in pixels so that a person sees them: to about 128."""
    return max(1, 128 // resolution)


def save_picture(path: str | Path, picture: np.ndarray, text: dict[str, str] | None = None) -> Path:
    """Write a PNG or WebP, all or nothing, with `text` inside the file; `read_text` gives it back.

    Args:
        path: ends in .png or .webp.
        picture: uint8 [H, W, C].
        text: what the file says about itself: a PNG text chunk for each key, one EXIF description in WebP.

    Raises:
        UserError: for another suffix.
        OSError: when the file cannot be written; an older one stays whole.
    """
    path = Path(path)
    _check_suffix(path, STILLS, "a picture")
    with atomic_path(path) as part:
        part.write_bytes(encode(picture, text, path.suffix))
    return path


def encode(picture: np.ndarray, text: dict[str, str] | None = None, suffix: str = ".png") -> bytes:
    """A picture [H, W, C] as the bytes of a PNG or WebP file that says `text` about itself."""
    image, text, file = to_pil(picture), text or {}, io.BytesIO()
    if suffix.lower() == ".png":
        info = PngInfo()
        for key, value in text.items():
            info.add_itxt(key, value)
        image.save(file, "PNG", pnginfo=info)
    else:
        image.save(file, "WEBP", lossless=True, exif=_exif(text))
    return file.getvalue()


def read_text(path: str | Path) -> dict[str, str]:
    """What a picture or animation of this module says about itself; empty for others. No pixel is decoded.

    Raises:
        UserError: when the file is missing or neither, or an .mp4 cannot be read without `av`.
    """
    path = Path(path)
    check_regular(path)
    if path.suffix.lower() == ".mp4":
        return _decode(_read_mp4(path))
    try:
        with path.open("rb") as file:
            found = read_info(file)
            if found is None:
                with Image.open(file) as image:
                    found, exif = dict(image.info), image.getexif()
            else:
                exif = exif_of(found)
            described = exif.get(_EXIF_DESCRIPTION) or found.get("comment")
    except _DAMAGES as error:
        raise UserError(f"{path} cannot be read as a picture: {error}") from error
    if described:
        return _decode(described)
    return {str(key): value for key, value in found.items() if isinstance(value, str)}


def _exif(text: dict[str, str]) -> Image.Exif:
    exif = Image.Exif()
    exif[_EXIF_DESCRIPTION] = json.dumps(text)
    return exif


def _decode(described: str | bytes) -> dict[str, str]:
    """What `json.dumps` wrote; nothing where others wrote."""
    try:
        return {str(key): str(value) for key, value in json.loads(described).items()}
    except (ValueError, AttributeError, RecursionError):
        return {}


def save_animation(
    path: str | Path,
    frames: Iterable[np.ndarray],
    *,
    fps: float = 24.0,
    text: dict[str, str] | None = None,
    sound: Sound | None = None,
) -> Path:
    """Write frames as .gif or .webp (endless loops) or .mp4 (H.264; needs the package `av`), all or nothing.

    Args:
        path: the suffix chooses the format.
        frames: uint8 [H, W, C], all of one shape, at least one; taken one by one.
        fps: frames a second.
        text: what the file says about itself, as one JSON text: a GIF comment, an EXIF description in WebP, a comment
            in MP4; `read_text` gives it back.
        sound: what an .mp4 lets hear, as far as there are frames; the others are silent.

    Raises:
        UserError: for another suffix, or for .mp4 without `av`.
        OSError: when the file cannot be written.
    """
    path = Path(path)
    _check_suffix(path, ANIMATIONS, "an animation")
    with atomic_path(path) as part:
        if path.suffix.lower() == ".mp4":
            _write_mp4(part, frames, fps, text or {}, sound)
            return path
        others = (to_pil(frame) for frame in frames)
        first = next(others)
        about: dict[str, Any] = {"exif": _exif(text or {})} if path.suffix.lower() == ".webp" else {}
        if text and not about:
            about["comment"] = json.dumps(text)
        first.save(part, save_all=True, append_images=others, duration=round(1000 / fps), loop=0, quality=90, **about)
    return path


def _write_mp4(path: Path, frames: Iterable[np.ndarray], fps: float, text: dict[str, str], sound: Sound | None) -> None:
    shown = iter(frames)
    first, count = next(shown), 0
    height, width = (size + size % 2 for size in first.shape[:2])
    with _av().open(str(path), "w", format="mp4") as container:
        if text:
            container.metadata["comment"] = json.dumps(text)
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        played = None if sound is None else sound.played()
        heard = None if played is None else container.add_stream("aac", rate=played.rate, layout=_layout(played))
        for frame in chain([first], shown):
            count += 1
            # H.264 with 4:2:0 color has even sides only; the last row or column is repeated.
            padding = ((0, height - frame.shape[0]), (0, width - frame.shape[1]), (0, 0))
            padded = np.pad(np.asarray(to_pil(frame).convert("RGB")), padding, mode="edge")
            container.mux(stream.encode(_av().VideoFrame.from_ndarray(padded, format="rgb24")))
        container.mux(stream.encode())
        if played is not None:
            _write_sound(container, heard, played, count / fps)


def _layout(sound: Sound) -> str:
    return "mono" if sound.samples.shape[1] == 1 else "stereo"


def _write_sound(container: Any, stream: Any, sound: Sound, seconds: float) -> None:
    """The first seconds of a sound; all of it would outlast the pictures by less than a frame."""
    samples = sound.samples[: round(seconds * sound.rate)].T
    for start in range(0, samples.shape[1], sound.rate):
        part = np.ascontiguousarray(samples[:, start : start + sound.rate])
        frame = _av().AudioFrame.from_ndarray(part, format="fltp", layout=_layout(sound))
        frame.sample_rate, frame.pts = sound.rate, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def _read_mp4(path: Path) -> str:
    av = _av()
    try:
        with av.open(str(path)) as container:
            return container.metadata.get("comment", "")
    except (OSError, av.error.FFmpegError) as error:
        raise UserError(f"{path} cannot be read as a picture: {error}") from error


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise UserError(
            "MP4 needs the package 'av': pip install 'stylegenes[video]'; .gif and .webp need nothing more"
        ) from error
    return av


def _check_suffix(path: Path, allowed: Sequence[str], what: str) -> None:
    if path.suffix.lower() not in allowed:
        raise UserError(f"{path} has suffix {path.suffix!r}; {what} is written as one of {', '.join(allowed)}")


def _caption(text: str, width: int, height: int, channels: int) -> np.ndarray:
    """One line of text on a strip [height, width, channels], shortened with an ellipsis where it does not fit."""
    font = ImageFont.load_default(size=10)
    while text and font.getlength(text) > width:
        text = text[:-2].rstrip("…") + "…" if len(text) > 2 else ""
    strip = Image.new("L", (width, height), _PAPER)
    ImageDraw.Draw(strip).text((width / 2, 0), text, fill=_INK, font=font, anchor="ma")
    array = np.asarray(strip)[:, :, None].repeat(channels, axis=2)
    if channels in (2, 4):
        array[:, :, -1] = 255
    return array
