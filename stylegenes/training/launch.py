"""Starting a run: one process, several devices, several nodes; and ending it in one piece."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch.multiprocessing as mp
from lightning_fabric import Fabric
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from stylegenes.errors import UserError
from stylegenes.processes import follow_parent
from stylegenes.training.batch import plan_batch
from stylegenes.training.changed import check_labels, moved
from stylegenes.training.checkpoints import Evaluate
from stylegenes.training.company import Company, company, leave_group
from stylegenes.training.config import RunConfig
from stylegenes.training.feed import Data
from stylegenes.training.folder import run_lock
from stylegenes.training.foreword import check_variety, foreword
from stylegenes.training.loop import Loop, RunResult
from stylegenes.training.machine import Machine, as_launched, launched_outside, launcher, make_fabric, restarted
from stylegenes.training.phases import PhaseLog, clear_statuses, describe_lost, read_statuses
from stylegenes.training.report import Reporter
from stylegenes.training.resolve import check_settings, check_shape, complete_config, holds_run, write_config
from stylegenes.training.run import open_run
from stylegenes.training.stopping import StopRequest, interruptible, stop_requests
from stylegenes.training.sync import Ranks
from stylegenes.training.terms import check_folder, check_terms, check_wish
from stylegenes.training.trackers import Trackers, parse_trackers

log = logging.getLogger(__name__)

Accept = Callable[[Data], None]
"""Looks at the data before a run."""


def train(
    config: RunConfig,
    run_dir: str | Path,
    *,
    data: Data | None = None,
    machine: Machine | None = None,
    evaluate: Evaluate | None = None,
    accept: Accept | None = None,
    max_seconds: float | None = None,
    quiet: bool = False,
) -> RunResult:
    """Train, or continue what the folder holds: the same call again goes on where the last one stopped.

    Args:
        config: a full configuration, from a recipe.
        run_dir: the run folder, made if it is missing; all nodes must see it.
        data: what is learned; None opens `config.data.source`. With several devices it must be picklable.
        machine: where the run happens; None takes one device, the best there is.
        evaluate: judges the running average every `intervals.evaluate_kimg`; its first metric makes the best snapshot:
            lower is better, but for precision, recall, density and coverage. What is no number is left out. With
            several devices it must be picklable.
        accept: refuses data that the evaluation could not use, by a `UserError`, before anything is trained.
        max_seconds: length of this sitting; the state is saved and the call returns when it is over.
        quiet: whether the terminal stays silent.

    Returns:
        How the sitting ended. Ctrl-C and SIGTERM end it like `max_seconds`.

    Raises:
        UserError: for what a user can put right: a batch that does not divide, a folder in use, a full disk, a loss
            that is not finite time and again, a process that died. A start that is refused leaves no folder behind.
        KeyboardInterrupt: for Ctrl-C and SIGTERM before the first step; what was packed of the pictures is kept.
    """
    machine = as_launched(machine or Machine())
    machine.check()
    plan_batch(config.batch, ranks=machine.ranks, discriminator=config.model.discriminator)
    if data is None:
        check_shape(config)
    folder = Path(run_dir).expanduser()
    fabric = make_fabric(machine)
    spawned = machine.ranks > 1 and not launched_outside()
    wish = mp.get_context("spawn").Event() if spawned else threading.Event()
    parent = os.getpid() if spawned else None
    worker = RunProcess(config, folder, data, evaluate, accept, max_seconds, quiet, wish, parent)
    with _joined(machine, config, folder) as worker.company, stop_requests(wish):
        first = fabric.global_rank == 0
        with run_lock(folder, wait=_LET_GO if restarted() else 0) if first else nullcontext():
            if first:
                clear_statuses(folder)
            try:
                result = fabric.launch(worker)
            except (ProcessExitedException, ProcessRaisedException) as error:
                raise _as_user_error(folder, error) from error
            if not result:
                raise KeyboardInterrupt
            return RunResult(**result)


_LAST_WORDS = 60
"""Seconds that a process under a launcher has to end once it failed."""

_LET_GO = 60.0
"""Seconds that the processes of a broken sitting have to end when a launcher starts the next."""


@contextmanager
def _joined(machine: Machine, config: RunConfig, folder: Path) -> Iterator[Company | None]:
    """The processes that a launcher started, while they work together; None where nobody launched several."""
    environment = launcher()
    if environment is None or machine.ranks == 1:
        yield None
        return
    with company(environment, machine, silence=config.intervals.silence_seconds) as joined:
        try:
            yield joined
        except UserError:
            _finish_speaking()
            raise
        except RuntimeError as error:
            _finish_speaking()
            lost = joined.explain(folder, error)
            if lost is None:
                raise
            raise UserError(lost) from error


def _finish_speaking() -> None:
    """Let a process that ends by an error say so, and then see that it ends.

    torchrun asks all to end as soon as one of them died; and what waits for lost partners may hold up the very end.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_LAST_WORDS)


