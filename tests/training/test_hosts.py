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
from lan import Host, two_hosts
from launched import ENVIRONMENT, Program, alone, assert_near, torchrun, wait_for_step

from stylegenes.training.state import STATE_FILE, read_state

pytestmark = [
    pytest.mark.skipif(bool(lan.why_not()), reason=lan.why_not() or "two hosts can be had"),
    pytest.mark.timeout(600),
]
BATCH = ("batch.total=16", "batch.micro=4")
FAST = ("intervals.silence_seconds=4", "intervals.state_seconds=0")


@pytest.fixture
def hosts(tmp_path) -> Iterator[tuple[Host, Host]]:
    with two_hosts(tmp_path / "lan") as both:
        yield both


def launch(host: Host, *words: str | Path, each: int = 1, hosts: str = "2", options: tuple[str, ...] = ()) -> Program:
    """torchrun on one of the hosts, as the documentation has it."""
    where = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "alder:29500", "--rdzv-id", "stylegenes", *options]
    return host.start(*torchrun(*words, each=each, options=("--nnodes", hosts, *where)), **ENVIRONMENT)


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
def test_torchrun_goes_on_with_the_host_that_is_left(hosts, tmp_path):
    """--nnodes 1:2 needs one and takes two: when one is unplugged, the other goes on alone, without a person."""
    kimg, run = "kimg=0.64", tmp_path / "run"
    options = ("--max-restarts", "2", "--rdzv-conf", "last_call_timeout=5")
    programs = [launch(host, run, *BATCH, *FAST, kimg, hosts="1:2", options=options) for host in hosts]
    wait_for_step(run, 3, *programs)
    hosts[1].cut()
    assert programs[0].wait(300) == 0, programs[0].said
    assert re.search(r"error: rank \d on (alder|birch) fell silent", programs[0].said)
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
