"""Shards kept on this machine: fetched when they are needed, up to a limit, the longest unused leaving first.

Several processes share the folder. A shard appears under its name only when it is whole, so that whoever sees it may
read it; whoever has it open may go on reading when it leaves.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

from filelock import FileLock

from stylegenes.caches import cache_folder, cache_root, own_places, written_cache
from stylegenes.data.shards.index import SHARD, Part
from stylegenes.data.shards.remote import Remote
from stylegenes.errors import UserError
from stylegenes.partials import partial_beside, sweep

LIMIT = "STYLEGENES_SHARDS_GIB"
_LIMIT = 50.0
_FETCHERS = 4
_WAIT = 0.05
"""Seconds before room is looked for again."""
_TOUCHED = 5.0
"""Seconds in which a shard counts as used just now."""


def limit_bytes() -> int:
    """How much may be kept, all data sets together: STYLEGENES_SHARDS_GIB, else 50 GiB.

    Raises:
        UserError: for something else than a positive number.
    """
    text = os.environ.get(LIMIT, str(_LIMIT))
    try:
        limit = float(text)
    except ValueError:
        limit = 0.0
    if not 0 < limit < float("inf"):
        raise UserError(f"{LIMIT} is {text!r}; give a positive number of GiB")
    return int(limit * 2**30)


class Kept:
    """The shards of one data set that are here.

    Args:
        remote: where they come from.
        name: of the folder, one for each index.
        root: of the cache.
    """

    def __init__(self, remote: Remote, name: str, root: Path | None = None) -> None:
        self.remote, self.root = remote, root or cache_root()
        self.folder = cache_folder("shards", self.root) / name
        self.limit = limit_bytes()
        self._touched: dict[str, float] = {}

    def path(self, part: Part) -> Path | None:
        """Where a shard is, or None when it is not here."""
        path, now = self.folder / part.name, time.monotonic()
        if now - self._touched.get(part.name, -_TOUCHED) < _TOUCHED:
            return path if path.exists() else None
        try:
            os.utime(path)
        except OSError:
            return None
        self._touched[part.name] = now
        return path

    def open(self, part: Part) -> BinaryIO:
        """A file to read, fetched now if need be; of several processes one fetches and the others wait.

        Raises:
            UserError: when it cannot be had, or there is no room for it.
        """
        if self.path(part) is not None:
            with suppress(FileNotFoundError):
                return (self.folder / part.name).open("rb", buffering=0)
        if part.bytes > self.limit:
            raise UserError(
                f"{part.name} of {self.remote.url} has {part.bytes / 2**30:.2f} GiB, and {LIMIT} allows "
                f"{self.limit / 2**30:g}; raise it"
            )
        with written_cache(self.root):
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / f".{part.name}.lock"):
                with suppress(FileNotFoundError):
                    return (self.folder / part.name).open("rb", buffering=0)
                return self._fetch(part)

    def _fetch(self, part: Part) -> BinaryIO:
        path = self.folder / part.name
        with partial_beside(path) as temporary:
            try:
                while not self._reserve(temporary, part.bytes):
                    time.sleep(_WAIT)
                self.remote.save(part, temporary)
                with self._room():
                    # It is opened before anybody can make it leave.
                    temporary.replace(path)
                    return path.open("rb", buffering=0)
            finally:
                temporary.unlink(missing_ok=True)

    def _room(self) -> FileLock:
        """Held by whoever lets files come or go."""
        return FileLock(cache_folder("shards", self.root) / ".room.lock")

    def _reserve(self, path: Path, size: int) -> bool:
        """Make room and take it: the empty file has its full length at once, so that others count it.

        Returns False while others that are being fetched take up the room.
        """
        folder = cache_folder("shards", self.root)
        with self._room():
            files = _files(folder)
            used = sum(file.size for file in files)
            for file in files:
                if used + size <= self.limit and shutil.disk_usage(folder).free > size:
                    break
                if file.path.name.startswith(SHARD):
                    with suppress(OSError):
                        file.path.unlink()
                        used -= file.size
            if shutil.disk_usage(folder).free < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
            if used + size > self.limit and any(file.path.name.startswith(".") for file in files):
                for place in {file.path.parent for file in files}:
                    sweep(place)
                return False
            with path.open("wb") as file:
                file.truncate(size)
            return True


@dataclass(frozen=True, order=True)
class _File:
    """A file in the cache, or one that becomes it.

    Attributes:
        used: when it was used last.
        path: where it is.
        size: its bytes.
    """

    used: float
    path: Path
    size: int


def _files(folder: Path) -> list[_File]:
    """The longest unused first."""
    found = []
    for path in (file for place in own_places(folder) for file in place.glob("*.npy")):
        with suppress(OSError):
            state = path.stat()
            found.append(_File(state.st_mtime, path, state.st_size))
    return sorted(found)


class Ahead:
    """Fetches shards in the background. Its threads end with the process, whatever they are at."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._queue: SimpleQueue[Part] = SimpleQueue()
        self._asked: set[str] = set()
        self._threads: list[threading.Thread] = []
        self._error: Exception | None = None

    def ask(self, part: Part) -> None:
        """Fetch a shard if it is not here.

        Raises:
            UserError: when an earlier one could not be fetched.
        """
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if part.name in self._asked or self._kept.path(part) is not None:
            return
        self._asked.add(part.name)
        if not self._threads:
            self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(_FETCHERS)]
            for thread in self._threads:
                thread.start()
        self._queue.put(part)

    def _work(self) -> None:
        while True:
            part = self._queue.get()
            try:
                self._kept.open(part).close()
            except Exception as error:
                self._error = error
            self._asked.discard(part.name)
