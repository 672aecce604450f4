"""A run that meets other data: what differs is named, and the advice, followed literally, works."""

import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny_run
from PIL import Image

from stylegenes.cli import main
from stylegenes.recipes import RECIPES

SETTINGS = ["--recipe", "test", "--metrics", "none", "--accelerator", "cpu", "--set", "data.labels=true"]
MAPPING = ["--set", "model.latent.name=mapping", "--set", "mixing=0", "--set", "regularizers.path_length=none"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A folder of three classes and a run that has begun on it, in a place whose name needs quotes."""
    monkeypatch.setitem(RECIPES, "test", tiny_run.tiny_config)
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "meine Läufe"
    place.mkdir()
    monkeypatch.chdir(place)
    for kind in ("cat", "dog", "fox"):
        make_class(kind)
    assert main.run(["train", "photos", "--out", "a run", *SETTINGS, *MAPPING, "--max-minutes", "0"]) == 0
    return place / "a run"


def make_class(kind):
    folder = Path("photos") / kind
    folder.mkdir(parents=True)
    rng = np.random.default_rng(sum(map(ord, kind)))
    for number in range(8):
        pixels = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")


def complaint(capsys):
    capsys.readouterr()
    assert main.run(["train", "a run", "--metrics", "none"]) == 1
    return capsys.readouterr().err.removeprefix("error: ").strip()


def pasted(sentence):
    """The command line at the end of a sentence, as a shell reads it."""
    return shlex.split("stylegenes " + sentence.rpartition("stylegenes ")[2])[1:]


def test_moved_data_is_found_again(run, capsys):
    shutil.move("photos", "Neue Bilder")
    advice = complaint(capsys)
    assert "this run was trained on photos" in advice
    words = [word.replace("NEW-PLACE", "Neue Bilder") for word in pasted(advice)]
    assert words == ["train", "a run", "--set", "data.source=Neue Bilder"]
    assert main.run([*words, "--metrics", "none"]) == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda: shutil.move("photos/fox", "photos/wolf"), "labels gone: fox; new labels: wolf"),
        (lambda: make_class("hen"), "new labels: hen; 24 pictures then, 32 now"),
        (lambda: shutil.rmtree("photos/dog"), "labels gone: dog; 24 pictures then, 16 now"),
    ],
)
def test_other_classes_are_named_and_a_new_run_starts_from_the_old_one(run, capsys, change, told):
    change()
    advice = complaint(capsys)
    assert told in advice
    words = pasted(advice)
    settings = ["--recipe", "test", "--set", "data.labels=true"]
    assert words == ["train", str(Path("photos").resolve()), *settings, "--init-from", "a run", "--out", "NEW"]
    assert main.run([*words, *MAPPING, "--metrics", "none", "--max-minutes", "0"]) == 0


def test_other_pictures_of_the_same_number_are_refused(run, capsys):
    shutil.copy("photos/cat/1.png", "photos/cat/0.png")
    assert "the same number of pictures (24)" in complaint(capsys)
