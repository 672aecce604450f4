"""A folder of image files, with folders in it."""

from __future__ import annotations

import os
from pathlib import Path

from stylegenes.data.decode import BadImageError
from stylegenes.data.packed import LeftOut
from stylegenes.data.stores.base import MAX_ITEM_BYTES, Listing, Store


class FolderStore(Store):
    """All files below a folder. Links are followed only where they stay inside."""

    kind = "folder"

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    def list(self) -> Listing:
        """All files below the folder, each with size and time of its last change."""
        listing = Listing()
        for parent, folders, files in os.walk(self.path, followlinks=False):
            here = Path(parent)
            for name in files:
                self._file(here / name, listing)
            for name in folders:
                if (here / name).is_symlink():
                    reason = "a link to a folder, which is not followed"
                    listing.left_out.append(
                        LeftOut(self._name(here / name), reason, "copy the folder, or open it by itself")
                    )
        return listing.sort()

    def read(self, name: str) -> bytes:
        """The content of one file."""
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise BadImageError(f"cannot be read: {error.strerror}", "check its permissions and the disk") from error

    def _file(self, path: Path, listing: Listing) -> None:
        name = self._name(path)
        refused = _refusal(path, self.path)
        if refused:
            listing.left_out.append(LeftOut(name, *refused))
            return
        state = path.stat()
        listing.file(name, f"{state.st_size}:{state.st_mtime_ns}")

    def _name(self, path: Path) -> str:
        return path.relative_to(self.path).as_posix()


def _refusal(path: Path, root: Path) -> tuple[str, str] | None:
    """Why a file must not be read, and what to do; None when it may be."""
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        return "a link that leaves the folder", "copy the file, or open the folder it lies in"
    if not path.is_file():
        return "not a file, or a broken link", "delete it"
    if path.stat().st_size > MAX_ITEM_BYTES:
        return f"larger than {MAX_ITEM_BYTES // 2**20} MiB", "save it smaller"
    return None
