"""Every verb that draws pictures takes `--label` for a conditional model, and asks for one where none is given."""

import csv
import importlib
import json
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from stylegenes.cli.main import VERBS, run
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.generator import Generator
from stylegenes.snapshot import Card, DataCard, load_snapshot, save_snapshot
from stylegenes.synthesis import SYNTHESES

NAMES, ATTRIBUTES = ["Hat", "Smiling", "Young"], ["Bright", "Reddish"]
GENOME = {"name": "genome", "w_dim": 8, "num_genes": 4, "num_variants": 4}
WITHOUT = {
    "import": "files of other programs become snapshots as they are",
    "export": "the label is an input of the file",
    "push": "uploads the snapshot",
    "evolution": "looks at codebooks, draws nothing",
}
"""Verbs on a model that need no label, and why."""
LINES = {
    "sample": "--count 2 --out x.png",
    "interpolate": "--seeds 0,1 --steps 2 --out x.png",
    "edit": "--seed 3 --set Bright=1 --out x.png",
    "breed": "--parents 3,8 --count 2 --out x.png",
    "stats": "--genes 1",
    "report": "--out x.html",
    "tradeoff": "--wishes Bright=1 --second second.pt --temperatures 1 --data data --num 4",
    "prune": "--curve 0,1 --samples 4 --runs 1 --data data --num 1 --out pruned",
    "correlate": "--num 16 --data data",
    "directions": "--classifier first.pt --samples 60 --attributes Bright --penalty l2 --out x",
    "move": "x.directions/components pc1 --seeds 0 --out x.png",
    "pca": "--samples 40 --components 1 --out x",
    "noise": "--seeds 0 --draws 2 --out x",
    "nearest": "--seeds 0 -k 2 --data data --out x.png",
    "walk": "--keyframes 0,1 --seconds 0.2 --out x.gif",
    "invert": "photo.png --steps 2 --calibrate 0 --out x",
    "orbit": "--seeds 0 --steps 2 --out x.png",
    "mesh": "--resolution 8 --out x.npz",
    "evaluate": "--data data --num 16 --metrics fd --out x",
}
FREE = ("evaluate", "prune", "correlate")
"""Verbs that draw the labels of random reals where none is given."""


class Measure(nn.Module):
    def __init__(self, gain: float):
        super().__init__()
        self.gain = gain

    def forward(self, x):
        red = x[:, 0].mean(dim=(1, 2)) - x[:, 2].mean(dim=(1, 2))
        return torch.sigmoid(self.gain * torch.stack([x.mean(dim=(1, 2, 3)), red], dim=1))


def words(verb):
    return LINES[verb].split()


