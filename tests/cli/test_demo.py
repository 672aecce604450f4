"""The first command a newcomer types, and the one they type when something is missing."""

import numpy as np
import pytest
import tiny_run

from stylegenes.cli import demo, main
from stylegenes.model import open_model
from stylegenes.pictures import save_picture
from stylegenes.recipes import RECIPES
from stylegenes.training.state import read_state


@pytest.fixture(autouse=True)
def _small(tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(RECIPES, "tiny32", tiny_run.tiny_config)
    monkeypatch.setitem(RECIPES, demo.RECIPE, tiny_run.tiny_config)


def test_the_demo_draws_and_the_same_command_continues(tmp_path, capsys):
    words = ["demo", "--folder", str(tmp_path / "d"), "--images", "100", "--minutes", "0.0001"]
    seen = []
    for _ in range(2):
        assert main.run(words) == 0
        shown = capsys.readouterr().out
        assert "Next:" in shown and "the same command continues it" in shown
        seen.append(read_state(tmp_path / "d" / "run" / "state.safetensors").counters.images)
    assert 0 < seen[0] < seen[1]
    assert shown.count("drawn before") == 2, "nobody waits twice for the same pictures"
    shipped = [f"avatars{size}-{what}.png" for size in (32, 64) for what in ("samples", "by-wish", "edits")]
    assert all(name in shown for name in shipped)
    for name in (*shipped, "samples.png", "interpolation.png", "over-time.png"):
        assert (tmp_path / "d" / name).read_bytes().startswith(b"\x89PNG")


def test_pictures_of_other_weights_are_drawn_anew(tmp_path, capsys):
    model = open_model("avatars32")
    demo._show_genes(model, tmp_path)
    drawn = (tmp_path / "avatars32-edits.png").read_bytes()
    for what in ("by-wish", "edits"):
        place = tmp_path / f"avatars32-{what}.png"
        save_picture(place, np.zeros((4, 4, 3), np.uint8), {"Made": f"{demo.MADE} of the weights of last year"})
    demo._show_genes(model, tmp_path)
    assert "drawn before" not in capsys.readouterr().out
    assert (tmp_path / "avatars32-edits.png").read_bytes() == drawn
    assert len(list(tmp_path.iterdir())) == 2, "older pictures of the demo are replaced"


@pytest.mark.parametrize("words", [["--minutes", "0"], ["--images", "3"]])
def test_a_demo_that_makes_no_sense_is_refused(words, capsys):
    assert main.run(["demo", *words]) == 1
    assert "must be positive" in capsys.readouterr().err


def test_the_doctor_names_what_is_missing_and_how_to_get_it(capsys):
    assert main.run(["doctor"]) == 0
    shown = capsys.readouterr().out
    for word in (
        "device",
        "cores",
        "memory",
        "images/s in training tiny32",
        "tiny32: its 0.08 kimg take about",
        "EfficientNet-Lite0",
        "stylegenes fetch inception",
    ):
        assert word in shown
