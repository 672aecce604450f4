"""Shards as a data set: every picture by its number, wherever its shard is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from stylegenes.data.description import Dataset, Indices, as_array
from stylegenes.data.order import DataOrder, Order, Shuffle
from stylegenes.data.packed import DamagedError
from stylegenes.data.shards.index import INDEX, LABELS, Part, shard_name
from stylegenes.data.shards.keeping import LIMIT
from stylegenes.data.shards.order import SHARDS_AT_ONCE, ShardOrder
from stylegenes.data.shards.places import ShardAddress, ShardFolder, ShardPlace
from stylegenes.data.shards.remote import is_address
from stylegenes.errors import UserError
from stylegenes.progress import Track

log = logging.getLogger(__name__)

_CHECKED_ON_OPEN = 256 * 2**20


class ShardedDataset(Dataset):
    """Pictures and labels in shards; opening reads the index alone.

    Args:
        place: where the shards lie.
    """

    def __init__(self, place: ShardPlace) -> None:
        self.place = place
        self.folder = place.folder
        self.description = place.index.description
        self._fetching = True

    @classmethod
    def open(cls, source: str | Path, *, verify: bool = True) -> ShardedDataset:
        """Open a folder or an address.

        Args:
            source: where the shards lie.
            verify: whether all files of a folder are looked at, and some compared with their hashes.

        Raises:
            UserError: when something is missing, cut short or changed, or the address does not answer.
        """
        if is_address(source):
            return cls(ShardAddress(str(source)))
        place = ShardFolder(Path(source))
        if verify:
            for part in (*place.index.shards, place.index.labels):
                place.look_at(part)
            for part in _spread(place.index.shards):
                place.verify(part)
        return cls(place)

    def __len__(self) -> int:
        return self.place.index.count

    def images(self, indices: Indices) -> torch.Tensor:
        """Pixels, uint8 [N, C, H, W]."""
        index, chosen = self.place.index, as_array(indices)
        if len(chosen) and not -len(self) <= chosen.min() <= chosen.max() < len(self):
            raise IndexError(f"picture {chosen.max()} of {len(self)}")
        chosen = np.where(chosen < 0, chosen + len(self), chosen)
        found = np.empty((len(chosen), index.picture_size), np.uint8)
        shards = self._shards_of(chosen)
        places = [np.flatnonzero(shards == shard) for shard in np.unique(shards)]
        wanted = [(index.shards[shards[here[0]]], self._in_shard(chosen[here], shards[here])) for here in places]
        for here, pictures in zip(places, self.place.pictures(wanted), strict=True):
            found[here] = np.frombuffer(b"".join(pictures), np.uint8).reshape(len(here), -1)
        return torch.from_numpy(found.reshape(len(chosen), *index.shape))

    def label_rows(self, indices: Indices) -> np.ndarray:
        """All columns, the cameras' too, float32 [N, L]; the file of labels is brought here the first time."""
        return self._labels[as_array(indices)]

    def order(self, seed: int, mirror: bool, shuffle: Shuffle) -> Order:
        """A permutation of everything in each epoch, or of shards and of what lies in some of them at a time.

        Raises:
            UserError: when the shards that are used at a time have no room here.
        """
        place, largest = self.place, max(shard.bytes for shard in self.place.index.shards)
        self._fetching = place.roomy or shuffle == "shards"
        if not self._fetching:
            log.warning(
                "%s has %.1f GiB, of which %.1f may be kept here: every picture is a request of its own; "
                "--set data.shuffle=shards at the beginning of a run makes whole shards of that, or raise %s",
                place.where, place.index.nbytes / 2**30, place.limit / 2**30, LIMIT,
            )  # fmt: skip
        if shuffle == "all":
            return DataOrder(len(self), seed, mirror)
        if not place.roomy and SHARDS_AT_ONCE * largest > place.limit:
            raise UserError(
                f"{place.where}: training uses up to {SHARDS_AT_ONCE} shards at a time, "
                f"{SHARDS_AT_ONCE * largest / 2**30:.2g} GiB, and {LIMIT} allows {place.limit / 2**30:.2g}; raise it, "
                "or pack with a smaller --shard-size"
            )
        return ShardOrder(tuple(shard.count for shard in place.index.shards), seed, mirror)

    def expect(self, wanted: Callable[[], Indices]) -> None:
        """Shards of these pictures are fetched meanwhile, where they are far away and there is room."""
        if self._fetching and not isinstance(self.place, ShardFolder):
            shards = np.unique(self._shards_of(as_array(wanted())))
            self.place.expect(self.place.index.shards[shard] for shard in shards)

    def damages(self, track: Track) -> Iterator[DamagedError]:
        """Read every file and compare it with its hash; of what is far away nothing is kept."""
        parts = [*self.place.index.shards, self.place.index.labels]
        for part in track(parts, "checking shards", len(parts)):
            try:
                self.place.verify(part)
            except DamagedError as error:
                yield error

    @property
    def nbytes(self) -> int:
        """Size of all shards in bytes, wherever they are."""
        return self.place.index.nbytes

    @cached_property
    def _labels(self) -> np.ndarray:
        index = self.place.index
        if not index.description.label_names:
            return np.zeros((index.count, 0), np.float32)
        path = self.place.file(index.labels)
        try:
            rows = np.lib.format.open_memmap(path, mode="r")
        except (OSError, ValueError, EOFError) as error:
            raise DamagedError(f"{path} is damaged ({error}); pack the shards again") from error
        expected = (index.count, len(index.description.label_names))
        if rows.shape != expected or rows.dtype != np.float32:
            raise DamagedError(f"{path} holds {rows.shape}, expected {expected}; pack the shards again")
        return rows

    def _shards_of(self, chosen: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.place.index.ends, chosen, side="right")

    def _in_shard(self, chosen: np.ndarray, shards: np.ndarray) -> list[int]:
        ends = self.place.index.ends
        return (chosen - np.where(shards > 0, ends[shards - 1], 0)).tolist()


def is_sharded(source: str | Path) -> bool:
    """Whether a source is a folder of shards, even if one file is missing, or an address, which only shards have."""
    if is_address(source):
        return True
    found = [(Path(source) / name).is_file() for name in (INDEX, LABELS, shard_name(0))]
    return sum(found) > 1


def _spread(parts: list[Part]) -> list[Part]:
    """Some files from beginning to end, up to 256 MiB of them, and one at least."""
    many = max(1, min(len(parts), _CHECKED_ON_OPEN // max(part.bytes for part in parts)))
    return [parts[int(number)] for number in np.unique(np.linspace(0, len(parts) - 1, many).astype(int))]
