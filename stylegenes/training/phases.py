"""What each rank is doing, on disk, so that a rank that dies can be named together with its phase."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from stylegenes.errors import UserError
from stylegenes.files import read_record
from stylegenes.processes import is_alive
from stylegenes.training.watch import AGAIN, DIED

FOLDER = "ranks"
_SIZE = 512


@dataclass(frozen=True)
class RankStatus:
    """What a rank last said.

    Attributes:
        rank: its number.
        host: the node it runs on.
        pid: its process.
        step: steps done.
        phase: what it was doing.
        time: when it said so, seconds since 1970.
        error: why it gave up, or "" while it has not.
        by_user: whether the error is one that a user can put right.
    """

    rank: int
    host: str
    pid: int
    step: int
    phase: str
    time: float
    error: str = ""
    by_user: bool = False

    @property
    def alive(self) -> bool:
        """Whether its process still runs; assumed on other nodes."""
        return is_alive(self.pid, self.host)


class PhaseLog:
    """Overwrites one small file with every phase of this rank; costs a few microseconds."""

    def __init__(self, folder: Path, rank: int) -> None:
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        self._path = folder / FOLDER / f"{rank:04d}.json"
        self._file = self._path.open("wb", buffering=0)
        self.rank, self.step, self._phase = rank, 0, ""
        self._host, self._pid = socket.gethostname(), os.getpid()

    def __call__(self, phase: str) -> None:
        """Say what this rank is doing now."""
        self._phase = phase
        self._write()

    def fail(self, error: str, *, by_user: bool) -> None:
        """Say why this rank gives up."""
        self._write(error, by_user)

    def close(self) -> None:
        """Say that there is nothing more to say."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _write(self, error: str = "", by_user: bool = False) -> None:
        status = RankStatus(self.rank, self._host, self._pid, self.step, self._phase, time.time(), error, by_user)
        self._file.seek(0)
        self._file.write(json.dumps(asdict(status)).encode().ljust(_SIZE))


def read_statuses(folder: Path) -> list[RankStatus]:
    """What every rank last said, by rank; a file caught in the middle of a write is left out."""
    found = []
    for path in sorted((folder / FOLDER).glob("*.json")):
        try:
            found.append(read_record(path, RankStatus))
        except UserError:
            continue
    return found


def clear_statuses(folder: Path) -> None:
    """Forget what the ranks of an earlier sitting said."""
    for path in (folder / FOLDER).glob("*.json"):
        path.unlink(missing_ok=True)


def describe_lost(lost: Iterable[RankStatus]) -> str | None:
    """A sentence about the first of the ranks that died without a word, or None when there is none."""
    how, why = DIED
    for status in lost:
        return (
            f"rank {status.rank} (process {status.pid} on {status.host}) {how} at step {status.step} in the phase "
            f"'{status.phase}': {why}. {AGAIN}"
        )
    return None
