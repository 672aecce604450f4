"""A training run over the API: what it has written so far, also half written, and nothing else from its folder."""

import asyncio
import json
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from stylegenes.explorer.run import _changes
from stylegenes.pictures import save_picture
from stylegenes.training.diary import read_diary, signature


def tick(kimg, **more):
    said = {"kimg": kimg, "losses": {"G main": 1.5, "D main": 0.5}, "real_sign": 0.1, "gap": 1.0, "augment_p": 0.0}
    said |= {
        "rate": 20.0,
        "eta": 100.0,
        "memory": 1,
        "rollbacks": 0,
        "health": "healthy",
        "vitals": {"gene_usage": 0.9},
    }
    return json.dumps({**said, **more})


@pytest.fixture
def folder(tmp_path):
    run = tmp_path / "0001"
    run.mkdir()
    (run / "config.json").write_text(json.dumps({"recipe": "x", "kimg": 60.0}))
    (run / "log.txt").write_text("begun\n" + "a line\n" * 100)
    lines = [
        tick(1),
        tick(2, losses={"G main": float("nan")}),
        tick(9),
        tick(3, health="collapsing"),
        '{"kimg": 4, "lo',
    ]
    (run / "stats.jsonl").write_text("\n".join(lines))
    (run / "metrics.jsonl").write_text('{"kimg": 1, "fd": 9.0}\n{"kimg": 3, "fd": 4.0, "kid": 0.1}\n')
    for kimg in (0, 10):
        save_picture(run / "samples" / f"{kimg:06d}.png", np.full((4, 4, 3), kimg, np.uint8))
    save_picture(run / "samples" / "reals.png", np.zeros((4, 4, 3), np.uint8))
    return run


@pytest.fixture
def client(client_of, folder):
    return client_of(None, run=folder)


def test_a_run_without_a_snapshot_shows_all_it_has_written(client, folder):
    run = client.get("/api/v1/run").json()
    # What a run went back before is left out, and so is what is half written; what is no number is null.
    assert run["kimg_axis"] == [1, 2, 3] and run["kimg"] == 3
    assert run["losses"] == {"G main": [1.5, None, 1.5], "D main": [0.5, None, 0.5]}
    assert run["signals"]["gene_usage"] == [0.9] * 3 and run["health"] == "collapsing"
    assert run["total_kimg"] == 60 and run["eta_seconds"] is None and not run["live"]
    assert {one["name"]: (one["value"], one["best"]) for one in run["metrics"]} == {
        "fd": ([9, 4], 4),
        "kid": ([0.1], 0.1),
    }
    assert run["events"][-1] == "a line" and len(run["events"]) == 40
    assert [one["kimg"] for one in run["grids"]] == [0, 10]
    grid = client.get(run["grids"][1]["address"])
    assert grid.content == (folder / "samples" / "000010.png").read_bytes()
    assert client.get(run["grids"][1]["address"], headers={"if-none-match": grid.headers["etag"]}).status_code == 304


def test_nothing_else_of_the_folder_is_served(client):
    for name in ("11", "-1", "reals", "..%2Fconfig", "%2e%2e/config", "0%00", "99999999999999999999"):
        assert client.get(f"/api/v1/run/grids/{name}.png").status_code in (404, 422)


def test_panels_of_a_run_without_a_snapshot_say_why(client):
    info = client.get("/api/v1/info").json()
    assert info["model"] is None and info["run"]
    panels = {one["name"]: one for one in info["panels"]}
    assert panels["runs"]["available"] and "no snapshot" in panels["population"]["reason"]
    for answer in (
        client.post("/api/v1/dice", json={}),
        client.get("/api/v1/sessions"),
        client.get("/api/v1/directions"),
    ):
        assert answer.status_code == 404 and "snapshot" in answer.json()["detail"]


def test_a_model_is_no_run(genome):
    for path in ("/run", "/run/grids/0.png", "/run/events"):
        answer = genome.get(f"/api/v1{path}")
        assert answer.status_code == 404 and "run" in answer.json()["detail"]


def test_a_run_is_live_while_its_process_is(folder):
    note = {"pid": os.getpid(), "host": socket.gethostname(), "since": "now"}
    (folder / ".holder.json").write_text(json.dumps(note))
    alive = read_diary(folder)
    assert alive.live and alive.eta == 100
    (folder / ".holder.json").write_text(json.dumps({**note, "pid": 2**22 - 1}))
    assert not read_diary(folder).live
    (folder / ".holder.json").write_text("{")
    assert not read_diary(folder).live


def test_long_runs_are_thinned_and_keep_their_ends(folder):
    (folder / "stats.jsonl").write_text("\n".join(tick(kimg) for kimg in range(1, 5001)))
    found = read_diary(folder)
    assert len(found.kimg) == 1000 and (found.kimg[0], found.kimg[-1]) == (1, 5000)


def test_whatever_a_run_writes_is_a_change(folder):

    seen = {signature(folder)}
    for name in ("stats.jsonl", "metrics.jsonl", "log.txt"):
        with (folder / name).open("a") as file:
            file.write("{}\n")
        seen.add(signature(folder))
    save_picture(folder / "samples" / "000020.png", np.zeros((4, 4, 3), np.uint8))
    seen.add(signature(folder))
    assert len(seen) == 5

    async def two_changes():
        changes = _changes(folder)
        first = [await anext(changes), await anext(changes)]
        threading.Timer(0.2, lambda: (folder / "log.txt").write_text("more")).start()
        return [*first, await anext(changes)]

    # In a thread: a browser driven in this process keeps a loop of its own in the main one.
    with ThreadPoolExecutor(1) as pool:
        changes = pool.submit(asyncio.run, two_changes()).result()
    assert [b"changed" in one for one in changes] == [False, True, True]
