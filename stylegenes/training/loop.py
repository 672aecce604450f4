"""The loop: steps until the run is done, and what happens between them."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from stylegenes.errors import UserError
from stylegenes.registry import Spec
from stylegenes.training.checkpoints import Checkpoints, Evaluate
from stylegenes.training.ema import ema_beta, update_ema
from stylegenes.training.feed import Feed
from stylegenes.training.graphs import CudaEngine, Graphs
from stylegenes.training.results import PhaseResult
from stylegenes.training.run import Run
from stylegenes.training.schedules import SCHEDULES, Progress, Schedule
from stylegenes.training.status import StatusLine
from stylegenes.training.step import Stepper, StepSettings
from stylegenes.words import command

log = logging.getLogger(__name__)


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
    """Takes the steps of a run, from where its folder says it is.

    Args:
        run: the networks, the data and how far they are.
        evaluate: judges the running average, or None.
        max_seconds: length of this sitting; None for no bound.

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
        run: Run,
        *,
        evaluate: Evaluate | None = None,
        max_seconds: float | None = None,
    ) -> None:
        self.run, self.players, self.max_seconds = run, run.players, max_seconds
        config, device = run.config, run.ranks.device
        self.p_schedule: Schedule = SCHEDULES.build(config.augment.p)
        self.lr_schedule: Schedule = SCHEDULES.build(config.optimizer.lr_scale)
        self.growth, self.blur, self.penalty_scale, self.beta2 = (
            _optional_schedule(spec)
            for spec in (config.growth, config.blur, config.penalty_scale, config.optimizer.beta2)
        )
        self.rendering, self.pose_swap = _optional_schedule(config.rendering), _optional_schedule(config.pose_swap)
        run.counters.augment_p = self.p_schedule.initial
        self.stepper = make_stepper(run)
        self.feed = make_feed(run)
        self._bad = torch.zeros((), device=device)
        # Rank 0 decides for all: it writes the first state, which a slower one would take for an old one.
        if run.ranks.all_of(int(run.state_file.exists()))[0]:
            run.load()
            log.info("continuing %s at %.1f kimg", run.folder, run.counters.images / 1000)
        self.status = StatusLine(run, run.reporter) if run.reporter else None
        self.checkpoints = Checkpoints(run, evaluate) if run.ranks.first else None
        self._check_every = 1 if device.type == "cpu" else 8
        self._began = time.monotonic()
        self._seconds_before = run.counters.seconds

    def train(self) -> RunResult:
        """Steps until the end of the run or of the sitting; the state is saved either way."""
        run = self.run
        try:
            if not run.state_file.exists():
                run.save()
            run.ranks.meet()
            if self.checkpoints:
                self.checkpoints.start()
            self._steps()
            run.save()
            if self.checkpoints:
                self.checkpoints.finish()
            return self._result()
        finally:
            self.feed.close()

    def _steps(self) -> None:
        """Steps until the run or the sitting ends, with finite numbers."""
        while True:
            while self.run.counters.images < self.run.total_images and not self._step():
                pass
            if self._finite():
                if self.checkpoints:
                    self.checkpoints.after_step()
                return
            self._roll_back()

    def _step(self) -> bool:
        """One step and what is due after it; returns whether the sitting ends."""
        counters = self.run.counters
        self.run.announce.step = counters.step
        self._set_quantities()
        real = self.feed.batch(counters.images)
        results = self.stepper.step(real, step=counters.step, epoch=counters.epoch, stop=self._wish())
        counters.step += 1
        counters.images += self.run.plan.total
        self._average(counters.images)
        self._observe(results)
        counters.seconds = self._seconds_before + time.monotonic() - self._began
        if counters.images > counters.failed_at + self.RECOVERED * self.run.plan.total:
            counters.rollbacks = 0
        looked = counters.step % self._check_every == 0
        if looked and not self._finite():
            self._roll_back()
            return False
        if self.status:
            self.status.after_step(results)
        if looked and self.checkpoints:
            self.checkpoints.after_step()
        return looked and bool(results[0].stop > 0)

    def _wish(self) -> bool:
        late = self.max_seconds is not None and time.monotonic() - self._began > self.max_seconds
        return late or self.run.wish.is_set()

    def _set_quantities(self) -> None:
        """Learning rates, augmentation strength, resolution, blur and penalties for the coming step."""
        counters = self.run.counters
        self.players.augment.p.fill_(counters.augment_p)
        scale = self.lr_schedule.value(self._progress(counters.lr_scale))
        self.players.scale_learning_rates(scale * counters.lr_scale)
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
        ema = self.run.config.ema
        beta = ema_beta(self.run.plan.total, images, ema.half_life_kimg * 1000, ema.rampup)
        update_ema(self.players.ema, self.players.G, beta)

    def _observe(self, results: list[PhaseResult]) -> None:
        """Take in the sign of D(real) and whether everything was finite; adjust the augmentation when it is due."""
        self.run.signs += results[0].real_sign
        for result in results:
            self._bad += 0 * result.grad_norm
        counters = self.run.counters
        counters.sign_count += 1
        if counters.step % self.p_schedule.interval == 0:
            counters.real_sign = self.run.signs.item() / counters.sign_count
            counters.augment_p = self.p_schedule.value(self._progress(counters.augment_p))
            counters.sign_count = 0
            self.run.signs.zero_()

    def _progress(self, current: float) -> Progress:
        counters = self.run.counters
        size = self.players.G.synthesis.size
        return Progress(counters.images, self.run.plan.total, counters.step, counters.real_sign, current, size)

    def _finite(self) -> bool:
        """Whether every loss and gradient since the last roll-back was; the same on every rank."""
        return bool(torch.isfinite(self._bad))

    def _roll_back(self) -> None:
        """Return to the last good state with other random choices and lower learning rates.

        Raises:
            UserError: after too many in a row.
        """
        run, counters = self.run, self.run.counters
        failed, rollbacks, epoch = counters.images, counters.rollbacks + 1, counters.epoch + 1
        # Not what the state says: it may have been written before the last roll-back.
        lr_scale = counters.lr_scale * self.ROLLBACK_LR
        self._bad.zero_()
        if rollbacks > self.MAX_ROLLBACKS:
            raise UserError(
                f"the loss stopped being finite at {failed / 1000:.1f} kimg, {rollbacks} times in a row; given up. The "
                f"last good state is whole in {run.state_file}. Lower optimizer.G.lr and optimizer.D.lr, raise the "
                f"gamma of R1, or look for damaged images with: {command('data', 'check', Path(run.data.source))}"
            )
        run.load()
        self.stepper.forget_graphs()
        run.counters = replace(run.counters, rollbacks=rollbacks, epoch=epoch, lr_scale=lr_scale, failed_at=failed)
        if self.status:
            self.status.begin()
        if self.checkpoints:
            self.checkpoints.begin()
        log.warning(
            "the loss was not finite at %.1f kimg: back to %.1f kimg (roll-back %d of at most %d in a row), with other "
            "random choices and learning rates x %.2f",
            failed / 1000, run.counters.images / 1000, rollbacks, self.MAX_ROLLBACKS, lr_scale,
        )  # fmt: skip

    def _result(self) -> RunResult:
        run = self.run
        counters = run.left or run.counters
        return RunResult(
            folder=run.folder,
            step=counters.step,
            images=counters.images,
            seconds=counters.seconds,
            finished=counters.images >= run.total_images,
            snapshot=run.snapshots / "last",
        )


def make_stepper(run: Run) -> Stepper:
    """What takes the steps of a run."""
    config, plan = run.config, run.plan
    settings = StepSettings(
        plan.total, plan.accumulation, plan.group, config.mixing, config.noise, config.seed, config.camera_noise
    )
    graphs = Graphs(CudaEngine()) if config.batch.graphs and run.ranks.device.type == "cuda" else None
    return Stepper(run.players, run.ranks, settings, pool=run.pool, announce=run.announce, graphs=graphs)


def make_feed(run: Run) -> Feed:
    """What brings this rank's reals."""
    return Feed(
        run.data,
        total=run.plan.total,
        rank=run.ranks.rank,
        ranks=run.ranks.count,
        mirror=run.config.data.mirror,
        labels=run.config.data.labels,
        cameras=run.players.G.synthesis.has_camera,
        seed=run.config.seed,
        shuffle=run.config.data.shuffle,
        device=run.ranks.device,
    )


def _optional_schedule(spec: Spec | None) -> Schedule | None:
    return None if spec is None else SCHEDULES.build(spec)
