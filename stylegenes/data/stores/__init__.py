"""Where images lie: a folder, a zip archive or an LMDB, behind one contract; `open_store` picks by what is there."""

from __future__ import annotations

from pathlib import Path

from stylegenes.data.decode import SUFFIXES
from stylegenes.data.stores.archive import ZipStore
from stylegenes.data.stores.base import Listing, Store, StoredItem
from stylegenes.data.stores.folder import FolderStore
from stylegenes.data.stores.lightning import DATA_FILE, LmdbStore
from stylegenes.errors import UserError, shown
from stylegenes.words import nearest_place

__all__ = ["StoredItem", "Listing", "Store", "open_store"]


def open_store(path: Path) -> Store:
    """The store at a path.

    Raises:
        UserError: when there is nothing, or nothing that images can be read from; says what to do.
    """
    if not path.exists():
        raise UserError(f"there is no {shown(path, 200)}{_neighbor(path)}")
    if path.is_dir():
        return LmdbStore(path) if (path / DATA_FILE).is_file() else FolderStore(path)
    suffix = path.suffix.lower()
    if not path.is_file():
        raise UserError(f"{shown(path, 200)} is no file or folder, but a pipe or device; give a folder, .zip or LMDB")
    if suffix == ".zip":
        return ZipStore(path)
    if suffix == ".mdb":
        return LmdbStore(path)
    if suffix in SUFFIXES:
        raise UserError(f"{shown(path, 200)} is a single image; give the folder that holds the images")
    raise UserError(f"{shown(path, 200)} is no folder, .zip or LMDB; unpack it into a folder and give that")


def _neighbor(path: Path) -> str:
    """A hint at a name beside a missing one that is nearly the same."""
    meant = nearest_place(path, ["avatars"])
    return f"; did you mean {meant}?" if meant else "; give a folder, a .zip, an LMDB or `avatars`"
