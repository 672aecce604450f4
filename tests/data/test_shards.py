"""Shards of this machine: packed, interrupted, damaged, of every shape, and their order of training."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import png, write

from stylegenes.cli.data import Check, Pack
from stylegenes.data import PackedDataset, open_dataset
from stylegenes.data import files as files_module
from stylegenes.data.avatars.source import AvatarOptions
from stylegenes.data.files import FileSource
from stylegenes.data.packed import DamagedError
from stylegenes.data.shards.order import LANES, ShardOrder
from stylegenes.data.shards.writing import size_in_bytes
from stylegenes.errors import UserError

FACES = "avatars:n=70"
PICTURE = 3 * 8 * 8


def pack(source, out, **options):
    shards = {"shards": True, "shard_size": f"{16 * PICTURE}B"} if options.pop("shards", True) else {}
    Pack(source=str(source), out=out, **{"resolution": 8, "workers": 1, **shards, **options}).run()
    return out


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """70 faces in five shards, the last of them not full."""
    return pack(FACES, tmp_path_factory.mktemp("faces") / "shards")


@pytest.fixture
def copied(faces, tmp_path):
    return write(tmp_path / "shards", {path.name: path.read_bytes() for path in faces.iterdir()})


def test_shards_are_what_is_packed(faces, tmp_path):
    packed = open_dataset(pack(FACES, tmp_path / "packed", shards=False), resolution=8)
    shards = open_dataset(faces, resolution=8)
    assert len(list(faces.glob("shard-*.npy"))) == 5 and isinstance(packed, PackedDataset)
    chosen = torch.randperm(70)
    assert torch.equal(shards.images(chosen), packed.images(chosen))
    assert torch.equal(shards.labels(chosen), packed.labels(chosen)) and shards.cameras(chosen) is None
    assert shards.description == packed.description and len(shards) == 70
    assert np.load(faces / "shard-000004.npy").shape == (6, 3, 8, 8), "any program can read them"
    assert shards.images([]).shape == (0, 3, 8, 8)


@pytest.mark.parametrize("options", [{"resolution": 16}, {"labels": "none"}, {"channels": 1}, {"fit": "letterbox"}])
def test_what_would_need_the_original_pictures_is_refused(faces, options):
    with pytest.raises(UserError, match="again"):
        open_dataset(faces, **{"resolution": 8, **options})


def test_cameras(tmp_path):
    shards = open_dataset(pack("scenes:n=9", tmp_path / "shards"), resolution=8)
    packed = open_dataset(pack("scenes:n=9", tmp_path / "packed", shards=False), resolution=8)
    assert torch.equal(shards.cameras(range(9)), packed.cameras(range(9)))
    assert torch.equal(shards.labels(range(9)), packed.labels(range(9))) and shards.label_dim == 15


def test_arrays_of_five_channels_with_names_of_all_letters(tmp_path):
    names = ["élan.npy", "猫/子.npy", "a b.npy"]
    for number, name in enumerate(names):
        (tmp_path / "bands" / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "bands" / name, np.full((8, 12, 5), number * 50, np.uint8))
    out = pack(tmp_path / "bands", tmp_path / "猫 shards", resolution="12x8", channels=5, shard_size="1B")
    shards = open_dataset(out, resolution="12x8", channels=5)
    assert shards.images([2, 0]).shape == (2, 5, 8, 12) and len(list(out.glob("shard-*"))) == 3
    assert sorted(shards.images(range(3))[:, 0, 0, 0].tolist()) == [0, 50, 100]


def test_one_picture_and_none(tmp_path):
    one = open_dataset(pack(write(tmp_path / "one", {"a.png": png()}), tmp_path / "shards"), resolution=8)
    assert len(one) == 1 and one.images([0]).shape == (1, 3, 8, 8) and one.labels([0]).shape == (1, 0)
    with pytest.raises(UserError, match="holds no images"):
        pack(write(tmp_path / "none", {"notes.txt": b""}), tmp_path / "nothing")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".") or path.name == "nothing"]


def test_bad_files_are_left_out_also_after_the_last_shard(tmp_path):
    files = {f"{i:02d}.png": png(i) for i in range(34)} | {"05.png": b"no", "32.png": b"no", "33.png": b"no"}
    shards = open_dataset(pack(write(tmp_path / "photos", files), tmp_path / "shards"), resolution=8)
    assert len(shards) == 31 and {item.name for item in shards.description.left_out} == {"05.png", "32.png", "33.png"}
    trailing = {f"{i:02d}.png": png(i) if i < 16 else b"no" for i in range(20)}
    assert len(open_dataset(pack(write(tmp_path / "more", trailing), tmp_path / "s16"), resolution=8)) == 16


def test_a_killed_packing_goes_on_after_its_last_shard(tmp_path, monkeypatch):
    photos = write(tmp_path / "photos", {f"{i:03d}.png": png(i) for i in range(100)})
    whole = pack(photos, tmp_path / "whole")
    out, part = tmp_path / "shards", tmp_path / ".shards.packing"
    slow = (
        "import time, sys; from stylegenes.data import files as f; read = f.read_bands;"
        "f.read_bands = lambda *a: (time.sleep(0.02), read(*a))[1];"
        "from pathlib import Path; from stylegenes.cli.data import Pack;"
        f"Pack(source={str(photos)!r}, out=Path({str(out)!r}), resolution=8, workers=1, shards=True,"
        f" shard_size='{16 * PICTURE}B').run()"
    )
    process = subprocess.Popen([sys.executable, "-c", slow])
    deadline = time.monotonic() + 60
    while not (part / "done" / "000002.json").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    read, count = files_module.read_bands, []
    monkeypatch.setattr(files_module, "read_bands", lambda *args: (count.append(1), read(*args))[1])
    pack(photos, out)
    assert len(count) <= 100 - 48, "the first three shards were made again"
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {p.name: p.read_bytes() for p in whole.iterdir()}


def test_a_packing_of_something_else_is_not_gone_on_with(tmp_path, monkeypatch):
    photos = write(tmp_path / "photos", {f"{i:03d}.png": png(i) for i in range(40)})
    read, count = files_module.read_bands, []

    def stop(*args):
        count.append(1)
        if len(count) == 30:
            raise KeyboardInterrupt
        return read(*args)

    monkeypatch.setattr(files_module, "read_bands", stop)
    with pytest.raises(KeyboardInterrupt):
        pack(photos, tmp_path / "shards")
    write(photos, {"000.png": png(99)})
    again = open_dataset(pack(photos, tmp_path / "shards"), resolution=8)
    other = open_dataset(pack(photos, tmp_path / "other"), resolution=8)
    assert again.content_hash == other.content_hash and torch.equal(again.images(range(40)), other.images(range(40)))


DAMAGES = {
    "a shard is cut": (lambda s: os.truncate(s / "shard-000002.npy", 900), "900 of"),
    "a shard is gone": (lambda s: (s / "shard-000001.npy").unlink(), "is missing"),
    "labels are gone": (lambda s: (s / "labels.npy").unlink(), "is missing"),
    "the index is gone": (lambda s: (s / "index.json").unlink(), "no index"),
    "the index is cut": (lambda s: os.truncate(s / "index.json", 900), "damaged"),
    "a shard of another size": (
        lambda s: np.save(s / "shard-000002.npy", np.zeros((16, 3, 16, 16), np.uint8)),
        "12,416 of",
    ),
    "no shards": (lambda s: edit(s, shards=[]), "lists no shard"),
    "counts that do not fit": (lambda s: edit(s, labels={**index(s)["labels"], "count": 71}), "labels.npy cannot hold"),
    "a name that climbs": (lambda s: edit(s, shards=[{**index(s)["shards"][0], "name": "../x.npy"}]), "called"),
}


def index(folder):
    return json.loads((folder / "index.json").read_text())


def edit(folder, **changes):
    (folder / "index.json").write_text(json.dumps({**index(folder), **changes}))


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_when_it_is_opened(copied, damage):
    make, told = DAMAGES[damage]
    make(copied)
    with pytest.raises(DamagedError, match=told):
        open_dataset(copied, resolution=8)


def test_check_finds_every_changed_file(copied, capsys):
    Check(path=str(copied)).run()
    assert "is whole: 70 images of 8 px, 40 labels" in capsys.readouterr().out.replace("\n", " ")
    for name in ("shard-000001.npy", "labels.npy"):
        with (copied / name).open("r+b") as file:
            file.seek(-3, os.SEEK_END)
            file.write(b"\x07\x07\x07")
    with pytest.raises(SystemExit):
        Check(path=str(copied)).run()
    told = capsys.readouterr().out.replace("\n", "")
    assert "shard-000001.npy was changed" in told and "labels.npy was changed" in told and "000002" not in told


def test_a_source_lists_its_names_a_few_times_not_once_a_picture(tmp_path, monkeypatch):
    asked, names = [], FileSource.names
    monkeypatch.setattr(FileSource, "names", property(lambda self: (asked.append(1), names.fget(self))[1]))
    pack(write(tmp_path / "photos", {f"{i:02d}.png": png(i) for i in range(40)}), tmp_path / "shards")
    assert 0 < len(asked) < 10
    options = AvatarOptions(n=3)
    assert options.names is options.names


def test_sizes():
    assert [size_in_bytes(text) for text in ("64MB", "1.5 GiB", "300", "2kb")] == [64_000_000, 3 * 2**29, 300, 2000]
    for text in ("", "MB", "-1MB", "1.2.3GB", "0", "64 apples"):
        with pytest.raises(UserError, match="no size"):
            size_in_bytes(text)


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(1, 12), min_size=1, max_size=90),
    seed=st.integers(0, 2**63 - 1),
    cuts=st.lists(st.integers(1, 70), min_size=1, max_size=20),
)
def test_every_epoch_holds_every_picture_once_wherever_it_is_cut(counts, seed, cuts):
    order = ShardOrder(tuple(counts), seed, mirror=True)
    size, start, parts = sum(counts), 0, []
    while start < 2 * size:
        part = order.draw(start, cuts[len(parts) % len(cuts)])
        start += len(part)
        parts.append(part)
    drawn, whole = torch.cat([part.indices for part in parts])[: 2 * size], order.draw(0, 2 * size)
    assert torch.equal(drawn, whole.indices)
    assert torch.equal(torch.cat([part.mirror for part in parts])[: 2 * size], whole.mirror)
    for epoch in (drawn[:size], drawn[size:]):
        assert torch.equal(epoch.sort().values, torch.arange(size))


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 7, 200])
def test_ranks_share_an_epoch_without_repeats(ranks):
    """Also more ranks than shards, and a last batch that reaches into the next epoch."""
    order, total = ShardOrder((10,) * 9 + (3,), 4), 2 * ranks
    steps = -(-order.size // total)
    shares = [order.draw(step * total, total).indices[rank::ranks] for step in range(steps) for rank in range(ranks)]
    drawn = torch.cat(shares)
    assert len(drawn) == steps * total
    counts = torch.bincount(drawn, minlength=order.size)
    assert counts.min() >= 1 and counts.max() <= 1 + -(-(len(drawn) - order.size) // order.size)
    assert counts.sum() - order.size == len(drawn) - order.size


def test_ranks_that_divide_the_lanes_read_shards_of_their_own():
    order = ShardOrder((50,) * 400, 1)
    shards = [set((order.draw(0, 8000).indices[rank::4] // 50).tolist()) for rank in range(4)]
    shared = sum(len(a & b) for i, a in enumerate(shards) for b in shards[:i])
    assert shared <= LANES and all(len(part) < 60 for part in shards)


def test_it_shuffles_within_windows():
    order = ShardOrder((500,) * 200, 1)
    drawn = order.draw(0, order.size).indices.double()
    near = (drawn.argsort().double().diff().abs() < 1000).double().mean() / (2000 / order.size)
    assert near < 10, "neighbors in the data come apart"
    for at in range(0, order.size - 64, 9000):
        assert len(set((drawn[at : at + 64] // 500).tolist())) > 15, "a batch is of many shards"
    assert not torch.equal(drawn[:100], order.draw(order.size, 100).indices.double()), "epochs differ"
    assert torch.equal(drawn[:100], ShardOrder((500,) * 200, 1).draw(0, 100).indices.double())
