"""A run that is killed, wherever, and continued ends with the files of one that was not: real kills, of forks."""

import json
import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest
from tiny_run import Machine, TinyData, tiny_config

from stylegenes.generator import Generator
from stylegenes.training import train
from stylegenes.training.history import METRICS_FILE, read_history
from stylegenes.training.state import STATE_FILE, read_state

CONFIG = tiny_config(
    "kimg=0.064", "intervals.state_seconds=0", "intervals.snapshot_kimg=0.016", "intervals.keep_snapshots=2",
    "intervals.image_kimg=0.024", "intervals.evaluate_kimg=0.024", "intervals.tick_seconds=1e9",
)  # fmt: skip
LOGS = {"log.txt", "stats.jsonl", ".lock", "config.json"}


def evaluate(generator: Generator) -> dict[str, float]:
    """Lower at the second of the two evaluations, so that `best` moves."""
    return {"weight": -float(generator.latent.variants.double().abs().sum())}


def sit(folder: Path, kill_at: int = 0, **kwargs) -> int:
    """Train in a fork, which is killed before its `kill_at`th change of the folder; returns how it ended."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            if kill_at:
                kill_before_change(folder, kill_at)
            train(CONFIG, folder, data=TinyData(), machine=Machine("cpu"), quiet=True, evaluate=evaluate, **kwargs)
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill_before_change(folder: Path, nth: int) -> None:
    count = 0

    def drawing(event: str, arguments: tuple) -> None:
        nonlocal count
        write = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        if write or event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir"):
            count += str(folder) in str(arguments[0])
            if count == nth:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(drawing)


def contents(folder: Path) -> dict:
    """Every file of a run, without times of day and durations."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir() or name in LOGS or name.startswith("ranks/"):
            continue
        found[name] = path.read_bytes()
        if path.suffix in (".json", ".md"):
            found[name] = re.sub(r"20\d\d-\d\d-\d\dT[0-9:+]+", "", path.read_text())
    stored = read_state(folder / STATE_FILE)
    stored.counters.seconds = 0
    found[STATE_FILE] = (stored.counters, {name: tensor.numpy().tobytes() for name, tensor in stored.tensors.items()})
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert sit(folder) == 0
    return contents(folder)


def test_everything_is_kept_that_was_due(whole):
    assert {name.split("/")[1] for name in whole if name.startswith("snapshots/")} == {
        "kimg-00000048", "kimg-00000064", "best", "last",
    }  # fmt: skip
    assert json.loads(whole["snapshots/kimg-00000048/card.json"])["metrics"]
    assert not json.loads(whole["snapshots/last/card.json"])["metrics"], "a value of other weights is not its own"
    assert [json.loads(line)["kimg"] for line in whole[METRICS_FILE].splitlines()] == [0.024, 0.048]
    assert whole[STATE_FILE][0].due == []


def check_kills(tmp_path: Path, whole: dict, points) -> int:
    """Kill at each point and continue; returns the first point that the run does not come to."""
    for point in points:
        folder = tmp_path / str(point) / "run"
        if sit(folder, point) == 0:
            return point
        assert sit(folder) == 0
        after = contents(folder)
        assert after.keys() == whole.keys(), f"killed before change {point}"
        assert [name for name in whole if whole[name] != after[name]] == [], f"killed before change {point}"
    return 0


def test_a_killed_run_ends_with_the_same_files(tmp_path, whole):
    assert check_kills(tmp_path, whole, (25, 131, 222, 300)) == 0


@pytest.mark.slow
def test_a_run_killed_anywhere_ends_with_the_same_files(tmp_path, whole):
    assert check_kills(tmp_path, whole, range(1, 2000)) > 300


def test_an_evaluation_that_is_stopped_is_made_by_the_next_sitting(tmp_path, whole):
    """SIGTERM does not wait for it; the snapshot that was due after it comes with it."""

    def stopped(generator: Generator) -> dict[str, float]:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
        return {}

    folder = tmp_path / "run"
    began = time.monotonic()
    train(CONFIG, folder, data=TinyData(), machine=Machine("cpu"), quiet=True, evaluate=stopped)
    assert time.monotonic() - began < 50
    assert read_state(folder / STATE_FILE).counters.due == ["evaluation"] and read_history(folder) == []
    assert sit(folder) == 0
    assert contents(folder) == whole


def test_grids_are_pruned_but_for_the_first_and_the_newest(tmp_path):
    folder = tmp_path / "run"
    keep = ("kimg=8", "intervals.image_kimg=1", "intervals.keep_images=3", "batch.total=1000", "batch.micro=500")
    config = tiny_config(*keep, "regularizers.r1=none", "regularizers.path_length=none", "augment.pipe=none")
    train(config, folder, data=TinyData(), machine=Machine("cpu"), quiet=True)
    assert sorted(path.name for path in (folder / "samples").iterdir()) == [
        "000000.png", "000007.png", "000008.png", "reals.png",
    ]  # fmt: skip
