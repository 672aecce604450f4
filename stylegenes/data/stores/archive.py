"""A zip archive of image files. Nothing is ever extracted to disk."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath, PureWindowsPath

from stylegenes.data.decode import BadImageError
from stylegenes.data.description import LeftOut
from stylegenes.data.stores.base import MAX_ITEM_BYTES, Listing, Store, is_system_file
from stylegenes.errors import UserError, shown

_MAX_RATIO = 200
_RATIO_MATTERS_ABOVE = 8 * 2**20
_ENCRYPTED = 0x1


class ZipStore(Store):
    """All files in a zip. Old tools of Windows write `cat\\1.png`, which is listed as `cat/1.png`."""

    kind = "zip"

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._owner = 0
        self._archive: zipfile.ZipFile | None = None
        self._files: dict[str, zipfile.ZipInfo] = {}

    def __getstate__(self) -> dict[str, object]:
        return {"path": self.path, "_owner": 0, "_archive": None, "_files": {}}

    def list(self) -> Listing:
        """All files of the archive's directory, each with size and checksum."""
        listing = Listing()
        times = Counter(map(_name, self._open().infolist()))
        for name, info in self._files.items():
            refused = _refusal(name, info, times[name])
            if refused and not is_system_file(PurePosixPath(name)):
                listing.left_out.append(LeftOut(shown(name), *refused))
            else:
                listing.file(name, f"{info.file_size}:{info.CRC:08x}")
        return listing.sort()

    def read(self, name: str) -> bytes:
        """The content of one file, never more than the directory declared."""
        archive = self._open()
        try:
            info = self._files[name]
            with archive.open(info) as file:
                data = file.read(info.file_size)
                file.read(1)
        # Damaged archives raise BadZipFile, zlib.error, EOFError, NotImplementedError (unknown compression) and more.
        except Exception as error:
            raise BadImageError(f"cannot be read from the archive: {shown(error)}", "make the archive again") from error
        return data

    def _open(self) -> zipfile.ZipFile:
        """The archive, opened by this very process: after a fork a shared handle would read from the wrong place."""
        if self._archive is None or self._owner != os.getpid():
            try:
                self._archive = zipfile.ZipFile(self.path)
                found = {_name(info): info for info in self._archive.infolist()}
                self._files = {name: info for name, info in found.items() if not name.endswith("/")}
                self._owner = os.getpid()
            # A damaged directory raises BadZipFile, struct.error, UnicodeDecodeError, NotImplementedError and more.
            except Exception as error:
                raise UserError(
                    f"{shown(self.path, 200)} is no zip archive that can be read ({shown(error)}), or was cut short; "
                    "get it again"
                ) from error
        return self._archive


def _name(info: zipfile.ZipInfo) -> str:
    """The path within the archive with forward slashes; a name that has some already keeps its backslashes."""
    name = info.filename
    return name if "/" in name else name.replace("\\", "/")


def _refusal(name: str, info: zipfile.ZipInfo, times: int) -> tuple[str, str] | None:
    """Why a file must not be read, and what to do; None when it may be."""
    if climbs(name):
        return "a path that climbs out of the archive", "do not trust this archive; make it again from the images"
    if times > 1:
        return f"{times} files of this name, and no telling which is meant", "make the archive again"
    if info.flag_bits & _ENCRYPTED:
        return "encrypted", "make the archive without a password"
    if info.file_size > MAX_ITEM_BYTES:
        return f"unpacks to more than {MAX_ITEM_BYTES // 2**20} MiB", "save it smaller"
    if info.file_size > _RATIO_MATTERS_ABOVE and info.file_size > _MAX_RATIO * max(1, info.compress_size):
        return f"unpacks to over {_MAX_RATIO} times its size, as a zip bomb does", "delete it, or save it as PNG"
    return None


def climbs(name: str) -> bool:
    """Whether a path within an archive points outside of it, on any system."""
    windows, posix = PureWindowsPath(name), PurePosixPath(name)
    return bool(posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts)
