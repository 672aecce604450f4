"""A folder of flags, 3:2 and 2:1, through the commands of a whole run, without and with alpha."""

import json
import random

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from stylegenes.cli import main
from stylegenes.snapshot import load_snapshot

NETWORKS = [f"model.{part}.{key}={value}" for part in ("synthesis", "discriminator")
            for key, value in (("channel_base", 128), ("channel_max", 8))]  # fmt: skip
SMALL = [*NETWORKS, "model.synthesis.w_dim=16", "model.latent.w_dim=16", "model.latent.num_genes=4",
         "model.latent.num_variants=4", "batch.total=8", "tensorboard=false"]  # fmt: skip


def draw_flags(folder, count: int) -> None:
    """Bars across, bars down and a disc, in colors by chance, on cloths of 3:2 and 2:1."""
    rng = random.Random(0)
    folder.mkdir()
    for number in range(count):
        width, height = [(60, 40), (80, 40)][number % 2]
        flag = Image.new("RGB", (width, height))
        pen, colors = ImageDraw.Draw(flag), [tuple(rng.randrange(256) for _ in range(3)) for _ in range(4)]
        for i in range(3):
            across, down = (0, i * height // 3, width, height), (i * width // 3, 0, width, height)
            pen.rectangle(across if number % 3 else down, fill=colors[i])
        pen.ellipse((width / 2 - 9, height / 2 - 9, width / 2 + 9, height / 2 + 9), fill=colors[3])
        flag.save(folder / f"{number:03d}.png")


def run(*argv) -> None:
    assert main.run([str(part) for part in argv]) == 0


@pytest.fixture(scope="module")
def flags(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flags") / "flags"
    draw_flags(folder, 200)
    return folder


def train(folder, out, kimg: float, *settings: str) -> None:
    given = [f"kimg={kimg}", *SMALL, *settings]
    run("train", folder, "--metrics", "none", "--out", out, *(word for one in given for word in ("--set", one)))


def test_a_folder_of_flags_trains_and_is_used(flags, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    run("data", "check", flags, "--resolution", "24x16", "--sheet", "flags.png")
    assert "100 not of 3:2 -> crop" in capsys.readouterr().out
    for kimg in (0.008, 0.016):
        train(flags, "run", kimg, "data.resolution=24x16", "augment.pipe=ada", "augment.p.value=0.5")
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert [config["data"]["resolution"], config["model"]["synthesis"]["resolution"]] == ["24x16", "24x16"]
    generator = load_snapshot("run").generator
    assert generator.synthesis.blocks[0].const.shape[1:] == (2, 3)
    run("sample", "run", "--seeds", "0-3", "--out", "samples", "--device", "cpu")
    sizes = {Image.open(file).size for file in (tmp_path / "samples").glob("*.png")}
    assert sizes == {(24, 16)}
    run("sample", "run", "--interpolate", "3", "--seeds", "0,1", "--out", "way.gif", "--device", "cpu")
    width, height = Image.open("way.gif").size
    assert 3 * height == 2 * width
    run("evaluate", "run", "--data", flags, "--metrics", "fd", "--num", "20", "--device", "cpu")
    run("invert", "run", flags / "000.png", "--steps", "2", "--out", "found", "--device", "cpu")
    width, height = Image.open("found/progress.png").size
    assert 4 * (width - 4) == 3 * (height - 6), "target over picture, each 3:2 between gaps of two pixels"
    run("export", "run", "--onnx", "model.onnx")
    session = pytest.importorskip("onnxruntime").InferenceSession("model.onnx")
    code = generator.sample(3, torch.Generator().manual_seed(0))
    assert session.get_outputs()[0].shape[1:] == [3, 16, 24]
    assert session.run(None, {"code": code.numpy()})[0].shape == (3, 3, 16, 24)


def test_flags_with_alpha_keep_it(flags, tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    train(flags, "run", 0.008, "data.resolution=32x16", "data.channels=4")
    run("sample", "run", "--seeds", "0,1", "--out", "sheet.png", "--device", "cpu")
    assert Image.open("sheet.png").mode == "RGBA"
    assert np.asarray(Image.open("sheet.png")).shape[2] == 4


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ("100x37", "the nearest that fit are 104x40, 96x40, 104x32"),
        ("384x", "is no size; give one number of pixels"),
        ("x256", "is no size"),
        ("0x0", "the sides of a picture must be from 1"),
        ("-1x4", "is no size"),
        ("99999x99999", "the sides of a picture must be from 1"),
    ],
)
def test_a_size_that_cannot_be_is_refused_in_a_sentence(flags, tmp_path, monkeypatch, capsys, size, message):
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    assert main.run(["train", str(flags), "--out", "run", "--set", f"data.resolution={size}"]) != 0
    told = capsys.readouterr().err
    assert message in told and "Traceback" not in told
    assert not (tmp_path / "run" / "state.safetensors").exists()
