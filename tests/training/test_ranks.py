"""Several processes: the same parameters as one, and an error instead of a hang when one dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import tiny_run
from tiny_run import TinyData, tiny_config

from stylegenes.errors import UserError
from stylegenes.training import Machine, train
from stylegenes.training.phases import read_statuses
from stylegenes.training.state import STATE_FILE, read_state

ALIAS_FREE = (
    *("model.synthesis.name=stylegan3", "model.synthesis.num_layers=4", "model.synthesis.margin=2"),
    *("model.synthesis.channel_base=64", "data.resolution=16"),
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("overrides", "resolution"),
    [pytest.param((), 8, id="stylegan2"), pytest.param(ALIAS_FREE, 16, id="stylegan3", marks=pytest.mark.slow)],
)
def test_two_processes_train_as_one(overrides, resolution, tmp_path):
    """Two ranks of 4 images and one rank of 2 x 4 cut the batch the same way and draw the same noise.

    StyleGAN3 keeps running magnitudes as well, which are of the whole batch either way.
    """
    one, two = tmp_path / "one", tmp_path / "two"
    data = TinyData(resolution=resolution)
    train(tiny_config(*overrides, "batch.micro=4"), one, data=data, machine=Machine("cpu"), quiet=True)
    train(tiny_config(*overrides), two, data=data, machine=Machine("cpu", 2, timeout=120), quiet=True)
    a, b = read_state(one / STATE_FILE), read_state(two / STATE_FILE)
    assert b.counters.step == 10
    assert (a.counters.augment_p, a.counters.sign_sum) == (b.counters.augment_p, b.counters.sign_sum)
    for name, tensor in a.tensors.items():
        if not name.startswith("adam"):
            scale = tensor.double().square().mean().sqrt().item() + 1e-3
            assert (tensor.double() - b.tensors[name].double()).abs().max().item() < 1e-4 * scale, name


@pytest.mark.timeout(300)
def test_a_rank_that_dies_is_named(tmp_path):
    """SIGKILL to rank 1 in the middle of training ends the run at once, with its number and its phase."""
    started = time.monotonic()

    def kill() -> None:
        while time.monotonic() - started < 200:
            found = [s for s in read_statuses(tmp_path) if s.rank == 1 and s.step >= 3]
            if found:
                os.kill(found[0].pid, signal.SIGKILL)
                killed.append(time.monotonic())
                return
            time.sleep(0.01)

    killed: list[float] = []
    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(UserError, match=r"rank 1 .* died at step \d+ in the phase '(D|G) .*run the same command"):
        train(tiny_config("kimg=1000"), tmp_path, data=TinyData(), machine=Machine("cpu", 2), quiet=True)
    ended = time.monotonic()
    thread.join()
    assert ended - killed[0] < 60
    read_state(tmp_path / STATE_FILE)


@pytest.mark.timeout(300)
def test_sigterm_to_the_parent_saves_first(tmp_path):
    command = [sys.executable, tiny_run.__file__, str(tmp_path), "kimg=1000", "intervals.state_seconds=1"]
    process = subprocess.Popen(command, env={**os.environ, "DEVICES": "2"}, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 200
    while not any(s.step >= 2 for s in read_statuses(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.terminate()
    error = process.communicate(timeout=100)[1]
    assert process.returncode == 0, error
    assert read_state(Path(tmp_path) / STATE_FILE).counters.step >= 2


@pytest.mark.parametrize(
    ("overrides", "ranks", "near"),
    [
        (["batch.total=10"], 1, "8 and 12"),
        (["batch.total=12"], 2, "8 and 16"),
        (["batch.total=2"], 1, "nearest totals that do: 4"),
        (["batch.total=16", "batch.micro=6"], 1, "4, 8"),
        (["batch.total=32", "batch.micro=12"], 2, "8, 16"),
    ],
)
def test_batches_that_do_not_divide(tmp_path, overrides, ranks, near):
    with pytest.raises(UserError, match=near):
        train(tiny_config(*overrides), tmp_path / "run", data=TinyData(), machine=Machine("cpu", ranks))
    assert not (tmp_path / "run").exists()
