"""Avatars as ordinary files: PNGs and a table of their attributes, in a folder or a zip."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from stylegenes.data.avatars.source import AvatarSource
from stylegenes.data.packed import LeftOut
from stylegenes.data.parallel import ordered_map
from stylegenes.data.progress import Track
from stylegenes.errors import UserError
from stylegenes.files import atomic_folder, atomic_path

TABLE = "attributes.csv"


@dataclass(frozen=True)
class _Encoder:
    """Draws one avatar and encodes it; pickles, so that processes can share the work."""

    source: AvatarSource

    def __call__(self, index: int) -> bytes:
        item = self.source.load(index)
        assert not isinstance(item, LeftOut)
        buffer = io.BytesIO()
        pixels = item.pixels.transpose(1, 2, 0)
        Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG")
        return buffer.getvalue()


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
    refuse_existing(out)
    encoded = track(ordered_map(_Encoder(source), len(source.names), workers), "drawing avatars", len(source.names))
    if out.suffix.lower() == ".zip":
        with atomic_path(out) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(TABLE, _table(source))
            for name, content in zip(source.names, encoded, strict=True):
                archive.writestr(name, content)
        return
    with atomic_folder(out) as part:
        (part / TABLE).write_text(_table(source), encoding="utf-8", newline="")
        for name, content in zip(source.names, encoded, strict=True):
            (part / name).write_bytes(content)


def refuse_existing(out: Path) -> None:
    """Nothing of the user's is ever replaced.

    Raises:
        UserError: when there is something at `out`, other than an empty folder.
    """
    if out.is_dir() and not any(out.iterdir()):
        out.rmdir()
    if out.exists():
        raise UserError(f"{out} exists already; name another one, or delete it")


def _table(source: AvatarSource) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["file", *source.label_names])
    for name, row in zip(source.names, source.labels().astype(np.int64), strict=True):
        writer.writerow([name, *row])
    return buffer.getvalue()
