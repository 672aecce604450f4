"""The cache: found again, noticed when damaged, shared by processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from copy import deepcopy

import numpy as np
import pytest
from makers import png, write

from stylegenes.caches import cache_root
from stylegenes.data import PackedDataset, open_dataset
from stylegenes.data import files as files_module
from stylegenes.data.cache import clear_cache, list_cache
from stylegenes.data.packed import DamagedError, PackedWriter
from stylegenes.errors import UserError
from stylegenes.files import read_json, write_json
from stylegenes.size import Size


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "photos", {f"{i}.png": png(i) for i in range(5)})


@pytest.fixture
def opened(tmp_path):
    return lambda source, **options: open_dataset(
        source, **{"resolution": 8, "workers": 1, "cache_dir": tmp_path / "cache", **options}
    )


@pytest.fixture
def no_decoding(monkeypatch):
    def forbid():
        def refuse(*_):
            raise AssertionError("a picture was decoded although the cache should have been found")

        monkeypatch.setattr(files_module, "read_bands", refuse)

    return forbid


def packed_folders(tmp_path):
    return list((tmp_path / "cache" / "datasets").iterdir())


def test_opens_again_without_decoding_also_after_a_move(folder, opened, no_decoding, tmp_path):
    first = opened(folder)
    no_decoding()
    assert opened(folder).content_hash == first.content_hash
    moved = folder.rename(tmp_path / "elsewhere")
    again = opened(moved)
    assert again.content_hash == first.content_hash and again.source == str(moved)


def broken(start, stop):
    return {f"broken{i}.png": b"x" for i in range(start, stop)}


@pytest.mark.parametrize("table", [{}, {"t.csv": b"file,A\n0.png,1\n1.png,nan\n2.png,0\n3.png,0\n4.png,1\nx.png,1\n"}])
def test_what_is_odd_about_a_source_stays_with_it_although_the_content_is_known(tmp_path, opened, table):
    """The same pictures and labels, from places with other files beside them, in every order and again."""
    good = {f"{i}.png": png(i) for i in range(5)}
    places = {
        "clean": {},
        "broken": {**broken(0, 3), ".hidden.png": b"x"},
        "other": {**broken(2, 4), "notes.mp4": b"x", "__MACOSX/1.png": b"x"},
    }
    for name, beside in places.items():
        write(tmp_path / name, {**good, **beside, **table})
    for name in [*places, *reversed(places), "broken", "clean"]:
        dataset = opened(tmp_path / name)
        told = dataset.description
        unlabeled = {"1.png", *broken(0, 4)} if table else set()
        names = {
            path for path in {**good, **places[name]} if path in unlabeled or not path.startswith((".", "__", *"01234"))
        }
        assert {item.name for item in told.left_out} == names, name
        assert told.source == str(tmp_path / name)
        assert told.ignored == sum(path.startswith((".", "__")) for path in places[name])
        assert len(told.warnings) == (1 if table else 0)
    assert len(packed_folders(tmp_path)) == 1, "one content"


def test_the_shared_folder_says_nothing_of_any_source(folder, opened, tmp_path):
    write(folder, broken(0, 2))
    whole = opened(folder)
    assert len(whole.description.left_out) == 2
    shared = PackedDataset.open(whole.folder).description
    assert (shared.source, shared.left_out, shared.warnings, shared.ignored) == ("", [], [], 0)
    assert shared.content_hash == whole.content_hash and shared.originals.formats == {"PNG": 5}
    copy = write(tmp_path / "copy", {f"{i}.png": png(i) for i in range(5)})
    opened(copy)
    assert set(list_cache(tmp_path / "cache")[0].source.split(", ")) == {str(folder), str(copy)}


def test_a_cache_of_an_earlier_version_learns_what_it_did_not_know(folder, opened, tmp_path):
    first = opened(folder)
    meta = read_json(first.folder / "dataset.json")
    for name in ("originals", "warnings", "label_origin"):
        del meta["description"][name]
    write_json(first.folder / "dataset.json", meta)
    for pointer in (tmp_path / "cache" / "index").iterdir():
        pointer.unlink()
    assert opened(folder).description.originals.formats == {"PNG": 5}
    assert PackedDataset.open(first.folder).description.originals.formats == {"PNG": 5}


def test_touched_files_are_read_again_and_found_to_be_the_same(folder, opened, tmp_path):
    first = opened(folder)
    os.utime(folder / "1.png", (1, 1))
    assert opened(folder).content_hash == first.content_hash
    assert len(packed_folders(tmp_path)) == 1


@pytest.mark.parametrize(
    "options", [{"resolution": 9}, {"fit": "letterbox"}, {"filter": "box"}, {"channels": 1}, {"labels": "none"}]
)
def test_every_parameter_is_in_the_hash(tmp_path, opened, options):
    folder = write(tmp_path / "p", {"a/1.png": png(1), "b/2.png": png(2)})
    assert opened(folder, **options).content_hash != opened(folder).content_hash


def test_content_and_names_are_in_the_hash(folder, opened):
    first = opened(folder).content_hash
    (folder / "0.png").write_bytes(png(99))
    second = opened(folder).content_hash
    (folder / "0.png").rename(folder / "00.png")
    assert len({first, second, opened(folder).content_hash}) == 3


def damage_flip(path):
    content = bytearray((path / "images.npy").read_bytes())
    content[-5] ^= 1
    (path / "images.npy").write_bytes(content)


def damage_cut(path):
    content = (path / "images.npy").read_bytes()
    (path / "images.npy").write_bytes(content[:-10])


def damage_meta(path):
    (path / "dataset.json").write_text('{"format": ')


def damage_labels(path):
    labels = np.load(path / "labels.npy")
    np.save(path / "labels.npy", 1 - labels)


def damage_length(path):
    """A header that claims more labels than there is memory."""
    with (path / "labels.npy").open("r+b") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (10**12, 1)})


def damage_missing(path):
    (path / "labels.npy").unlink()


def damage_kind(path):
    with (path / "images.npy").open("wb") as file:
        np.savez(file, images=np.zeros(3))


def damage_checksums(path):
    meta = read_json(path / "dataset.json")
    write_json(path / "dataset.json", {**meta, "checksums": []})


DAMAGES = [
    damage_flip,
    damage_cut,
    damage_meta,
    damage_labels,
    damage_length,
    damage_missing,
    damage_kind,
    damage_checksums,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_noticed_and_repaired(folder, opened, damage, tmp_path, caplog):
    write(folder, {"t.csv": b"file,A\n" + b"".join(b"%d.png,1\n" % i for i in range(5))})
    first = opened(folder)
    expected = first.images(range(5)).clone()
    (packed,) = packed_folders(tmp_path)
    damage(packed)
    with pytest.raises(DamagedError, match="pack it again"):
        PackedDataset.open(packed)
    again = opened(folder)
    assert np.array_equal(again.images(range(5)), expected)
    assert "built anew" in caplog.text


def test_labels_that_an_earlier_version_took_for_numbers_are_refused(folder, opened):
    write(folder, {"t.csv": b"file,A\n" + b"".join(b"%d.png,1\n" % i for i in range(5))})
    packed = opened(folder).folder
    meta = read_json(packed / "dataset.json")
    del meta["labels_checksum"]
    write_json(packed / "dataset.json", meta)
    np.save(packed / "labels.npy", np.full((5, 1), np.nan, np.float32))
    with pytest.raises(DamagedError, match="no numbers"):
        opened(packed)


def places(value, here=()):
    """The way to every value in nested JSON."""
    yield here
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*here, key))


@pytest.mark.parametrize("odd", [None, -1, 10**30, float("nan"), "x", [None], {"a": 1}])
def test_a_description_of_any_other_shape_is_damage(folder, opened, odd):
    (folder / "broken.png").write_bytes(b"x")
    packed = opened(folder).folder
    whole = read_json(packed / "dataset.json")
    for place in places(whole):
        changed = deepcopy(whole)
        inner = changed
        for key in place[:-1]:
            inner = inner[key]
        if place:
            inner[place[-1]] = odd
        (packed / "dataset.json").write_text(json.dumps(changed if place else odd))
        try:
            dataset = PackedDataset.open(packed)
        except DamagedError as error:
            assert str(error).isprintable()
        else:
            assert len(dataset) == 5 and dataset.originals.words() is not None and dataset.label_dim == 0


@pytest.fixture
def interrupt(monkeypatch):
    """Ends the first build at its third picture; returns the calls that decode."""
    real, calls = files_module.read_bands, []

    def decode(data, channels):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(data, channels)

    monkeypatch.setattr(files_module, "read_bands", decode)
    return calls


def test_an_interrupted_build_goes_on_where_it_was(folder, opened, interrupt, tmp_path):
    (folder / "0broken.png").write_bytes(png(7)[:60])
    with pytest.raises(KeyboardInterrupt):
        opened(folder)
    (part,) = packed_folders(tmp_path)
    assert part.name.endswith(".part") and list_cache(tmp_path / "cache") == []
    dataset = opened(folder)
    assert len(interrupt) == 7, "three at first, one of them again, and the other three"
    assert [item.name for item in dataset.description.left_out] == ["0broken.png"]
    assert [path.name for path in packed_folders(tmp_path)] == [dataset.folder.name]
    whole = opened(folder, cache_dir=tmp_path / "another")
    assert whole.content_hash == dataset.content_hash and not (dataset.folder / "progress.json").exists()
    assert np.array_equal(whole.images(range(5)), dataset.images(range(5)))
    assert (whole.folder / "images.npy").read_bytes() == (dataset.folder / "images.npy").read_bytes()


def lose_progress(part):
    (part / "progress.json").write_text("{")


def lose_pixels(part):
    (part / "images.npy").write_bytes(b"")


@pytest.mark.parametrize("lose", [lose_progress, lose_pixels])
def test_an_interrupted_build_that_lost_something_starts_again(folder, opened, interrupt, tmp_path, lose):
    with pytest.raises(KeyboardInterrupt):
        opened(folder)
    (part,) = packed_folders(tmp_path)
    lose(part)
    assert len(opened(folder)) == 5 and len(interrupt) == 3 + 5


def test_a_forgotten_build_is_swept_away(folder, opened, interrupt, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        opened(folder)
    (part,) = packed_folders(tmp_path)
    os.utime(part, (1, 1))
    opened(write(tmp_path / "others", {f"{i}.png": png(i + 9) for i in range(3)}))
    assert not part.exists()


SCRIPT = """
import sys
from stylegenes.data import open_dataset, pack
pack.SECONDS_BETWEEN_SAVES = 0
dataset = open_dataset("avatars:n=%d", resolution=16, cache_dir=sys.argv[1], workers=1)
print(dataset.content_hash, int(dataset.images(range(len(dataset))).sum()))
"""


def start(tmp_path, n):
    command = [sys.executable, "-c", SCRIPT % n, str(tmp_path / "cache")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_processes_at_once_share_one_build_even_after_a_kill(tmp_path):
    killed = start(tmp_path, 200)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "cache").glob("datasets/.*.part/progress.json")):
        assert time.monotonic() < deadline and killed.poll() is None
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    several = [start(tmp_path, 200) for _ in range(2)]
    outputs = {process.communicate(timeout=120)[0] for process in several}
    assert len(outputs) == 1 and all(process.returncode == 0 for process in several)
    assert len(packed_folders(tmp_path)) == 1
    outputs.add(start(tmp_path / "undisturbed", 200).communicate(timeout=120)[0])
    assert len(outputs) == 1


def test_a_cache_that_cannot_be_written_says_what_to_do(folder, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="STYLEGENES_CACHE"):
        open_dataset(folder, resolution=8, cache_dir=tmp_path / "file" / "cache", workers=1)


def test_a_disk_that_is_too_small_is_refused_before_it_is_full(folder, opened, tmp_path, monkeypatch):
    kept = opened(folder, resolution=4)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=3 * 512 * 512))
    with pytest.raises(UserError, match=r"takes [1-9].* MiB at 512 px, and 768.0 KiB are free .*smaller resolution"):
        opened(folder, resolution=512)
    assert [dataset.folder for dataset in list_cache(tmp_path / "cache")] == [kept.folder]
    assert opened(folder).size.hw == (8, 8), "what fits is packed"


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "env"))
    assert cache_root() == tmp_path / "env" and cache_root(tmp_path / "arg") == tmp_path / "arg"
    monkeypatch.delenv("STYLEGENES_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    if sys.platform == "linux":
        assert cache_root() == tmp_path / "xdg" / "stylegenes"


def test_list_and_clear(folder, opened, tmp_path):
    opened(folder)
    opened(folder, resolution=4)
    root = tmp_path / "cache"
    assert sorted(dataset.resolution for dataset in list_cache(root)) == [4, 8]
    assert clear_cache(root) > 5 * 3 * 64
    assert list_cache(root) == [] and clear_cache(root) == 0
    assert len(opened(folder)) == 5


def test_a_packed_folder_is_a_source(folder, opened, tmp_path):
    first = opened(folder)
    assert np.array_equal(opened(first.folder).images([3]), first.images([3]))
    for options, word in [
        ({"resolution": 16}, "packed at 8 px"),
        ({"fit": "letterbox"}, "was cropped when it was packed"),
        ({"labels": "t.csv"}, "packed with 0 labels"),
    ]:
        with pytest.raises(UserError, match=word):
            opened(first.folder, **options)
    assert len(opened(first.folder, labels="none")) == 5
    framed = opened(folder, fit="letterbox")
    assert opened(framed.folder).originals.fit == "letterbox", "as it was packed"


def test_a_picture_of_which_the_end_is_missing_is_not_held(tmp_path):
    writer = PackedWriter(tmp_path, 9, 3, Size(4, 4))
    with writer.appending() as appender:
        for _ in range(2):
            appender.append(np.zeros((3, 4, 4), np.uint8))
    assert writer.holds(2) and not writer.holds(3)
    with (tmp_path / "images.npy").open("r+b") as file:
        file.truncate(file.seek(0, os.SEEK_END) - 1)
    assert writer.holds(1) and not writer.holds(2)
