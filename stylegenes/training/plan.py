"""What a run will take, before it is begun: parameters, memory, time, measured by a few real steps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import nn

from stylegenes.training.batch import BatchPlan, plan_batch
from stylegenes.training.config import RunConfig
from stylegenes.training.feed import Data
from stylegenes.training.loop import Loop
from stylegenes.training.machine import Machine, make_fabric
from stylegenes.training.phases import PhaseLog
from stylegenes.training.report import duration, memory_in_use
from stylegenes.training.resolve import complete_config
from stylegenes.training.run import open_run
from stylegenes.training.sync import Ranks


@dataclass(frozen=True)
class RunPlan:
    """What a run will take.

    Attributes:
        batch: how the batch is divided.
        parameters_G: trained parameters of the generator.
        parameters_D: trained parameters of the discriminator.
        memory: bytes in use after the measured steps (peak on a GPU).
        seconds_per_kimg: measured on this machine, over all its lazy penalties.
        hours: for the whole run at that speed.
    """

    batch: BatchPlan
    parameters_G: int
    parameters_D: int
    memory: int
    seconds_per_kimg: float
    hours: float

    def lines(self) -> list[str]:
        """The plan for people."""
        return [
            f"parameters   G {self.parameters_G:,}, D {self.parameters_D:,}",
            f"batch        {self.batch}, minibatch groups of {self.batch.group}",
            f"memory       {self.memory / 2**30:.2f} GiB",
            f"speed        {self.seconds_per_kimg:.1f} s/kimg ({1000 / self.seconds_per_kimg:.1f} images/s)",
            f"duration     {duration(self.hours * 3600)}{'' if self.hours >= 48 else ' (h:mm:ss)'}",
        ]


def measure(config: RunConfig, data: Data, machine: Machine, *, seconds: float = 10.0) -> RunPlan:
    """Take real steps for some `seconds` in a folder that is thrown away, on one device, and extrapolate.

    The lazy phases are timed on their own and weighted by how often they happen.

    Args:
        config: of the run.
        data: the real pictures.
        machine: the devices of the whole run.
        seconds: about as long is measured.

    Raises:
        UserError: for a configuration that cannot run.
    """
    plan = plan_batch(config.batch, ranks=machine.ranks, discriminator=config.model.discriminator)
    alone = Machine(machine.accelerator, precision=machine.precision)
    with TemporaryDirectory() as folder:
        run = open_run(
            complete_config(config, data, warn=False),
            Path(folder),
            data,
            Ranks(make_fabric(alone)),
            wish=threading.Event(),
            announce=PhaseLog(Path(folder), 0),
        )
        loop = Loop(run)
        try:
            per_step = _seconds_per_step(loop, seconds)
        finally:
            loop.feed.close()
        # One device takes the whole batch here; the run deals it out over its ranks.
        per_kimg = per_step / run.plan.total * 1000 / machine.ranks
        return RunPlan(
            batch=plan,
            parameters_G=_count(run.players.G),
            parameters_D=_count(run.players.D),
            memory=memory_in_use(run.ranks.device),
            seconds_per_kimg=per_kimg,
            hours=per_kimg * config.kimg / 3600,
        )


def _seconds_per_step(loop: Loop, seconds: float) -> float:
    """Mean duration of a step: every phase timed alone, weighted by how often it happens."""
    real = loop.feed.batch(0)
    phases = loop.players.phases
    total = 0.0
    for phase in phases:

        def once(phase=phase) -> None:  # noqa: ANN001
            loop.stepper.phase(phase, real, key=(0, 0, phase.name), stop=False)

        total += _time(once, loop.run.ranks.device, seconds / len(phases)) / phase.interval
    return total


def _time(once: Callable[[], None], device: torch.device, seconds: float) -> float:
    """Mean duration of `once` over some `seconds`, after one call that is not counted."""
    once()
    _wait(device)
    began, calls = time.monotonic(), 0
    while calls == 0 or time.monotonic() - began < seconds:
        once()
        calls += 1
        _wait(device)
    return (time.monotonic() - began) / calls


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
