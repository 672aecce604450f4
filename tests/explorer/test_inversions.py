"""Photos over the API: what is no picture is said, one becomes a code that draws, and clicks go on meanwhile."""

import io
import json
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from stylegenes.errors import UserError
from stylegenes.explorer import inverting
from stylegenes.explorer.security import UPLOAD_BYTES

PNG = {"content-type": "image/png"}


def begin(client, data, address="/api/v1/inversions", kind="image/png"):
    return client.post(address, content=data, headers={"content-type": kind})


def png(size=(48, 40), mode="RGB"):
    pixels = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "PNG")
    return file.getvalue()


def events(client, name):
    with client.stream("GET", f"/api/v1/inversions/{name}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line.startswith(("event:", "data:"))]
    return [(a.removeprefix("event: "), json.loads(b.removeprefix("data: "))) for a, b in zip(lines[::2], lines[1::2])]


def test_a_picture_of_the_model_finds_its_way_back(either):
    (child,) = either.post("/api/v1/dice", json={"count": 1, "seed": 2}).json()["children"]
    own = either.get(f"/api/v1/pictures/{either.desk.hash}/plain/{child['code']}.png").content
    begun = begin(either, own, "/api/v1/inversions?steps=40")
    assert begun.status_code == 202 and begun.json()["target"].startswith("data:image/png;base64,")
    told = events(either, begun.json()["id"])
    assert told[-1][0] == "done" and told[-1][1]["verdict"] in ("own", "near")
    found = either.get(f"/api/v1/inversions/{begun.json()['id']}").json()
    assert found["state"] == "done" and found["result"] == told[-1][1]
    for code in (found["result"]["code"], found["result"]["projection"]):
        assert either.get(f"/api/v1/pictures/{either.desk.hash}/plain/{code}.png").status_code == 200
    assert either.post("/api/v1/judge", json={"codes": [found["result"]["code"]]}).status_code == 200
    # Who comes later learns how it ended, and nothing can be cancelled any more.
    assert events(either, begun.json()["id"])[-1] == told[-1]
    either.delete(f"/api/v1/inversions/{begun.json()['id']}")
    assert either.get(f"/api/v1/inversions/{begun.json()['id']}").json()["state"] == "done"


def test_noise_looks_unlike_the_training_data(genome):
    begun = begin(genome, png((64, 64)), "/api/v1/inversions?steps=25").json()
    last, said = events(genome, begun["id"])[-1]
    assert last == "done" and said["verdict"] == "outside" and "unlike" in said["sentence"]


def test_clicks_are_answered_while_a_photo_is_under_way_and_it_can_be_given_up(genome):
    begun = begin(genome, png(), "/api/v1/inversions?steps=2000").json()
    deadline = time.monotonic() + 30
    while genome.get(f"/api/v1/inversions/{begun['id']}").json()["done"] < 2 and time.monotonic() < deadline:
        genome.post("/api/v1/dice", json={"count": 1})
    state = genome.get(f"/api/v1/inversions/{begun['id']}").json()
    assert state["state"] == "running" and state["done"] < 1900
    assert genome.delete(f"/api/v1/inversions/{begun['id']}").status_code == 204
    assert events(genome, begun["id"])[-1][0] == "cancelled"
    assert genome.get("/api/v1/inversions/nope").status_code == 404
    assert genome.delete("/api/v1/inversions/nope").status_code == 404


def test_too_many_photos_wait_for_one_another(genome):
    names = [begin(genome, png(), "/api/v1/inversions?steps=2000") for _ in range(5)]
    assert [one.status_code for one in names] == [202] * 4 + [503]
    assert int(names[-1].headers["retry-after"]) > 0
    for one in names[:4]:
        genome.delete(f"/api/v1/inversions/{one.json()['id']}")
    assert {events(genome, one.json()["id"])[-1][0] for one in names[:4]} == {"cancelled"}


def raising(error):
    """What takes anything and fails."""

    def fail(*args, **more):
        raise error

    return fail


def test_a_photo_that_fails_says_so_here_and_in_the_terminal(genome, monkeypatch, caplog):
    for error, said in ((RuntimeError("of our own"), "its terminal says more"), (UserError("of theirs"), "of theirs")):
        monkeypatch.setattr(inverting, "invert", raising(error))
        begun = begin(genome, png(), "/api/v1/inversions?steps=1").json()
        last, told = events(genome, begun["id"])[-1]
        assert last == "failed" and said in told["detail"]
        state = genome.get(f"/api/v1/inversions/{begun['id']}").json()
        assert (state["state"], state["detail"]) == ("failed", told["detail"])
    assert [str(record.exc_info[1]) for record in caplog.records] == ["of our own"]
    monkeypatch.undo()
    assert events(genome, begin(genome, png(), "/api/v1/inversions?steps=1").json()["id"])[-1][0] == "done"


def bomb(side):
    """A PNG whose header claims side x side pixels, in a few hundred bytes."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # noqa: E731
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 415),
        (b"hello", 415),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
        (png()[:300], 415),
        (png()[:60] + b"\xff" * 200, 415),
        (bomb(10_000), 413),
        (bomb(60_000), 413),
        (bomb(2_000_000_000), 413),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * UPLOAD_BYTES, 413),
    ],
    ids=["empty", "text", "svg", "cut", "damaged", "many pixels", "bomb", "huge bomb", "many bytes"],
)
def test_what_is_no_picture_is_refused_in_words_and_at_once(genome, data, status):
    since = time.monotonic()
    answer = begin(genome, data)
    assert answer.status_code == status and answer.json()["detail"]
    assert time.monotonic() - since < 3


def test_bytes_without_a_length_are_counted_too(genome):
    def endless():
        for _ in range(200):
            yield b"\0" * 2**18

    answer = genome.post("/api/v1/inversions", content=endless(), headers=PNG)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "query",
    [
        "left=0",
        "left=0&top=0&width=9&height=9",
        "left=0&top=0&size=0",
        "left=0&top=0&size=nan",
        "left=40&top=0&size=20",
        "left=-1&top=0&size=5",
        "steps=0",
        "space=pti",
        "look=label=0:1",
        "look=x",
    ],
)
def test_parts_and_settings_that_cannot_be_are_refused(genome, query):
    answer = begin(genome, png(), f"/api/v1/inversions?{query}")
    assert answer.status_code == 422 and answer.json()["detail"]


def test_a_part_is_what_the_model_is_given(genome):
    file = io.BytesIO()
    picture = Image.new("RGB", (90, 60), "red")
    picture.paste("blue", (50, 20, 80, 50))
    picture.save(file, "PNG")
    begun = begin(genome, file.getvalue(), "/api/v1/inversions?steps=1&left=50&top=20&size=30").json()
    import base64

    target = Image.open(io.BytesIO(base64.b64decode(begun["target"].partition(",")[2])))
    assert target.getcolors() == [(32 * 32, (0, 0, 255))]
    assert events(genome, begun["id"])[-1][0] == "done"
    # Who listens late is told what is to be known of the photo, and how it ended.
    *notes, (last, _) = events(genome, begun["id"])
    assert last == "done" and {name for name, _ in notes} == {"note"} and "30" in notes[0][1]["text"]


def test_other_kinds_of_content_are_refused(genome):
    assert begin(genome, png(), kind="text/html").status_code == 415
    assert begin(genome, png(), kind="multipart/form-data; boundary=x").status_code == 415
