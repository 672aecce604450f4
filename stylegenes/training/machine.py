"""Where a run happens: devices, nodes, precision, and the engine that joins them."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy

from stylegenes.devices import set_exact
from stylegenes.errors import UserError

Accelerator = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "32", "bf16"]


@dataclass(frozen=True)
class Machine:
    """Where a run happens.

    Attributes:
        accelerator: `auto` takes a CUDA device, else Apple's, else the CPU.
        devices: processes on each node, one device each.
        nodes: nodes; several are started by torchrun or SLURM.
        precision: of convolutions: `auto` is bf16 autocast on CUDA and float32 elsewhere.
        timeout: seconds that a process waits for the others before the run ends with an error.
        patience: seconds that the processes of a launcher may take to find each other at the start.
        processes: over all nodes, where a launcher says so; 0 where it is devices x nodes.
    """

    accelerator: Accelerator = "auto"
    devices: int = 1
    nodes: int = 1
    precision: Precision = "auto"
    timeout: float = 1800.0
    patience: float = 300.0
    processes: int = 0

    @property
    def ranks(self) -> int:
        """Processes over all nodes."""
        return self.processes or self.devices * self.nodes

    @property
    def backend(self) -> str:
        """What the processes exchange gradients by."""
        return "nccl" if self.device_type == "cuda" else "gloo"

    @property
    def device_type(self) -> str:
        """`cuda`, `mps` or `cpu`."""
        if self.accelerator != "auto":
            return self.accelerator
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"

    @property
    def autocast(self) -> bool:
        """Whether convolutions run in bf16."""
        return self.precision == "bf16" or (self.precision == "auto" and self.device_type == "cuda")

    def check(self) -> None:
        """Refuse what this machine does not have.

        Raises:
            UserError: for missing devices, or several nodes without a launcher.
        """
        if self.devices < 1 or self.nodes < 1:
            raise UserError(f"devices and nodes must be at least 1; got {self.devices} and {self.nodes}")
        available = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
        if self.devices > available.get(self.device_type, self.devices):
            raise UserError(
                f"{self.devices} {self.device_type} devices were asked for, {available[self.device_type]} are here; "
                "ask for fewer, or use the CPU"
            )
        if self.nodes > 1 and not launched_outside():
            raise UserError(
                f"{self.nodes} nodes need a launcher on each: torchrun --nnodes {self.nodes} --nproc-per-node "
                f"{self.devices} --rdzv-backend c10d --rdzv-endpoint HOST:29500 -m stylegenes train ..., or srun"
            )


def launched_outside() -> bool:
    """Whether torchrun or SLURM started this process as one of several."""
    return TorchElasticEnvironment.detect() or SLURMEnvironment.detect()


def launcher() -> ClusterEnvironment | None:
    """What torchrun or SLURM says about this process, or None where neither started it."""
    if TorchElasticEnvironment.detect():
        return _Torchrun()
    return SLURMEnvironment() if SLURMEnvironment.detect() else None


class _Torchrun(TorchElasticEnvironment):
    """torchrun, which may start another number of processes on each host."""

    def validate_settings(self, num_devices: int, num_nodes: int) -> None:
        """The numbers are torchrun's own."""


def restarted(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether torchrun started this process in the place of one that broke."""
    return TorchElasticEnvironment.detect() and environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"


def first_process(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this process speaks for all that torchrun or SLURM started."""
    return not launched_outside() or environ.get("RANK", environ.get("SLURM_PROCID", "0")) == "0"


def as_launched(machine: Machine, environ: Mapping[str, str] = os.environ) -> Machine:
    """The machine with the numbers of processes and nodes that torchrun or SLURM started.

    Raises:
        UserError: when they contradict numbers that were asked for.
    """
    if TorchElasticEnvironment.detect():
        devices, processes = int(environ["LOCAL_WORLD_SIZE"]), int(environ["WORLD_SIZE"])
        nodes = int(environ.get("GROUP_WORLD_SIZE", processes // devices))
    elif SLURMEnvironment.detect():
        if int(environ["SLURM_NTASKS"]) > 1 and "SLURM_NTASKS_PER_NODE" not in environ:
            raise UserError(
                f"SLURM started {environ['SLURM_NTASKS']} tasks by --ntasks; start them by --ntasks-per-node, which "
                "says how many share a node"
            )
        nodes, processes = int(environ.get("SLURM_NNODES", "1")), int(environ["SLURM_NTASKS"])
        devices = int(environ.get("SLURM_NTASKS_PER_NODE", processes // nodes))
    else:
        return machine
    asked = (machine.devices, machine.nodes)
    if asked not in ((1, 1), (devices, nodes)):
        raise UserError(
            f"the launcher started {devices} processes on {nodes} nodes, but {asked[0]} devices on {asked[1]} nodes "
            "were asked for; leave --devices and --nodes out, or make them agree"
        )
    return replace(machine, devices=devices, nodes=nodes, processes=processes)


def make_fabric(machine: Machine) -> Fabric:
    """The engine. Several processes are started by Python itself unless torchrun or SLURM already did."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    precision = "bf16-mixed" if machine.autocast else "32-true"
    if machine.device_type == "cuda":
        set_exact(False)
        torch.backends.cudnn.benchmark = True
    strategy, environment = "auto", launcher()
    if machine.ranks > 1:
        start = "spawn" if environment is None else "popen"
        timeout = timedelta(seconds=machine.timeout)
        strategy = DDPStrategy(process_group_backend=machine.backend, timeout=timeout, start_method=start)
    return Fabric(
        accelerator=machine.device_type,
        devices=machine.devices,
        num_nodes=machine.nodes,
        strategy=strategy,
        plugins=environment,
        precision=precision,
    )
