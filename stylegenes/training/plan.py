"""What a run will take, before it is begun: parameters, memory, speed, time, cost: measured, given or predicted."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import nn

from stylegenes.errors import UserError
from stylegenes.training.batch import BatchPlan, plan_batch
from stylegenes.training.config import RunConfig
from stylegenes.training.feed import Data
from stylegenes.training.loop import Loop
from stylegenes.training.machine import Machine, make_fabric
from stylegenes.training.phases import PhaseLog
from stylegenes.training.players import Phase
from stylegenes.training.report import duration, memory_in_use
from stylegenes.training.resolve import complete_config
from stylegenes.training.run import open_run
from stylegenes.training.scaling import (
    BETWEEN_NODES,
    BYTES,
    WITHIN_NODE,
    Link,
    PhaseCost,
    Scaling,
    from_rate,
    predict,
)
from stylegenes.training.sync import Ranks


@dataclass(frozen=True)
class Assumptions:
    """What a plan takes for granted.

    Attributes:
        images_per_second: of one device with its share of the batch; None measures it here.
        link: between the processes; None takes an assumed one, see `scaling`.
        price: of one device and hour; 0 where costs do not matter.
        seconds: about as long is measured.
    """

    images_per_second: float | None = None
    link: Link | None = None
    price: float = 0.0
    seconds: float = 10.0

    def __post_init__(self) -> None:
        if not 0 <= self.price < math.inf:
            raise UserError(f"--price is {self.price}; the price of a device and hour is a number from 0 on")


@dataclass(frozen=True)
class RunPlan:
    """What a run will take.

    Attributes:
        batch: how the batch is divided.
        parameters_G: trained parameters of the generator.
        parameters_D: trained parameters of the discriminator.
        memory: bytes in use on this device after the measured steps (peak on a GPU), or what networks, gradients and
            optimizers take where nothing was measured.
        scaling: speed of all processes.
        kimg: length of the run.
        link: between the processes.
        assumed: what was taken for granted.
        device: what was measured on, or "" where nothing was.
    """

    batch: BatchPlan
    parameters_G: int
    parameters_D: int
    memory: int
    scaling: Scaling
    kimg: float
    link: Link
    assumed: Assumptions
    device: str

    @property
    def hours(self) -> float:
        """For the whole run."""
        return self.scaling.hours(self.kimg)

    def lines(self) -> list[str]:
        """The plan for people; says of each number what it rests on."""
        speed = self.scaling
        alone = speed.batch / speed.ranks / speed.compute
        source = f"measured on this {self.device}" if self.device else "given"
        what = "in use" if self.device else "networks, gradients and optimizers alone"
        lines = [
            f"parameters   G {self.parameters_G:,}, D {self.parameters_D:,}",
            f"batch        {self.batch}, minibatch groups of {self.batch.group}",
            f"memory       {self.memory / 2**30:.2f} GiB a device ({what})",
            f"one device   {alone:.1f} images/s with {speed.batch // speed.ranks} images a step, {source}",
        ]
        if speed.ranks > 1:
            told = "given" if self.assumed.link is not None else "assumed"
            lines += [
                f"link         {self.link.gbit:g} Gbit/s, {self.link.microseconds:g} us a hop, {told}",
                f"exchange     {1e3 * speed.exchange:.1f} ms of {1e3 * (speed.compute + speed.exchange):.1f} ms a step",
                f"efficiency   {speed.efficiency:.1%} on {speed.ranks} devices, predicted",
            ]
        rate = speed.images_per_second
        lines += [
            f"speed        {1000 / rate:.{_digits(1000 / rate)}f} s/kimg ({rate:.1f} images/s)",
            f"duration     {duration(self.hours * 3600)}{'' if self.hours >= 48 else ' (h:mm:ss)'}",
        ]
        if self.assumed.price:
            cost = speed.cost(self.kimg, self.assumed.price)
            lines.append(f"cost         {cost:,.2f} for {self.hours * speed.ranks:,.1f} device-hours")
        return lines


def measure(config: RunConfig, data: Data, machine: Machine, assumed: Assumptions | None = None) -> RunPlan:
    """Predict a run from real steps of one device, in a folder that is thrown away, or from a speed that is given.

    The device takes the share of the batch that each will have. The lazy phases are timed on their own and weighted by
    how often they happen.

    Args:
        config: of the run.
        data: the real pictures.
        machine: the devices of the whole run.
        assumed: what is known or taken for granted.

    Raises:
        UserError: for a configuration that cannot run.
    """
    assumed = assumed or Assumptions()
    if machine.devices < 1 or machine.nodes < 1:
        raise UserError(f"devices and nodes must be at least 1; got {machine.devices} and {machine.nodes}")
    plan = plan_batch(config.batch, ranks=machine.ranks, discriminator=config.model.discriminator)
    share = plan.total // plan.ranks
    alone = Machine(machine.accelerator, precision=machine.precision)
    one = replace(config, batch=replace(config.batch, total=share))
    with TemporaryDirectory() as folder:
        run = open_run(
            complete_config(one, data, warn=False),
            Path(folder),
            data,
            Ranks(make_fabric(alone)),
            wish=threading.Event(),
            announce=PhaseLog(Path(folder), 0),
        )
        loop, device = Loop(run), run.ranks.device
        try:
            phases = costs(loop, assumed)
        finally:
            loop.feed.close()
        G, D = _count(run.players.G), _count(run.players.D)
        measured = assumed.images_per_second is None
        link = assumed.link or (WITHIN_NODE if machine.nodes == 1 else BETWEEN_NODES)
        return RunPlan(
            batch=plan,
            parameters_G=G,
            parameters_D=D,
            memory=memory_in_use(device) if measured else BYTES * (5 * G + 4 * D),
            scaling=predict(phases, batch=plan.total, ranks=plan.ranks, link=link),
            kimg=config.kimg,
            link=link,
            assumed=assumed,
            device=device.type if measured else "",
        )


def costs(loop: Loop, assumed: Assumptions) -> list[PhaseCost]:
    """The phases of a step of this process, each timed alone, or divided from the speed that is known.

    Args:
        loop: of one process with its share of the batch.
        assumed: the speed, or how long to measure.
    """
    players = loop.players
    numbers = {player: sum(p.numel() for p in players.parameters(player)) for player in ("G", "D")}
    phases = [PhaseCost(phase.name, numbers[phase.player], phase.interval, 0.0) for phase in players.phases]
    if assumed.images_per_second is not None:
        return from_rate(phases, assumed.images_per_second, loop.run.plan.total)
    real, seconds = loop.feed.batch(0), assumed.seconds / len(phases)
    timed = []
    for cost, phase in zip(phases, players.phases, strict=True):

        def once(phase: Phase = phase) -> None:
            loop.stepper.phase(phase, real, key=(0, 0, phase.name), stop=False)

        timed.append(replace(cost, seconds=_time(once, loop.run.ranks.device, seconds)))
    return timed


def _digits(value: float) -> int:
    return 1 if value >= 1 else 4


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
