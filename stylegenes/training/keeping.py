"""What is kept of a run and when: state, snapshots (last, every N kimg, best), image grids. Rank 0 alone."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.snapshot import Card, DataCard, read_card, save_snapshot
from stylegenes.training.draws import draw_codes, rng_for
from stylegenes.training.feed import to_float
from stylegenes.training.history import METRICS_FILE, plot_history
from stylegenes.training.images import code_sheet, save_grid

if TYPE_CHECKING:
    from stylegenes.training.loop import Loop

log = logging.getLogger(__name__)

GRID = 64
"""Pictures in an image grid."""


class Every:
    """Tells when another `kimg` thousand images have passed; 0 never does."""

    def __init__(self, kimg: float, images: int) -> None:
        self.images = round(kimg * 1000)
        self._next = (images // self.images + 1) * self.images if self.images else float("inf")

    def due(self, images: int) -> bool:
        """Whether it is time, given the images so far."""
        if images < self._next:
            return False
        self._next = (images // self.images + 1) * self.images
        return True


class Keeper:
    """Writes into the run folder what outlives the process.

    Args:
        loop: the run.
        evaluate: judges the running average, or None.
    """

    def __init__(self, loop: Loop, evaluate: Callable[[Generator], Mapping[str, float]] | None) -> None:
        self.loop = loop
        self.evaluate = evaluate
        intervals, images = loop.config.intervals, loop.counters.images
        self._snapshot = Every(intervals.snapshot_kimg, images)
        self._images = Every(intervals.image_kimg, images)
        self._evaluation = Every(intervals.evaluate_kimg if evaluate else 0, images)
        self._state_written = time.monotonic()
        self.metrics: dict[str, float] = {}
        rng = rng_for(loop.config.seed, "grid")
        self.codes = draw_codes(loop.players.G, GRID, rng=rng, mixing=0.0, pool=loop.stepper.pool)

    @property
    def snapshots(self) -> Path:
        """The folder of snapshots."""
        return self.loop.folder / "snapshots"

    def start(self) -> None:
        """Pictures of the data and of the untrained generator, once."""
        reals = self.loop.folder / "samples" / "reals.png"
        if not reals.exists():
            data = self.loop.data
            indices = torch.arange(min(GRID, len(data))) * max(len(data) // GRID, 1)
            save_grid(reals, to_float(data.images(indices), torch.device("cpu")))
            self.draw()

    def after_step(self) -> None:
        """Whatever is due."""
        images = self.loop.counters.images
        if time.monotonic() - self._state_written > self.loop.config.intervals.state_seconds:
            self.loop.save()
            self._state_written = time.monotonic()
        if self._images.due(images):
            self.draw()
        if self._evaluation.due(images):
            self.judge()
        if self._snapshot.due(images):
            self.keep(f"kimg-{images:08d}" if self._snapshot.images < 1000 else f"kimg-{images // 1000:06d}")
            self.keep("last")
            self._prune()

    def finish(self) -> None:
        """The end of a sitting."""
        self.draw()
        self.keep("last")

    def draw(self) -> None:
        """An image grid of fixed codes."""
        self.loop.announce("drawing samples")
        loop, seen = self.loop, self.loop.counters.images
        sheet = code_sheet(loop.players.ema, self.codes, loop.folder.name, loop.data.label_names, seen)
        sheet.save(loop.folder / "samples" / f"{seen // 1000:06d}.png")

    def judge(self) -> None:
        """Evaluate; a better first metric than ever before makes the best snapshot."""
        assert self.evaluate is not None, "an evaluation is due only where one was given"
        self.loop.announce("evaluating")
        self.metrics = dict(self.evaluate(self.loop.players.ema))
        counters = self.loop.counters
        value = next(iter(self.metrics.values()), None)
        with (self.loop.folder / METRICS_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kimg": counters.images / 1000, **self.metrics}) + "\n")
        plot_history(self.loop.folder)
        if value is not None and (counters.best is None or value < counters.best):
            counters.best = value
            self.keep("best")

    def keep(self, name: str) -> None:
        """Write a snapshot.

        Raises:
            UserError: when it cannot be written.
        """
        self.loop.announce(f"writing snapshot {name}")
        players = self.loop.players
        try:
            self._set_aside(self.snapshots / name)
            save_snapshot(self.snapshots / name, players.ema, self._card(), discriminator=players.D)
        except OSError as error:
            raise UserError(
                f"cannot write the snapshot {self.snapshots / name}: {error}; the training state is whole. Free some "
                "space or make the folder writable, then run the same command to continue"
            ) from error

    def _set_aside(self, old: Path) -> None:
        """Keep a snapshot that would be replaced if somebody surveyed it: its survey holds for its weights alone."""
        if not _is_surveyed(old):
            return
        stem = f"surveyed-{read_card(old).images_seen:08d}"
        places = (self.snapshots / (stem if i == 0 else f"{stem}-{i}") for i in count())
        place = next(place for place in places if not place.exists())
        old.rename(place)
        log.warning("%s has been surveyed; it is kept as %s", old, place)

    def _card(self) -> Card:
        config, data = self.loop.config, self.loop.data
        about = DataCard(data.source, data.content_hash, len(data), data.resolution, list(data.label_names))
        return Card(
            name=self.loop.folder.name,
            recipe=config.recipe,
            images_seen=self.loop.counters.images,
            data=about,
            license=f"weights: unspecified; pictures: {data.license}" if data.license else "unspecified",
            parent=config.init_from,
            metrics=self.metrics,
        )

    def _prune(self) -> None:
        keep = self.loop.config.intervals.keep_snapshots
        if keep:
            for old in sorted(self.snapshots.glob("kimg-*"))[:-keep]:
                if not _is_surveyed(old):
                    shutil.rmtree(old, ignore_errors=True)


def _is_surveyed(snapshot: Path) -> bool:
    return (snapshot / "genes" / "survey").is_dir()
