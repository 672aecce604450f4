"""Two hosts: they train as one process does, and one that vanishes ends the run on the other, by name."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import lan
import pytest
import tiny_run
from lan import Host, Program, two_hosts
from tiny_run import TinyData, tiny_config

from stylegenes.training import Machine, train
from stylegenes.training.phases import read_statuses
from stylegenes.training.state import STATE_FILE, StoredState, read_state

pytestmark = [
    pytest.mark.skipif(bool(lan.why_not()), reason=lan.why_not() or "two hosts can be had"),
    pytest.mark.timeout(600),
]
ROOT = Path(__file__).parents[2]
BATCH = ("batch.total=16", "batch.micro=4")
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
FAST = ("intervals.silence_seconds=4", "intervals.state_seconds=0")


@pytest.fixture
def hosts(tmp_path) -> Iterator[tuple[Host, Host]]:
    with two_hosts(tmp_path / "lan") as both:
        yield both


def launch(host: Host, *words: str | Path, each: int = 1, hosts: int = 2, options: tuple[str, ...] = ()) -> Program:
    """torchrun on one of the hosts, as the documentation has it."""
    torchrun = ["-m", "torch.distributed.run", "--nnodes", hosts, "--nproc-per-node", each, "--rdzv-backend", "c10d"]
    where = ["--rdzv-endpoint", "alder:29500", "--rdzv-id", "stylegenes", *options]
    command = [sys.executable, *torchrun, *where, tiny_run.__file__, *words]
    return host.start(*map(str, command), **ENVIRONMENT)


def by_hand(host: Host, rank: int, *words: str | Path, count: int = 2, **environment: str) -> Program:
    """One process of a run over two hosts, without a launcher around it."""
    told = {"RANK": rank, "WORLD_SIZE": count, "GROUP_RANK": rank, "GROUP_WORLD_SIZE": count}
    told |= {"LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 1, "TORCHELASTIC_RUN_ID": "test"}
    told |= {"MASTER_ADDR": "alder", "MASTER_PORT": 29511}
    environment = {name: str(value) for name, value in told.items()} | environment
    words = (sys.executable, tiny_run.__file__, *words)
    return host.start(*words, **ENVIRONMENT, **environment)


def together(hosts: tuple[Host, Host], *words: str | Path) -> tuple[Program, Program]:
    first, second = (by_hand(host, rank, *words) for rank, host in enumerate(hosts))
    return first, second


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


def wait_for_step(folder: Path, step: int, *programs: Program) -> None:
    """Until every rank has come to a step."""
    until = time.monotonic() + 200
    while not all(status.step >= step for status in read_statuses(folder)) or not read_statuses(folder):
        assert time.monotonic() < until, [program.said for program in programs]
        assert all(program.process.poll() is None for program in programs), [program.said for program in programs]
        time.sleep(0.05)


def test_two_hosts_train_as_one_process(hosts, tmp_path):
    programs = together(hosts, tmp_path / "two", *BATCH)
    whole = alone(tmp_path / "one", *BATCH)
    assert [program.wait() for program in programs] == [0, 0], [program.said for program in programs]
    assert_near(whole, read_state(tmp_path / "two" / STATE_FILE))


@pytest.mark.slow
@pytest.mark.parametrize("each", [1, 2])
def test_torchrun_over_two_hosts_trains_as_one_process(hosts, tmp_path, each):
    """Two hosts of one or two processes, which find each other through the rendezvous of torchrun."""
    programs = [launch(host, tmp_path / "two", *BATCH, each=each) for host in hosts]
    whole = alone(tmp_path / "one", *BATCH)
    assert [program.wait() for program in programs] == [0, 0], [program.said for program in programs]
    assert_near(whole, read_state(tmp_path / "two" / STATE_FILE))


@pytest.mark.slow
def test_hosts_may_have_different_numbers_of_processes(hosts, tmp_path):
    batch = ("batch.total=12", "batch.micro=4")
    programs = [launch(host, tmp_path / "two", *batch, each=each) for host, each in zip(hosts, (1, 2), strict=True)]
    whole = alone(tmp_path / "one", *batch)
    assert [program.wait() for program in programs] == [0, 0], [program.said for program in programs]
    assert_near(whole, read_state(tmp_path / "two" / STATE_FILE))


@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "unplugged"])
@pytest.mark.parametrize("which", [0, 1], ids=["the first", "the second"])
def test_a_host_that_vanishes_ends_the_run_and_is_named(hosts, tmp_path, which, how):
    """Its processes are killed, or its cable is pulled: nothing arrives any more, and nobody is told."""
    programs = together(hosts, tmp_path / "run", *BATCH, *FAST, "kimg=1000")
    wait_for_step(tmp_path / "run", 3, *programs)
    gone = time.monotonic()
    hosts[which].kill() if how == "killed" else hosts[which].cut()
    left = programs[1 - which]
    assert left.wait(60) == 1
    assert time.monotonic() - gone < 4 + 10 + 20, "silence, grace, and what a busy machine takes to end a process"
    verb = "died" if how == "killed" else "fell silent"
    name = hosts[which].name
    assert re.search(rf"error: rank {which} on {name} {verb} at step \d+ in the phase .*run the same", left.said)
    assert "Traceback" not in left.said
    read_state(tmp_path / "run" / STATE_FILE)


@pytest.mark.slow
def test_a_broken_run_goes_on_with_another_number_of_hosts(hosts, tmp_path):
    """Two hosts until one is unplugged, then one with one process: the run that was never broken."""
    kimg, run = "kimg=0.32", tmp_path / "run"
    programs = together(hosts, run, *BATCH, *FAST, kimg)
    wait_for_step(run, 3, *programs)
    hosts[1].cut()
    assert programs[0].wait(60) == 1
    broken = read_state(run / STATE_FILE).counters.step
    assert 2 <= broken < 20
    assert hosts[0].start(sys.executable, tiny_run.__file__, run, *BATCH, *FAST, kimg, **ENVIRONMENT).wait() == 0
    assert_near(alone(tmp_path / "one", *BATCH, kimg), read_state(run / STATE_FILE))


@pytest.mark.slow
def test_a_host_that_does_not_see_the_folder_is_named(hosts, tmp_path):
    run = tmp_path / "shared" / "run"
    run.parent.mkdir()
    hosts[1].hide(run.parent)
    programs = together(hosts, run, *BATCH)
    assert [program.wait() for program in programs] == [1, 1]
    assert all(f"birch does not see the run folder {run} of alder" in program.said for program in programs)
    assert not run.exists()


@pytest.mark.slow
def test_hosts_with_other_command_lines_are_refused(hosts, tmp_path):
    programs = [by_hand(host, rank, tmp_path / "run", *BATCH, f"seed={rank}") for rank, host in enumerate(hosts)]
    assert [program.wait() for program in programs] == [1, 1]
    told = "rank 1 on birch would train otherwise than rank 0 on alder: seed is 1 there and 0 here. Start all hosts"
    assert all(told in program.said and "Traceback" not in program.said for program in programs)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_slurm_is_understood(hosts, tmp_path):
    """srun's variables are all that is needed: where, how many, and which one this is."""
    programs = []
    for rank, host in enumerate(hosts):
        told = {"SLURM_NTASKS": 2, "SLURM_NTASKS_PER_NODE": 1, "SLURM_NNODES": 2, "SLURM_NODELIST": "alder,birch"}
        told |= {"SLURM_PROCID": rank, "SLURM_LOCALID": 0, "SLURM_NODEID": rank, "SLURM_JOB_ID": 4242}
        environment = {name: str(value) for name, value in told.items()} | ENVIRONMENT
        programs.append(host.start(sys.executable, tiny_run.__file__, tmp_path / "two", *BATCH, **environment))
    whole = alone(tmp_path / "one", *BATCH)
    assert [program.wait() for program in programs] == [0, 0], [program.said for program in programs]
    assert_near(whole, read_state(tmp_path / "two" / STATE_FILE))
