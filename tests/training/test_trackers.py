"""Trackers: the same numbers and pictures wherever they go; missing or failing, they end no run."""

import importlib.util
import json
import os
import sqlite3
import struct
import subprocess
import sys
import types
from pathlib import Path

import pytest
from tiny_run import TinyData, tiny_config

from stylegenes.errors import UserError
from stylegenes.training import Machine, train
from stylegenes.training import trackers as room
from stylegenes.training.trackers import Trackers, parse_trackers

HERE = Path(__file__).parents[1]


def run(folder, *overrides):
    settings = ("intervals.tick_seconds=0", "intervals.image_kimg=0.04", *overrides)
    return train(tiny_config(*settings), folder, data=TinyData(), machine=Machine("cpu"), quiet=True)


class Heard:
    """A tracker that keeps what it is told."""

    def __init__(self, folder, settings):
        self.settings, self.told, self.pictures, self.closed = settings, [], [], False
        self.fails = False
        HEARD.append(self)

    def scalars(self, values, images):
        if self.fails:
            raise ConnectionError("the service is down")
        self.told.append((images, dict(values)))

    def picture(self, path, images):
        self.pictures.append((images, path.read_bytes()[:4]))

    def close(self):
        self.closed = True


HEARD = []


@pytest.fixture
def heard(monkeypatch):
    HEARD.clear()
    monkeypatch.setitem(room.TRACKERS, "wandb", Heard)
    return HEARD


def test_a_tracker_hears_what_stats_say_and_sees_the_grids(tmp_path, heard):
    run(tmp_path, "trackers=wandb")
    (one,) = heard
    lines = [json.loads(line) for line in (tmp_path / "stats.jsonl").read_text().splitlines()]
    assert [images for images, _ in one.told] == [round(line["kimg"] * 1000) for line in lines]
    for (_, values), line in zip(one.told, lines, strict=True):
        assert values["loss/G main"] == line["losses"]["G main"]
        assert values["latent/gene_usage"] == line["vitals"]["gene_usage"]
        assert values["run/rate"] == line["rate"]
    assert [images for images, _ in one.pictures] == [0, 40, 80]
    assert all(head == b"\x89PNG" for _, head in one.pictures)
    assert one.settings["recipe"] == "test"
    assert one.closed


def test_a_tracker_that_fails_is_told_once_and_the_run_ends_as_it_would(tmp_path, heard, monkeypatch):
    monkeypatch.setattr(Heard, "scalars", lambda self, values, images: 1 / 0)
    assert run(tmp_path, "trackers=wandb").finished
    log = (tmp_path / "log.txt").read_text()
    assert log.count("wandb failed and gets no more of this run") == 1


def test_one_that_fails_leaves_the_others_alone(heard, tmp_path, monkeypatch):
    monkeypatch.setitem(room.TRACKERS, "trackio", Heard)
    both = Trackers(["wandb", "trackio"], tmp_path, {})
    heard[0].fails = True
    for images in (1, 2):
        both.scalars({"x": 1.0}, images)
    assert heard[1].told == [(1, {"x": 1.0}), (2, {"x": 1.0})]


def test_names_are_checked_before_anything_is_trained(tmp_path):
    assert parse_trackers("none") == parse_trackers("") == []
    assert parse_trackers("wandb, trackio,wandb") == ["wandb", "trackio"]
    with pytest.raises(UserError, match="there is no tracker 'wandbb'; did you mean 'wandb'"):
        tiny_config("trackers=wandbb")


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_a_missing_package_is_told_before_training(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=rf"pip install 'stylegenes\[{name}\]'"):
        run(tmp_path, f"trackers={name}")
    assert not (tmp_path / "stats.jsonl").exists()


def test_one_that_does_not_open_is_told_with_what_to_do(tmp_path, monkeypatch):
    refusing = types.SimpleNamespace(Settings=lambda: (_ for _ in ()).throw(RuntimeError("no API key")))
    monkeypatch.setitem(sys.modules, "wandb", refusing)
    with pytest.raises(UserError, match="wandb does not open: no API key; log in to it"):
        run(tmp_path, "trackers=wandb")


