"""One pass over numbered blocks of draws that gives rows of numbers: resumable, and shared by processes.

The rows begin as not-a-number, in memory or in one mapped file that all processes fill at places of their own. What is
still not a number is still to be made: the file is its own record of progress, whole at whatever moment a process dies.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock

from stylegenes.caches import mapped_rows
from stylegenes.errors import UserError
from stylegenes.files import atomic_path
from stylegenes.metrics.features import Shard
from stylegenes.metrics.sources import blocks
from stylegenes.progress import OnStep, silent_step

PATIENCE_SECONDS = 900.0
_POLL_SECONDS = 0.2
_ROWS = "rows.npy"


@dataclass(frozen=True)
class RowPass:
    """A pass to make.

    Attributes:
        name: what progress calls it.
        identity: everything that the rows depend on, as plain values.
        num: rows.
        dim: numbers in a row.
        batch: rows in a block.
        make: the rows [stop - start, dim] of the block from start to stop; a function of these two alone.
        dtype: of the rows that are kept.
        folder: where rows are kept; None keeps them in memory (one process, no resuming).
        shard: this process's part.
        on_block: progress: called with the rows of this process done and their total.
    """

    name: str
    identity: dict[str, Any]
    num: int
    dim: int
    batch: int
    make: Callable[[int, int], torch.Tensor]
    dtype: type[np.floating[Any]] = np.float64
    folder: Path | None = None
    shard: Shard = field(default_factory=Shard)
    on_block: OnStep = silent_step

    def key(self) -> str:
        """A hash of everything that the rows depend on."""
        shape = {"pass": self.name, "num": self.num, "dim": self.dim, "batch": self.batch}
        return hashlib.sha256(json.dumps({**self.identity, **shape}, sort_keys=True).encode()).hexdigest()

    @property
    def place(self) -> Path | None:
        """The folder of this pass and no other, named by its key; None in memory."""
        return None if self.folder is None else self.folder / self.key()[:32]

    def run(self) -> torch.Tensor:
        """All rows [num, dim], mapped from the file where there is one, as soon as all processes have made theirs.

        Raises:
            UserError: for numbers that are not finite, or when another process of the same pass died or hangs.
        """
        array = self._fill()
        return torch.from_numpy(array if self.place is None else self._wait(self.place / _ROWS))

    def make_part(self) -> None:
        """Make this process's part and no more; process 0 collects the parts by `run`.

        Raises:
            UserError: when there is no folder to meet in, or for numbers that are not finite.
        """
        if self.folder is None:
            raise UserError("processes that share a pass need a folder to meet in")
        self._fill()

    def _fill(self) -> np.ndarray:
        array = self._open()
        own = list(blocks(self.num, self.batch))[self.shard.rank :: self.shard.world]
        done, total = 0, sum(stop - start for start, stop in own)
        for start, stop in own:
            if np.isnan(array[start:stop]).any():
                array[start:stop] = self._finite(start, stop)
            done += stop - start
            self.on_block(done, total)
        if isinstance(array, np.memmap):
            array.flush()
        return array

    @torch.no_grad()
    def _finite(self, start: int, stop: int) -> np.ndarray:
        rows = self.make(start, stop).detach().cpu()
        if not bool(rows.isfinite().all()):
            raise UserError(
                f"{self.name}: draws {start} to {stop} gave numbers that are not finite; has the training of this "
                "model diverged?"
            )
        return rows.numpy()

    def _open(self) -> np.ndarray:
        """The rows to fill; the first process to come makes the file."""
        if self.place is None:
            return np.full((self.num, self.dim), np.nan, self.dtype)
        self.place.mkdir(parents=True, exist_ok=True)
        path = self.place / _ROWS
        with FileLock(self.place / "lock"):
            if mapped_rows(path, (self.num, self.dim), self.dtype) is None:
                with atomic_path(path) as part:
                    fresh = np.lib.format.open_memmap(part, "w+", self.dtype, (self.num, self.dim))
                    for start, stop in blocks(self.num, 4096):
                        fresh[start:stop] = np.nan
                    fresh.flush()
        return np.load(path, mmap_mode="r+")

    def _wait(self, path: Path) -> np.ndarray:
        """The whole file; patience starts over whenever a block has come in. The file itself is never changed by it."""
        pending, deadline = list(blocks(self.num, self.batch)), time.monotonic() + PATIENCE_SECONDS
        while True:
            array = np.load(path, mmap_mode="c")
            left = [(start, stop) for start, stop in pending if np.isnan(array[start:stop]).any()]
            if not left:
                return array
            if len(left) < len(pending):
                pending, deadline = left, time.monotonic() + PATIENCE_SECONDS
            if time.monotonic() > deadline:
                raise UserError(
                    f"{self.name}: another of {self.shard.world} processes has made nothing for "
                    f"{PATIENCE_SECONDS:.0f} s; run the same command again to go on from what is there"
                )
            time.sleep(_POLL_SECONDS)
