"""Work dealt out to several processes by the engine that training uses: on this machine, or as torchrun and SLURM do.

The processes agree through a small process group and leave what they make in a folder that all of them see. Each makes
what no other makes, so that numbers do not depend on how many there were.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import torch
import torch.distributed
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from stylegenes.devices import pick_device
from stylegenes.errors import UserError
from stylegenes.processes import follow_parent, handled, interrupt
from stylegenes.shares import PartDoneError, Share
from stylegenes.training.company import company, leave_group
from stylegenes.training.machine import Machine, as_launched, launcher

Work = Callable[[Share, str], None]
"""Told its share and the device it has; picklable."""

_LONGEST_WAIT = timedelta(days=7)
"""Processes wait for each other as long as all live; a dead one closes its connection, which ends the wait."""
_GRACE_SECONDS, _SILENCE_SECONDS = 60.0, 60.0
"""How long processes have to save, and how long a host may give no sign of life."""


def share_out(work: Work, *, device: str = "auto", devices: int = 1) -> None:
    """Do work in `devices` processes with a device each, or in those that torchrun or SLURM have started.

    SIGTERM and SIGUSR1 end it as Ctrl-C does, in every process.

    Args:
        work: what each process does.
        device: what `--device` said; with several processes a kind, since each has a device of its own.
        devices: processes that are started here.

    Raises:
        UserError: what a process raised; for devices that are not there; when a process died.
        KeyboardInterrupt: when somebody wished to stop.
    """
    kind, number = pick_device(device).type, pick_device(device).index
    machine = as_launched(Machine(kind, devices))  # type: ignore[arg-type]
    machine.check()
    with handled(interrupt):
        if machine.ranks == 1:
            work(Share(), device)
            return
        if number is not None and ":" in device:
            raise UserError(f"--device {device} is one device; {machine.ranks} processes take --device {kind}")
        _share_among(work, machine)


def _share_among(work: Work, machine: Machine) -> None:
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    environment = launcher()
    spawned = environment is None
    told = multiprocessing.get_context("spawn").SimpleQueue() if spawned else None
    strategy = DDPStrategy(
        process_group_backend="gloo", timeout=_LONGEST_WAIT, start_method="spawn" if spawned else "popen"
    )
    fabric = Fabric(
        accelerator=machine.device_type,
        devices=machine.devices,
        num_nodes=machine.nodes,
        strategy=strategy,
        plugins=environment,
    )
    worker = _Worker(work, os.getpid() if spawned else None, told)
    try:
        # They agree by way of the CPU, whatever they compute on.
        by_cpu = replace(machine, accelerator="cpu", timeout=_LONGEST_WAIT.total_seconds())
        with nullcontext() if environment is None else company(environment, by_cpu, silence=_SILENCE_SECONDS):
            fabric.launch(worker)
    except ProcessExitedException as error:
        raise UserError(
            f"process {error.error_index} of {machine.ranks} died ({error.exit_code}): killed from outside or out of "
            "memory; the same command goes on from what is there"
        ) from error
    except ProcessRaisedException as error:
        if told is None or told.empty():
            raise
        raise UserError(told.get()) from error
    except KeyboardInterrupt:
        _end_helpers()
        raise


@dataclass(frozen=True)
class _Worker:
    """What every process does; picklable.

    Attributes:
        work: its work.
        parent: process that has started it, or None where that was torchrun or SLURM.
        told: where a process that was started here leaves what a user has to know, or None.
    """

    work: Work
    parent: int | None
    told: Any

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Arrive in a new process: its engine has nothing to say that a user needs."""
        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
        self.__dict__.update(state)

    def __call__(self, fabric: Fabric) -> None:
        """Do this process's share.

        Raises:
            UserError: what the work raises; when another process has died.
            KeyboardInterrupt: when somebody wished to stop.
        """
        if self.parent is not None:
            follow_parent()
        with handled(interrupt):
            self._try(fabric)
        if self.parent is not None:
            leave_group()

    def _try(self, fabric: Fabric) -> None:
        share = Share(fabric.global_rank, fabric.world_size, fabric.broadcast, _barrier)
        try:
            self.work(share, str(fabric.device))
        except PartDoneError:
            return
        except (UserError, OSError) as error:
            self._tell(str(error))
            raise
        except RuntimeError as error:
            if not _is_lost(error):
                raise
            time.sleep(0.5)  # whoever knows the reason tells it first
            lost = UserError(
                f"process {share.rank} of {share.count} on {socket.gethostname()} lost another one: it died, or its "
                "host cannot be reached; the same command goes on from what is there"
            )
            self._tell(str(lost))
            raise lost from error

    def _tell(self, message: str) -> None:
        if self.told is not None:
            self.told.put(message)


def _barrier() -> None:
    torch.distributed.barrier()


def _is_lost(error: RuntimeError) -> bool:
    """Whether an error is the process group's: a connection that has broken."""
    return isinstance(error, torch.distributed.DistError) or any(
        word in str(error).lower() for word in ("gloo", "connection", "peer", "socket")
    )


def _end_helpers() -> None:
    """Pass on the wish to stop, and wait until the processes have saved."""
    helpers = multiprocessing.active_children()
    for helper in helpers:
        if helper.pid is not None and helper.is_alive():
            os.kill(helper.pid, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    for helper in helpers:
        helper.join(max(deadline - time.monotonic(), 0.1))
