"""A folder of image files, with folders in it."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path, PurePosixPath

from stylegenes.data.decode import BadImageError
from stylegenes.data.description import LeftOut
from stylegenes.data.stores.base import MAX_ITEM_BYTES, Listing, Store, is_system_file
from stylegenes.errors import shown


class FolderStore(Store):
    """All files below a folder. Links are followed only where they stay inside."""

    kind = "folder"

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    def list(self) -> Listing:
        """All files below the folder, each with size and time of its last change."""
        listing = Listing()
        for parent, folders, files in os.walk(self.path, onerror=partial(self._unreadable, listing)):
            here = Path(parent)
            for name in files:
                self._file(here / name, listing)
            for name in folders:
                if (here / name).is_symlink():
                    reason = "a link to a folder, which is not followed"
                    listing.left_out.append(
                        LeftOut(shown(self._name(here / name)), reason, "copy the folder, or open it by itself")
                    )
        return listing.sort()

    def read(self, name: str) -> bytes:
        """The content of one file."""
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise BadImageError(f"cannot be read: {error.strerror}", "check its permissions and the disk") from error

    def _unreadable(self, listing: Listing, error: OSError) -> None:
        """A folder that cannot be listed: nothing in it is known, and that must be said."""
        name = self._name(Path(error.filename or self.path))
        listing.left_out.append(
            LeftOut(shown(name), f"a folder that cannot be read: {error.strerror}", "check its permissions")
        )

    def _file(self, path: Path, listing: Listing) -> None:
        name = self._name(path)
        refused = _refusal(path, self.path)
        if refused:
            if is_system_file(PurePosixPath(name)):
                listing.ignored += 1
            else:
                listing.left_out.append(LeftOut(shown(name), *refused))
            return
        state = path.stat()
        listing.file(name, f"{state.st_size}:{state.st_mtime_ns}")

    def _name(self, path: Path) -> str:
        return path.relative_to(self.path).as_posix()


def _refusal(path: Path, root: Path) -> tuple[str, str] | None:
    """Why a file must not be read, and what to do; None when it may be."""
    if not _is_text(path.name):
        return "a name that is not UTF-8", "rename it"
    if not _is_text(str(path.relative_to(root))):
        return "in a folder whose name is not UTF-8", "rename the folder"
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # Python before 3.13 raises the latter for a loop of links
        return "a link that is broken or leads to itself", "delete it"
    if not target.is_relative_to(root):
        return "a link that leaves the folder", "copy the file, or open the folder it lies in"
    if not path.is_file():
        return "not a file", "delete it"
    if path.stat().st_size > MAX_ITEM_BYTES:
        return f"larger than {MAX_ITEM_BYTES // 2**20} MiB", "save it smaller"
    return None


def _is_text(name: str) -> bool:
    """Whether a name is Unicode; the system's other names hold lone surrogates, which nothing can write or hash."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
