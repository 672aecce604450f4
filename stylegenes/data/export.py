"""Drawn pictures as ordinary files, with what is known of them beside, in a folder or a zip.

Avatars are PNGs and a table of their attributes. Scenes are PNGs, EG3D's dataset.json of their cameras, the same table,
and the depth of each as .npy: the distance in world units, infinite where nothing is.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from stylegenes.cameras import NUMBERS
from stylegenes.csv_tables import csv_text
from stylegenes.data.avatars.source import AvatarSource
from stylegenes.data.description import LeftOut
from stylegenes.data.parallel import ordered_map
from stylegenes.data.scenes.solids import shoot
from stylegenes.data.scenes.source import SceneSource
from stylegenes.data.source import Source
from stylegenes.data.stores.base import DEPTH
from stylegenes.errors import UserError
from stylegenes.files import atomic_folder, atomic_path
from stylegenes.progress import Track

TABLE, CAMERAS = "attributes.csv", "dataset.json"

Files = dict[str, bytes]
"""Contents by name."""


@dataclass(frozen=True)
class _Encoder:
    """Draws one picture and encodes it; pickles, so that processes can share the work."""

    source: Source

    def __call__(self, index: int) -> Files:
        item = self.source.load(index)
        assert not isinstance(item, LeftOut)
        buffer = io.BytesIO()
        pixels = item.pixels.transpose(1, 2, 0)
        Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG")
        return {self.source.names[index]: buffer.getvalue()}


@dataclass(frozen=True)
class _SceneEncoder:
    """The same with the depth of a scene."""

    source: SceneSource

    def __call__(self, index: int) -> Files:
        scene, buffer = self.source.scene(index), io.BytesIO()
        depth = shoot(scene.solids, scene.camera, self.source.size.width, fine=1).depth
        np.save(buffer, depth.astype(np.float32), allow_pickle=False)
        name = PurePosixPath(self.source.names[index]).with_suffix(".npy").name
        return {**_Encoder(self.source)(index), f"{DEPTH}/{name}": buffer.getvalue()}


def export_avatars(source: AvatarSource, out: Path, *, workers: int, track: Track) -> None:
    """Write avatars and `attributes.csv`, all or nothing; `open_dataset(out)` reads them back with their labels.

    Args:
        source: which avatars.
        out: a new folder, or a name that ends in .zip.
        workers: number of processes.
        track: progress display.

    Raises:
        UserError: when `out` exists already.
    """
    tables = {TABLE: _table(source.names, source.label_names, source.labels()).encode()}
    _export(_Encoder(source), len(source.names), tables, out, "drawing avatars", workers=workers, track=track)


def export_scenes(source: SceneSource, out: Path, *, depth: bool, workers: int, track: Track) -> None:
    """Write scenes with their cameras and attributes, and their depth where it is wanted, all or nothing.

    `open_dataset(out)` reads pictures, attributes and cameras back; EG3D's own code reads pictures and dataset.json.

    Args:
        source: which scenes.
        out: a new folder, or a name that ends in .zip.
        depth: whether the depth of each is written.
        workers: number of processes.
        track: progress display.

    Raises:
        UserError: when `out` exists already.
    """
    rows, names = source.labels(), source.names
    cameras = {"labels": [list(pair) for pair in zip(names, rows[:, -NUMBERS:].tolist(), strict=True)]}
    tables = {
        TABLE: _table(names, source.label_names[:-NUMBERS], rows[:, :-NUMBERS]).encode(),
        CAMERAS: json.dumps(cameras).encode(),
    }
    encode = _SceneEncoder(source) if depth else _Encoder(source)
    _export(encode, len(names), tables, out, "drawing scenes", workers=workers, track=track)


def _export(
    encode: Callable[[int], Files], count: int, tables: Files, out: Path, what: str, *, workers: int, track: Track
) -> None:
    """Write tables and what `encode` makes of every index, into a folder or a zip, all or nothing."""
    refuse_existing(out)
    encoded: Iterable[Files] = track(ordered_map(encode, count, workers), what, count)
    if out.suffix.lower() == ".zip":
        with atomic_path(out) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            for files in chain([tables], encoded):
                for name, content in files.items():
                    archive.writestr(name, content)
        return
    with atomic_folder(out) as part:
        for files in chain([tables], encoded):
            for name, content in files.items():
                (part / name).parent.mkdir(exist_ok=True)
                (part / name).write_bytes(content)


def refuse_existing(out: Path) -> None:
    """Nothing of the user's is ever replaced.

    Raises:
        UserError: when there is something at `out`, other than an empty folder.
    """
    if out.is_dir() and not out.is_symlink() and not any(out.iterdir()):
        out.rmdir()
    if out.exists() or out.is_symlink():
        raise UserError(f"{out} exists already; name another one, or delete it")


def _table(names: list[str], columns: list[str], rows: np.ndarray) -> str:
    return csv_text(["file", *columns], ([name, *row] for name, row in zip(names, rows.astype(np.int64), strict=True)))
