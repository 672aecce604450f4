"""The packed data set: one memory-mapped array of pixels, labels, and a description, in a folder of three files."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from stylegenes.data.description import Dataset, Description, Indices, as_array
from stylegenes.data.order import DataOrder, Shuffle
from stylegenes.errors import UserError, shown
from stylegenes.files import check_regular, read_record, settle_folder, write_json
from stylegenes.progress import Track
from stylegenes.size import Size

FORMAT = "stylegenes-packed-1"

_IMAGES, _LABELS, _META = "images.npy", "labels.npy", "dataset.json"
_BLOCK = 4 * 2**20
_BLOCKS_ON_OPEN = 64
MOST_META = 2**32
"""Bytes of a file about a data set: it has an entry for every picture of a build, and every file left out."""


@dataclass(frozen=True)
class _Meta:
    """The file beside the pixels.

    Attributes:
        format: version of the folder's layout.
        count: number of images.
        description: what the data set says about itself.
        checksums: of the blocks of pixels.
        labels_checksum: of the labels; None in folders of earlier versions.
    """

    format: str
    count: int
    description: Description
    checksums: list[int]
    labels_checksum: int | None = None


class DamagedError(UserError):
    """A packed data set whose files are missing, cut short or changed."""


class PackedDataset(Dataset):
    """Images and labels, read from a memory-mapped file: opening is instant, and processes share the pages.

    Attributes:
        folder: where the files are.
        description: what the data set says about itself.

    Args:
        images: uint8 [N, C, H, W].
        labels: float32 [N, L].
    """

    def __init__(self, folder: Path, description: Description, images: np.ndarray, labels: np.ndarray) -> None:
        self.folder = folder
        self.description = description
        self._images = images
        self._labels = labels

    @classmethod
    def open(cls, folder: str | Path, *, verify_all: bool = False) -> PackedDataset:
        """Open a packed folder after checking sizes and checksums.

        Args:
            folder: what `PackedWriter` wrote.
            verify_all: check every block; otherwise up to 64 blocks of 4 MiB, spread evenly.

        Raises:
            DamagedError: when something is missing or does not match its checksum.
        """
        folder = settle_folder(folder)
        try:
            meta = read_record(folder / _META, _Meta, most=MOST_META)
            if meta.format != FORMAT:
                raise DamagedError(f"{folder} has format {shown(meta.format)!r}; this version reads {FORMAT!r}")
            images, labels = _mapped(folder / _IMAGES), _mapped(folder / _LABELS)
            dataset = cls(folder, meta.description, images, labels)
            dataset._verify(meta.checksums, meta.count, verify_all)
            dataset._take_labels(meta.labels_checksum)
        except DamagedError:
            raise
        # NumPy raises the second and third for files that are damaged.
        except (UserError, OSError, ValueError, EOFError) as error:
            raise DamagedError(
                f"the packed data set {folder} is damaged ({shown(error, 200)}); delete it and pack it again"
            ) from error
        return dataset

    @staticmethod
    def describe(folder: Path, description: Description) -> None:
        """Replace what a packed folder says about itself; pixels and labels stay."""
        meta = read_record(folder / _META, _Meta, most=MOST_META)
        write_json(folder / _META, asdict(replace(meta, description=description)))

    def __len__(self) -> int:
        return self._images.shape[0]

    def images(self, indices: Indices) -> torch.Tensor:
        """Pixels, uint8 [N, C, H, W]."""
        return torch.from_numpy(self._images[as_array(indices)])

    def label_rows(self, indices: Indices) -> np.ndarray:
        """All columns, the cameras' too, float32 [N, L]."""
        return self._labels[as_array(indices)]

    def damages(self, track: Track) -> Iterator[DamagedError]:
        """Compare every block with its checksum."""
        try:
            PackedDataset.open(self.folder, verify_all=True)
        except DamagedError as error:
            yield error

    def order(self, seed: int, mirror: bool, shuffle: Shuffle) -> DataOrder:
        """Every epoch a permutation of everything."""
        if shuffle != "all":
            raise UserError(f"{self.source} is not in shards; leave out data.shuffle={shuffle}, or pack with --shards")
        return DataOrder(len(self), seed, mirror)

    @property
    def nbytes(self) -> int:
        """Size on disk in bytes."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    def _take_labels(self, checksum: int | None) -> None:
        """Read the labels into memory; their size is known to be right. Earlier versions wrote no checksum."""
        self._labels = np.array(self._labels)
        whole = checksum is None or zlib.crc32(self._labels.tobytes()) == checksum
        if not (whole and np.isfinite(self._labels).all()):
            what = "holds labels that are no numbers" if whole else "does not match its checksum"
            raise DamagedError(f"{self.folder / _LABELS} {what}; delete it and pack it again")

    def _verify(self, checksums: list[int], count: int, verify_all: bool) -> None:
        expected = (count, self.channels, *self.size.hw)
        if self._images.shape != expected or self._images.dtype != np.uint8:
            raise DamagedError(
                f"{self.folder / _IMAGES} holds {self._images.shape}, expected {expected}; pack it again"
            )
        columns = len(self.description.label_names)
        if self._labels.shape != (count, columns) or self._labels.dtype != np.float32:
            raise DamagedError(f"{self.folder / _LABELS} holds {self._labels.shape}, expected {(count, columns)}")
        blocks = range(math.ceil(self._images.size / _BLOCK))
        if len(checksums) != len(blocks):
            raise DamagedError(
                f"{self.folder / _META} has {len(checksums)} checksums, expected {len(blocks)}; pack it again"
            )
        if not verify_all:
            blocks = sorted({int(b) for b in np.linspace(0, len(checksums) - 1, _BLOCKS_ON_OPEN)}) if checksums else []
        flat = self._images.reshape(-1)
        for block in blocks:
            if _checksum(flat, block) != checksums[block]:
                raise DamagedError(f"{self.folder / _IMAGES} does not match its checksum; delete it and pack it again")


@dataclass
class PackedWriter:
    """Writes pixels one after the other, so that nothing has to fit into memory.

    Attributes:
        folder: a folder of its own; the caller renames it into place.
        capacity: the largest number of images that may come.
        channels: of the pictures.
        size: their width and height.
        file: name of the pixels' file.
    """

    folder: Path
    capacity: int
    channels: int
    size: Size
    file: str = _IMAGES

    @contextmanager
    def appending(self, start: int = 0) -> Iterator[Appender]:
        """Go on after the first `start` pictures; the count is right in the file when the block ends without an error.

        Args:
            start: pictures that an earlier block wrote and that are kept; see `holds`.
        """
        path = self.folder / self.file
        with path.open("r+b" if start else "wb") as file:
            self._header(file, self.capacity)
            file.truncate(file.seek(file.tell() + start * self.picture_size))
            appender = Appender(file, (self.channels, *self.size.hw), start)
            yield appender
            file.seek(0)
            self._header(file, appender.count)

    def holds(self, count: int) -> bool:
        """Whether an earlier block wrote at least `count` pictures."""
        path, header = self.folder / self.file, BytesIO()
        self._header(header, self.capacity)
        return path.is_file() and path.stat().st_size >= header.tell() + count * self.picture_size

    @property
    def picture_size(self) -> int:
        """Bytes of one picture."""
        return self.channels * self.size.pixels

    def finish(self, labels: np.ndarray, description: Description) -> None:
        """Write labels [N, L], checksums and the description."""
        images = np.load(self.folder / _IMAGES, mmap_mode="r")
        assert len(images) == len(labels), (len(images), len(labels))
        np.save(self.folder / _LABELS, labels.astype(np.float32))
        flat = images.reshape(-1)
        checksums = [_checksum(flat, block) for block in range(math.ceil(len(flat) / _BLOCK))]
        labels_checksum = zlib.crc32(labels.astype(np.float32).tobytes())
        write_json(self.folder / _META, asdict(_Meta(FORMAT, len(images), description, checksums, labels_checksum)))

    def _header(self, file: BinaryIO, count: int) -> None:
        """The .npy header. NumPy pads it, so that the count can change in place."""
        shape = (count, self.channels, *self.size.hw)
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


@dataclass
class Appender:
    """Writes pictures at the end of an open file.

    Attributes:
        file: where they go.
        shape: of every picture, (C, H, W).
        count: pictures in the file.
    """

    file: BinaryIO
    shape: tuple[int, int, int]
    count: int

    def append(self, pixels: np.ndarray) -> None:
        """Write one picture, uint8 [C, H, W]."""
        assert pixels.shape == self.shape, pixels.shape
        self.file.write(pixels.tobytes())
        self.count += 1

    def sync(self) -> None:
        """Return once all pictures are on the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())


def is_packed(folder: Path) -> bool:
    """Whether a folder holds a packed data set."""
    return (folder / _IMAGES).is_file() and (folder / _META).is_file()


def _mapped(path: Path) -> np.ndarray:
    """The array in a .npy file, and nothing else that NumPy would read."""
    check_regular(path)
    return np.lib.format.open_memmap(path, mode="r")


def _checksum(flat: np.ndarray, block: int) -> int:
    return zlib.crc32(flat[block * _BLOCK : (block + 1) * _BLOCK].tobytes())
