"""Features in rows, in memory or mapped from a file: what metrics need that moments cannot give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from stylegenes.metrics.door import not_finite

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Rows:
    """Some rows of an array of features, read a part at a time.

    Attributes:
        array: float32 (or half, or double) [M, D], in memory or mapped from a file.
        index: int64 [N], which rows, ascending; None takes all.
    """

    array: np.ndarray
    index: np.ndarray | None = None

    @classmethod
    def of(cls, features: torch.Tensor) -> Rows:
        """Rows of a tensor [N, D], in float64 if it holds floating-point numbers."""
        plain = features.detach().cpu()
        return cls((plain.double() if plain.is_floating_point() else plain).numpy())

    def __len__(self) -> int:
        return len(self.array) if self.index is None else len(self.index)

    @property
    def num(self) -> int:
        """N."""
        return len(self)

    @property
    def dim(self) -> int:
        """D."""
        return self.array.shape[1]

    def fault(self) -> str:
        """What forbids to compare these features with any others, see `door.Comparable`; reads them all once."""
        if self.array.ndim != 2 or self.array.shape[1] == 0:
            return f"have the shape {list(self.array.shape)}, not [pictures, numbers that describe one]"
        if not np.issubdtype(self.array.dtype, np.floating):
            return f"are {self.array.dtype}, not floating-point numbers"
        return not_finite(sum(int((~part.isfinite()).sum()) for part in self.chunks(_ROWS_AT_ONCE)))

    def select(self, index: np.ndarray) -> Rows:
        """Fewer rows: those at `index` of these."""
        return Rows(self.array, index if self.index is None else self.index[index])

    def take(self, index: np.ndarray) -> torch.Tensor:
        """The rows at `index`, float64 [n, D], read in file order."""
        index = index if self.index is None else self.index[index]
        order = np.argsort(index, kind="stable")
        picked = np.empty((len(index), self.array.shape[1]))
        picked[order] = self.array[index[order]]
        return torch.from_numpy(picked)

    def chunks(self, size: int) -> Iterator[torch.Tensor]:
        """All rows in order, float64 [<= size, D] at a time."""
        for start in range(0, len(self), size):
            yield self.take(np.arange(start, min(start + size, len(self))))
