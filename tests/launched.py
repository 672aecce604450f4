"""Programs that tests start beside themselves, and runs that are the same."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import tiny_run
import torch
from tiny_run import TinyData, tiny_config

from stylegenes.training import Machine, train
from stylegenes.training.phases import RankStatus, read_statuses
from stylegenes.training.state import STATE_FILE, StoredState, read_state

ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}


@dataclass
class Program:
    """A program that runs on a host.

    Attributes:
        process: of the program.
        file: what it says.
    """

    process: subprocess.Popen[bytes]
    file: Path

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.file.read_text(errors="replace")

    def wait(self, seconds: float = 250) -> int:
        """Its exit status."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"still running after {seconds:g} s; it said:\n{self.said}") from error


def start(said: Path, *words: str | Path, **environment: str) -> Program:
    """Start a program that says what it says into a file."""
    with said.open("wb") as file:
        environment = {**os.environ, **environment}
        process = subprocess.Popen([*map(str, words)], env=environment, stdout=file, stderr=subprocess.STDOUT)
    return Program(process, said)


def torchrun(*words: str | Path, each: int, options: tuple[str, ...] = ()) -> list[str]:
    """The command line that trains the tiny run in so many processes on this host."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(each), *options]
    return [*launcher, tiny_run.__file__, *map(str, words)]


def alone(folder: Path, *overrides: str) -> StoredState:
    """The state of one process after the same steps."""
    train(tiny_config(*overrides), folder, data=TinyData(), machine=Machine("cpu"), quiet=True)  # type: ignore[arg-type]
    return read_state(folder / STATE_FILE)


def assert_near(a: StoredState, b: StoredState) -> None:
    """The same run up to the rounding of sums that were added in another order."""
    assert (a.counters.step, a.counters.augment_p) == (b.counters.step, b.counters.augment_p)
    for name, tensor in a.tensors.items():
        if not name.startswith("adam"):
            scale = tensor.double().square().mean().sqrt().item() + 1e-3
            assert (tensor.double() - b.tensors[name].double()).abs().max().item() < 1e-4 * scale, name


def assert_same(a: StoredState, b: StoredState) -> None:
    """Bit for bit the same run."""
    assert a.counters.step == b.counters.step
    assert not [name for name in a.tensors if not torch.equal(a.tensors[name], b.tensors[name])]


def wait_for_step(folder: Path, step: int, *programs: Program) -> list[RankStatus]:
    """What the ranks say once every one of them has come to a step."""
    until = time.monotonic() + 200
    while not (found := read_statuses(folder)) or not all(status.step >= step for status in found):
        assert time.monotonic() < until, [program.said for program in programs]
        assert all(program.process.poll() is None for program in programs), [program.said for program in programs]
        time.sleep(0.05)
    return found
