"""The run folder: one process group at a time, and nothing left behind by a start that came to nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from stylegenes.errors import UserError, shown
from stylegenes.files import read_record, write_json
from stylegenes.processes import is_alive
from stylegenes.training.state import STATE_FILE

LOCK, HOLDER = ".lock", ".holder.json"


@contextmanager
def run_lock(folder: Path, *, wait: float = 0.0) -> Iterator[None]:
    """Make the folder and hold its lock, which the system lets go of when the process ends; forks do not inherit it.

    Args:
        folder: of the run.
        wait: seconds that another process may take to let go of it.

    A folder made for a run that is refused, or stopped, before it has a state is taken away again.

    Raises:
        UserError: when another process holds it; names the process.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    fresh = bool(missing) or not any(folder.iterdir())
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=wait)
    except Timeout as error:
        raise UserError(
            f"{folder} is being trained by {_holder(folder)}; stop it first, or use another folder"
        ) from error
    try:
        since = datetime.now().astimezone().isoformat(timespec="seconds")
        write_json(folder / HOLDER, asdict(_Note(os.getpid(), socket.gethostname(), since)))
        yield
    except (UserError, KeyboardInterrupt):
        if fresh and not (folder / STATE_FILE).exists():
            _remove(folder, missing)
        raise
    finally:
        (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def is_training(folder: Path) -> bool:
    """Whether a process trains in the folder at this moment; assumed of one that runs on another machine."""
    if not (folder / HOLDER).exists():
        return False
    try:
        note = read_record(folder / HOLDER, _Note)
    except (UserError, OSError):
        return False
    return is_alive(note.pid, note.host)


def _remove(folder: Path, made: list[Path]) -> None:
    """Empty the folder, and delete those folders that were made for it, from the inside out."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for place in made:
            place.rmdir()


def _holder(folder: Path) -> str:
    """Who holds the lock. The note of a process that is dead is not about the present holder."""
    try:
        note = read_record(folder / HOLDER, _Note)
    except UserError:
        return "another process"
    if not is_alive(note.pid, note.host):
        return "another process"
    return f"process {note.pid} on {shown(note.host)} since {shown(note.since)}"


@dataclass(frozen=True)
class _Note:
    """Who holds the lock."""

    pid: int
    host: str
    since: str
