"""Rows in one file that several processes fill, each at places of its own, also over a network's disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stylegenes.caches import mapped_rows
from stylegenes.files import atomic_path

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class RowFile:
    """A .npy file of rows. What is written goes by plain writes: two hosts that map one page overwrite each other.

    Attributes:
        path: of the file.
        shape: rows, and numbers in a row.
        dtype: of the numbers.
    """

    path: Path
    shape: tuple[int, int]
    dtype: type[np.floating[Any]]

    def read(self) -> np.ndarray | None:
        """The rows, mapped; None where the file is missing, damaged or another one."""
        return mapped_rows(self.path, self.shape, self.dtype)

    def make(self) -> None:
        """A new file, in which no row is a number yet, unless there is a whole one."""
        if self.read() is not None:
            return
        with atomic_path(self.path) as part:
            fresh = np.lib.format.open_memmap(part, "w+", self.dtype, self.shape)
            for start in range(0, self.shape[0], _ROWS_AT_ONCE):
                fresh[start : start + _ROWS_AT_ONCE] = np.nan
            fresh.flush()

    def write(self, start: int, rows: np.ndarray) -> None:
        """Put rows at their place; other processes see them once they open the file anew."""
        data = np.ascontiguousarray(rows, self.dtype)
        # The header is whatever stands before the rows.
        before = self.path.stat().st_size - self.shape[0] * self.shape[1] * data.itemsize
        with self.path.open("r+b") as file:
            file.seek(before + start * self.shape[1] * data.itemsize)
            file.write(data.data)

    def sync(self) -> None:
        """Wait until everything written is on the disk."""
        with self.path.open("r+b") as file:
            os.fsync(file.fileno())
