"""What is kept of a run and when: state, snapshots (last, every N kimg, best), image grids. Rank 0 alone."""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import torch

from stylegenes.devices import exactly
from stylegenes.errors import UserError
from stylegenes.files import settle_all
from stylegenes.generator import Generator
from stylegenes.partials import sweep
from stylegenes.snapshot import Card, DataCard, read_card, save_snapshot, seen_by_snapshots
from stylegenes.training.draws import draw_codes, rng_for
from stylegenes.training.feed import to_float
from stylegenes.training.history import add_to_history, best_value, forget_after, read_history
from stylegenes.training.images import code_sheet, grid_name, is_grid, sample_grids, save_grid
from stylegenes.training.run import Run
from stylegenes.training.stopping import interruptible

log = logging.getLogger(__name__)

Evaluate = Callable[[Generator], Mapping[str, float]]
"""Judges the running average; the first metric ranks snapshots, and lower is better but for `history.RISING`."""

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


class Checkpoints:
    """Writes into the run folder what outlives the process.

    Args:
        run: what is kept.
        evaluate: judges the running average, or None.
    """

    def __init__(self, run: Run, evaluate: Evaluate | None) -> None:
        self.run = run
        self.evaluate = evaluate
        rng = rng_for(run.config.seed, "grid")
        self.codes = draw_codes(run.players.G, GRID, rng=rng, mixing=0.0, pool=run.pool)
        self.begin()

    def begin(self) -> None:
        """Take up the run where its state is: at a start, and after a roll-back."""
        intervals, images = self.run.config.intervals, self.run.counters.images
        self._every = {
            "grid": Every(intervals.image_kimg, images),
            "evaluation": Every(intervals.evaluate_kimg if self.evaluate else 0, images),
            "snapshot": Every(intervals.snapshot_kimg, images),
        }
        self._state_written = time.monotonic()
        forget_after(self.run.folder, images)
        self.run.metrics, self._measured = {}, -1
        if entries := read_history(self.run.folder):
            self.run.metrics = {name: value for name, value in entries[-1].items() if name != "kimg"}
            self._measured = round(entries[-1]["kimg"] * 1000)

    def start(self) -> None:
        """Pictures of the data and of the untrained generator, once; then what the last sitting did not come to."""
        for folder in (self.run.snapshots, self.run.samples):
            settle_all(folder)
            sweep(folder)
        reals = self.run.samples / "reals.png"
        if not reals.exists():
            self.draw()
            data = self.run.data
            indices = torch.arange(min(GRID, len(data))) * max(len(data) // GRID, 1)
            save_grid(reals, to_float(data.images(indices), torch.device("cpu")))
        self._do_what_is_due()

    def after_step(self) -> None:
        """Whatever is due. The state comes last, so that a kill in between leads back to before it was due."""
        if self.run.left is not None:
            return
        counters = self.run.counters
        counters.due += [name for name, every in self._every.items() if every.due(counters.images)]
        self._do_what_is_due()
        if time.monotonic() - self._state_written > self.run.config.intervals.state_seconds:
            self.run.save()
            self._state_written = time.monotonic()

    def finish(self) -> None:
        """The end of a sitting."""
        if self.run.left is not None:
            return
        if self.run.counters.images >= self.run.total_images:
            self.draw()
        self.keep("last")

    def _do_what_is_due(self) -> None:
        """Make what is due, until somebody wishes to stop; the rest stays noted in the state, which is the last one.

        The other processes hear of the wish within the coming steps, which the next sitting will take again.
        """
        due = self.run.counters.due
        while due:
            if due[0] == "evaluation" and self.evaluate is not None and not self.judge():
                self.keep("last")
                self.run.save()
                self.run.left = replace(self.run.counters, due=list(due))
                return
            if due[0] == "grid":
                self.draw()
            if due[0] == "snapshot":
                self._keep_numbered()
            del due[0]

    def _keep_numbered(self) -> None:
        images = self.run.counters.images
        short = self._every["snapshot"].images < 1000
        self.keep(f"kimg-{images:08d}" if short else f"kimg-{images // 1000:06d}")
        self.keep("last")
        self._prune()

    def draw(self) -> None:
        """An image grid of fixed codes."""
        self.run.announce("drawing samples")
        run, seen = self.run, self.run.counters.images
        sheet = code_sheet(run.players.ema, self.codes, run.folder.name, run.data.label_names, seen)
        often = 0 < self._every["grid"].images < 1000
        with _going_on("the image grid"):
            grid = sheet.save(run.samples / grid_name(seen, often=often))
            if run.reporter is not None:
                run.reporter.picture(grid, seen)
        keep = self.run.config.intervals.keep_images
        grids = list(sample_grids(run.folder).values())
        for old in grids[1 : 1 - keep] if 1 < keep < len(grids) else grids[:-1] if keep == 1 else []:
            if is_grid(old):
                old.unlink(missing_ok=True)

    def judge(self) -> bool:
        """Evaluate; a better first metric than ever before makes the best snapshot.

        Returns:
            Whether it came to an end; False when somebody wished to stop first.
        """
        assert self.evaluate is not None, "an evaluation is due only where one was given"
        self.run.announce("evaluating")
        try:
            with interruptible(self.run.wish), exactly():
                found = {name: float(value) for name, value in self.evaluate(self.run.players.ema).items()}
        except KeyboardInterrupt:
            log.warning("stopped in the middle of an evaluation; it is made when the run goes on")
            return False
        except Exception:
            self.run.save()  # What was trained is not lost to what cannot be measured.
            raise
        counters = self.run.counters
        self._measured = counters.images
        self.run.metrics = {name: value for name, value in found.items() if math.isfinite(value)}
        if undefined := [f"{name} {value}" for name, value in found.items() if name not in self.run.metrics]:
            log.warning("no number came of an evaluation (%s); it is left out", ", ".join(undefined))
        with _going_on("the metrics"):
            add_to_history(self.run.folder, counters.images, self.run.metrics)
        ranked = next(iter(found), None)
        if ranked in self.run.metrics and self._is_best(ranked, self.run.metrics[ranked]):
            counters.best, counters.best_of = self.run.metrics[ranked], ranked
            self.keep("best")
        return True

    def _is_best(self, name: str, value: float) -> bool:
        """Whether a value is better than all before of that metric; states of older versions do not say of which."""
        counters = self.run.counters
        if counters.best is None or counters.best_of not in ("", name):
            return True
        return value != counters.best and best_value(name, (value, counters.best)) == value

    def keep(self, name: str) -> None:
        """Write a snapshot.

        Raises:
            UserError: when it cannot be written.
        """
        self.run.announce(f"writing snapshot {name}")
        players = self.run.players
        try:
            self._set_aside(self.run.snapshots / name)
            save_snapshot(self.run.snapshots / name, players.ema, self._card(), discriminator=players.D)
        except OSError as error:
            raise UserError(
                f"cannot write the snapshot {self.run.snapshots / name}: {error}; the training state is whole. Free "
                "some space or make the folder writable, then run the same command to continue"
            ) from error

    def _set_aside(self, old: Path) -> None:
        """Keep a snapshot that would be replaced if somebody surveyed it: its survey holds for its weights alone."""
        if not _is_surveyed(old):
            return
        stem = f"surveyed-{read_card(old).images_seen:08d}"
        places = (self.run.snapshots / (stem if i == 0 else f"{stem}-{i}") for i in count())
        place = next(place for place in places if not place.exists())
        old.rename(place)
        log.warning("%s has been surveyed; it is kept as %s", old, place)

    def _card(self) -> Card:
        config, data = self.run.config, self.run.data
        names = list(data.label_names)
        about = DataCard(data.source, data.content_hash, len(data), data.resolution, names, config.data.fit)
        return Card(
            name=self.run.folder.name,
            recipe=config.recipe,
            images_seen=self.run.counters.images,
            data=about,
            license=f"weights: unspecified; pictures: {data.license}" if data.license else "unspecified",
            parent=config.init_from,
            metrics=self.run.metrics if self._measured == self.run.counters.images else {},
        )

    def _prune(self) -> None:
        keep = self.run.config.intervals.keep_snapshots
        if keep:
            for old, _ in seen_by_snapshots(self.run.snapshots, "kimg-*")[:-keep]:
                if not _is_surveyed(old):
                    # Without its card it is no snapshot, should a kill leave half of it.
                    (old / "card.json").unlink(missing_ok=True)
                    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _going_on(what: str) -> Iterator[None]:
    """Say what cannot be written, a full disk say, and train on: the state is what a run lives by."""
    try:
        yield
    except OSError as error:
        log.warning("cannot write %s: %s; training goes on without", what, error)


def _is_surveyed(snapshot: Path) -> bool:
    return (snapshot / "genes" / "survey").is_dir()
