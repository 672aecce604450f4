"""Shards behind addresses: a real server on this machine, its faults, and what is kept here of them."""

import os
import pickle
import subprocess
import sys
import threading
import time
from collections import namedtuple
from datetime import timedelta

import pytest
import torch
from shard_server import ShardServer

from stylegenes.cli.data import Cache, Check, Pack
from stylegenes.data import open_dataset
from stylegenes.data.shards import keeping, remote
from stylegenes.data.shards.keeping import LIMIT
from stylegenes.errors import UserError
from stylegenes.words import command

SHARD = 3200


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A bucket with 70 faces in five shards."""
    folder = tmp_path_factory.mktemp("served")
    Pack(source="avatars:n=70", out=folder / "faces", resolution=8, workers=1, shards=True, shard_size="3072B").run()
    return folder


@pytest.fixture
def near(root):
    return open_dataset(root / "faces", resolution=8)


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    monkeypatch.setattr(remote, "STALLED", timedelta(seconds=0.5))
    monkeypatch.setattr(remote, "_PAUSE", 0.01)
    monkeypatch.setattr(keeping, "_TOUCHED", 0.0)
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def server(root):
    server = ShardServer(root)
    yield server
    server.close()


def opened(server):
    return open_dataset(f"{server.url}/faces/", resolution=8)


def shard(number):
    return f"shard-{number:06d}.npy"


def kept(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache" / "shards").glob("*/shard-*.npy"))


def test_pictures_labels_and_hash_are_those_of_the_folder(server, near):
    far = opened(server)
    chosen = torch.randperm(70)
    assert torch.equal(far.images(chosen), near.images(chosen)) and far.content_hash == near.content_hash
    assert torch.equal(far.labels(chosen), near.labels(chosen))
    again = pickle.loads(pickle.dumps(far))
    assert torch.equal(again.images(chosen[:3]), near.images(chosen[:3]))


def test_single_pictures_come_alone_and_many_with_their_shard(server, near, tmp_path):
    far = opened(server)
    assert torch.equal(far.images([3, 40]), near.images([3, 40]))
    assert not kept(tmp_path) and not server.whole[shard(0)]
    far.images(range(16))
    assert kept(tmp_path) == [shard(0)]
    before = server.asked[shard(0)]
    far.images(range(16))
    assert server.asked[shard(0)] == before, "it is here now"


def test_a_server_without_ranges(root, near, tmp_path):
    server = ShardServer(root, ranges=False)
    assert torch.equal(opened(server).images([3, 40]), near.images([3, 40]))
    assert kept(tmp_path) == [shard(0), shard(2)]
    server.close()


def test_a_store_like_s3(server, near, monkeypatch):
    for name, value in {"ENDPOINT_URL": server.url, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    far = open_dataset("s3://faces", resolution=8)
    assert torch.equal(far.images(range(70)), near.images(range(70))) and server.signed > 5


def test_folders_of_a_bucket_whatever_their_names(server, near, monkeypatch, root):
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    place = root / "bucket" / "猫 shards"
    place.mkdir(parents=True, exist_ok=True)
    for path in (root / "faces").iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    far = open_dataset("S3://bucket/猫 shards/", resolution=8)
    assert torch.equal(far.images([3, 40]), near.images([3, 40])) and not server.signed
    assert len(open_dataset(f"{server.url}/bucket/%E7%8C%AB%20shards", resolution=8)) == 70


@pytest.mark.parametrize("url", ["s3://", "https://", "http://a b/c"])
def test_an_address_of_nowhere(url):
    with pytest.raises(UserError, match=f"{url} is no address that can be read"):
        open_dataset(url, resolution=8)


@pytest.mark.parametrize("faults", [[500, 503], ["cut"], ["stall"], ["cut", 500, "cut"], [b"another"]], ids=str)
@pytest.mark.parametrize("name", ["index.json", shard(1)])
def test_what_passes_is_tried_again(server, near, faults, name):
    if faults == [b"another"] and name == "index.json":
        pytest.skip("an index that can be had is what it is")
    server.faults[name] = list(faults)
    assert torch.equal(opened(server).images(range(10, 40)), near.images(range(10, 40)))


@pytest.mark.parametrize(
    ("name", "faults", "told"),
    [
        ("index.json", [404], "there is no .*index.json; give the address"),
        ("index.json", [403], "may not be read .*AWS_ACCESS_KEY_ID"),
        ("index.json", [500] * 20, "cannot be fetched, tried 4 times: .*500.*give the same command again"),
        ("index.json", [b"{}"], "damaged"),
        (shard(1), [b"short"] * 20, "is damaged: it has 5 bytes, the index says 3,200"),
        (shard(1), [b"x" * SHARD] * 20, "is damaged: its content is not the one that was packed"),
        (shard(1), ["stall"] * 20, "cannot be fetched, tried 4 times"),
        (shard(1), [404] * 20, "there is no .*shard-000001"),
    ],
)
def test_what_does_not_pass_is_told(server, name, faults, told):
    server.faults[name] = list(faults)
    with pytest.raises(UserError, match=told):
        opened(server).images(range(16, 32))
    if faults[0] in (500, "stall"):
        assert server.asked[name] == 8
    if faults[0] in (403, 404):
        assert server.asked[name] == 1, "no further try helps"


def test_no_server_at_all_and_addresses_of_nothing(server, monkeypatch):
    with pytest.raises(UserError, match="cannot be fetched"):
        open_dataset("http://127.0.0.1:9/faces", resolution=8)
    with pytest.raises(UserError, match=r"there is no .*index\.json"):
        open_dataset(f"{server.url}/dogs", resolution=8)
    with pytest.raises(UserError, match="packed at 8 px"):
        open_dataset(f"{server.url}/faces", resolution=16)
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(UserError, match=r"pip install 'stylegenes\[remote\]'"):
        opened(server)


def test_what_is_kept_stays_below_the_limit(server, near, tmp_path, monkeypatch):
    monkeypatch.setenv(LIMIT, str(2.5 * SHARD / 2**30))
    far = opened(server)
    for number in (0, 1, 2, 0, 3):
        here = range(16 * number, 16 * number + 16)
        assert torch.equal(far.images(here), near.images(here))
        assert len(kept(tmp_path)) <= 2
    assert kept(tmp_path) == [shard(0), shard(3)], "the longest unused leaves first"
    monkeypatch.setenv(LIMIT, str(SHARD / 2 / 2**30))
    with pytest.raises(UserError, match="raise it"):
        opened(server).images(range(32, 48))
    monkeypatch.setenv(LIMIT, "much")
    with pytest.raises(UserError, match="positive number of GiB"):
        opened(server)


READER = """
import sys, torch
from stylegenes.data import open_dataset
far, near = (open_dataset(source, resolution=8) for source in sys.argv[1:3])
for seed in range(4):
    chosen = torch.randperm(70, generator=torch.Generator().manual_seed(seed + 100 * int(sys.argv[3])))
    assert torch.equal(far.images(chosen), near.images(chosen))