def test_another_tracker_may_be_taken_up_and_the_run_stays_the_same(tmp_path, heard):
    run(tmp_path / "a", "kimg=0.04")
    run(tmp_path / "a", "kimg=0.08", "trackers=wandb")
    run(tmp_path / "b", "kimg=0.08")
    weights = [(tmp_path / name / "snapshots" / "last" / "model.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]
    assert [images for images, _ in heard[0].told] == [48, 56, 64, 72, 80]


def program(folder, names, **environment):
    """Train in a process of its own, as the trackers' own threads and settings want it."""
    code = (
        f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
        "from tiny_run import *\n"
        f"train(tiny_config('intervals.tick_seconds=0', 'intervals.image_kimg=0.04', 'trackers={names}', 'kimg=0.04'),"
        f" {str(folder)!r}, data=TinyData(), machine=Machine('cpu'), quiet=True)\n"
        f"train(tiny_config('intervals.tick_seconds=0', 'intervals.image_kimg=0.04', 'trackers={names}'),"
        f" {str(folder)!r}, data=TinyData(), machine=Machine('cpu'), quiet=True)\n"
    )
    named = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    done = subprocess.run([sys.executable, "-c", code], env=named, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.skipif(importlib.util.find_spec("wandb") is None, reason="needs wandb")
def test_wandb_offline_has_every_number_of_both_sittings_in_one_run(tmp_path):
    program(tmp_path / "run", "wandb", WANDB_MODE="offline", WANDB_SILENT="true")
    logs = sorted((tmp_path / "run" / "wandb").glob("offline-run-*/run-*.wandb"))
    assert len(logs) == 2
    identity = (tmp_path / "run" / "tracker-id.txt").read_text().strip()
    assert all(log.stem == f"run-{identity}" for log in logs), "two sittings are one run"
    rows = [row for log in logs for row in wandb_rows(log)]
    lines = [json.loads(line) for line in (tmp_path / "run" / "stats.jsonl").read_text().splitlines()]
    told = [(row["images"], row["loss/G main"]) for row in rows if "loss/G main" in row]
    assert told == [(round(line["kimg"] * 1000), line["losses"]["G main"]) for line in lines]
    assert sorted({row["images"] for row in rows if "samples._type" in row or "samples" in row}) == [0, 40, 80]


def wandb_rows(path):
    """The history in a file of an offline run, by the package's own messages."""
    from wandb.proto import wandb_internal_pb2

    rows = []
    for data in log_records(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.HasField("history"):
            items = record.history.item
            rows.append({one.key or ".".join(one.nested_key): json.loads(one.value_json) for one in items})
    return rows


def log_records(data):
    """The records of a log in LevelDB's format: blocks of 32 KiB, parts of a checksum, a length and a kind each."""
    place, whole = 7, b""
    while place + 7 <= len(data):
        left = 32768 - place % 32768
        if left < 7:
            place += left
            continue
        length, kind = struct.unpack("<4xHB", data[place : place + 7])
        whole += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):
            yield whole
            whole = b""


@pytest.mark.skipif(importlib.util.find_spec("trackio") is None, reason="needs trackio")
def test_trackio_keeps_both_sittings_as_one_run_on_this_machine(tmp_path):
    program(tmp_path / "run", "trackio", TRACKIO_DIR=str(tmp_path / "kept"), HF_HUB_OFFLINE="1")
    (database,) = (tmp_path / "kept").glob("*.db")
    with sqlite3.connect(database) as kept:
        rows = kept.execute("select run_name, step, metrics from metrics order by step").fetchall()
    assert len({name for name, _, _ in rows}) == 1
    lines = [json.loads(line) for line in (tmp_path / "run" / "stats.jsonl").read_text().splitlines()]
    rows = [(step, json.loads(values)) for _, step, values in rows]
    told = [(step, values["loss/G main"]) for step, values in rows if "loss/G main" in values]
    assert told == [(round(line["kimg"] * 1000), line["losses"]["G main"]) for line in lines]
    assert sorted({step for step, values in rows if "samples" in values}) == [0, 40, 80]
