"""Where images lie: a folder, a zip archive or an LMDB, behind one contract; `open_store` picks by what is there."""

from __future__ import annotations

from pathlib import Path

from stylegenes.data.decode import SUFFIXES
from stylegenes.data.stores.archive import ZipStore
from stylegenes.data.stores.base import Entry, Listing, Store
from stylegenes.data.stores.folder import FolderStore
from stylegenes.data.stores.lightning import DATA_FILE, LmdbStore
from stylegenes.errors import UserError
from stylegenes.words import nearest_place

__all__ = ["Entry", "Listing", "Store", "open_store"]


def open_store(path: Path) -> Store:
    """The store at a path.

    Raises:
        UserError: when there is nothing, or nothing that images can be read from; says what to do.
    """
    if not path.exists():
        raise UserError(f"there is no {path}{_neighbor(path)}")
    if path.is_dir():
        return LmdbStore(path) if (path / DATA_FILE).is_file() else FolderStore(path)
    if path.suffix.lower() == ".zip":
        return ZipStore(path)
    if path.suffix.lower() == ".mdb":
        return LmdbStore(path)
    if path.suffix.lower() in SUFFIXES:
        raise UserError(f"{path} is a single image; give the folder that holds the images")
    raise UserError(f"{path} is no folder, .zip or LMDB; unpack it into a folder and give that")


def _neighbor(path: Path) -> str:
    """A hint at a name beside a missing one that is nearly the same."""
    meant = nearest_place(path, ["avatars"])
    return f"; did you mean {meant}?" if meant else "; give a folder, a .zip, an LMDB or `avatars`"
