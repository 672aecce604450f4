"""An LMDB of encoded images, as LSUN is distributed: any key, the bytes of an image file as value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stylegenes.data.decode import BadImageError
from stylegenes.data.stores.base import Entry, Listing, Store
from stylegenes.errors import UserError

if TYPE_CHECKING:
    import lmdb

DATA_FILE = "data.mdb"
_HEX = "hex:"


class LmdbStore(Store):
    """All values of an LMDB, given as its folder or as its data file. It is opened for reading only."""

    kind = "LMDB"

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    def list(self) -> Listing:
        """All keys in their order; the data base's size and time stand for the content."""
        file = self.path / DATA_FILE if self.path.is_dir() else self.path
        state = file.stat()
        stamp = f"{state.st_size}:{state.st_mtime_ns}"
        with self._open() as environment, environment.begin() as transaction:
            names = [_name(key) for key in transaction.cursor().iternext(keys=True, values=False)]
        return Listing(entries=[Entry(name, stamp) for name in names])

    def read(self, name: str) -> bytes:
        """The value under one key."""
        with self._open() as environment, environment.begin() as transaction:
            value = transaction.get(_key(name))
        if value is None:
            raise BadImageError("the key is gone", "the data base changed while it was read; start again")
        return bytes(value)

    def _open(self) -> lmdb.Environment:
        """A fresh handle. It costs microseconds, and an open one would not survive the fork of a worker process."""
        import lmdb

        try:
            return lmdb.open(
                str(self.path), subdir=self.path.is_dir(), readonly=True, lock=False, readahead=False, max_dbs=0
            )
        except lmdb.Error as error:
            raise UserError(f"{self.path} is no LMDB that can be read ({error}); get it again") from error


def _name(key: bytes) -> str:
    """A key as text; a key that is no plain text is written in hexadecimal."""
    text = key.decode("ascii", "replace")
    return text if key.isascii() and text.isprintable() and not text.startswith(_HEX) else _HEX + key.hex()


def _key(name: str) -> bytes:
    return bytes.fromhex(name.removeprefix(_HEX)) if name.startswith(_HEX) else name.encode("ascii")
