"""Features in rows, in memory or mapped from a file: what metrics need that moments cannot give."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

Rows = np.ndarray
"""Features float32 [N, D]: an array, or a memory map of a file, of which only the parts in use are in memory."""


def take(rows: Rows, index: np.ndarray) -> torch.Tensor:
    """Some rows as float64 [n, D], read in file order."""
    order = np.argsort(index)
    picked = np.empty((len(index), rows.shape[1]), rows.dtype)
    picked[order] = rows[index[order]]
    return torch.from_numpy(picked).double()


def chunks(rows: Rows, size: int) -> Iterator[torch.Tensor]:
    """All rows in order, float64 [<= size, D] at a time."""
    for start in range(0, len(rows), size):
        yield torch.from_numpy(np.array(rows[start : start + size])).double()
