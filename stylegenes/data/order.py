"""In which order training sees the images: a pure function of (seed, counter), so there is no state to save.

The stream is an endless row of epochs, each a permutation of the data set. The position in it is the number of
images seen so far; a run that resumes, or that runs on another number of processes, sees the same images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

import numpy as np
import torch

from stylegenes.errors import UserError


@dataclass(frozen=True)
class BatchIndices:
    """A stretch of the stream.

    Attributes:
        indices: int64 [N], which images.
        mirror: bool [N], which of them to flip left to right.
    """

    indices: torch.Tensor
    mirror: torch.Tensor

    def __len__(self) -> int:
        return self.indices.shape[0]

    def __getitem__(self, part: slice) -> BatchIndices:
        return BatchIndices(self.indices[part], self.mirror[part])


Shuffle = Literal["all", "shards"]
"""Each epoch a permutation of everything, or of shards and of what lies in some of them at a time."""


class Order(Protocol):
    """An endless stream of epochs, each of them every picture once."""

    @property
    def ahead(self) -> int:
        """How many places ahead what is far away is fetched."""
        ...

    def draw(self, start: int, count: int) -> BatchIndices:
        """The draws at positions start, ..., start + count - 1 of the stream."""
        ...


@dataclass(frozen=True)
class DataOrder:
    """The endless stream of shuffled epochs.

    Attributes:
        size: number of images in the data set.
        seed: which stream, in [0, 2^63).
        mirror: whether half of the draws are flipped; decided anew in every epoch.

    Raises:
        UserError: for an empty data set or a seed out of range.
    """

    size: int
    seed: int = 0
    mirror: bool = False

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UserError("a data order needs at least one image; the data set is empty")
        if not 0 <= self.seed < 2**63:
            raise UserError(f"the data seed is {self.seed}; it must lie in [0, 2^63)")

    @property
    def ahead(self) -> int:
        """Some batches: there is nothing near that a picture comes with."""
        return 4096

    def draw(self, start: int, count: int) -> BatchIndices:
        """The draws at positions start, ..., start + count - 1 of the stream."""
        assert start >= 0 and count >= 0, f"a stretch of the stream starts at {start} and has length {count}"
        positions = np.arange(start, start + count)
        epochs, offsets = positions // self.size, positions % self.size
        indices = np.empty(count, np.int64)
        mirror = np.zeros(count, bool)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            shuffle = _epoch(self.size, self.seed, int(epoch))
            indices[here] = shuffle.indices[offsets[here]]
            mirror[here] = shuffle.mirror[offsets[here]] & self.mirror
        return BatchIndices(torch.from_numpy(indices), torch.from_numpy(mirror))

    def indices(self, start: int, count: int) -> torch.Tensor:
        """Image indices, int64 [count], at positions start, ..., start + count - 1 of the stream."""
        return self.draw(start, count).indices

    def batch(self, images_seen: int, batch: int, *, rank: int = 0, ranks: int = 1) -> BatchIndices:
        """This rank's contiguous share of the global batch that follows `images_seen` images.

        Args:
            images_seen: how many images all ranks together have taken from the stream.
            batch: the global batch size, a multiple of `ranks`.
            rank: which process asks, in [0, ranks).
            ranks: number of processes.

        Raises:
            UserError: when the batch does not divide among the ranks.
        """
        if batch % ranks:
            raise UserError(f"batch {batch} does not divide among {ranks} processes; take a multiple of {ranks}")
        share = batch // ranks
        return self.draw(images_seen + rank * share, share)


@dataclass(frozen=True)
class Shuffled:
    """A shuffle.

    Attributes:
        indices: int64 [N], in which order.
        mirror: bool [N], a toss of a coin for each place.
    """

    indices: np.ndarray
    mirror: np.ndarray


@lru_cache(maxsize=4)
def _epoch(size: int, seed: int, epoch: int) -> Shuffled:
    """One shuffle of the data set: sort by random 64-bit keys, and flip by their lowest bits.

    The raw output of Philox is fixed by its definition, whereas NumPy's own permutation may change between versions.
    """
    return shuffled(size, seed, epoch)


def shuffled(size: int, seed: int, epoch: int, part: int = 0) -> Shuffled:
    """A shuffle that depends on the arguments alone.

    Args:
        size: number of things.
        seed: which stream, in [0, 2^63).
        epoch: of the stream.
        part: which part of the epoch is shuffled, where not all of it is at once.
    """
    bits = np.random.Philox(key=np.array([seed, epoch], np.uint64), counter=np.array([0, 0, 0, part], np.uint64))
    keys = bits.random_raw(size)
    order = np.argsort(keys, kind="stable")
    return Shuffled(indices=order, mirror=(keys[order] & np.uint64(1)).astype(bool))
