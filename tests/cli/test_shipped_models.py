"""The models in the package: what a newcomer types in the first minute works with them, anywhere, without a survey."""

import csv
import json
import shutil

import pytest
import torch

from stylegenes.analysis.summary import FILE, Summary
from stylegenes.cli.main import run
from stylegenes.files import read_json
from stylegenes.metrics import load_classifier
from stylegenes.snapshot import MODELS, Card, load_snapshot, save_snapshot, shipped_models
from stylegenes.survey import fingerprint

SURVEYED = [name for name in shipped_models() if (MODELS / name / "genes" / FILE).is_file()]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_genome_model_brings_its_statistics():
    assert "avatars32" in SURVEYED


@pytest.mark.parametrize("name", shipped_models())
def test_a_shipped_model_is_small_and_credits_the_artist(name):
    assert all(file.stat().st_size < 10 * 2**20 for file in (MODELS / name).rglob("*.*"))
    card = load_snapshot(name).card
    drawn = {"avatars": "Avataaars by Pablo Stanley", "scenes": "drawn by stylegenes, CC0"}
    assert card.data is not None and drawn[card.data.source.partition(":")[0]] in card.license


def test_the_model_in_space_is_one_thing_from_all_sides(tmp_path):
    """Seen, meshed and exported as a newcomer would; its things are opaque and about as large as those it learned."""
    assert run(["orbit", "scenes32", "--seeds", "1", "--steps", "2", "--show", "depth", "--out", "o.png"]) == 0
    S = load_snapshot("scenes32").generator
    with torch.no_grad():
        body = S.synthesis.body(S.express(S.sample(1, torch.Generator().manual_seed(1))))
        seen = [body.seen(S.synthesis.camera_at(yaw, 10.0), 32).weight > 0.5 for yaw in (0.0, 90.0, 180.0, 270.0)]
    shares = [float(part.float().mean()) for part in seen]
    assert all(0.03 < share < 0.5 for share in shares) and max(shares) < 2 * min(shares)


@pytest.mark.parametrize("name", SURVEYED)
def test_statistics_and_judge_belong_to_the_model(name):
    summary = Summary.load(MODELS / name / "genes" / FILE)
    judge = load_classifier(read_json(MODELS / name / "genes" / "classifier.json")["path"])
    assert summary.plan.model == fingerprint(load_snapshot(name).generator)
    assert summary.plan.classifier == judge.weights_hash and summary.plan.attributes == judge.attributes
    assert summary.statistics.num_draws >= 20_000 and summary.realness is not None


@pytest.mark.parametrize("name", SURVEYED)
def test_wishes_edits_breeding_and_figures_work_out_of_the_box(name, tmp_path, capsys):
    before = sorted(MODELS.rglob("*"))
    assert run(["sample", name, "--where", "Long_Hair=1", "-n", "16", "--out", "w.png"]) == 0
    wished = json.loads((tmp_path / "w.json").read_text())["codes"]
    snapshot, judge = load_snapshot(name), load_classifier("avatars32-second-judge")
    column = judge.attributes.index("Long_Hair")
    with torch.no_grad():
        latent = snapshot.generator.latent
        found, anything = (
            (judge(snapshot.generator(code).image)[:, column] > 0.5).float().mean()
            for code in (latent.from_strings([row["code"] for row in wished]), snapshot.generator.sample(64))
        )
    assert found > anything and found > 0.7, "a judge that had no part in the statistics agrees"
    assert run(["edit", name, "--seed", "3", "--set", "Long_Hair=1", "--out", "e.png"]) == 0
    assert run(["breed", name, "--generations", "2", "--fitness", "Long_Hair=1", "-n", "8", "--out", "b.png"]) == 0
    assert run(["stats", name, "--genes", "1"]) == 0
    shown = capsys.readouterr().out
    (folder,) = tmp_path.glob(f"{name}-genes-*")
    assert (folder / "exhibits" / "genes-polar.png").is_file() and str(folder.name) in shown
    assert len(list(csv.DictReader((tmp_path / "e.csv").open()))) == len(judge.attributes)
    assert sorted(MODELS.rglob("*")) == before, "nothing is written into the package"


@pytest.mark.parametrize("name", SURVEYED)
def test_a_survey_of_ones_own_goes_before_the_summary(name, capsys):
    assert run(["survey", name, "-n", "256", "--shard", "128"]) == 0
    assert run(["stats", name, "--genes", "1"]) == 0
    assert "256 classified pictures" in capsys.readouterr().out


@pytest.mark.parametrize("name", SURVEYED)
def test_statistics_of_other_weights_are_refused(name, tmp_path, capsys):
    snapshot = load_snapshot(name)
    next(snapshot.generator.parameters()).data.mul_(1.01)
    save_snapshot(tmp_path / "changed", snapshot.generator, Card("changed"))
    shutil.copytree(MODELS / name / "genes", tmp_path / "changed" / "genes")
    assert run(["edit", "changed", "--set", "Long_Hair=1"]) == 1
    assert "is a survey of other weights" in capsys.readouterr().err
