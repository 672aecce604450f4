"""Names of files that are being written, and the sweeping away of those whose writer has died."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stylegenes.processes import is_alive

_AGE = 24 * 3600.0
"""Seconds after which a partial file that nobody touched, of a writer on another machine, belongs to nobody."""

_NAME = re.compile(r"\.(.+)\.(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-[0-9a-f]{8}\.part(?:\..*)?", re.DOTALL)
_own: set[str] = set()
"""What this process is writing."""


@contextmanager
def partial_beside(path: Path) -> Iterator[Path]:
    """A fresh name beside `path` that tells its writer; first what dead writers left there is swept away."""
    sweep(path.parent)
    part = path.with_name(f".{path.stem}.{_host()}-{os.getpid()}-{secrets.token_hex(4)}.part{path.suffix}")
    _own.add(part.name)
    try:
        yield part
    finally:
        _own.discard(part.name)


def sweep(folder: Path) -> None:
    """Delete partial files and folders in `folder` whose writers are dead; those of living ones stay, however old."""
    for path in folder.glob(".*.part*"):
        if path.name in _own or not (name := _NAME.fullmatch(path.name)) or not _is_orphan(path, name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _host() -> str:
    return f"{zlib.crc32(socket.gethostname().encode()):08x}"


def _is_orphan(path: Path, name: re.Match[str]) -> bool:
    """Whether the writer is dead: known of this machine's, of others by age."""
    if name["host"] == _host():
        pid = int(name["pid"])
        return pid == os.getpid() or not is_alive(pid, socket.gethostname())
    try:
        newest = max(file.lstat().st_mtime for file in [path, *path.rglob("*")])
        return time.time() - newest > _AGE and now_in(path.parent) - newest > _AGE
    except OSError:
        return False


def now_in(folder: Path) -> float:
    """The time by the clock that dates files in a folder, which for one of the network is not this machine's.

    Raises:
        OSError: when nothing can be written there.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b".")
        file.flush()
        return os.fstat(file.fileno()).st_mtime
