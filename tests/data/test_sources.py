"""Every layout opens through `open_dataset`, with its labels; what cannot be used is listed."""

import os
import zipfile

import lmdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import encoded, picture, png, stylegan_labels, write, write_zip

from stylegenes.data import open_dataset
from stylegenes.data.decode import View, decode
from stylegenes.data.stores.archive import climbs
from stylegenes.data.tables import parse_table
from stylegenes.errors import UserError


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    return lambda source, **options: open_dataset(source, **{"resolution": 8, "workers": 1, **options})


def reasons(dataset):
    return {item.name: item.reason for item in dataset.description.left_out}


def test_folder_in_sorted_order(tmp_path, opened):
    folder = write(
        tmp_path / "d", {"b.png": png(1), "a.jpg": encoded(picture(0), "JPEG"), "c.webp": encoded(picture(2), "WEBP")}
    )
    dataset = opened(folder)
    assert (len(dataset), dataset.label_dim, dataset.channels, dataset.resolution) == (3, 0, 3, 8)
    assert dataset.labels([0, 1]).shape == (2, 0)
    assert np.array_equal(dataset.images([1])[0].numpy(), decode(png(1), View(8)))


def test_class_folders_become_one_hot_labels(tmp_path, opened):
    folder = write(tmp_path / "d", {"pets/dog/x/1.png": png(1), "pets/cat/1.png": png(2), "pets/cat/2.png": png(3)})
    dataset = opened(folder)
    assert dataset.label_names == ["cat", "dog"]
    assert dataset.labels(range(3)).tolist() == [[1, 0], [1, 0], [0, 1]]
    assert opened(folder, labels="none").label_dim == 0


def test_numbered_shards_and_mixed_folders_are_no_classes(tmp_path, opened):
    assert opened(write(tmp_path / "a", {"00000/1.png": png(1), "01000/2.png": png(2)})).label_dim == 0
    assert opened(write(tmp_path / "b", {"1.png": png(1), "cat/2.png": png(2), "dog/2.png": png(2)})).label_dim == 0


def test_digits_are_classes(tmp_path, opened):
    assert opened(write(tmp_path / "a", {"0/1.png": png(1), "1/2.png": png(2)})).label_names == ["0", "1"]


def test_zip_and_folder_of_the_same_files_have_the_same_hash(tmp_path, opened):
    files = {"cat/1.png": png(1), "dog/2.png": png(2)}
    folder, archive = write(tmp_path / "d", files), write_zip(tmp_path / "d.zip", files)
    assert opened(folder).content_hash == opened(archive).content_hash
    assert opened(archive).source.endswith("d.zip")


@pytest.mark.parametrize("as_zip", [False, True])
def test_stylegan_labels(tmp_path, opened, as_zip):
    pairs = [["00000/a.png", 2], ["00000/b.png", 0]]
    files = {
        "00000/a.png": png(1),
        "00000/b.png": png(2),
        "00000/c.png": png(3),
        "dataset.json": stylegan_labels(pairs),
    }
    dataset = opened(write_zip(tmp_path / "d.zip", files) if as_zip else write(tmp_path / "d", files))
    assert dataset.labels(range(2)).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert reasons(dataset) == {"00000/c.png": "no row in dataset.json"}


def test_stylegan_vectors_and_null_labels(tmp_path, opened):
    vectors = stylegan_labels([["a.png", [0.5, 1]], ["b.png", [2, 3]]])
    dataset = opened(write(tmp_path / "v", {"a.png": png(1), "b.png": png(2), "dataset.json": vectors}))
    assert dataset.labels([1, 0]).tolist() == [[2, 3], [0.5, 1]]
    assert opened(write(tmp_path / "n", {"a.png": png(1), "dataset.json": stylegan_labels(None)})).label_dim == 0


@pytest.mark.parametrize("content", [b"{}", b"nonsense", b'{"labels": [["a.png", 1], ["b.png", [1, 2]]]}'])
def test_broken_stylegan_labels_are_refused(tmp_path, opened, content):
    with pytest.raises(UserError, match=r"dataset\.json"):
        opened(write(tmp_path / "d", {"a.png": png(1), "b.png": png(2), "dataset.json": content}))


CELEBA_LIST = b"2\nSmiling Male \n000001.jpg  1 -1\n000002.jpg -1  1\n"


@pytest.mark.parametrize("given", [".", "img_align_celeba"])
def test_celeba(tmp_path, opened, given):
    images = {f"img_align_celeba/00000{i}.jpg": encoded(picture(i, (18, 22)), "JPEG") for i in (1, 2)}
    folder = write(tmp_path / "celeba", {**images, "list_attr_celeba.txt": CELEBA_LIST})
    dataset = opened(folder / given)
    assert dataset.label_names == ["Smiling", "Male"]
    assert dataset.labels([0, 1]).tolist() == [[1, 0], [0, 1]]


def test_attribute_table(tmp_path, opened):
    table = "file;Smiling;Hair;Age\na.png;1;red;0.5\nb.png;0;black;0.25\nc.png;1;;0\n".encode("utf-8-sig")
    dataset = opened(write(tmp_path / "d", {f"{n}.png": png(i) for i, n in enumerate("abc")} | {"labels.csv": table}))
    assert dataset.label_names == ["Smiling", "Hair=black", "Hair=red", "Age"]
    assert dataset.labels([0, 1]).tolist() == [[1, 0, 1, 0.5], [0, 1, 0, 0.25]]
    assert "row 4" in reasons(dataset)["c.png"]


