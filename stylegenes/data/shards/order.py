"""An order of training that stays within some shards at a time, for data that does not fit where it is trained on.

Every epoch puts the shards into a new order and cuts the pictures in them into lanes of equal length; position p of the
epoch belongs to lane p modulo the number of lanes, so that processes whose number divides that of the lanes read shards
of their own. A lane is walked through in windows of some shards' length, each of them shuffled as a whole. Like
`DataOrder`, it is a pure function of seed and counter: every epoch holds every picture once, whatever the number of
processes. It needs memory for the windows, not for the epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch

from stylegenes.data.order import BatchIndices, Shuffled, shuffled
from stylegenes.errors import UserError

LANES = 8
"""Parts of an epoch that are walked through side by side."""
SPAN = 4
"""Shards that a window is as long as, at most. More of both shuffles better and needs more room."""
SHARDS_AT_ONCE = 2 * LANES * (SPAN + 2)
"""Shards that all processes together use, or will soon: two windows of each lane, which begin and end within shards."""


@dataclass(frozen=True)
class ShardOrder:
    """The endless stream of epochs.

    Attributes:
        counts: pictures in each shard.
        seed: which stream, in [0, 2^63).
        mirror: whether half of the draws are flipped; decided anew in every epoch.

    Raises:
        UserError: for an empty data set or a seed out of range.
    """

    counts: tuple[int, ...]
    seed: int = 0
    mirror: bool = False

    def __post_init__(self) -> None:
        if not sum(self.counts):
            raise UserError("a data order needs at least one image; the data set is empty")
        if not 0 <= self.seed < 2**63:
            raise UserError(f"the data seed is {self.seed}; it must lie in [0, 2^63)")

    @cached_property
    def size(self) -> int:
        """Pictures in an epoch."""
        return sum(self.counts)

    @cached_property
    def window(self) -> int:
        """Pictures of a lane that are shuffled together; a lane is cut evenly, so that none of its windows is short."""
        lane, most = _up(self.size, LANES), SPAN * _up(self.size, len(self.counts))
        return _up(lane, _up(lane, most))

    @property
    def ahead(self) -> int:
        """Half a window of every lane."""
        return LANES * self.window // 2

    def draw(self, start: int, count: int) -> BatchIndices:
        """The draws at positions start, ..., start + count - 1 of the stream."""
        assert start >= 0 and count >= 0, f"a stretch of the stream starts at {start} and has length {count}"
        positions = np.arange(start, start + count)
        epochs, places = positions // self.size, positions % self.size
        lanes, numbers, along = places % LANES, places // LANES // self.window, places // LANES % self.window
        indices, mirror = np.empty(count, np.int64), np.zeros(count, bool)
        for epoch, lane, number in np.unique(np.stack([epochs, lanes, numbers], 1), axis=0).tolist():
            here = (epochs == epoch) & (lanes == lane) & (numbers == number)
            part = self._windows(epoch, lane, number)
            indices[here] = part.indices[along[here]]
            mirror[here] = part.mirror[along[here]] & self.mirror
        return BatchIndices(torch.from_numpy(indices), torch.from_numpy(mirror))

    @cached_property
    def _windows(self) -> Callable[[int, int, int], Shuffled]:
        """The pictures of a window, by epoch, lane and number; those in use are kept."""
        return lru_cache(maxsize=4 * LANES)(self._shuffled_window)

    @cached_property
    def _epochs(self) -> Callable[[int], _Shards]:
        return lru_cache(maxsize=2)(self._shuffled_shards)

    def _shuffled_shards(self, epoch: int) -> _Shards:
        counts = np.array(self.counts)
        order = shuffled(len(counts), self.seed, epoch).indices
        return _Shards(starts=(np.cumsum(counts) - counts)[order], ends=np.cumsum(counts[order]), counts=counts[order])

    def _shuffled_window(self, epoch: int, lane: int, number: int) -> Shuffled:
        lengths = [len(range(other, self.size, LANES)) for other in range(LANES)]
        first = sum(lengths[:lane]) + number * self.window
        length = min(self.window, lengths[lane] - number * self.window)
        part = shuffled(length, self.seed, epoch, 1 + lane + LANES * number)
        return Shuffled(self._epochs(epoch).pictures(first + part.indices), part.mirror)


@dataclass(frozen=True)
class _Shards:
    """The shards in the order of an epoch.

    Attributes:
        starts: number of the first picture of each.
        ends: places in the epoch up to and with each.
        counts: pictures in each.
    """

    starts: np.ndarray
    ends: np.ndarray
    counts: np.ndarray

    def pictures(self, places: np.ndarray) -> np.ndarray:
        """Which pictures are at these places, int64 [N]."""
        shard = np.searchsorted(self.ends, places, side="right")
        return self.starts[shard] + places - (self.ends[shard] - self.counts[shard])


def _up(number: int, divisor: int) -> int:
    """The quotient, rounded up."""
    return -(-number // divisor)
