"""`stylegenes data`: what it reports, writes and refuses."""

import itertools
import json
import shutil
import time

import numpy as np
import pytest
from makers import encoded, picture, png, write
from PIL import Image, ImageColor, ImageOps

from stylegenes.cli.main import run
from stylegenes.data import open_dataset
from stylegenes.data.decode import read_picture
from stylegenes.data.duplicates import near, thumbnail


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


def test_what_is_packed_is_shown_as_it_is_and_not_packed_again(tmp_path, capsys):
    (tmp_path / "wide").mkdir()
    for number in range(3):
        Image.new("RGB", (50, 30), (80 * number, 0, 9)).save(tmp_path / "wide" / f"{number}.png")
    wide, out = str(tmp_path / "wide"), str(tmp_path / "packed")
    assert run(["data", "check", wide, "--resolution", "50x30"]) == 0
    fits = "no network makes pictures of 50x30 px; the nearest that fit are 52x32, 48x32, 52x28 (--resolution)"
    assert fits in capsys.readouterr().out
    for shards in ([], ["--shards"]):
        assert run(["data", "pack", wide, "--out", out, "--resolution", "50x30", *shards]) == 0
        assert f"note: {fits}" in capsys.readouterr().out
        assert run(["data", "check", out, "--sheet", str(tmp_path / "sheet.png"), "--json"]) == 0
        told = capsys.readouterr().out
        assert json.loads(told[told.index("{") :])["resolution"] == "50x30"
        with Image.open(tmp_path / "sheet.png") as sheet:
            assert {color for _, color in sheet.convert("RGB").getcolors()} >= {(0, 0, 9), (80, 0, 9), (160, 0, 9)}
        for wrong in (["--resolution", "32"], ["--channels", "1"], ["--labels", "x.csv"]):
            assert run(["data", "check", out, *wrong]) == 1
            assert f"packed already, and {wrong[0]} is for pictures to pack" in capsys.readouterr().err
        assert run(["data", "pack", out, "--out", str(tmp_path / "again"), "--resolution", "32"]) == 1
        assert f"{out} is packed already, and is taken as it is" in capsys.readouterr().err
        shutil.rmtree(out)
        (tmp_path / "sheet.png").unlink()


@pytest.mark.parametrize(("size", "words"), [("24x36", "2:3"), ("36x24", "3:2"), ("96x64", "3:2"), ("256x144", "16:9")])
def test_a_shape_is_named_by_its_smallest_numbers(photos, capsys, size, words):
    run(["data", "check", str(photos), "--resolution", size])
    assert f"not of {words} ->" in capsys.readouterr().out


def test_cache_lists_and_clears(photos, capsys):
    open_dataset(photos, resolution=16)
    assert status("cache") == 0
    assert "5 images" in capsys.readouterr().out
    assert status("cache", "--clear") == 0
    assert "freed" in capsys.readouterr().out


def again(image, format, size=None, **options):
    """The picture in another file: resized and compressed anew."""
    return read_picture(encoded(image.resize(size) if size else image, format, **options))


def flag(colors, upright, size):
    """Three stripes."""
    stripes = Image.new("RGB", (3, 1) if upright else (1, 3))
    for place, color in enumerate(colors):
        stripes.putpixel((place, 0) if upright else (0, place), ImageColor.getrgb(color))
    return stripes.resize(size, Image.Resampling.NEAREST)


FLAGS = [
    flag(colors, upright, (90, 60))
    for colors in itertools.permutations(("red", "white", "green"))
    for upright in (True, False)
]
KINDS = {
    "flags": FLAGS,
    "dim flags": [Image.blend(image, Image.new("RGB", image.size, "gray"), 0.8) for image in FLAGS],
    "one shape, eight colors": [
        ImageOps.expand(Image.new("RGB", (60, 60), color), 30, "white")
        for color in ("red", "orange", "gold", "green", "teal", "blue", "purple", "gray")
    ],
    "smooth": [picture(seed, (96, 80)) for seed in range(12)],
    "flat": [Image.new("RGB", (20, 20), color) for color in ("red", "blue", "white", "black", "gray")],
}


@pytest.mark.parametrize("kind", KINDS)
def test_different_pictures_are_no_near_duplicates(kind):
    assert near([thumbnail(image) for image in KINDS[kind]]) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("format", "scale", "options"),
    [
        ("JPEG", 1, {"quality": 40}),
        ("WEBP", 1, {"quality": 60}),
        ("PNG", 0.5, {}),
        ("PNG", 0.9, {}),
        ("JPEG", 1.7, {"quality": 75}),
        ("GIF", 1, {}),
    ],
)
def test_the_same_picture_in_another_file_is_a_near_duplicate(kind, format, scale, options):
    originals = KINDS[kind]
    copies = [again(i, format, (round(i.width * scale), round(i.height * scale)), **options) for i in originals]
    found = near([thumbnail(image) for image in [*originals, *copies]])
    assert found == [[index, index + len(originals)] for index in range(len(originals))]


def test_many_pictures_alike_are_one_group_and_quickly_found():
    rng = np.random.default_rng(0)
    white = [bytes(rng.integers(253, 256, 432, dtype=np.uint8)) for _ in range(2000)]
    others = [bytes(rng.integers(0, 256, 432, dtype=np.uint8)) for _ in range(2000)]
    start = time.monotonic()
    assert near([*others, *white]) == [list(range(2000, 4000))]
    assert time.monotonic() - start < 20
    assert near([]) == [] and near(white[:1]) == []
