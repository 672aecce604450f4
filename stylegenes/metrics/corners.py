"""Corners of a work folder: several evaluations use it at the same time, and none takes away another's passes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from stylegenes.shares import Share


@contextmanager
def own_corner(work: Path, what: str, share: Share) -> Iterator[Path]:
    """The first corner of its kind that no other evaluation is in; one that was killed there is gone on with.

    Args:
        work: the folder of all of them; it goes with the last one, unless passes are left in it.
        what: is evaluated, in any words: the same again goes on with what it left, whoever else has been there.
        share: of the processes that make one evaluation together; the first one holds the corner for all.
    """
    with ExitStack() as held:
        yield work / share.agree(_enter(work, what, held) if share.first else "")


def _enter(work: Path, what: str, held: ExitStack) -> str:
    kind = hashlib.sha256(what.encode()).hexdigest()[:16]
    for name in (f"{kind}-{number}" for number in count()):
        lock = FileLock(work / f"{name}.lock")
        with suppress(Timeout):
            lock.acquire(timeout=0)
            held.callback(_leave, work / name, lock)
            return name
    raise AssertionError("numbers never end")


def _leave(corner: Path, lock: FileLock) -> None:
    """Let go of the corner, and of every folder that is empty by now."""
    for empty in (corner.rmdir, Path(lock.lock_file).unlink, lock.release, corner.parent.rmdir):
        with suppress(OSError):
            empty()
