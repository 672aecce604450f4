"""Small real files of every layout, made on the spot."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int = 0, size: tuple[int, int] = (24, 20), mode: str = "RGB") -> Image.Image:
    """A smooth picture that differs by seed, so that near duplicates are no accident."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode)


def encoded(image: Image.Image, format: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png(seed: int = 0, size: tuple[int, int] = (24, 20)) -> bytes:
    return encoded(picture(seed, size))


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def write_zip(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def stylegan_labels(pairs: list) -> bytes:
    return json.dumps({"labels": pairs}).encode()


class FakeStore:
    """A store of label files in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.path = files, Path("/nowhere/photos")

    def read(self, name: str) -> bytes:
        return self.files[name]
