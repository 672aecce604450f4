"""One pass of pictures through an extractor: moments and rows of features, resumable, shared by processes, cached.

The folder of a pass holds one state file a process, written all or nothing every few seconds, and where rows are kept
one `rows.npy` that all processes fill at places of their own. A pass that finds its folder complete only reads it:
that is the cache. Peak memory does not depend on the number of pictures: rows are mapped, moments are O(D^2).
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from stylegenes.caches import mapped_rows
from stylegenes.errors import UserError
from stylegenes.files import atomic_path
from stylegenes.metrics.moments import Moments
from stylegenes.metrics.rows import Rows
from stylegenes.metrics.shipped import Shipped, find_shipped
from stylegenes.metrics.sources import ImageSource, blocks
from stylegenes.perception import FeatureExtractor
from stylegenes.progress import OnStep, silent_step
from stylegenes.sealed import load_sealed, save_sealed

logger = logging.getLogger(__name__)

SAVE_SECONDS = 30.0
PATIENCE_SECONDS = 900.0
_POLL_SECONDS = 0.2
_ROWS = "rows.npy"


@dataclass(frozen=True)
class Shard:
    """Which part of the blocks this process makes: blocks rank, rank + world, ..."""

    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.world:
            raise UserError(f"process {self.rank} of {self.world} does not exist; ranks count from 0")


@dataclass(frozen=True)
class Features:
    """Features of a set of pictures.

    Attributes:
        moments: their sums.
        rows: float32 [N, D], or None where only moments were kept.
    """

    moments: Moments
    rows: Rows | None = None

    def __len__(self) -> int:
        return self.moments.count

    def need_rows(self) -> Rows:
        """The rows, which must have been kept."""
        assert self.rows is not None, "this metric needs rows; the pass kept moments only"
        return self.rows


@dataclass(frozen=True)
class FeatureSet:
    """What a pass makes: all features, and two disjoint random halves of them, for floors.

    Attributes:
        all: the features of all pictures.
        halves: of either half; None where the moments came with the package.
        half: features in the smaller half.
        floors: metrics between the halves that are known already, by name.
    """

    all: Features
    halves: tuple[Features, Features] | None
    half: int
    floors: Mapping[str, float] = field(default_factory=dict)

    @property
    def rows(self) -> Rows | None:
        """All rows, where they were kept."""
        return self.all.rows


@dataclass
class _State:
    """What one process has summed so far."""

    done: int
    halves: tuple[Moments, Moments]


@dataclass(frozen=True)
class FeaturePass:
    """A pass to make.

    Attributes:
        source: the pictures.
        extractor: in eval mode, on `device`.
        keep_rows: keep every feature, not only moments.
        folder: where state is kept; None keeps it in memory (one process, no resuming).
        shard: this process's part.
        device: where the extractor is.
        on_block: progress: called with the pictures of this process done and their total.
    """

    source: ImageSource
    extractor: FeatureExtractor
    keep_rows: bool = False
    folder: Path | None = None
    shard: Shard = field(default_factory=Shard)
    device: torch.device | str = "cpu"
    on_block: OnStep = silent_step

    def key(self) -> str:
        """A hash of everything that the features depend on."""
        extractor = {
            "name": self.extractor.name,
            "weights": self.extractor.weights_hash,
            "pixels": self.extractor.preprocessing,
        }
        text = json.dumps({"source": self.source.identity(), "judge": extractor}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def run(self) -> FeatureSet:
        """Make the pass, or what is missing of it, or read it.

        Raises:
            UserError: when another process of the same pass died or hangs.
        """
        shipped = self._shipped()
        if shipped is not None:
            return FeatureSet(Features(shipped.moments), None, shipped.half, shipped.floors)
        if self.folder is None:
            rows = np.empty((len(self.source), self.extractor.feature_dim), np.float32) if self.keep_rows else None
            return _split(self._accumulate(self._empty(), rows).halves, rows)
        self.make_part()
        return self._collect(self._open())

    def make_part(self) -> None:
        """Make this process's part and no more; process 0 collects the parts by `run`.

        Raises:
            UserError: when there is no folder to meet in, or process 0 has not begun.
        """
        if self.folder is None:
            raise UserError("processes that share a pass need a folder to meet in")
        if self._shipped() is not None:
            return
        folder = self._open()
        if self._whole(folder) is not None:
            return
        state = self._load(folder, self.shard.rank) or self._empty()
        if not self._complete(state, self.shard.rank):
            self._save(folder, self._accumulate(state, self._open_rows(folder), folder))

    def _shipped(self) -> Shipped | None:
        """The moments of this very pass that come with the package; rows never do."""
        return None if self.keep_rows else find_shipped(self.key())

    @property
    def place(self) -> Path | None:
        """The folder of this pass and no other, named by its key; None in memory."""
        return None if self.folder is None else self.folder / self.key()[:32]

    def _open(self) -> Path:
        place = self.place
        assert place is not None
        place.mkdir(parents=True, exist_ok=True)
        return place

    def _collect(self, folder: Path) -> FeatureSet:
        """All parts together, as soon as they are there; kept as one, whatever the number of processes was."""
        whole = self._whole(folder)
        if whole is None:
            states = [self._wait_for(folder, rank) for rank in range(self.shard.world)]
            halves = states[0].halves
            for other in states[1:]:
                halves = (halves[0].merged(other.halves[0]), halves[1].merged(other.halves[1]))
            whole = _State(len(blocks(len(self.source), self.source.batch)), halves)
            replace(self, shard=Shard())._save(folder, whole)
        return _split(whole.halves, self._rows(folder, "r") if self.keep_rows else None)

    def _whole(self, folder: Path) -> _State | None:
        """The finished pass, if it is there."""
        alone = replace(self, shard=Shard())
        state = alone._load(folder, 0)
        return state if state is not None and alone._complete(state, 0) else None

    def _own(self, rank: int) -> list[tuple[int, int]]:
        return list(blocks(len(self.source), self.source.batch))[rank :: self.shard.world]

    def _complete(self, state: _State, rank: int) -> bool:
        return state.done == len(self._own(rank))

    def _empty(self) -> _State:
        return _State(0, (Moments.empty(self.extractor.feature_dim), Moments.empty(self.extractor.feature_dim)))

    @torch.no_grad()
    def _accumulate(self, state: _State, rows: np.ndarray | None, folder: Path | None = None) -> _State:
        own = self._own(self.shard.rank)
        total, saved = sum(stop - start for start, stop in own), time.monotonic()
        for i in range(state.done, len(own)):
            start, stop = own[i]
            features = self.extractor(self.source.block(start, stop).to(self.device)).float().cpu()
            half = half_of(start, stop)
            for which, moments in enumerate(state.halves):
                moments.update(features[half == which])
            if rows is not None:
                rows[start:stop] = features.numpy()
            state.done = i + 1
            if folder is not None and time.monotonic() - saved > SAVE_SECONDS:
                self._save(folder, state, rows)
                saved = time.monotonic()
            self.on_block(sum(b - a for a, b in own[: i + 1]), total)
        if isinstance(rows, np.memmap):
            rows.flush()
        return state

    def _file(self, folder: Path, rank: int) -> Path:
        kept = "rows" if self.keep_rows else "moments"
        return folder / f"{kept}-{rank}-of-{self.shard.world}.safetensors"

    def _save(self, folder: Path, state: _State, rows: np.ndarray | None = None) -> None:
        # Rows go to disk before the state that counts them.
        if isinstance(rows, np.memmap):
            rows.flush()
        tensors = {"done": torch.tensor(state.done)}
        for i, moments in enumerate(state.halves):
            tensors |= {f"count.{i}": torch.tensor(moments.count), f"total.{i}": moments.total}
            tensors[f"outer.{i}"] = moments.outer
        save_sealed(self._file(folder, self.shard.rank), tensors)

    def _load(self, folder: Path, rank: int) -> _State | None:
        """What process `rank` has saved; None where there is nothing, or where its rows are gone."""
        file = self._file(folder, rank)
        if not file.is_file() or (self.keep_rows and self._rows(folder, "r") is None):
            return None
        try:
            tensors = load_sealed(file, is_old=lambda about: not about).tensors
            halves = [
                Moments(int(tensors[f"count.{i}"]), tensors[f"total.{i}"], tensors[f"outer.{i}"]) for i in range(2)
            ]
            return _State(int(tensors["done"]), (halves[0], halves[1]))
        except (UserError, KeyError) as error:
            logger.warning("%s is damaged (%s); its part is made again", file, error)
            return None

    def _open_rows(self, folder: Path) -> np.ndarray | None:
        """The shared file of rows: process 0 makes it, the others wait for it."""
        if not self.keep_rows:
            return None
        path, shape = folder / _ROWS, (len(self.source), self.extractor.feature_dim)
        if self.shard.rank == 0 and self._rows(folder, "r") is None:
            with atomic_path(path) as part:
                np.lib.format.open_memmap(part, "w+", np.float32, shape).flush()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (rows := self._rows(folder, "r+")) is None:
            _pause(deadline, "process 0 has not begun; was it started with the same arguments?")
        return rows

    def _rows(self, folder: Path, mode: str) -> np.ndarray | None:
        """The file of rows, mapped; None where it is missing or damaged."""
        return mapped_rows(folder / _ROWS, (len(self.source), self.extractor.feature_dim), np.float32, mode)

    def _wait_for(self, folder: Path, rank: int) -> _State:
        """The finished state of a process; the wait starts over whenever it has saved something."""
        deadline, seen = time.monotonic() + PATIENCE_SECONDS, -1
        while True:
            state = self._load(folder, rank)
            if state is not None and self._complete(state, rank):
                return state
            if state is not None and state.done != seen:
                deadline, seen = time.monotonic() + PATIENCE_SECONDS, state.done
            _pause(
                deadline,
                f"process {rank} of {self.shard.world} has saved nothing for {PATIENCE_SECONDS:.0f} s; run the same "
                "command again to go on from what is saved",
            )


def _pause(deadline: float, message: str) -> None:
    if time.monotonic() > deadline:
        raise UserError(message)
    time.sleep(_POLL_SECONDS)


def half_of(start: int, stop: int) -> torch.Tensor:
    """Which half, 0 or 1, each picture belongs to: int64 [stop - start].

    Of every two neighbors one goes to either half; a fixed hash of the pair's number decides which.
    """
    index = np.arange(start, stop, dtype=np.uint64)
    mixed = (index // np.uint64(2) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    return torch.from_numpy(((mixed >> np.uint64(40)) ^ index).astype(np.int64) & 1)


def _split(halves: tuple[Moments, Moments], array: np.ndarray | None) -> FeatureSet:
    moments, half = halves[0].merged(halves[1]), min(halves[0].count, halves[1].count)
    if array is None:
        return FeatureSet(Features(moments), (Features(halves[0]), Features(halves[1])), half)
    rows, which = Rows(array), half_of(0, len(array)).numpy()
    parts = [rows.select(np.flatnonzero(which == i)) for i in range(2)]
    return FeatureSet(Features(moments, rows), (Features(halves[0], parts[0]), Features(halves[1], parts[1])), half)
