"""The explorer under load: a hundred people, every picture compared with its code drawn alone; and one person.

    python -m benchmarks.explorer                     # 100 clients for 60 seconds
    python -m benchmarks.explorer --clients 10 --seconds 5

One person: the time from a click to the picture of a code that nobody has drawn, and of one that was drawn before.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

import stylegenes
from benchmarks.measure import write

API = "/api/v1"
RESULTS = Path(__file__).parent / "results" / "explorer.json"


@dataclass
class Seen:
    """What the clients saw.

    Attributes:
        seconds: of every answer, by what was asked.
        statuses: how often each came.
        pictures: the files by code.
        wrong: codes whose picture was not always the same.
        lost: requests that nobody answered.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)
    pictures: dict[str, bytes] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    lost: int = 0


@contextmanager
def server(model: str) -> Iterator[str]:
    """The explorer as a process of its own, whose sessions are thrown away; gives its address."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "stylegenes", "explore", model, "--port=0", "--device=cpu"]
        command += ["--sessions", str(Path(folder) / "explorer.sqlite")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            if found is None:
                raise SystemExit(f"the explorer did not start with {model}")
            yield found[0].rstrip("/")
        finally:
            process.kill()
            process.wait()


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="avatars32")
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clicks", type=int, default=50)
    args = parser.parse_args()
    model = stylegenes.open(args.model, device="cpu")
    with server(args.model) as at:
        alone = one_person(at, model, args.clicks)
        seen = asyncio.run(crowd(at, model, args.clients, args.seconds))
    wrong = sorted({*seen.wrong, *compare(model, seen.pictures)})
    rows = {
        **alone,
        "clients": args.clients,
        "seconds": args.seconds,
        "answers": sum(seen.statuses.values()),
        "statuses": {str(status): count for status, count in sorted(seen.statuses.items())},
        "pictures compared with their code alone": len(seen.pictures),
        "wrong pictures": len(wrong),
        "requests without an answer": seen.lost,
        "errors of the server": sum(
            count for status, count in seen.statuses.items() if status >= 500 and status != 503
        ),
        "milliseconds": {name: percentiles(seconds) for name, seconds in sorted(seen.seconds.items())},
    }
    for name, value in rows.items():
        print(f"{name:<42} {value}")
    write(RESULTS, rows)
    if wrong or seen.lost or rows["errors of the server"]:
        raise SystemExit("the explorer made mistakes")


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Milliseconds below which half, and 90, 99 and all of a hundred answers came."""
    return {f"p{q}": round(1000 * float(np.percentile(seconds, q)), 1) for q in (50, 90, 99, 100)} | {"n": len(seconds)}


def one_person(at: str, model: stylegenes.Model, clicks: int) -> dict[str, object]:
    """Clicks, one after another: a variant is exchanged and its picture is fetched; then it is fetched again."""
    client = httpx.Client(base_url=at, timeout=60)
    hashed = client.get(f"{API}/info").json()["model"]["hash"]
    (code,) = model.choose(seeds=[1]).strings
    new, cached = [], []
    for click in range(clicks + 3):
        since = time.perf_counter()
        swap = {"code": code, "gene": click % 8, "variant": click}
        code = client.post(f"{API}/swap", json=swap).json()["code"]
        address = f"{API}/pictures/{hashed}/plain/{code}.png"
        client.get(address, headers={"X-Priority": "click"})
        new.append(time.perf_counter() - since)
        since = time.perf_counter()
        client.get(address)
        cached.append(time.perf_counter() - since)
    return {"click to new picture (ms)": percentiles(new[3:]), "to a cached one (ms)": percentiles(cached[3:])}


async def crowd(at: str, model: stylegenes.Model, clients: int, seconds: float) -> Seen:
    """Many people at once, each asking for one thing after another."""
    seen, until = Seen(), time.monotonic() + seconds
    shared = model.choose(seeds=range(200)).strings
    async with httpx.AsyncClient(base_url=at, timeout=120, limits=httpx.Limits(max_connections=2 * clients)) as client:
        hashed = (await client.get(f"{API}/info")).json()["model"]["hash"]
        await client.post(f"{API}/sessions", json={"name": "load"})
        people = [person(client, hashed, model, shared, seen, until, number) for number in range(clients)]
        await asyncio.gather(*people)
    return seen


async def person(
    client: httpx.AsyncClient, hashed: str, model: stylegenes.Model, shared: list[str], seen: Seen, until: float, n: int
) -> None:
    """Looks at what others look at, and at what nobody has seen; breeds, keeps, and gives up now and then."""
    chance = random.Random(n)
    while time.monotonic() < until:
        kind = chance.choices(["shared", "new", "mutate", "keep", "leave"], [60, 20, 10, 5, 5])[0]
        code = chance.choice(shared)
        if kind in ("new", "leave"):
            (code,) = model.choose(seeds=[chance.randrange(10**6, 10**9)]).strings
        since = time.perf_counter()
        try:
            answer = await asyncio.wait_for(ask(client, hashed, kind, code, n), 0.02 if kind == "leave" else 120)
        except TimeoutError:
            continue
        except httpx.TransportError:
            seen.lost += 1
            continue
        seen.seconds[kind].append(time.perf_counter() - since)
        seen.statuses[answer.status_code] += 1
        if answer.status_code == 503:
            await asyncio.sleep(int(answer.headers["retry-after"]))
        elif (
            answer.headers["content-type"] == "image/png"
            and seen.pictures.setdefault(code, answer.content) != answer.content
        ):
            seen.wrong.append(code)


async def ask(client: httpx.AsyncClient, hashed: str, kind: str, code: str, n: int) -> httpx.Response:
    """One request."""
    match kind:
        case "mutate":
            return await client.post(f"{API}/mutate", json={"code": code, "count": 6})
        case "keep":
            nodes = [{"code": code, "operation": "dice"}]
            return await client.post(f"{API}/sessions/load/nodes", json={"nodes": nodes, "select": 0})
        case "leave":
            headers = {"X-Priority": "hover", "X-Slot": f"{n}"}
            return await client.get(f"{API}/pictures/{hashed}/plain/{code}.png", headers=headers)
    return await client.get(f"{API}/pictures/{hashed}/plain/{code}.png")


def compare(model: stylegenes.Model, pictures: dict[str, bytes]) -> list[str]:
    """Codes whose picture is not that of the code drawn alone."""
    different = []
    for code, file in pictures.items():
        shown = np.asarray(Image.open(io.BytesIO(file)))
        if not np.array_equal(shown, model.pictures([code])[0]):
            different.append(code)
    return different


if __name__ == "__main__":
    main()
