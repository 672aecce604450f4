"""Training on shards, here and behind an address: the run of the same data packed, also killed and on other ranks."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny_run
import torch
from tiny_run import tiny_config

from stylegenes.cli.data import Pack
from stylegenes.data import open_dataset
from stylegenes.data.shards.keeping import LIMIT
from stylegenes.errors import UserError
from stylegenes.training import Machine, train
from stylegenes.training.state import STATE_FILE, read_state

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
from shard_server import ShardServer

LONG = "kimg=0.16"
NEAR = ("data.shuffle=shards", "batch.micro=4")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """70 faces, packed and in shards of 7."""
    folder = tmp_path_factory.mktemp("served")
    common = {"source": "avatars:n=70", "resolution": 8, "workers": 1}
    Pack(out=folder / "packed", **common).run()
    Pack(out=folder / "shards", shards=True, shard_size="1344B", **common).run()
    return folder


@pytest.fixture
def far(root, tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    server = ShardServer(root)
    yield f"{server.url}/shards"
    server.close()


@pytest.fixture(scope="module")
def packed(root, tmp_path_factory):
    """Twenty steps on the packed data."""
    return run(root / "packed", tmp_path_factory.mktemp("packed"))


@pytest.fixture(scope="module")
def near(root, tmp_path_factory):
    """Twenty steps on shards of this machine, shuffled within some at a time."""
    return run(root / "shards", tmp_path_factory.mktemp("near"), *NEAR)


def run(source, folder, *overrides, devices=1):
    data = open_dataset(source, resolution=8)
    config = tiny_config(*(() if "kimg" in str(overrides) else (LONG,)), *overrides)
    train(config, folder, data=data, machine=Machine("cpu", devices, timeout=120), quiet=True)
    return read_state(folder / STATE_FILE)


def assert_same(a, b):
    different = [key for key in a.tensors if not torch.equal(a.tensors[key], b.tensors[key])]
    a.counters.seconds = b.counters.seconds = 0
    assert not different and a.counters == b.counters and a.counters.step == 20


def test_shards_train_as_the_packed_data_do(root, far, tmp_path, packed):
    """Twenty steps, more than two epochs, bit for bit."""
    assert_same(run(root / "shards", tmp_path / "b"), packed)
    assert_same(run(far, tmp_path / "c"), packed)


def test_killed_in_the_middle_of_an_epoch(root, far, tmp_path, near):
    folder, environment = tmp_path / "killed", {**os.environ, "DATA": far, "FAULT": "write:6"}
    command = [sys.executable, tiny_run.__file__, str(folder), *NEAR, LONG, "intervals.state_seconds=0"]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert read_state(folder / STATE_FILE).counters.step == 4
    assert_same(run(far, folder, *NEAR), near)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_other_ranks_of_the_same_batch_go_on(far, tmp_path, near):
    """One process begins, two go on: the pictures of every step are those of one."""
    run(far, tmp_path / "two", *NEAR, "kimg=0.04")
    two = run(far, tmp_path / "two", *NEAR, devices=2)
    assert two.counters.step == 20
    for name, tensor in near.tensors.items():
        if not name.startswith("adam"):
            scale = tensor.double().square().mean().sqrt().item() + 1e-3
            assert (tensor.double() - two.tensors[name].double()).abs().max().item() < 1e-4 * scale, name


def test_shuffling_within_shards_is_another_run_and_needs_shards(root, tmp_path, packed, near):
    assert any(not torch.equal(packed.tensors[key], near.tensors[key]) for key in near.tensors)
    with pytest.raises(UserError, match="not in shards"):
        run(root / "packed", tmp_path / "c", *NEAR)
    run(root / "shards", tmp_path / "a", "kimg=0.008")
    with pytest.raises(UserError, match="shuffle"):
        run(root / "shards", tmp_path / "a", *NEAR)


def test_a_server_that_goes_away_ends_the_run_and_the_same_call_goes_on(root, tmp_path, monkeypatch, packed):
    """With room for none of it at once, so that every step asks the server."""
    from stylegenes.data.shards import remote

    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(LIMIT, str(4000 / 2**30))
    monkeypatch.setattr(remote, "_PAUSE", 0.01)
    server = ShardServer(root)
    folder, url = tmp_path / "run", f"{server.url}/shards"
    server.faults = {f"shard-{number:06d}.npy": ["ok"] * 8 + [500] * 100 for number in range(10)}
    start = time.monotonic()
    with pytest.raises(UserError, match="cannot be fetched"):
        run(url, folder, "intervals.state_seconds=0")
    assert time.monotonic() - start < 60 and 0 < read_state(folder / STATE_FILE).counters.step < 20
    server.faults = {}
    assert_same(run(url, folder), packed)
    server.close()
