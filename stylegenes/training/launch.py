"""Starting a run: one process, several devices, several nodes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from stylegenes.data import open_dataset
from stylegenes.training.batch import plan_batch
from stylegenes.training.config import RunConfig
from stylegenes.training.feed import Data
from stylegenes.training.lock import run_lock
from stylegenes.training.loop import Evaluate, Loop, RunResult
from stylegenes.training.phases import PhaseLog
from stylegenes.training.resolve import complete_config, settle_config
from stylegenes.training.sync import Ranks


@dataclass(frozen=True)
class Machine:
    """Where a run happens.

    Attributes:
        accelerator: `auto`, `cpu`, `cuda` or `mps`.
        devices: processes on each node, one device each.
        nodes: nodes; more than one are started by torchrun or SLURM.
        timeout: seconds that a process waits for the others before the run ends with an error.
    """

    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    timeout: float = 1800.0

    @property
    def ranks(self) -> int:
        """Processes over all nodes."""
        return self.devices * self.nodes


def train(
    config: RunConfig,
    run_dir: str | Path,
    *,
    data: Data | None = None,
    machine: Machine = Machine(),
    evaluate: Evaluate | None = None,
    max_seconds: float | None = None,
    quiet: bool = False,
) -> RunResult:
    """Train, or continue what the folder holds: the same call again goes on where the last one stopped.

    Args:
        config: a full configuration, from a recipe.
        run_dir: the run folder; made if it is missing.
        data: what is learned; None opens `config.data.source`.
        machine: where the run happens.
        evaluate: judges the running average every `intervals.evaluate_kimg`; its first metric (lower is better) makes
            the best snapshot. With several devices it must be picklable.
        max_seconds: length of this sitting; the state is saved and the call returns when it is over.
        quiet: whether the terminal stays silent.

    Returns:
        How the sitting ended. Ctrl-C and SIGTERM end it like `max_seconds`.

    Raises:
        UserError: for what a user can put right: a batch that does not divide, a folder in use, a full disk, a loss
            that is not finite time and again, a process that died.
    """
    folder = Path(run_dir)
    plan_batch(config.batch, ranks=machine.ranks, discriminator=config.model.discriminator)
    job = Job(config, folder, data, evaluate, max_seconds, quiet)
    fabric = make_fabric(machine)
    if machine.ranks == 1:
        with run_lock(folder), stop_requests() as wants_stop:
            return fabric.launch(work, job, wants_stop)
    raise NotImplementedError


@dataclass(frozen=True)
class Job:
    """What every process of a run is given."""

    config: RunConfig
    folder: Path
    data: Data | None
    evaluate: Evaluate | None
    max_seconds: float | None
    quiet: bool


def work(fabric: Fabric, job: Job, wants_stop: Callable[[], bool]) -> RunResult:
    """One process of a run."""
    ranks = Ranks(fabric)
    phases = PhaseLog(job.folder, ranks.rank)
    phases("opening the data")
    source = job.config.data
    data = job.data or open_dataset(source.source, resolution=source.resolution)
    config = complete_config(job.config, data)
    if ranks.first:
        settle_config(config, job.folder)
    loop = Loop(
        config,
        job.folder,
        data,
        ranks,
        wants_stop=wants_stop,
        announce=phases,
        evaluate=job.evaluate,
        max_seconds=job.max_seconds,
        quiet=job.quiet,
    )
    result = loop.run()
    phases.close()
    return result


def make_fabric(machine: Machine) -> Fabric:
    """The engine."""
    return Fabric(accelerator=machine.accelerator, devices=1, precision="32-true")


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a wish to stop; a second Ctrl-C interrupts at once.

    Yields:
        Tells whether somebody wishes to stop.
    """
    wish = threading.Event()

    def ask(number: int, frame: Any) -> None:
        if wish.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        wish.set()

    if threading.current_thread() is not threading.main_thread():
        yield wish.is_set
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wish.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
