"""A run that is still packing its pictures: killed it locks nothing, asked to stop it stops at once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from stylegenes.errors import UserError
from stylegenes.training.folder import HOLDER, run_lock

PROGRAM = """
import sys
from stylegenes.data import opening, parallel
from tiny_run import Machine, tiny_config, train
config = tiny_config("data.source=avatars:n=1000000", "data.resolution=8")
parallel.default_workers = opening.default_workers = lambda: 3
train(config, sys.argv[1], machine=Machine("cpu"), quiet=True)
"""


@pytest.fixture
def packing(tmp_path):
    """A process in the middle of packing, its helpers, and its run folder."""
    here = str(Path(__file__).parents[1])
    environment = {
        **os.environ,
        "STYLEGENES_CACHE": str(tmp_path / "cache"),
        "PYTHONPATH": os.pathsep.join([here, *sys.path]),
    }
    run = tmp_path / "runs" / "a"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(run)], env=environment, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not any(path.stat().st_size > 10_000 for path in tmp_path.glob("cache/datasets/.*.part/images.npy")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    helpers = psutil.Process(process.pid).children()
    assert len(helpers) == 3
    yield process, helpers, run
    process.kill()
    process.communicate()


def test_a_killed_run_takes_its_helpers_along_and_locks_nothing(packing, tmp_path):
    process, helpers, run = packing
    with pytest.raises(UserError, match=rf"being trained by process {process.pid} on .+ since 20"), run_lock(run):
        pass
    process.kill()
    process.wait()
    with run_lock(run):
        assert str(os.getpid()) in (run / HOLDER).read_text()
    FileLock(next(tmp_path.glob("cache/index/*.lock"))).acquire(timeout=0)
    assert not psutil.wait_procs(helpers, timeout=5)[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_stop_is_heard_while_packing(packing, tmp_path, number):
    process, helpers, run = packing
    process.send_signal(number)
    began = time.monotonic()
    errors = process.communicate(timeout=60)[1]
    assert time.monotonic() - began < 30 and "KeyboardInterrupt" in errors
    assert not psutil.wait_procs(helpers, timeout=5)[1]
    assert list(tmp_path.glob("cache/datasets/.*.part/progress.json")), "what was packed is kept"
    assert not run.parent.exists(), "and nothing else is left"


def test_a_helper_can_be_ended_alone(packing):
    process, helpers, _ = packing
    helpers[0].terminate()
    assert "a process that prepares images was killed" in process.communicate(timeout=60)[1]
