"""torchrun starts a broken run again, without a person, and the result is that of a run which nothing disturbed."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from launched import ENVIRONMENT, Program, alone, assert_near, assert_same, start, torchrun, wait_for_step

from stylegenes.training.state import STATE_FILE, read_state

pytestmark = pytest.mark.timeout(600)
SETTINGS = ("batch.total=16", "batch.micro=4", "intervals.state_seconds=0")


def launch(run: Path, *words: str, restarts: int = 3, **environment: str) -> Program:
    options = ("--standalone", "--max-restarts", str(restarts))
    command = torchrun(run, *SETTINGS, *words, each=2, options=options)
    return start(run.with_suffix(f".{time.monotonic_ns()}.txt"), *command, **ENVIRONMENT, **environment)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Forty steps that nothing disturbs."""
    run = tmp_path_factory.mktemp("whole") / "run"
    program = launch(run, "kimg=0.64", restarts=0)
    assert program.wait() == 0, program.said
    return read_state(run / STATE_FILE)


def test_a_rank_killed_inside_a_write_of_the_state(tmp_path):
    program = launch(tmp_path / "run", "kimg=0.32", FAULT="write:14")
    undisturbed = alone(tmp_path / "one", "batch.total=16", "batch.micro=4", "kimg=0.32")
    assert program.wait(300) == 0, program.said
    assert "exitcode: -9" in program.said, "nothing was killed"
    assert_near(undisturbed, read_state(tmp_path / "run" / STATE_FILE))


@pytest.mark.slow
def test_a_rank_that_is_killed_twice(whole, tmp_path):
    """Once each of the two, in the middle of a step or wherever it happens to be."""
    run = tmp_path / "run"
    program = launch(run, "kimg=0.64")
    killed = set()
    for rank, step in ((1, 4), (0, 12)):
        found = {status.rank: status for status in wait_for_step(run, step, program) if status.pid not in killed}
        os.kill(found[rank].pid, signal.SIGKILL)
        killed |= {status.pid for status in found.values()}
    assert program.wait(300) == 0, program.said
    assert program.said.count("exitcode: -9") >= 2
    assert_same(whole, read_state(run / STATE_FILE))


@pytest.mark.slow
def test_torchrun_told_to_end_saves_first_and_the_same_command_goes_on(whole, tmp_path):
    run = tmp_path / "run"
    program = launch(run, "kimg=0.64", "intervals.state_seconds=1000")
    wait_for_step(run, 3, program)
    program.process.terminate()
    assert program.wait() != 0
    assert 3 <= read_state(run / STATE_FILE).counters.step < 40
    assert not (run / ".holder.json").exists()
    again = launch(run, "kimg=0.64")
    assert again.wait() == 0, again.said
    assert_same(whole, read_state(run / STATE_FILE))


@pytest.mark.slow
def test_one_process_told_to_end_ends_all_and_nothing_starts_again(tmp_path):
    run = tmp_path / "run"
    program = launch(run, "kimg=1000", "intervals.state_seconds=1000")
    os.kill(wait_for_step(run, 3, program)[1].pid, signal.SIGTERM)
    assert program.wait() == 0, program.said
    assert read_state(run / STATE_FILE).counters.step >= 3
    assert "exitcode" not in program.said


@pytest.mark.slow
def test_restarts_that_are_used_up_say_who_died(tmp_path):
    run = tmp_path / "run"
    program = launch(run, "kimg=1000", restarts=0)
    os.kill(wait_for_step(run, 3, program)[1].pid, signal.SIGKILL)
    assert program.wait() == 1
    assert re.search(r"error: rank 1 on \S+ died at step \d+ in the phase .*run the same command", program.said)