def test_tables_that_are_none_say_why(tmp_path, opened):
    files = {"a.png": png(1), "x.csv": b"file,v\na.png,1\n", "y.csv": b"file,v\na.png,2\n"}
    folder = write(tmp_path / "d", files)
    with pytest.raises(UserError, match="several"):
        opened(folder)
    assert opened(folder, labels="y.csv").labels([0]).tolist() == [[2]]
    with pytest.raises(UserError, match="no label file"):
        opened(folder, labels="z.csv")
    for content, word in ((b"a.png,1\nb.png,2\n", "first line"), (b"\xff\xfa", "UTF-8"), (b"x", "no attribute table")):
        with pytest.raises(UserError, match=word):
            parse_table("t.csv", content)
    with pytest.raises(UserError, match="names none"):
        opened(write(tmp_path / "e", {"a.png": png(1), "x.csv": b"file,v\nq.png,1\n"}))


def test_lmdb_with_any_keys(tmp_path, opened):
    path = tmp_path / "bedroom_lmdb"
    with lmdb.open(str(path), map_size=2**20) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"00aa", encoded(picture(0), "WEBP"))
        transaction.put(b"\xff\x00", png(1))
        transaction.put(b"zz", b"broken")
    dataset = opened(path)
    assert len(dataset) == 2 and list(reasons(dataset)) == ["zz"]
    assert np.array_equal(dataset.images([1])[0].numpy(), decode(png(1), View(8)))
    assert opened(path / "data.mdb").content_hash == dataset.content_hash


def test_lmdb_and_zip_decode_in_processes(tmp_path, opened):
    files = {f"{i:03d}": png(i) for i in range(70)}
    with lmdb.open(str(tmp_path / "l"), map_size=2**20) as environment, environment.begin(write=True) as transaction:
        for key, value in files.items():
            transaction.put(key.encode(), value)
    archive = write_zip(tmp_path / "z.zip", files)
    expected = np.stack([decode(content, View(8)) for content in files.values()])
    for source in (tmp_path / "l", archive):
        assert np.array_equal(opened(source, workers=2).images(range(70)).numpy(), expected)


def test_bad_files_are_listed_and_system_files_counted(tmp_path, opened, caplog):
    good = {f"{i}.png": png(i) for i in range(6)}
    system = {".hidden.png": png(), "__MACOSX/._1.png": b"x", "Thumbs.db": b"x", ".git/a.png": png()}
    bad = {"cut.png": png(9, (64, 64))[:200], "text.png": b"hello", "empty.jpg": b"", "clip.mp4": b"x"}
    dataset = opened(write(tmp_path / "d", {**good, **system, **bad, "README.md": b"hi"}))
    assert len(dataset) == 6 and dataset.description.ignored == 4
    assert set(reasons(dataset)) == set(bad)
    assert "4 of 10 files" in caplog.text and "data check" in caplog.text
    caplog.clear()
    opened(tmp_path / "d")
    assert "4 of 10 files" in caplog.text, "the cached data set says it again"


def test_links_stay_inside(tmp_path, opened):
    secret = write(tmp_path / "other", {"secret.png": png(5)})
    folder = write(tmp_path / "d", {"a.png": png(1), "b.png": png(2)})
    os.symlink(secret / "secret.png", folder / "out.png")
    os.symlink(secret, folder / "outside")
    os.symlink(folder / "a.png", folder / "again.png")
    os.symlink(folder / "gone.png", folder / "broken.png")
    dataset = opened(folder)
    assert len(dataset) == 3
    assert set(reasons(dataset)) == {"out.png", "outside", "broken.png"}


def test_hostile_zip(tmp_path, opened):
    bomb = b"\0" * 2**24
    files = {"a.png": png(1), "b.png": png(2), "../climb.png": png(3), "/abs.png": png(4), "C:\\x.png": png(4)}
    path = write_zip(tmp_path / "d.zip", {**files, "bomb.bmp": bomb}, zipfile.ZIP_DEFLATED)
    dataset = opened(path)
    assert len(dataset) == 2
    found = reasons(dataset)
    assert "zip bomb" in found.pop("bomb.bmp")
    assert len(found) == 3 and all("climbs" in reason for reason in found.values())
    assert not (tmp_path / "climb.png").exists()


def test_damaged_zip_entry_is_listed(tmp_path, opened):
    path = write_zip(tmp_path / "d.zip", {f"{i}.png": png(i) for i in range(4)})
    content = bytearray(path.read_bytes())
    content[60:70] = b"\0" * 10
    path.write_bytes(content)
    dataset = opened(path)
    assert len(dataset) == 3 and "archive" in reasons(dataset)["0.png"]


@settings(max_examples=60)
@given(parts=st.lists(st.sampled_from(["a", "b c", "..x", "x.."]), min_size=1, max_size=4))
def test_ordinary_names_do_not_climb(parts):
    name = "/".join(parts)
    assert not climbs(name)
    assert climbs(f"../{name}") and climbs(f"/{name}") and climbs(f"{name}/../{name}") and climbs(f"C:\\{name}")


def test_what_cannot_be_opened_says_what_to_do(tmp_path, opened):
    write(
        tmp_path,
        {"photos/notes.txt": b"x", "one.png": png(), "bad.zip": b"no zip", "x.tar": b"x", "l/data.mdb": b"junk"},
    )
    for name, word in {
        "photo": "did you mean",
        "photos": "holds no images",
        "one.png": "single image",
        "bad.zip": "no zip",
        "x.tar": "unpack",
        "l": "LMDB",
    }.items():
        with pytest.raises(UserError, match=word):
            opened(tmp_path / name)


def test_mostly_bad_is_refused(tmp_path, opened):
    folder = write(tmp_path / "d", {"a.png": png(1), **{f"b{i}.png": b"x" for i in range(5)}})
    with pytest.raises(UserError, match=r"only 1 of 6 files.*\n(.*\n)+.*data check"):
        opened(folder)
    assert not list((tmp_path / "cache" / "datasets").iterdir())
