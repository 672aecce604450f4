"""Every JSON file that is read back: whatever stands in it, it is read or refused in words."""

import copy
import json
import os
import random
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import tiny_run

import stylegenes
from stylegenes import bounds
from stylegenes.analysis.breeding import Individual, Lineage
from stylegenes.data.description import Description
from stylegenes.data.pack_progress import PackProgress
from stylegenes.data.packed import PackedDataset, PackedWriter
from stylegenes.errors import UserError
from stylegenes.files import write_json
from stylegenes.generator import Generator
from stylegenes.metrics import MetricRecord, read_records
from stylegenes.metrics.classifier_files import load_classifier, read_scoring
from stylegenes.metrics.record import Floor, Provenance
from stylegenes.size import Size
from stylegenes.snapshot import MODELS, Card, DataCard, save_snapshot
from stylegenes.survey import Survey, SurveyPlan
from stylegenes.training import read_config
from stylegenes.training.folder import HOLDER, _holder
from stylegenes.training.history import METRICS_FILE, read_history
from stylegenes.training.phases import FOLDER, RankStatus, read_statuses
from stylegenes.training.resolve import write_config

EVIL = [
    None, True, 0, -1, 3, 10**9, 10**30, 0.5, float("nan"), float("inf"), 1e308, "", "x", "../../x", "\x1b[2J",
    "a" * 10_000, "\ud800", [], {}, [[]], [None], {"x": 1}, {"name": "genome"}, {"name": ["genome"]}, [1] * 1000,
]  # fmt: skip


def make_all(folder: Path) -> dict:
    """By name: a JSON file and what reads it."""
    run, snap, judge, survey, packed = (folder / name for name in ("run", "snap", "judge", "survey", "packed"))
    write_config(tiny_run.tiny_config(), run)
    config = tiny_run.tiny_config()
    generator = Generator.from_spec({"latent": config.model.latent, "synthesis": config.model.synthesis})
    save_snapshot(snap, generator, Card("tiny", data=DataCard("avatars", label_names=["a"]), metrics={"fd": 3.0}))
    shutil.copytree(MODELS / "avatars32-judge", judge)
    survey.mkdir()
    write_json(survey / "plan.json", asdict(SurveyPlan("m", "c", "", ["a"], 3, 4, 0, 16)))
    packed.mkdir()
    writer = PackedWriter(packed, 2, 3, Size(4, 4))
    with writer.appending() as images:
        images.append(np.zeros((3, 4, 4), np.uint8))
        images.append(np.ones((3, 4, 4), np.uint8))
    writer.finish(np.zeros((2, 0), np.float32), Description("h", 4, 3, [], {"fit": "crop"}))
    PackProgress(done=2, kept=[0, 1], digests=["a", "b"]).save(packed)
    (folder / "lineage.json").write_text(json.dumps({"individuals": [asdict(Individual(0, 0, "abc"))]}))
    write_json(folder / "scorer.json", {"attributes": ["a"], "resolution": 32})
    write_json(run / HOLDER, {"pid": 1, "host": "x", "since": "now"})
    write_json(run / FOLDER / "0000.json", asdict(RankStatus(0, "x", 1, 0, "p", 0.0)))
    provenance = Provenance(
        **{name: _filler(kind) for name, kind in Provenance.__annotations__.items() if name in _REQUIRED}
    )
    record = MetricRecord("fd", 1.0, "s", "h", provenance, floor=Floor(1.0, 3))
    (folder / "metric-fd.jsonl").write_text(json.dumps(asdict(record)) + "\n")
    (run / METRICS_FILE).write_text(json.dumps({"kimg": 1.0, "fd": 2.0}) + "\n")
    return {
        "run": (run / "config.json", lambda: read_config(run)),
        "snapshot": (snap / "config.json", lambda: stylegenes.load(snap)),
        "card": (snap / "card.json", lambda: stylegenes.snapshot.load_snapshot(snap)),
        "classifier": (judge / "config.json", lambda: load_classifier(judge)),
        "survey": (survey / "plan.json", lambda: Survey(survey)),
        "packed": (packed / "dataset.json", lambda: PackedDataset.open(packed)),
        "packing": (packed / "progress.json", lambda: PackProgress.load(packed)),
        "lineage": (folder / "lineage.json", lambda: Lineage.load(folder / "lineage.json")),
        "scorer": (folder / "scorer.json", lambda: read_scoring(folder / "scorer.onnx")),
        "holder": (run / HOLDER, lambda: _holder(run)),
        "ranks": (run / FOLDER / "0000.json", lambda: read_statuses(run)),
        "records": (folder / "metric-fd.jsonl", lambda: read_records(folder / "metric-fd.jsonl")),
        "history": (run / METRICS_FILE, lambda: read_history(run)),
    }


_REQUIRED = {
    name for name in Provenance.__annotations__ if name not in {f for f in vars(Provenance) if not f.startswith("_")}
}


def _filler(kind: str):
    return {"int": 1, "float": 1.0, "str": "x", "bool": False}.get(str(kind), None if "None" in str(kind) else {})


NAMES = ["run", "snapshot", "card", "classifier", "survey", "packed", "packing", "lineage", "scorer", "holder", "ranks",
         "records", "history"]  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict:
    return make_all(tmp_path_factory.mktemp("files"))


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def changed(value, rng: random.Random):
    """One place replaced, taken away, or given company."""
    value = copy.deepcopy(value)
    path = rng.choice(list(places(value)))
    if not path:
        return rng.choice(EVIL)
    *way, last = path
    node = value
    for key in way:
        node = node[key]
    how = rng.choice(["replace", "replace", "delete", "add"])
    if how == "replace":
        node[last] = rng.choice(EVIL)
    elif how == "delete":
        del node[last]
    elif isinstance(node, dict):
        node["surprise"] = rng.choice(EVIL)
    else:
        node.append(rng.choice(EVIL))
    return value


def damaged(text: str, rng: random.Random) -> bytes:
    """The file as something else: other values, or other bytes."""
    how = rng.choice(["value"] * 8 + ["cut", "bytes", "deep", "twice"])
    if how == "value":
        return json.dumps(changed(json.loads(text), rng)).encode("utf-8", "surrogatepass")
    if how == "cut":
        return text.encode()[: rng.randrange(len(text))]
    if how == "bytes":
        place = rng.randrange(len(text))
        return text.encode()[:place] + bytes([rng.randrange(256)]) + text.encode()[place + 1 :]
    return b"[" * 100_000 if how == "deep" else (text + text).encode()


@pytest.mark.parametrize("number", [25, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NAMES)
def test_whatever_stands_in_it(files, monkeypatch, name, number):
    monkeypatch.setattr(bounds, "free_memory", lambda: 2**28)
    path, read = files[name]
    read()
    text, rng = path.read_text(), random.Random(name)
    try:
        for _ in range(number):
            path.write_bytes(damaged(text, rng))
            try:
                read()
            except UserError as error:
                assert len(str(error)) < 3000, str(error)[:300]
        path.unlink()
        os.mkfifo(path)
        if name in ("packing", "holder", "ranks"):
            read()
        else:
            with pytest.raises(UserError):
                read()
    finally:
        path.unlink()
        path.write_text(text)
