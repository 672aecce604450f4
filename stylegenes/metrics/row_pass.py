"""One pass over numbered blocks of draws that gives rows of numbers: resumable, and shared by processes.

The rows begin as not-a-number, in memory or in one mapped file that all processes fill at places of their own. What is
still not a number is still to be made: the file is its own record of progress, whole at whatever moment a process dies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stylegenes.errors import UserError
from stylegenes.metrics.row_file import RowFile
from stylegenes.metrics.sources import blocks
from stylegenes.progress import OnStep, silent_step
from stylegenes.shares import Share

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
        share: this process's part.
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
    share: Share = field(default_factory=Share)
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
            UserError: for numbers that are not finite, or several processes without a folder to meet in.
        """
        if self.folder is None and self.share.count == 1:
            array = np.full((self.num, self.dim), np.nan, self.dtype)
            for start, stop in self._told(self._blocks()):
                array[start:stop] = self._finite(start, stop)
            return torch.from_numpy(array)
        self.make_part()
        # Mapped by copy: the file itself is never changed by whoever reads it.
        return torch.from_numpy(np.load(self._file().path, mmap_mode="c"))

    def make_part(self) -> None:
        """Make this process's part and no more, until all have made theirs; process 0 collects them by `run`.

        Raises:
            UserError: when there is no folder to meet in, or for numbers that are not finite.
        """
        if self.folder is None:
            raise UserError("processes that share a pass need a folder to meet in")
        missing: list[tuple[int, int]] = []
        if self.share.first:
            self._file().make()
            rows = np.load(self._file().path, mmap_mode="r")
            missing = [(start, stop) for start, stop in self._blocks() if np.isnan(rows[start:stop]).any()]
        own = self.share.of(self.share.agree(missing))
        for start, stop in self._told(own):
            self._file().write(start, self._finite(start, stop))
        if own:
            self._file().sync()
        self.share.wait()

    def _blocks(self) -> Sequence[tuple[int, int]]:
        return blocks(self.num, self.batch)

    def _told(self, own: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Blocks one by one, while progress is told."""
        done, total = 0, sum(stop - start for start, stop in own)
        for start, stop in own:
            yield start, stop
            done += stop - start
            self.on_block(done, total)

    @torch.no_grad()
    def _finite(self, start: int, stop: int) -> np.ndarray:
        rows = self.make(start, stop).detach().cpu()
        if not bool(rows.isfinite().all()):
            raise UserError(
                f"{self.name}: draws {start} to {stop} gave numbers that are not finite; has the training of this "
                "model diverged?"
            )
        return rows.numpy()

    def _file(self) -> RowFile:
        place = self.place
        assert place is not None
        place.mkdir(parents=True, exist_ok=True)
        return RowFile(place / _ROWS, (self.num, self.dim), self.dtype)
