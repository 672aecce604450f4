"""`stylegenes sample`, as a user runs it: codes reproduce pictures, and wrong options are answered in words."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from stylegenes import UserError
from stylegenes.cli import main
from stylegenes.generator import Generator
from stylegenes.interop.exporting import PlainGenerator
from stylegenes.interop.onnx import check_onnx, export_onnx
from stylegenes.notation import parse_codes
from stylegenes.pictures import read_text
from stylegenes.snapshot import Card, DataCard, save_snapshot

LATENTS = {
    "genome": {"name": "genome", "w_dim": 16, "num_genes": 8, "num_variants": 6},
    "prior": {"name": "gaussian", "w_dim": 16},
    "conditional": {"name": "mapping", "w_dim": 16, "depth": 2, "label_dim": 3},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """One tiny random model for each kind of latent, with noise that shows."""
    folder = tmp_path_factory.mktemp("models")
    synthesis = {"name": "stylegan2", "resolution": 16, "w_dim": 16, "channel_base": 128, "channel_max": 16}
    for name, latent in LATENTS.items():
        torch.manual_seed(1)
        generator = Generator.from_spec({"latent": latent, "synthesis": synthesis})
        for key, parameter in generator.named_parameters():
            parameter.data.add_(0.3 if key.endswith("noise_strength") else 0.0)
        labels = ["Hat", "Smiling", "Young"] if "label_dim" in latent else []
        save_snapshot(folder / name, generator, Card(name=name, data=DataCard("none", label_names=labels)))
    return folder


def _run(*argv) -> int:
    return main.run([str(part) for part in argv])


def _pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path))


def _label(name) -> list[str]:
    return ["--label", "Hat"] if name == "conditional" else []


@pytest.mark.parametrize("noise", ["const", "random", "none"])
@pytest.mark.parametrize("name", LATENTS)
def test_a_code_string_gives_the_very_pixels_of_its_seed(models, tmp_path, name, noise):
    options = [*_label(name), "--noise", noise, "--psi", "0.8", "--device", "cpu"]
    assert _run("sample", models / name, "--seeds", "0-3", "--out", tmp_path / "seeds", *options) == 0
    code = json.loads((tmp_path / "seeds" / "codes.json").read_text())["codes"][3]["code"]
    assert _run("sample", models / name, f"--codes={code}", "--out", tmp_path / "one", *options) == 0
    (again,) = (tmp_path / "one").glob("*.png")
    assert np.array_equal(_pixels(again), _pixels(tmp_path / "seeds" / "seed3.png"))
    assert not np.array_equal(_pixels(again), _pixels(tmp_path / "seeds" / "seed2.png"))


def test_a_grid_is_drawn_again_from_its_own_file(models, tmp_path):
    assert _run("sample", models / "genome", "--count", 5, "--out", tmp_path / "a.png") == 0
    text = read_text(tmp_path / "a.png")
    assert text["Model"] == "genome"
    assert len(text["Codes"].split("\n")) == 5
    assert parse_codes(str(tmp_path / "a.png")) == parse_codes(str(tmp_path / "a.json"))
    assert _run("sample", models / "genome", "--codes", tmp_path / "a.png", "--out", tmp_path / "b.png") == 0
    assert read_text(tmp_path / "b.png")["Codes"] == text["Codes"]


@pytest.mark.parametrize(("count", "words"), [(1, "1 picture in"), (8, "8 pictures in"), (36, "... and 28 more")])
def test_codes_that_are_not_listed_are_counted(models, tmp_path, capsys, count, words):
    assert _run("sample", models / "genome", "--count", count, "--out", tmp_path / "a.png") == 0
    told = capsys.readouterr().out
    assert words in told
    assert ("more" in told) == (count > 8)


def test_mixing_and_interpolation_are_written(models, tmp_path):
    assert _run("sample", models / "genome", "--seeds", "1-4", "--mix", "all", "--out", tmp_path / "mix.png") == 0
    assert _pixels(tmp_path / "mix.png").ndim == 3
    for name in ("way.png", "way.gif"):
        assert _run("sample", models / "prior", "--seeds", "1-3", "--interpolate", 4, "--out", tmp_path / name) == 0
    with Image.open(tmp_path / "way.gif") as animation:
        assert animation.n_frames == 3 * 4


@pytest.mark.parametrize(
    "options, message",
    [
        (["--seeds", "5-2"], "ascending range"),
        (["--seeds", "a"], "whole number"),
        (["--seeds", "1", "--count", "3"], "give one of them"),
        (["--codes", "nonsense"], "has 8 characters; a code string of this model has"),
        (["--codes", "missing.png"], "there is no file missing.png"),
        (["--count", "0"], "at least 1"),
        (["--label", "Hat"], "unconditional"),
        (["--out", "a.tiff"], ".tiff"),
        (["--out", "a.gif"], "needs --interpolate"),
        (["--mix", "fine", "--seeds", "1"], "at least two codes"),
        (["--mix", "fine", "--interpolate", "3"], "give one of them"),
        (["--interpolate", "0"], "at least 1 step"),
        (["--interpolate", "3", "--out", "folder"], "folder.png"),
        (["--device", "toaster"], "cpu, cuda, cuda:1 ..., mps, or auto"),
    ],
)
def test_wrong_options_are_answered_in_words(models, tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    assert _run("sample", models / "genome", *options) == main.FAILED
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert message in told
    assert list(tmp_path.iterdir()) == []


def test_as_a_process_a_mistake_has_a_message_and_no_traceback(tmp_path):
    entry = [sys.executable, "-c", "from stylegenes.cli.main import main; main()"]
    done = subprocess.run([*entry, "sample", str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == main.FAILED
    assert "is not a snapshot" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_command_is_met_with_a_guess(capsys):
    assert _run("smaple") == main.USAGE
    assert "did you mean 'sample'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["genome", "conditional"])
def test_onnx_gives_the_same_pictures(models, tmp_path, name):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from stylegenes.snapshot import load_snapshot

    generator = load_snapshot(models / name).generator
    path = export_onnx(PlainGenerator(generator, psi=0.7), tmp_path / "model.onnx")
    assert check_onnx(PlainGenerator(generator, psi=0.7), path) < 1e-4
    with pytest.raises(UserError, match="does not reproduce"):
        check_onnx(PlainGenerator(generator, psi=1.0), path)
