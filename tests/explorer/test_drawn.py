"""Pictures by address: the pixels of the code alone, kept for good, shared, and dropped when nobody waits any more."""

import asyncio
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from stylegenes.explorer.app import create_app
from stylegenes.explorer.desk import Desk, Shelf
from stylegenes.explorer.security import Door
from stylegenes.explorer.worker import Priority, Worker
from stylegenes.pictures import read_text


@pytest.fixture
def codes(either):
    answer = either.post("/api/v1/dice", json={"count": 4, "seed": 20}).json()
    return [child["code"] for child in answer["children"]]


def address(client, code, look="plain"):
    return f"/api/v1/pictures/{client.desk.hash}/{look}/{code}.png"


@pytest.mark.parametrize("look", ["plain", "psi=0.5", "psi=-1:2,noise=random", "noise=none"])
def test_a_picture_is_that_of_its_code_alone_and_says_so(either, codes, look, tmp_path):
    answers = [either.get(address(either, code, look)) for code in codes]
    model, drawing = either.desk.model, either.desk.look(look).drawing
    for code, answer in zip(codes, answers, strict=True):
        shown = np.asarray(Image.open(io.BytesIO(answer.content)))
        assert np.array_equal(shown, model.pictures([code], drawing)[0])
        (tmp_path / "a.png").write_bytes(answer.content)
        assert read_text(tmp_path / "a.png")["Codes"] == code
    psi, _, noise = look.partition(",noise=")
    same = model.sample(codes=codes, psi=psi.removeprefix("psi=") if "psi" in psi else None, noise=noise or None)
    if look != "noise=none":
        assert np.array_equal(same.pictures[0], np.asarray(Image.open(io.BytesIO(answers[0].content))))


def test_a_picture_is_kept_for_good(either, codes):
    first = either.get(address(either, codes[0]))
    assert "immutable" in first.headers["cache-control"] and "max-age=31536000" in first.headers["cache-control"]
    drawn = either.desk.worker.load.done
    again = either.get(address(either, codes[0]))
    assert again.content == first.content and again.headers["etag"] == first.headers["etag"]
    for known in (first.headers["etag"], f'"x", W/{first.headers["etag"]}'):
        kept = either.get(address(either, codes[0]), headers={"if-none-match": known})
        assert kept.status_code == 304 and not kept.content and kept.headers["etag"] == first.headers["etag"]
    assert either.desk.worker.load.done == drawn
    tags = {either.get(address(either, code, look)).headers["etag"] for code in codes for look in ("plain", "psi=0.5")}
    assert len(tags) == 8


def test_what_is_no_picture_is_said(either, codes):
    here = f"/api/v1/pictures/{either.desk.hash}"
    assert either.get(f"/api/v1/pictures/0123456789abcdef/plain/{codes[0]}.png").status_code == 404
    for wrong in ("x", codes[0][:-1], f"{codes[0]}~", f"{codes[0]}~{codes[1]}@9999", "w.AAAA", "%00", "..%2e"):
        answer = either.get(f"{here}/plain/{wrong}.png")
        assert answer.status_code == 422 and answer.json()["detail"]
    looks = ["psi", "psi=", "psi=1e999", "psi=nan", "psi=0.7:99999999999999999999", "psi=1:-1", "size=0", "size=99999"]
    for look in (*looks, "noise=x", "a=b", "psi=1,psi=1", "%20"):
        assert either.get(f"{here}/{look}/{codes[0]}.png").status_code == 422, look
    assert either.get(address(either, codes[0]), headers={"x-priority": "now"}).status_code == 422


def test_thumbnails_are_small_and_never_enlarged(either, codes):
    size = lambda look: Image.open(io.BytesIO(either.get(address(either, codes[0], look)).content)).size  # noqa: E731
    assert size("size=8") == (8, 8) and size("size=4000") == (32, 32)


@pytest.fixture
def busy(genome_model):
    """A desk whose worker is held until it is let go."""
    desk, begun, gate = Desk(genome_model, worker=Worker(limit=4)), threading.Event(), threading.Event()
    desk.worker.submit(lambda: begun.set() or gate.wait(20))
    begun.wait(10)
    yield desk, gate
    gate.set()
    desk.worker.stop()


