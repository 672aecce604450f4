"""What a command writes without being told where: README's first and third command, and their kin."""

import shutil

import numpy as np
import pytest
from PIL import Image

from stylegenes.cli.edit import Args as EditArgs
from stylegenes.cli.edit import PictureOptions
from stylegenes.cli.main import run
from stylegenes.cli.places import made_by
from stylegenes.cli.sample import Args, CameraAngles, WishOptions
from stylegenes.sheets import read_sheet


def test_a_command_line_has_one_form():
    assert made_by(Args("m")) == "stylegenes sample m" == made_by(Args("m", out="x.png", device="cpu"))
    line = "stylegenes sample m --seeds=0-3 --where=Smiling=1 --yaw=30.0"
    assert made_by(Args("m", seeds="0-3", wish=WishOptions("Smiling=1"), side=CameraAngles(30.0))) == line
    assert made_by(EditArgs("m", set="A=1", picture=PictureOptions(seed=4))) == "stylegenes edit m --set=A=1 --seed=4"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_default_names_are_not_taken_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = [
        ["sample", "avatars32", "--seeds", "0-3"],
        ["sample", "avatars32", "--where", "Smiling=1", "-n", "2"],
        ["sample", "avatars32", "--seeds", "0,1", "--interpolate", "2"],
        ["interpolate", "avatars32", "--seeds", "0,2", "--steps", "2"],
        ["pca", "avatars32", "--samples", "200", "--components", "1"],
        ["pca", "avatars32", "--samples", "210", "--components", "1"],
        ["pca", "avatars32-mapping", "--samples", "210", "--components", "1"],
    ]
    for line in lines:
        assert run(line) == 0
    first = sorted(tmp_path.rglob("*"))
    expected = {"avatars32-samples.png", "avatars32-samples-2.png", "avatars32-samples-2.json"}
    expected |= {"avatars32-interpolation.png", "avatars32-interpolation-2.png"}
    expected |= {"avatars32-pca", "avatars32-pca-2", "avatars32-mapping-pca"}
    assert expected <= set(names(tmp_path))
    for line in lines:
        assert run(line) == 0
    assert sorted(tmp_path.rglob("*")) == first, "the same again writes the same files"
    assert "drawn once" in capsys.readouterr().out


def test_edits_of_two_pictures_are_two_exhibits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed in ("3", "4", "3"):
        assert run(["edit", "avatars32", "--seed", seed, "--set", "Eyeglasses=1", "--genes", "1"]) == 0
    (folder,) = tmp_path.glob("avatars32-genes-*")
    assert [name for name in names(folder / "exhibits") if name.endswith(".png")] == ["edit-2.png", "edit.png"]


@pytest.mark.parametrize(
    ("line", "out"),
    [
        (["sample", "--seeds", "0-3", "--mix", "coarse"], "a.png"),
        (["sample", "--seeds", "0,1", "--interpolate", "3"], "a.gif"),
        (["sample", "--where", "Smiling=1", "-n", "2"], "a.webp"),
        (["edit", "--seed", "3", "--set", "Eyeglasses=1", "--genes", "1"], "a.png"),
        (["edit", "--seed", "3", "--set", "Eyeglasses=1", "--traverse", "3"], "a.png"),
        (["breed", "--parents", "1,2", "-n", "4"], "a.png"),
        (["breed", "--generations", "1", "--fitness", "Smiling=1", "-n", "4"], "a.png"),
        (["noise", "--seeds", "5", "--draws", "2"], "n/noise-0.png"),
        (["pca", "--samples", "200", "--components", "1"], "n/extremes.png"),
        (["pca", "--samples", "200", "--components", "1"], "n/strips.png"),
        (["invert", "{photo}", "--space", "genome", "--steps", "2", "--calibrate", "0"], "n/comparison.png"),
    ],
)
def test_whatever_picture_a_command_wrote_is_drawn_again(tmp_path, monkeypatch, line, out):
    monkeypatch.chdir(tmp_path)
    photo = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)).save(photo)
    verb, *options = [part.format(photo=photo) for part in line]
    place = out.split("/")[0]
    assert run([verb, "avatars32", *options, "--out", place]) == 0
    carried = read_sheet(out)
    assert carried.codes and carried.origin is not None and carried.origin.model == "avatars32"
    assert run(["sample", "avatars32", "--codes", out, "--out", "again.png"]) == 0
    assert read_sheet("again.png").codes == carried.codes
    shutil.rmtree(place, ignore_errors=True)


def test_a_grid_at_another_psi_is_drawn_again_at_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    draw = ["sample", "avatars32", "--seeds", "0-3", "--psi", "0.7", "--noise", "random"]
    assert run([*draw, "--out", "a.png"]) == 0
    assert run(["sample", "avatars32", "--codes", "a.png", "--out", "b"]) == 0
    assert run([*draw, "--out", "c"]) == 0
    assert "drawn as the file says: psi 0.7, noise random" in capsys.readouterr().out
    pictures = [[np.asarray(Image.open(path)) for path in sorted((tmp_path / name).glob("*.png"))] for name in "bc"]
    drawn = [{picture.tobytes() for picture in folder} for folder in pictures]
    assert drawn[0] == drawn[1] and len(drawn[0]) == 4
    assert run(["sample", "avatars32-mapping", "--codes", "a.png"]) == 1