def takes_a_model(verb):
    args = importlib.import_module(f"stylegenes.cli.{verb}").Args
    return is_dataclass(args) and {"snapshot", "subject", "model"} & {field.name for field in fields(args)}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Conditional models, one of them surveyed without and with a label; photos with labels; directions; scorers."""
    folder = tmp_path_factory.mktemp("labels")
    mapping = {"name": "mapping", "w_dim": 8, "depth": 1, "label_dim": 3}
    specs = {
        "genes": (GENOME, {"name": "r3gan", **SYNTHESES.get("r3gan").example_spec(16, 8), "label_dim": 3}),
        "noisy": (mapping, {"name": "stylegan2", "resolution": 16, "w_dim": 8, "channel_base": 64, "channel_max": 8}),
        "solid": (
            mapping,
            {"name": "eg3d", **SYNTHESES.get("eg3d").example_spec(16, 8), "samples": 4, "importance": 0},
        ),
    }
    critic = {"name": "stylegan2", "resolution": 16, "channel_base": 64, "channel_max": 8, "label_dim": 3}
    for name, (latent, synthesis) in specs.items():
        torch.manual_seed(1)
        generator = Generator.from_spec({"latent": latent, "synthesis": synthesis})
        card = Card(name, data=DataCard("none", resolution=16, label_names=NAMES))
        save_snapshot(folder / name, generator, card, discriminator=DISCRIMINATORS.build(critic))
    for name, gain in (("first", 6.0), ("second", 5.0)):
        torch.jit.trace(Measure(gain), torch.zeros(2, 3, 16, 16)).save(str(folder / f"{name}.pt"))
        (folder / f"{name}.json").write_text(json.dumps({"attributes": ATTRIBUTES, "resolution": 16}))
    (folder / "data").mkdir()
    with (folder / "data" / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", *NAMES])
        for i in range(12):
            pixels = np.random.default_rng(i).integers(0, 255, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "data" / f"{i}.png")
            table.writerow([f"{i}.png", i % 2, i % 3 == 0, i % 4 == 0])
    Image.fromarray(pixels).save(folder / "photo.png")
    survey = ["survey", str(folder / "genes"), "--classifier", str(folder / "first.pt"), "-n", "64", "--shard", "64"]
    assert run([*survey, "--labels", "uniform"]) == 0 and run([*survey, "--label", "Smiling"]) == 0
    pca = ["pca", str(folder / "genes"), "--label", "Hat", "--samples", "40", "--components", "1"]
    assert run([*pca, "--out", str(folder / "x.directions")]) == 0
    return folder


def line(verb, place, *options):
    model = {"noise": "noisy", "orbit": "solid", "mesh": "solid"}.get(verb, "genes")
    given = [str(place / word) if (place / word.split("/")[0]).exists() else word for word in words(verb)]
    return run([verb, str(place / model), *given, *options])


@pytest.fixture(autouse=True)
def own_place(tmp_path, monkeypatch, place):
    monkeypatch.setenv("STYLEGENES_CACHE", str(place / "cache"))
    monkeypatch.chdir(tmp_path)


def test_every_verb_on_a_model_is_tested_here():
    on_models = {verb for verb in VERBS if takes_a_model(verb)}
    assert on_models - set(WITHOUT) - {"survey", "explore"} == set(LINES)
    for verb in on_models - set(WITHOUT):
        args = importlib.import_module(f"stylegenes.cli.{verb}").Args
        named = {field.name for field in fields(args)}
        named |= {
            f.name
            for field in fields(args)
            if is_dataclass(field.default_factory)
            for f in fields(field.default_factory)
        }
        assert "label" in named, verb


@pytest.mark.parametrize("verb", sorted(LINES))
def test_a_conditional_model_is_told_its_label(verb, place, capsys):
    assert line(verb, place, "--label", "Smiling") == 0, capsys.readouterr().err


@pytest.mark.parametrize("verb", sorted(set(LINES) - set(FREE)))
def test_a_label_that_lacks_is_asked_for(verb, place, capsys):
    assert line(verb, place) == 1
    assert "give --label, its labels: Hat, Smiling, Young" in capsys.readouterr().err


@pytest.mark.parametrize("verb", sorted(LINES))
def test_a_label_that_is_none_is_refused(verb, place, capsys):
    assert line(verb, place, "--label", "Beard") == 1
    assert "Beard" in capsys.readouterr().err


def test_the_label_changes_what_is_measured(place, capsys):
    found = {}
    for label in ("Smiling", "Hat"):
        out = Path(label)
        assert line("evaluate", place, "--label", label, "--out", str(out)) == 0
        record = json.loads((out / "metric-fd_lite0.jsonl").read_text())
        assert record["provenance"]["settings"] == {"labels": f"label {label}"}
        found[label] = record["value"]
    assert found["Smiling"] != found["Hat"]


def test_a_pruned_model_keeps_its_parent(place):
    assert run(["prune", str(place / "genes"), "--label", "Smiling", "--num", "1", "--out", "pruned"]) == 0
    pruned = load_snapshot("pruned")
    assert pruned.card.name == "genes-pruned1" and pruned.card.parent.endswith("genes")
    assert pruned.generator.label_dim == 3