class RunProcess:
    """What every process of a run does; picklable where its parts are.

    Args:
        config: of the run.
        folder: of the run.
        data: what is learned; None opens what the configuration says.
        evaluate: judges the running average at intervals; None judges nothing.
        accept: looks at the data before anything is trained, and may refuse them.
        max_seconds: length of this sitting; None sets no bound.
        quiet: whether the terminal stays silent while it trains.
        wish: set when the run is to stop.
        parent: process that started this one, or None where nobody did.
    """

    def __init__(
        self,
        config: RunConfig,
        folder: Path,
        data: Data | None,
        evaluate: Evaluate | None,
        accept: Accept | None,
        max_seconds: float | None,
        quiet: bool,
        wish: StopRequest,
        parent: int | None,
    ) -> None:
        self.config, self.folder, self.data, self.evaluate = config, folder, data, evaluate
        self.accept, self.max_seconds, self.quiet, self.wish, self.parent = accept, max_seconds, quiet, wish, parent
        self.company: Company | None = None
        """The processes that a launcher started."""

    def __call__(self, fabric: Fabric) -> dict[str, Any]:
        """Train as one rank; returns the fields of the result, none of them when it was stopped before it began.

        Raises:
            UserError: as `train`.
        """
        if self.parent is not None:
            follow_parent()
            logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
            signal.signal(signal.SIGINT, self._leave_to_parent)
            for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
                signal.signal(number, lambda number, frame: self.wish.set())
        if self.company is not None:
            check_folder(self.company, self.folder)
        phases = PhaseLog(self.folder, fabric.global_rank)
        try:
            result = self._train(Ranks(fabric), phases)
        except UserError as error:
            phases.fail(str(error), by_user=True)
            raise
        except RuntimeError as error:
            lost = self._lost(fabric, error) if fabric.world_size > 1 else None
            phases.fail(lost or f"{type(error).__name__}: {error}", by_user=lost is not None)
            if lost is None:
                raise
            raise UserError(lost) from error
        phases.close()
        if self.parent is not None:
            leave_group()
        return vars(result) if result else {}

    def _train(self, ranks: Ranks, phases: PhaseLog) -> RunResult | None:
        if not ranks.first:
            logging.getLogger("stylegenes").addHandler(logging.NullHandler())
            return self._train_with(None, ranks, phases)
        names = ["tensorboard"] * self.config.tensorboard + parse_trackers(self.config.trackers)
        trackers = Trackers(dict.fromkeys(names), self.folder, self.config.to_dict())
        reporter = Reporter(self.folder, trackers=trackers, quiet=self.quiet)
        try:
            return self._train_with(reporter, ranks, phases)
        finally:
            reporter.close()

    def _train_with(self, reporter: Reporter | None, ranks: Ranks, phases: PhaseLog) -> RunResult | None:
        data = self._open_data(phases)
        if self.company is not None and check_wish(self.company, data is None):
            return None
        if data is None:
            return None
        check_labels(self.folder, data)
        check_variety(data)
        if self.accept is not None:
            self.accept(data)
        config = complete_config(self.config, data, warn=ranks.first)
        if self.company is not None:
            check_terms(self.company, config, data)
        if ranks.first:
            check_settings(config, self.folder)
        if reporter is not None:
            for line in foreword(config, data, begun=holds_run(self.folder)):
                reporter.say(line)
        run = open_run(config, self.folder, data, ranks, wish=self.wish, announce=phases, reporter=reporter)
        loop = Loop(run, evaluate=self.evaluate, max_seconds=self.max_seconds)
        if ranks.first:
            write_config(config, self.folder)
        return loop.train()

    def _open_data(self, phases: PhaseLog) -> Data | None:
        """What is learned, or None when somebody wishes to stop first: packing can take hours."""
        phases("opening the data")
        try:
            with interruptible(self.wish):
                return self.data or self.config.data.open()
        except UserError as error:
            if not holds_run(self.folder):
                raise
            raise UserError(f"{error}; {moved(self.folder, self.config.data.source)}") from error
        except KeyboardInterrupt:
            log.warning("stopped while the pictures were prepared; the same command goes on from there")
            return None

    def _lost(self, fabric: Fabric, error: RuntimeError) -> str | None:
        """Which other rank is gone, if that is what the error of this one comes from."""
        if self.company is not None:
            return self.company.explain(self.folder, error)
        time.sleep(0.5)
        statuses = read_statuses(self.folder)
        return describe_lost(s for s in statuses if s.rank != fabric.global_rank and not s.alive and not s.error)

    def _leave_to_parent(self, number: int, frame: Any) -> None:
        """Ctrl-C reaches every process; the parent asks to stop. When the parent itself is gone, so is the run."""
        if os.getppid() != self.parent:
            raise KeyboardInterrupt


def _as_user_error(folder: Path, error: ProcessExitedException | ProcessRaisedException) -> Exception:
    """What happened, from the exception and from what the ranks last said."""
    statuses = {status.rank: status for status in read_statuses(folder)}
    told = sorted((s for s in statuses.values() if s.by_user), key=lambda s: s.time)
    if isinstance(error, ProcessExitedException) and error.error_index in statuses:
        return UserError(describe_lost([statuses[error.error_index]]) or str(error))
    return UserError(told[0].error) if told else error
