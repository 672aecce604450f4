"""`stylegenes data`: what it reports, writes and refuses."""

import io
import json

import numpy as np
import pytest
from makers import encoded, picture, png, write
from PIL import Image

from stylegenes.cli.main import run
from stylegenes.data import open_dataset
from stylegenes.data.duplicates import near, perceptual_hash


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))


def status(*argv) -> int:
    try:
        return run(["data", *map(str, argv)])
    except SystemExit as end:
        return int(end.code or 0)


@pytest.fixture
def photos(tmp_path):
    files = {f"cat/{i}.png": png(i, (64, 48)) for i in range(4)} | {"dog/9.jpg": encoded(picture(9, (64, 64)), "JPEG")}
    return write(tmp_path / "photos", files)


def test_clean_folder(photos, tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    assert status("check", photos, "--sheet", sheet, "--workers", 1) == 0
    out = capsys.readouterr().out
    for part in ("5 good, 0 bad", "64x48 (4)", "4 not square", "PNG RGB (4), JPEG RGB (1)", "cat: 4", "dog: 1"):
        assert part in out, part
    assert Image.open(sheet).size[0] > 128


def test_bad_files_and_duplicates_as_json(photos, capsys):
    write(photos, {"cat/copy.png": png(1, (64, 48)), "cat/cut.png": png(7, (64, 64))[:90], "cat/.DS_Store": b"x"})
    write(photos, {"dog/near.jpg": encoded(picture(9, (200, 200)), "JPEG", quality=60)})
    assert status("check", photos, "--json", "--workers", 1) == 1
    report = json.loads(capsys.readouterr().out)
    assert [item["name"] for item in report["bad"]] == ["cat/cut.png"] and report["bad"][0]["fix"]
    assert report["duplicates"] == [["cat/1.png", "cat/copy.png"]]
    assert report["near_duplicates"] == [["dog/9.jpg", "dog/near.jpg"]]
    assert (report["good"], report["ignored"], report["labels"]) == (7, 1, {"cat": 5, "dog": 2})


def test_the_text_report_names_reason_and_fix(photos, capsys):
    write(photos, {"cat/cut.png": b"hello"})
    assert status("check", photos) == 1
    assert "cat/cut.png: not an image of a format that is read -> delete it" in capsys.readouterr().out


def test_empty_and_missing(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert status("check", tmp_path / "empty") == 1
    assert "holds no image that can be used" in capsys.readouterr().err
    assert status("check", tmp_path / "gone") == 1
    assert "there is no" in capsys.readouterr().err


def test_avatars_come_back_with_their_labels(tmp_path, capsys):
    drawn = open_dataset("avatars:n=6,seed=3", resolution=16)
    for name in ("faces", "faces.zip"):
        out = tmp_path / name
        assert status("avatars", "--out", out, "--n", 6, "--seed", 3, "--resolution", 16) == 0
        read = open_dataset(out, resolution=16)
        assert np.array_equal(read.images(range(6)), drawn.images(range(6)))
        assert np.array_equal(read.labels(range(6)), drawn.labels(range(6)))
        assert read.label_names == drawn.label_names
        assert status("avatars", "--out", out, "--n", 6) == 1
    assert "exists already" in capsys.readouterr().err


def test_pack_and_check_packed(photos, tmp_path, capsys):
    out = tmp_path / "packed"
    assert status("pack", photos, "--out", out, "--resolution", 16) == 0
    assert len(open_dataset(out, resolution=16)) == 5
    assert status("check", out) == 0
    assert "is whole" in capsys.readouterr().out
    assert status("pack", photos, "--out", photos, "--resolution", 16) == 1
    assert len(list(photos.rglob("*.png"))) == 4


def test_cache_lists_and_clears(photos, capsys):
    open_dataset(photos, resolution=16)
    assert status("cache") == 0
    assert "5 images" in capsys.readouterr().out
    assert status("cache", "--clear") == 0
    assert "freed" in capsys.readouterr().out


def test_near_duplicates_survive_resizing_and_recompression_only():
    originals = [picture(seed, (96, 96)) for seed in range(20)]
    buffer = io.BytesIO()
    originals[4].resize((50, 50)).save(buffer, "JPEG", quality=70)
    flat = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    pictures = [*originals, Image.open(buffer), *flat]
    assert near([perceptual_hash(image) for image in pictures]) == [[4, 20]]
