"""A share of work that several processes do together: which part is this process's, and how they agree."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from stylegenes.errors import UserError

T = TypeVar("T")
_PATIENCE_SECONDS, _POLL_SECONDS = 20.0, 0.2
"""How long a file of another host may take until it is seen here, and how often one looks."""


class PartDoneError(Exception):
    """This process has done its part of the work, and the first process goes on alone."""


def _alone(value: object) -> object:
    return value


def _nobody() -> None:
    return None


@dataclass(frozen=True)
class Share:
    """What one of several processes does; by default there is one process and it does everything.

    Attributes:
        rank: number of this process, from 0.
        count: processes.
        agree: gives every process what the first one calls it with; all processes call it at the same places.
        wait: returns when all processes have come here.
    """

    rank: int = 0
    count: int = 1
    agree: Callable = _alone
    wait: Callable[[], None] = _nobody

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.count:
            raise UserError(f"process {self.rank} of {self.count} does not exist; processes count from 0")

    @property
    def first(self) -> bool:
        """Whether this is the process that speaks for all."""
        return self.rank == 0

    def of(self, items: Sequence[T]) -> Sequence[T]:
        """This process's part of items that all processes see alike."""
        return items[self.rank :: self.count]

    def join(self) -> None:
        """Wait until all processes are here, then go on in the first one alone.

        Raises:
            PartDoneError: in all others, which `sharing.share_out` takes as their end.
        """
        self.wait()
        if not self.first:
            raise PartDoneError

    def meet_in(self, folder: Path) -> None:
        """See that all processes write into one and the same folder, which is made.

        Raises:
            UserError: in a process that does not see what the first one has written there.
        """
        if self.count == 1:
            return
        folder.mkdir(parents=True, exist_ok=True)
        name = self.agree(f".met-{secrets.token_hex(8)}")
        try:
            if self.first:
                (folder / name).touch()
            self.wait()
            seen = _appears(folder / name)
            self.wait()
        finally:
            if self.first:
                (folder / name).unlink(missing_ok=True)
        if not seen:
            raise UserError(
                f"process {self.rank} on {socket.gethostname()} does not see what process 0 writes to {folder}; all "
                "processes need one folder on a disk that their hosts share"
            )


def _appears(path: Path) -> bool:
    """Whether a file is there, or comes within the patience that disks over a network ask for."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not path.is_file():
        if time.monotonic() > deadline:
            return False
        list(path.parent.iterdir())
        time.sleep(_POLL_SECONDS)
    return True
