"""An LMDB of encoded images, as LSUN is distributed: any key, the bytes of an image file as value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stylegenes.data.decode import BadImageError
from stylegenes.data.description import LeftOut
from stylegenes.data.parallel import in_child
from stylegenes.data.stores.base import MAX_ITEM_BYTES, Listing, Store, StoredItem
from stylegenes.errors import UserError, shown

if TYPE_CHECKING:
    import lmdb

DATA_FILE = "data.mdb"
_HEX = "hex:"
_TOUCHED = 8 * 2**30
"""Data bases up to this size in bytes are walked through whole when they are opened."""


class LmdbStore(Store):
    """All values of an LMDB, given as its folder or as its data file. It is opened for reading only.

    The library maps the file and follows what it reads there, so that a damaged file can end the process. A child
    process goes first.
    """

    kind = "LMDB"

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def _file(self) -> Path:
        return self.path / DATA_FILE if self.path.is_dir() else self.path

    def list(self) -> Listing:
        """All keys in their order; the data base's size and time stand for the content."""
        state = self._file.stat()
        stamp = f"{state.st_size}:{state.st_mtime_ns}"
        keys = in_child(self.keys)
        if keys is None:
            raise UserError(f"{self._named} is damaged, reading it ends the process; get it again")
        listing = Listing()
        for key, size in keys.items():
            if size > MAX_ITEM_BYTES:
                reason = f"larger than {MAX_ITEM_BYTES // 2**20} MiB"
                listing.left_out.append(LeftOut(shown(_name(key)), reason, "save it smaller"))
            else:
                listing.entries.append(StoredItem(_name(key), stamp))
        return listing

    def keys(self) -> dict[bytes, int]:
        """All keys with the sizes of their values in bytes; both ends of every value are touched.

        Raises:
            UserError: when the file is no LMDB, cut short or damaged.
        """
        touch = self._file.stat().st_size <= _TOUCHED
        sizes: dict[bytes, int] = {}
        with self._transaction(buffers=True) as transaction:
            if not touch:
                return dict.fromkeys(map(bytes, transaction.cursor().iternext(keys=True, values=False)), 0)
            for key, value in transaction.cursor():
                size = sizes[bytes(key)] = len(value)
                if 0 < size <= MAX_ITEM_BYTES:
                    _ = value[0], value[size - 1]
        return sizes

    def read(self, name: str) -> bytes:
        """The value under one key."""
        with self._transaction(buffers=False) as transaction:
            value = transaction.get(_key(name))
        if value is None:
            raise BadImageError("the key is gone", "the data base changed while it was read; start again")
        return bytes(value)

    @property
    def _named(self) -> str:
        return shown(self.path, 200)

    @contextmanager
    def _transaction(self, *, buffers: bool) -> Iterator[lmdb.Transaction]:
        """A fresh handle. It costs microseconds, and an open one would not survive the fork of a worker process."""
        import lmdb

        try:
            environment = lmdb.open(
                str(self.path), subdir=self.path.is_dir(), readonly=True, lock=False, readahead=False, max_dbs=0
            )
            with environment:
                self._check_length(environment)
                with environment.begin(buffers=buffers) as transaction:
                    yield transaction
        except lmdb.Error as error:
            raise UserError(f"{self._named} is no LMDB that can be read ({shown(error)}); get it again") from error

    def _check_length(self, environment: lmdb.Environment) -> None:
        """Pages that the file does not hold must not be touched: the system ends a process that does."""
        needed = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
        size = self._file.stat().st_size
        if size < needed:
            raise UserError(f"{self._named} was cut short: it has {size:,} of {needed:,} bytes; get it again")


def _name(key: bytes) -> str:
    """A key as text; a key that is no plain text is written in hexadecimal."""
    text = key.decode("ascii", "replace")
    return text if key.isascii() and text.isprintable() and not text.startswith(_HEX) else _HEX + key.hex()


def _key(name: str) -> bytes:
    return bytes.fromhex(name.removeprefix(_HEX)) if name.startswith(_HEX) else name.encode("ascii")