"""


def test_processes_share_what_is_kept(server, root, tmp_path, monkeypatch):
    """With room for two of five shards, all of them wanted all the time."""
    monkeypatch.setenv(LIMIT, str(2.5 * SHARD / 2**30))
    sources = f"{server.url}/faces", str(root / "faces")
    processes = [subprocess.Popen([sys.executable, "-c", READER, *sources, str(number)]) for number in range(2)]
    assert [process.wait(120) for process in processes] == [0, 0]
    files = list((tmp_path / "cache" / "shards").rglob("*.npy"))
    assert 0 < sum(file.stat().st_size for file in files) <= 2.5 * SHARD


def test_two_threads_fetch_a_shard_once(server):
    far = opened(server)
    threads = [threading.Thread(target=far.images, args=(range(16),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.whole[shard(0)] == 1


def test_a_full_disk(server, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(keeping.shutil, "disk_usage", lambda _: usage(100, 99, 1))
    with pytest.raises(UserError, match=r"cannot be written .*No space left.*make room"):
        opened(server).images(range(16))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_disk_that_fills_meanwhile(server, monkeypatch, tmp_path):
    monkeypatch.setattr(remote.Remote, "save", lambda self, part, path: self._to_file(part, type(path)("/dev/full")))
    with pytest.raises(UserError, match="No space left"):
        opened(server).images(range(16))
    assert not kept(tmp_path) and server.asked[shard(0)] == 1, "no further try helps"


def test_what_is_expected_is_fetched_meanwhile(server, tmp_path):
    far = opened(server)
    far.order(0, False, "all")
    far.expect(lambda: torch.tensor([5, 60]))
    deadline = time.monotonic() + 20
    while kept(tmp_path) != [shard(0), shard(3)]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    server.faults[shard(1)] = [b"x"] * 20
    far.expect(lambda: torch.tensor([20]))
    with pytest.raises(UserError, match="is damaged"):
        while time.monotonic() < deadline:
            far.expect(lambda: torch.tensor([20]))
            time.sleep(0.01)


def test_what_does_not_fit_comes_picture_by_picture_or_is_refused(server, near, monkeypatch, tmp_path, caplog):
    monkeypatch.setenv(LIMIT, str(2.5 * SHARD / 2**30))
    far = opened(server)
    order = far.order(0, False, "all")
    assert "data.shuffle=shards" in caplog.text
    for start in range(0, 64, 4):
        chosen = order.draw(start, 4).indices
        far.expect(lambda: torch.arange(70))
        assert torch.equal(far.images(chosen), near.images(chosen))
    with pytest.raises(UserError, match=r"shards at a time.*smaller --shard-size"):
        far.order(0, False, "shards")


def test_check_reads_all_and_keeps_nothing(server, tmp_path, capsys):
    Check(path=f"{server.url}/faces").run()
    assert "is whole: 70 images" in capsys.readouterr().out.replace("\n", " ") and not kept(tmp_path)
    server.faults[shard(2)] = [b"x" * SHARD] * 20
    with pytest.raises(SystemExit):
        Check(path=f"{server.url}/faces").run()
    told = capsys.readouterr().out.replace("\n", "")
    assert "shard-000002.npy is damaged" in told and "000001" not in told


def test_the_cache_is_listed_and_cleared(server, tmp_path, capsys):
    opened(server).images(range(16))
    Cache().run()
    assert "shards of distant data sets" in capsys.readouterr().out
    Cache(clear=True).run()
    assert not kept(tmp_path)


def test_an_address_is_no_source_to_pack(server, tmp_path):
    with pytest.raises(UserError, match="shards already"):
        Pack(source=f"{server.url}/faces", out=tmp_path / "again", resolution=8).run()


def test_metrics_compare_shards_behind_an_address(server, near):
    """Moments of the reals are those of the folder, block by block, and are kept under the same hash."""
    from stylegenes.cli.evaluate import open_subject
    from stylegenes.metrics.sources import choose

    far = open_subject(f"{server.url}/faces", 8, torch.device("cpu")).pictures
    assert far is not None
    here, there = choose(near, 40, 1), choose(far, 40, 1)
    assert here.identity() == there.identity()
    assert all(torch.equal(here.block(i, i + 8), there.block(i, i + 8)) for i in range(0, 40, 8))


def test_an_address_survives_being_a_path():
    from pathlib import Path

    assert command("data", "check", Path("https://a.org/b")) == "stylegenes data check https://a.org/b"
    assert command("data", "check", Path("s3://b/c")) == "stylegenes data check s3://b/c"