def ask(app, path, headers=(), leave=None):
    """One request to an application whose client leaves when `leave` is done; gives the status."""

    async def receive():
        if not sent:
            sent.append(True)
            return {"type": "http.request", "body": b"", "more_body": False}
        await (leave or asyncio.Event().wait())
        return {"type": "http.disconnect"}

    async def send(message):
        statuses.append(message.get("status"))

    sent, statuses = [], []
    raw = [(b"host", b"localhost"), *((name.encode(), value.encode()) for name, value in headers)]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": path}
    scope |= {"raw_path": path.encode(), "query_string": b"", "headers": raw, "scheme": "http", "root_path": ""}
    scope |= {"client": ("127.0.0.1", 1), "server": ("localhost", 8765)}

    async def whole():
        await app(scope, receive, send)
        return statuses[0]

    return whole()


def outside(coroutine):
    """What it gives, run in a thread: a browser driven in this process keeps a loop of its own in the main one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def test_work_is_dropped_when_the_client_leaves(busy, genome_model):
    desk, gate = busy
    app = create_app(desk, Door())
    (code,) = genome_model.choose(seeds=[91]).strings

    async def scene():
        status = await ask(app, address_of(desk, code), leave=asyncio.sleep(0.1))
        return status, desk.worker.load.waiting

    status, waiting = outside(scene())
    assert status == 409 and waiting == 1
    gate.set()
    desk.worker.submit(lambda: None, Priority.BACKGROUND).result(10)
    assert desk.worker.load.dropped == 1 and desk.shelf.get(f"p/plain/{code}") is None


def address_of(desk, code):
    return f"/api/v1/pictures/{desk.hash}/plain/{code}.png"


def test_a_newer_request_of_a_slot_and_a_full_queue(busy, genome_model):
    desk, gate = busy
    app = create_app(desk, Door())
    first, second, third, fourth = genome_model.choose(seeds=[92, 93, 94, 95]).strings

    async def scene():
        slot = [("x-slot", "big"), ("x-priority", "hover")]
        old = asyncio.ensure_future(ask(app, address_of(desk, first), slot))
        await asyncio.sleep(0.05)
        new = asyncio.ensure_future(ask(app, address_of(desk, second), slot))
        replaced = await old
        others = [asyncio.ensure_future(ask(app, address_of(desk, code))) for code in (third, third)]
        await asyncio.sleep(0.05)
        full = await ask(app, address_of(desk, fourth))
        gate.set()
        return replaced, full, await new, [await one for one in others]

    assert outside(scene()) == (409, 503, 200, [200, 200])
    # The two who asked for the same shared one drawing, and the replaced one was never drawn.
    assert desk.shelf.get(f"p/plain/{first}") is None and desk.worker.load.done == 3


def test_a_full_queue_says_when_to_come_again(busy):
    desk, _ = busy
    client = TestClient(create_app(desk, Door()), base_url="http://localhost")
    for _ in range(3):
        desk.worker.submit(lambda: None)
    answer = client.post("/api/v1/dice", json={"count": 1})
    assert answer.status_code == 503 and 1 <= int(answer.headers["retry-after"]) <= 60 and answer.json()["detail"]


def test_the_shelf_forgets_what_was_asked_for_least_recently():
    shelf = Shelf(most=103)
    for name in "abc":
        shelf.put(name, b"x" * 40)
        shelf.get("a")
    assert shelf.get("b") is None and shelf.get("a") and shelf.get("c") and shelf.size == 82
    shelf.put("a", b"y" * 10)
    assert shelf.size == 52
    shelf.put("huge", b"z" * 1000)
    assert shelf.get("huge") and shelf.size == 1004


def test_the_shelf_counts_addresses_too():
    shelf = Shelf(most=1000)
    for number in range(20):
        shelf.put(f"{number:0400}", b"x")
    assert shelf.size <= 1000 and shelf.get(f"{19:0400}") and not shelf.get(f"{0:0400}")
