"""Hostile and damaged places: each is a sentence, or a file that is left out with its reason."""

import multiprocessing
import os
import pickle
import struct
import zipfile

import lmdb
import numpy as np
import pytest
from makers import png, write, write_zip

from stylegenes.cli import main
from stylegenes.data import open_dataset
from stylegenes.data.stores import open_store
from stylegenes.data.stores.base import Listing
from stylegenes.errors import UserError, shown


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    return lambda source, **options: open_dataset(source, **{"resolution": 8, "workers": 1, **options})


def reasons(dataset):
    return {item.name: item.reason for item in dataset.description.left_out}


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "l"
    with lmdb.open(str(path), map_size=2**22) as environment, environment.begin(write=True) as transaction:
        for i in range(60):
            transaction.put(b"%03d" % i, png(i, (40, 40)))
    return path


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.95])
def test_an_lmdb_that_was_cut_short_is_refused(database, opened, share):
    file = database / "data.mdb"
    whole = file.read_bytes().rstrip(b"\0")
    file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=r"cut short|no LMDB") as error:
        opened(database)
    assert "get it again" in str(error.value)


def damaged(whole, seed):
    """Bytes overwritten where the pages' own numbers and pointers lie."""
    content = bytearray(whole)
    pages = range(2, len(whole) // 4096)
    page = pages[seed * 7 % len(pages)] * 4096
    content[page : page + 24] = struct.pack("<6I", *(seed * 2654435761 % 2**32 for _ in range(6)))
    return bytes(content)


def outcome(path):
    try:
        dataset = open_dataset(path, resolution=8, workers=1, cache_dir=path / "cache")
        os._exit(0 if len(dataset) <= 60 else 1)
    except UserError as error:
        os._exit(2 if str(error).isprintable() or "\n" in str(error) else 1)
    except BaseException:
        os._exit(1)


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_lmdb_never_ends_the_process(database, seed):
    file = database / "data.mdb"
    file.write_bytes(damaged(file.read_bytes(), seed))
    child = multiprocessing.get_context("fork").Process(target=outcome, args=(database,))
    child.start()
    child.join(60)
    assert child.exitcode in (0, 2)


def test_a_link_that_leads_to_itself_is_left_out(tmp_path, opened):
    folder = write(tmp_path / "d", {"a.png": png(1), "b.png": png(2)})
    os.symlink(folder / "loop.png", folder / "loop.png")
    os.symlink(folder, folder / "again")
    assert set(reasons(opened(folder))) == {"loop.png", "again"}
    os.symlink(tmp_path / "self", tmp_path / "self")
    with pytest.raises(UserError, match="there is no"):
        opened(tmp_path / "self")


def test_names_that_are_not_utf_8_are_left_out(tmp_path, opened, caplog):
    folder = write(tmp_path / "d", {"a.png": png(1), "b.png": png(2)})
    with open(os.fsencode(folder) + b"/\xff.png", "wb") as file:
        file.write(png(3))
    assert reasons(opened(folder)) == {"\\udcff.png": "a name that is not UTF-8"}
    assert "\\udcff.png" in caplog.text
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xfe")
    folder.rename(odd)
    assert len(opened(odd)) == 2


def test_pipes_and_devices_are_not_read(tmp_path, opened):
    folder = write(tmp_path / "d", {"a.png": png(1)})
    os.mkfifo(folder / "pipe.png")
    assert reasons(opened(folder)) == {"pipe.png": "not a file"}
    for name in ("x.zip", "x.mdb", "x"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(UserError, match="pipe or device"):
            opened(tmp_path / name)
    with pytest.raises(UserError, match="pipe or device"):
        opened("/dev/zero")
    with pytest.raises(UserError, match="no label file"):
        opened(folder, labels=tmp_path / "x")


def test_a_folder_that_cannot_be_listed_is_left_out(tmp_path, opened, monkeypatch):
    folder = write(tmp_path / "d", {"a.png": png(1), "closed/b.png": png(2)})
    real = os.scandir

    def scandir(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert reasons(opened(folder)) == {"closed": "a folder that cannot be read: Permission denied"}


def test_of_two_zipped_files_of_one_name_none_is_taken(tmp_path, opened):
    path = tmp_path / "d.zip"
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for name, seed in [("a.png", 1), ("b.png", 2), ("a.png", 3)]:
            archive.writestr(name, png(seed))
    dataset = opened(path)
    assert len(dataset) == 1
    assert reasons(dataset) == {"a.png": "2 files of this name, and no telling which is meant"}


@pytest.mark.parametrize("share", [0, 0.2, 0.9, 0.999])
def test_a_zip_that_was_cut_short_is_refused(tmp_path, opened, share):
    path = write_zip(tmp_path / "d.zip", {f"{i}.png": png(i) for i in range(4)})
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(UserError, match="cut short"):
        opened(path)


def test_zips_with_any_damage_open_or_are_refused(tmp_path, opened):
    path = write_zip(tmp_path / "d.zip", {f"{i}.png": png(i) for i in range(4)})
    whole = path.read_bytes()
    for place in range(len(whole) - 300, len(whole), 3):
        path.write_bytes(whole[:place] + b"\xff\xfe" + whole[place + 2 :])
        try:
            opened(path)
        except UserError as error:
            assert str(error).replace("\n", "").isprintable()


def test_encrypted_entries_are_left_out(tmp_path, opened):
    path = write_zip(tmp_path / "d.zip", {f"{i}.png": png(i) for i in range(3)})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert reasons(opened(path)) == {"0.png": "encrypted"}


def test_names_with_escapes_are_shown_without_them(tmp_path, opened, caplog):
    opened(write_zip(tmp_path / "d.zip", {"1.png": png(1), "\x1b[2J.png": b"broken"}))
    assert "\x1b" not in caplog.text and "\\x1b[2J.png" in caplog.text


def test_what_systems_leave_behind_is_ignored(tmp_path):
    left = [".DS_Store", "Thumbs.db", "ehthumbs.db", "__MACOSX/a.png", "@eaDir/a.png", ".git/x", "Icon\r"]
    listing = open_store(write(tmp_path / "d", {"a.png": png(1), **dict.fromkeys(left, b"x")})).list()
    assert [entry.name for entry in listing.entries] == ["a.png"] and listing.ignored == len(left)
    zipped = open_store(write_zip(tmp_path / "d.zip", {"a.png": png(1), **dict.fromkeys(left, b"x")})).list()
    assert zipped.entries[0].name == "a.png" and zipped.ignored == len(left)


def test_photos_of_formats_that_are_not_read_are_told_how_to_become_some(tmp_path):
    listing = open_store(write(tmp_path / "d", {"a.HEIC": b"x", "b.mp4": b"x"})).list()
    assert [item.fix for item in listing.left_out] == ["save it as PNG or JPEG", "move it elsewhere"]


def test_depth_beside_pictures_is_none_of_them():
    listing = Listing()
    names = ["a.png", "depth/a.npy", "depth/b.npy", "in/c.jpg", "in/depth/c.npy", "depth/d.png", "e.npy"]
    for name in names:
        listing.file(name, "0")
    found = [entry.name for entry in listing.sort().entries]
    assert found == ["a.png", "depth/b.npy", "depth/d.png", "e.npy", "in/c.jpg"] and listing.ignored == 2


@pytest.mark.parametrize(
    "inside", [b"caf\xe9/a.png", b"\xe9/deep/a.png", b"deep/\xe9/a", b"\xff\xfe/\xe9.png", b"\xe9/t.csv"]
)
def test_folders_whose_names_are_not_utf_8_are_left_out(tmp_path, opened, inside):
    folder = write(tmp_path / "d", {"a.png": png(1), "caf\u00e9/b.png": png(2)})
    odd = os.path.join(os.fsencode(folder), inside)
    os.makedirs(os.path.dirname(odd))
    with open(odd, "wb") as file:
        file.write(png(3))
    os.symlink(tmp_path, os.path.join(os.path.dirname(odd), b"link"))
    found = reasons(opened(folder, labels="none"))
    assert found.pop(shown(os.fsdecode(inside))).endswith("is not UTF-8")
    assert ["link to a folder" in reason for reason in found.values()] == [True]
    with pytest.raises(SystemExit, match="1"):
        main.run(["data", "check", str(folder), "--labels", "none"])
    packed = ["data", "pack", str(folder), "--labels", "none", "--out", str(tmp_path / "p"), "--resolution", "8"]
    assert main.run(packed) == 0
    assert main.run([*packed[:-3], str(tmp_path / "s"), *packed[-2:], "--shards"]) == 0


def test_zips_of_old_tools_have_their_class_folders(tmp_path, opened):
    names = ["cat\\1.png", "cat\\deep\\2.png", "dog\\1.png", "dog/2.png", "3.png"]
    plain = {name.replace("\\", "/"): png(i) for i, name in enumerate(names)}
    path = write_zip(tmp_path / "d.zip", {"cat\\": b"", **{name: png(i) for i, name in enumerate(names)}})
    store = open_store(path)
    assert [entry.name for entry in store.list().entries] == sorted(plain)
    again = pickle.loads(pickle.dumps(store))
    assert {name: again.read(name) for name in plain} == plain
    files = {f"{kind}\\{i}.png": png(i) for i, kind in enumerate(["cat", "dog", "cat"])}
    there = opened(write_zip(tmp_path / "w.zip", {**files, "__MACOSX\\cat\\._0.png": b"x"}))
    here = opened(write(tmp_path / "w", {name.replace("\\", "/"): content for name, content in files.items()}))
    assert there.label_names == here.label_names == ["cat", "dog"]
    assert np.array_equal(there.labels(range(3)), here.labels(range(3))) and not reasons(there)
    assert there.description.content_hash == here.description.content_hash


def test_tables_in_zips_of_old_tools_are_read(tmp_path, opened):
    files = {"set\\1.png": png(1), "set\\2.png": png(2), "set\\t.csv": b"file,Happy\n1.png,1\n2.png,0\n"}
    dataset = opened(write_zip(tmp_path / "d.zip", files))
    assert dataset.label_names == ["Happy"] and dataset.labels([0, 1]).tolist() == [[1.0], [0.0]]


@pytest.mark.parametrize("name", ["..\\x.png", "a\\..\\..\\x.png", "C:\\x.png", "\\x.png", "\\\\host\\x.png"])
def test_names_with_backslashes_that_climb_are_refused(tmp_path, opened, name):
    dataset = opened(write_zip(tmp_path / "d.zip", {"a.png": png(1), name: png(2)}))
    assert len(dataset) == 1 and list(reasons(dataset).values()) == ["a path that climbs out of the archive"]


def test_one_name_with_both_slashes_is_two_files(tmp_path, opened):
    dataset = opened(write_zip(tmp_path / "d.zip", {"a.png": png(1), "c/b.png": png(2), "c\\b.png": png(3)}))
    assert len(dataset) == 1 and "2 files of this name" in reasons(dataset)["c/b.png"]


def test_a_name_that_has_slashes_keeps_its_backslashes(tmp_path):
    store = open_store(write_zip(tmp_path / "d.zip", {"c/a\\b.png": png(1)}))
    assert [entry.name for entry in store.list().entries] == ["c/a\\b.png"] and store.read("c/a\\b.png") == png(1)
