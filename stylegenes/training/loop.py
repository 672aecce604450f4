"""The loop: steps until the run is done, and what happens between them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from stylegenes.devices import make_deterministic
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.registry import Spec
from stylegenes.training.batch import plan_batch
from stylegenes.training.changed import other_data
from stylegenes.training.config import RunConfig
from stylegenes.training.ema import ema_beta, update_ema
from stylegenes.training.feed import Data, Feed, pool_of
from stylegenes.training.graphs import CudaEngine, Graphs
from stylegenes.training.keeping import Keeper
from stylegenes.training.phases import PhaseLog
from stylegenes.training.players import build_players
from stylegenes.training.report import Reporter
from stylegenes.training.schedules import SCHEDULES, Progress, Schedule
from stylegenes.training.state import STATE_FILE, Counters, read_state, restore, write_state
from stylegenes.training.step import PhaseResult, Stepper, StepSettings
from stylegenes.training.stopping import StopRequest
from stylegenes.training.sync import Ranks
from stylegenes.training.watch import Watch
from stylegenes.words import command

log = logging.getLogger(__name__)

Evaluate = Callable[[Generator], Mapping[str, float]]
"""Judges the running average; the first metric ranks snapshots, and lower is better."""


@dataclass(frozen=True)
class RunResult:
    """How a sitting ended.

    Attributes:
        folder: the run folder.
        step: steps done so far.
        images: real images shown so far.
        seconds: training time so far, over all sittings.
        finished: whether the run is complete; False when it was stopped and may be continued.
        snapshot: the newest snapshot.
    """

    folder: Path
    step: int
    images: int
    seconds: float
    finished: bool
    snapshot: Path


class Loop:
    """One sitting of a run on one rank.

    Args:
        config: complete.
        folder: the run folder, shared by all ranks.
        data: what is learned.
        ranks: the processes.
        wish: looked at after each step: whether this rank wishes to stop.
        announce: told what this rank is doing.
        evaluate: judges the running average, or None.
        max_seconds: length of this sitting; None for no bound.
        reporter: tells people how it goes, on the first rank; None for silence.

    Raises:
        UserError: for a configuration that cannot run here, or a state that does not fit it.
    """

    MAX_ROLLBACKS = 3
    """Roll-backs in a row before a run gives up."""

    RECOVERED = 100
    """Steps beyond a failure after which it no longer counts as one in a row."""

    ROLLBACK_LR = 0.7
    """What one roll-back multiplies the learning rates by, for the rest of the run."""

    def __init__(
        self,
        config: RunConfig,
        folder: Path,
        data: Data,
        ranks: Ranks,
        *,
        wish: StopRequest,
        announce: PhaseLog,
        evaluate: Evaluate | None = None,
        max_seconds: float | None = None,
        reporter: Reporter | None = None,
    ) -> None:
        self.config, self.folder, self.data, self.ranks = config, folder, data, ranks
        self.wish, self.announce, self.max_seconds = wish, announce, max_seconds
        self.counters = Counters()
        self.plan = plan_batch(config.batch, ranks=ranks.count, discriminator=config.model.discriminator)
        if config.batch.deterministic and ranks.device.type == "cuda":
            make_deterministic()
        self.announce("building the networks")
        self.players = build_players(config, ranks.device)
        self.p_schedule: Schedule = SCHEDULES.build(config.augment.p)
        self.lr_schedule: Schedule = SCHEDULES.build(config.optimizer.lr_scale)
        self.growth, self.blur, self.penalty_scale, self.beta2 = (
            _optional_schedule(spec)
            for spec in (config.growth, config.blur, config.penalty_scale, config.optimizer.beta2)
        )
        self.counters.augment_p = self.p_schedule.initial
        self.rendering, self.pose_swap = _optional_schedule(config.rendering), _optional_schedule(config.pose_swap)
        self.stepper = self._make_stepper()
        self.feed = self._make_feed()
        self._signs = torch.zeros((), device=ranks.device)
        self._bad = torch.zeros((), device=ranks.device)
        self._resume()
        self.watch = Watch(self, reporter) if reporter else None
        self.keeper = Keeper(self, evaluate) if ranks.first else None
        self._check_every = 1 if ranks.device.type == "cpu" else 8
        self._began = time.monotonic()
        self._seconds_before = self.counters.seconds

    @property
    def total_images(self) -> int:
        """Length of the run in images."""
        return round(self.config.kimg * 1000)

    @property
    def state_file(self) -> Path:
        """Where the state is."""
        return self.folder / STATE_FILE

    def run(self) -> RunResult:
        """Train until the end of the run or of the sitting; the state is saved either way."""
        try:
            if not self.state_file.exists():
                self.save()
            self.ranks.fabric.barrier()
            if self.keeper:
                self.keeper.start()
            self._train()
            self.save()
            if self.keeper:
                self.keeper.finish()
            return self._result()
        finally:
            self.feed.close()

    def _train(self) -> None:
        """Steps until the run or the sitting ends, with finite numbers."""
        while True:
            while self.counters.images < self.total_images and not self._step():
                pass
            if self._finite():
                if self.keeper:
                    self.keeper.after_step()
                return
            self._roll_back()

    def _step(self) -> bool:
        """One step and what is due after it; returns whether the sitting ends."""
        counters = self.counters
        self.announce.step = counters.step
        self._set_quantities()
        real = self.feed.batch(counters.images)
        results = self.stepper.step(real, step=counters.step, epoch=counters.epoch, stop=self._wish())
        counters.step += 1
        counters.images += self.plan.total
        self._average(counters.images)
        self._observe(results)
        counters.seconds = self._seconds_before + time.monotonic() - self._began
        if counters.images > counters.failed_at + self.RECOVERED * self.plan.total:
            counters.rollbacks = 0
        looked = counters.step % self._check_every == 0
        if looked and not self._finite():
            self._roll_back()
            return False
        if self.watch:
            self.watch.after_step(results)
        if looked and self.keeper:
            self.keeper.after_step()
        return looked and bool(results[0].stop > 0)

    def _wish(self) -> bool:
        late = self.max_seconds is not None and time.monotonic() - self._began > self.max_seconds
        return late or self.wish.is_set()

    def _set_quantities(self) -> None:
        """Learning rates, augmentation strength, resolution, blur and penalties for the coming step."""
        self.players.augment.p.fill_(self.counters.augment_p)
        scale = self.lr_schedule.value(self._progress(self.counters.lr_scale))
        self.players.scale_learning_rates(scale * self.counters.lr_scale)
        if self.beta2 is not None:
            self.players.set_beta2(self.beta2.value(self._progress(0.0)))
        if self.growth is not None:
            self.players.grow(self.growth.value(self._progress(0.0)))
        if self.blur is not None:
            self.players.blur = self.blur.value(self._progress(0.0))
        if self.rendering is not None:
            self.players.render_at(round(self.rendering.value(self._progress(0.0))))
        if self.pose_swap is not None:
            self.players.pose_swap = self.pose_swap.value(self._progress(0.0))
        if self.penalty_scale is not None:
            self.players.penalty_scale = self.penalty_scale.value(self._progress(0.0))

    def _average(self, images: int) -> None:
        ema = self.config.ema
        beta = ema_beta(self.plan.total, images, ema.half_life_kimg * 1000, ema.rampup)
        update_ema(self.players.ema, self.players.G, beta)

    def _observe(self, results: list[PhaseResult]) -> None:
        """Take in the sign of D(real) and whether everything was finite; adjust the augmentation when it is due."""
        self._signs += results[0].real_sign
        for result in results:
            self._bad += 0 * result.grad_norm
        counters = self.counters
        counters.sign_count += 1
        if counters.step % self.p_schedule.interval == 0:
            counters.real_sign = self._signs.item() / counters.sign_count
            counters.augment_p = self.p_schedule.value(self._progress(counters.augment_p))
            counters.sign_count = 0
            self._signs.zero_()

    def _progress(self, current: float) -> Progress:
        counters = self.counters
        return Progress(counters.images, self.plan.total, counters.step, counters.real_sign, current)

    def save(self) -> None:
        """Write the state; only the first rank does, since the ranks hold the same."""
        self.announce("writing the state")
        if self.ranks.first and not (self.keeper and self.keeper.left):
            self.counters.sign_sum = self._signs.item()
            write_state(self.state_file, self.players, self.counters, self.data.content_hash)

    def _finite(self) -> bool:
        """Whether every loss and gradient since the last roll-back was; the same on every rank."""
        return bool(torch.isfinite(self._bad))

    def _roll_back(self) -> None:
        """Return to the last good state with other random choices and lower learning rates.

        Raises:
            UserError: after too many in a row.
        """
        failed, rollbacks, epoch = self.counters.images, self.counters.rollbacks + 1, self.counters.epoch + 1
        # Not what the state says: it may have been written before the last roll-back.
        lr_scale = self.counters.lr_scale * self.ROLLBACK_LR
        self._bad.zero_()
        if rollbacks > self.MAX_ROLLBACKS:
            raise UserError(
                f"the loss stopped being finite at {failed / 1000:.1f} kimg, {rollbacks} times in a row; given up. The "
                f"last good state is whole in {self.state_file}. Lower optimizer.G.lr and optimizer.D.lr, raise the "
                f"gamma of R1, or look for damaged images with: {command('data', 'check', Path(self.data.source))}"
            )
        self._load()
        self.counters = replace(self.counters, rollbacks=rollbacks, epoch=epoch, lr_scale=lr_scale, failed_at=failed)
        if self.watch:
            self.watch.begin()
        if self.keeper:
            self.keeper.begin()
        log.warning(
            "the loss was not finite at %.1f kimg: back to %.1f kimg (roll-back %d of at most %d in a row), with other "
            "random choices and learning rates x %.2f",
            failed / 1000, self.counters.images / 1000, rollbacks, self.MAX_ROLLBACKS, lr_scale,
        )  # fmt: skip

    def _resume(self) -> None:
        if self.state_file.exists():
            self._load()
            log.info("continuing %s at %.1f kimg", self.folder, self.counters.images / 1000)

    def _load(self) -> None:
        self.announce("reading the state")
        stored = read_state(self.state_file)
        if stored.data_hash != self.data.content_hash:
            raise UserError(other_data(self.folder, self.data))
        restore(self.players, stored, str(self.state_file))
        self.stepper.forget_graphs()
        self.counters = stored.counters
        self._signs.fill_(stored.counters.sign_sum)

    def _make_stepper(self) -> Stepper:
        config, plan = self.config, self.plan
        settings = StepSettings(
            plan.total, plan.accumulation, plan.group, config.mixing, config.noise, config.seed, config.camera_noise
        )
        synthesis = self.players.G.synthesis
        pool = pool_of(self.data, synthesis, labels=config.data.labels, mirror=config.data.mirror, seed=config.seed)
        if synthesis.has_camera and self.data.cameras(torch.arange(1)) is not None and pool.camera is not None:
            for network in (synthesis, self.players.ema.synthesis):
                network.remember_views(pool.camera)
        graphs = Graphs(CudaEngine()) if config.batch.graphs and self.ranks.device.type == "cuda" else None
        return Stepper(self.players, self.ranks, settings, pool=pool, announce=self.announce, graphs=graphs)

    def _make_feed(self) -> Feed:
        return Feed(
            self.data,
            total=self.plan.total,
            rank=self.ranks.rank,
            ranks=self.ranks.count,
            mirror=self.config.data.mirror,
            labels=self.config.data.labels,
            cameras=self.players.G.synthesis.has_camera,
            seed=self.config.seed,
            device=self.ranks.device,
        )

    def _result(self) -> RunResult:
        counters = (self.keeper and self.keeper.left) or self.counters
        return RunResult(
            folder=self.folder,
            step=counters.step,
            images=counters.images,
            seconds=counters.seconds,
            finished=counters.images >= self.total_images,
            snapshot=self.folder / "snapshots" / "last",
        )


def _optional_schedule(spec: Spec | None) -> Schedule | None:
    return None if spec is None else SCHEDULES.build(spec)
