"""`stylegenes orbit`, `mesh` and `sample --yaw`, as a user runs them."""

import numpy as np
import pytest
import torch
from PIL import Image

from stylegenes.cli import main
from stylegenes.generator import Generator
from stylegenes.pictures import read_text
from stylegenes.snapshot import Card, save_snapshot
from stylegenes.synthesis.eg3d import EG3DSynthesis


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A small random 3D model whose volume is opaque, and a flat one."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(3)
    latent = {"name": "genome", "w_dim": 8, "num_genes": 4, "num_variants": 4, "camera": True}
    solid = {"name": "eg3d", **EG3DSynthesis.example_spec(16, 8), "samples": 16, "importance": 16}
    flat = {"name": "stylegan2", "resolution": 16, "w_dim": 8, "channel_base": 64, "channel_max": 8}
    for name, synthesis in (("solid", solid), ("flat", flat)):
        generator = Generator.from_spec({"latent": latent, "synthesis": synthesis})
        if name == "solid":
            torch.nn.init.normal_(generator.latent.pose.out.weight, std=100)
            generator.synthesis.decoder.out.weight.data[0] *= 20
            generator.synthesis.decoder.out.bias.data[0] = 3.0
        save_snapshot(folder / name, generator, Card(name=name))
    return folder


def _run(*argv) -> int:
    return main.run([str(part) for part in argv])


def _pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def test_pictures_from_any_side(models, tmp_path):
    for name, options in (("front", []), ("zero", ["--yaw", "0"]), ("side", ["--yaw", "60", "--pitch", "20"])):
        assert _run("sample", models / "solid", "--seeds", "0-1", "--out", tmp_path / f"{name}.png", *options) == 0
    front, zero, side = (_pixels(tmp_path / f"{name}.png") for name in ("front", "zero", "side"))
    assert np.abs(front - zero).max() <= 1 and np.abs(front - side).max() > 3
    text = read_text(tmp_path / "side.png")
    assert (text["Yaw"], text["Pitch"]) == ("60", "20")
    again = tmp_path / "again.png"
    assert _run("sample", models / "solid", "--seeds", "0-1", "--yaw", "60", "--pitch", "20", "--out", again) == 0
    assert np.array_equal(_pixels(again), side), "the same code and camera, the same picture"


@pytest.mark.parametrize("show", ["picture", "raw", "depth", "normals"])
def test_a_sheet_of_sides(models, tmp_path, show, capsys):
    out = tmp_path / "sides.png"
    options = ["--seeds", "0-1", "--steps", "3", "--show", show, "--out", out]
    assert _run("orbit", models / "solid", *options) == 0
    sheet = _pixels(out)
    assert sheet.shape[1] > sheet.shape[0] and len(np.unique(sheet)) > 3
    assert "2 codes from 3 sides" in capsys.readouterr().out
    assert len(read_text(out)["Codes"].split("\n")) == 2


def test_an_animation_turns(models, tmp_path):
    out = tmp_path / "turn.gif"
    assert _run("orbit", models / "solid", "--seeds", "1", "--steps", "5", "--path", "swing", "--out", out) == 0
    with Image.open(out) as moving:
        assert moving.n_frames == 5


@pytest.mark.parametrize("out", ["figure.glb", "figure.ply", "figure.npz"])
def test_a_mesh_or_densities(models, tmp_path, out, capsys):
    assert _run("mesh", models / "solid", "--resolution", "16", "--out", tmp_path / out) == 0
    assert out in capsys.readouterr().out and (tmp_path / out).stat().st_size > 500


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["sample", "flat", "--yaw", "3"], "makes flat pictures"),
        (["orbit", "flat"], "makes flat pictures"),
        (["mesh", "flat"], "has no volume"),
        (["mesh", "solid", "--level", "1e9", "--resolution", "8"], "densities of this volume go from"),
        (["mesh", "solid", "--level", "high"], "neither auto nor a number"),
        (["mesh", "solid", "--level", "-1"], "above 0"),
        (["mesh", "solid", "--out", "figure.stl"], "must end in"),
        (["orbit", "solid", "--steps", "0"], "at least 1"),
        (["orbit", "solid", "--steps", "100000000"], "at most 3600"),
        (["orbit", "solid", "--show", "depth", "--size", "100000000"], "at most 4096"),
        (["orbit", "solid", "--pitch", "91"], "pitch of -90 to 90"),
        (["orbit", "solid", "--pitch", "nan"], "--pitch is nan, which is no finite number"),
        (["sample", "solid", "--yaw", "inf"], "--yaw is inf, which is no finite number"),
        (["sample", "solid", "--fov", "1e-320"], "between 0 and 180"),
        (["mesh", "solid", "--resolution", "100000"], "2 to 1024 points"),
        (["mesh", "solid", "--out", "figure.mrc"], "must end in"),
        (["orbit", "solid", "--fov", "200"], "between 0 and 180"),
    ],
)
def test_what_cannot_be_is_said(models, argv, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert _run(argv[0], models / argv[1], *argv[2:]) == 1
    assert message in capsys.readouterr().err
