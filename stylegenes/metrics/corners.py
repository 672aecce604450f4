"""Corners of a work folder: several evaluations use it at the same time, and none takes away another's passes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from stylegenes.shares import Share


@contextmanager
def own_corner(work: Path, share: Share) -> Iterator[Path]:
    """The first corner that no other evaluation is in; one that was killed there is gone on with.

    Args:
        work: the folder of all of them; it goes with the last one, unless passes are left in it.
        share: of the processes that make one evaluation together; the first one holds the corner for all.
    """
    with ExitStack() as held:
        yield work / share.agree(_enter(work, held) if share.first else "")


def _enter(work: Path, held: ExitStack) -> str:
    for number in map(str, count()):
        lock = FileLock(work / f"{number}.lock")
        with suppress(Timeout):
            lock.acquire(timeout=0)
            held.callback(_leave, work / number, lock)
            return number
    raise AssertionError("numbers never end")


def _leave(corner: Path, lock: FileLock) -> None:
    """Let go of the corner, and of every folder that is empty by now."""
    for empty in (corner.rmdir, Path(lock.lock_file).unlink, lock.release, corner.parent.rmdir):
        with suppress(OSError):
            empty()
