"""Nothing is lost: kills, stops, full disks; real processes and real signals."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny_run
import torch
from tiny_run import TinyData, tiny_config

from stylegenes.errors import UserError
from stylegenes.training import Machine, train
from stylegenes.training.state import STATE_FILE, read_state

EVERY_STEP = "intervals.state_seconds=0"
CPU = Machine("cpu")


def run(folder, *overrides, **kwargs):
    return train(tiny_config(*overrides), folder, data=TinyData(), machine=CPU, quiet=True, **kwargs)


def start(folder, *overrides, **environment) -> subprocess.Popen:
    command = [sys.executable, tiny_run.__file__, str(folder), *overrides]
    return subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True)


def state(folder):
    return read_state(Path(folder) / STATE_FILE)


def assert_same(a, b):
    """Two folders hold bit for bit the same run."""
    a, b = state(a), state(b)
    assert a.tensors.keys() == b.tensors.keys()
    different = [key for key in a.tensors if not torch.equal(a.tensors[key], b.tensors[key])]
    assert not different, different
    a.counters.seconds = b.counters.seconds = 0
    assert a.counters == b.counters


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Twenty steps in one sitting."""
    folder = tmp_path_factory.mktemp("whole")
    run(folder, "kimg=0.16")
    assert state(folder).counters.step == 20
    return folder


def test_kill_inside_a_write_and_resume(tmp_path, whole):
    """The 12th write, of the state after 11 steps, is cut in half by SIGKILL; the one before it survives whole."""
    process = start(tmp_path, "kimg=0.16", EVERY_STEP, FAULT="write:12")
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    assert list(tmp_path.glob(".state.*.part.safetensors")), "the kill did not hit a write"
    assert state(tmp_path).counters.step == 10
    result = run(tmp_path, "kimg=0.16")
    assert result.finished and result.step == 20
    assert_same(tmp_path, whole)


def test_kill_at_any_moment(tmp_path, whole):
    """Killed from outside at an arbitrary moment, again and again: the state on disk is always whole."""
    for writes, moment in ((3, 0.003), (5, 0.011)):
        process = start(tmp_path, "kimg=4", EVERY_STEP)
        wait_for(tmp_path / STATE_FILE, process, writes=writes)
        time.sleep(moment)
        process.kill()
        process.communicate(timeout=60)
        reached = state(tmp_path).counters.step
    assert reached >= 6
    again = tmp_path / "again"
    run(again, f"kimg={reached * 8 / 1000}")
    assert_same(tmp_path, again)


def test_sigterm_saves_first(tmp_path):
    process = start(tmp_path, "kimg=1000", "intervals.state_seconds=0.5")
    wait_for(tmp_path / STATE_FILE, process, writes=2)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert state(tmp_path).counters.step > 0
    assert (tmp_path / "snapshots" / "last" / "model.safetensors").exists()


def test_two_sittings_by_time(tmp_path, whole):
    first = run(tmp_path, "kimg=0.16", max_seconds=0)
    assert not first.finished and 0 < first.step < 20
    assert run(tmp_path, "kimg=0.16").finished
    assert_same(tmp_path, whole)


def test_a_folder_in_use_is_refused(tmp_path):
    process = start(tmp_path, "kimg=1000")
    wait_for(tmp_path / STATE_FILE, process)
    with pytest.raises(UserError, match=f"being trained by process {process.pid}"):
        run(tmp_path, "kimg=1000")
    process.kill()
    process.communicate(timeout=60)


def test_a_full_disk_leaves_the_last_state(tmp_path, monkeypatch):
    """The kernel itself refuses to let the new state grow beyond half of its size."""
    run(tmp_path, "kimg=0.04")
    before = (tmp_path / STATE_FILE).read_bytes()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, old[1]))
        with pytest.raises(UserError, match=r"cannot write the training state.*the last state there is whole"):
            run(tmp_path, "kimg=0.08")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert (tmp_path / STATE_FILE).read_bytes() == before
    assert run(tmp_path, "kimg=0.08").step == 10


def test_a_read_only_folder_is_named(tmp_path, monkeypatch):
    run(tmp_path, "kimg=0.04")

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied", str(tmp_path / STATE_FILE))

    monkeypatch.setattr("stylegenes.sealed.save_file", refuse)
    with pytest.raises(UserError, match=r"Permission denied.*the last state there is whole"):
        run(tmp_path, "kimg=0.08")
    assert state(tmp_path).counters.step == 5


def test_damage_is_noticed(tmp_path):
    run(tmp_path, "kimg=0.04")
    path = tmp_path / STATE_FILE
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        run(tmp_path, "kimg=0.08")


def test_other_settings_are_refused_by_name(tmp_path):
    run(tmp_path, "kimg=0.04")
    with pytest.raises(UserError, match=r"model.latent.num_genes was 4, now 2"):
        run(tmp_path, "kimg=0.08", "model.latent.num_genes=2")
    assert run(tmp_path, "kimg=0.08", "batch.micro=4").step == 10


def test_other_data_are_refused(tmp_path, monkeypatch):
    run(tmp_path, "kimg=0.04")
    monkeypatch.setattr(TinyData, "content_hash", "tiny-2")
    with pytest.raises(UserError, match="trained on other data"):
        run(tmp_path, "kimg=0.08")


def wait_for(path: Path, process: subprocess.Popen, *, writes: int = 1) -> None:
    """Wait until the file has been replaced so many times."""
    deadline, last = time.monotonic() + 90, mark(path)
    while writes:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.002)
        writes -= mark(path) != last
        last = mark(path)


def mark(path: Path) -> tuple[int, int] | None:
    return (path.stat().st_ino, path.stat().st_mtime_ns) if path.exists() else None
