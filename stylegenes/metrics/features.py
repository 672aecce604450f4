"""One pass of pictures through an extractor: moments and rows of features, resumable, shared by processes, cached.

The folder of a pass holds one state file a process, written all or nothing every few seconds, and where rows are kept
one `rows.npy` that all processes fill at places of their own. A state says which blocks it has summed, so that any
number of processes goes on from whatever states there are. A pass that finds its folder complete only reads it: that
is the cache. Peak memory does not depend on the number of pictures: rows are mapped, moments are O(D^2).
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from stylegenes.errors import UserError
from stylegenes.metrics.moments import Moments
from stylegenes.metrics.row_file import RowFile
from stylegenes.metrics.rows import Rows
from stylegenes.metrics.shipped import Shipped, find_shipped
from stylegenes.metrics.sources import ImageSource, blocks
from stylegenes.perception import FeatureExtractor
from stylegenes.processes import held_back
from stylegenes.progress import OnStep, silent_step
from stylegenes.sealed import load_sealed, save_sealed
from stylegenes.shares import Share

logger = logging.getLogger(__name__)

SAVE_SECONDS = 30.0
_ROWS = "rows.npy"


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
    """What has been summed so far.

    Attributes:
        covered: bool [blocks], which blocks are in the sums.
        halves: the sums of either half.
    """

    covered: torch.Tensor
    halves: tuple[Moments, Moments]

    @property
    def complete(self) -> bool:
        """Whether every block is in it."""
        return bool(self.covered.all())

    def merged(self, other: _State) -> _State:
        """Both together, which have no block in common."""
        halves = (self.halves[0].merged(other.halves[0]), self.halves[1].merged(other.halves[1]))
        return _State(self.covered | other.covered, halves)


@dataclass(frozen=True)
class FeaturePass:
    """A pass to make.

    Attributes:
        source: the pictures.
        extractor: in eval mode, on `device`.
        keep_rows: keep every feature, not only moments.
        folder: where state is kept; None keeps it in memory (one process, no resuming).
        share: this process's part.
        device: where the extractor is.
        on_block: progress: called with the pictures of this process done and their total.
        cache: folder of finished passes of the first process, read before anything is made; None for `folder` itself.
    """

    source: ImageSource
    extractor: FeatureExtractor
    keep_rows: bool = False
    folder: Path | None = None
    share: Share = field(default_factory=Share)
    device: torch.device | str = "cpu"
    on_block: OnStep = silent_step
    cache: Path | None = None

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
        """Make the pass, or what is missing of it, or read it; of several processes the first one does this.

        Raises:
            UserError: for several processes without a folder to meet in.
        """
        shipped = self._shipped()
        if shipped is not None:
            return FeatureSet(Features(shipped.moments), None, shipped.half, shipped.floors)
        if self.folder is None and self.share.count == 1:
            rows = np.empty((len(self.source), self.extractor.feature_dim), np.float32) if self.keep_rows else None
            return _split(self._sum_up(self._empty(), rows).halves, rows)
        self.make_part()
        return self._collect()

    def make_part(self) -> None:
        """Make this process's part and no more, until all have made theirs; process 0 collects them by `run`.

        Raises:
            UserError: when there is no folder to meet in.
        """
        if self.folder is None:
            raise UserError("processes that share a pass need a folder to meet in")
        if self._shipped() is not None:
            return
        state = self._bank() if self.share.first else self._empty()
        if self.keep_rows and self.share.first and not state.complete:
            self._row_file().make()
        state.covered = self.share.agree(state.covered)
        if not state.complete:
            self._sum_up(state, None)
            self.share.wait()

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

    def _row_file(self) -> RowFile:
        return RowFile(self._open() / _ROWS, (len(self.source), self.extractor.feature_dim), np.float32)

    def _cached(self) -> FeaturePass | None:
        """The same pass in the cache, where that is another folder than this one's."""
        return (
            None if self.cache in (None, self.folder) else replace(self, folder=self.cache, cache=None, share=Share())
        )

    def _bank(self) -> _State:
        """Everything that any earlier process has saved, in one state, which is the first one's from now on."""
        cached = self._cached()
        if cached is not None and (whole := cached._bank()).complete:
            return whole
        rows = self._row_file().read() if self.keep_rows else None
        found = {path: self._load(path) for path in sorted(self._open().glob(f"{self._kept}-*.safetensors"))}
        state, usable = self._empty(), not self.keep_rows or rows is not None
        for other in found.values():
            # A process that died while it banked has left states that the bank already holds.
            if usable and other is not None and not bool((state.covered & other.covered).any()):
                state = other if not bool(state.covered.any()) else state.merged(other)
        if usable and len(found) > 1:
            self._save(state, 0)
        for path in found:
            if not usable or path != self._file(0):
                path.unlink(missing_ok=True)
        return state

    def _collect(self) -> FeatureSet:
        """All parts together; kept as one, whatever the number of processes was."""
        state, cached, array = self._bank(), self._cached(), None
        if cached is not None:
            if self.keep_rows and cached._row_file().read() is None:
                shutil.copyfile(self._row_file().path, cached._row_file().path)
            cached._save(state, 0)
        if self.keep_rows:
            array = (cached or self)._row_file().read()
        return _split(state.halves, array)

    def _empty(self) -> _State:
        blank = torch.zeros(len(blocks(len(self.source), self.source.batch)), dtype=torch.bool)
        return _State(blank, (Moments.empty(self.extractor.feature_dim), Moments.empty(self.extractor.feature_dim)))

    @torch.no_grad()
    def _sum_up(self, state: _State, rows: np.ndarray | None) -> _State:
        """Sum this process's part of the missing blocks, and save now and then, and when interrupted."""
        every, total, done, saved = blocks(len(self.source), self.source.batch), 0, 0, time.monotonic()
        own = self.share.of([b for b in range(len(every)) if not state.covered[b]])
        if not self.share.first:
            state = self._empty()
        total = sum(every[b][1] - every[b][0] for b in own)
        try:
            for b in own:
                with held_back():
                    self._add(state, b, every[b], rows)
                done += every[b][1] - every[b][0]
                if time.monotonic() - saved > SAVE_SECONDS:
                    self._save(state, self.share.rank)
                    saved = time.monotonic()
                self.on_block(done, total)
        finally:
            self._save(state, self.share.rank)
        return state

    def _add(self, state: _State, number: int, block: tuple[int, int], rows: np.ndarray | None) -> None:
        start, stop = block
        features = self.extractor(self.source.block(start, stop).to(self.device)).float().cpu()
        half = half_of(start, stop)
        if rows is not None:
            rows[start:stop] = features.numpy()
        elif self.keep_rows:
            self._row_file().write(start, features.numpy())
        for which, moments in enumerate(state.halves):
            moments.update(features[half == which])
        state.covered[number] = True

    @property
    def _kept(self) -> str:
        return "rows" if self.keep_rows else "moments"

    def _file(self, rank: int) -> Path:
        return self._open() / f"{self._kept}-{rank}.safetensors"

    def _save(self, state: _State, rank: int) -> None:
        """Write a state; rows go to disk before the state that counts them."""
        if self.folder is None:
            return
        if self.keep_rows:
            self._row_file().sync()
        tensors = {"covered": state.covered}
        for i, moments in enumerate(state.halves):
            tensors |= {f"count.{i}": torch.tensor(moments.count), f"total.{i}": moments.total}
            tensors[f"outer.{i}"] = moments.outer
        save_sealed(self._file(rank), tensors)

    def _load(self, file: Path) -> _State | None:
        """What a process has saved; None where it is damaged, or of another number of blocks."""
        blank = self._empty()
        try:
            tensors = load_sealed(file, is_old=lambda about: not about).tensors
            halves = [
                Moments(int(tensors[f"count.{i}"]), tensors[f"total.{i}"], tensors[f"outer.{i}"]) for i in range(2)
            ]
            if tensors["covered"].shape != blank.covered.shape:
                raise UserError("it has another number of blocks")
            return _State(tensors["covered"], (halves[0], halves[1]))
        except (UserError, KeyError) as error:
            logger.warning("%s is damaged (%s); its part is made again", file, error)
            return None


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
