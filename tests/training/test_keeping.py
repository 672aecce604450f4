"""What a run keeps beside its weights: whose pictures they were, and what users made of a snapshot."""

import os

import pytest
import tiny_run

from stylegenes.errors import UserError
from stylegenes.snapshot import load_snapshot, read_card
from stylegenes.training import train
from stylegenes.training.state import read_state


def sit(folder, *overrides):
    return train(
        tiny_run.tiny_config(*overrides),
        folder,
        data=tiny_run.TinyData(),
        machine=tiny_run.Machine("cpu"),
        quiet=True,
    )


def test_the_card_passes_on_the_terms_of_the_pictures(tmp_path):
    card = load_snapshot(sit(tmp_path / "run").snapshot).card
    assert card.license == "weights: unspecified; pictures: drawn by chance, CC0"


def test_a_surveyed_snapshot_outlives_its_place(tmp_path, caplog):
    run = tmp_path / "run"
    intervals = ("intervals.snapshot_kimg=0.016", "intervals.keep_snapshots=1")
    sit(run, *intervals)
    survey = run / "snapshots" / "last" / "genes" / "survey"
    survey.mkdir(parents=True)
    (survey / "plan.json").write_text("{}")
    numbered = run / "snapshots" / "kimg-00000080"
    (numbered / "genes" / "survey").mkdir(parents=True)
    weights = (survey.parents[1] / "model.safetensors").read_bytes()
    sit(run, *intervals, "kimg=0.16")
    assert read_state(run / "state.safetensors").counters.images == 160
    aside = run / "snapshots" / "surveyed-00000080"
    assert (aside / "genes" / "survey" / "plan.json").is_file() and (
        aside / "model.safetensors"
    ).read_bytes() == weights
    assert "surveyed-00000080" in caplog.text and numbered.is_dir()
    assert read_card(run / "snapshots" / "last").images_seen == 160
    assert not (run / "snapshots" / "last" / "genes").exists()


def test_snapshots_whose_state_is_gone_are_not_trained_over(tmp_path):
    run = tmp_path / "run"
    sit(run)
    (run / "state.safetensors").unlink()
    before = {path: path.read_bytes() for path in run.glob("snapshots/*/*") if path.is_file()}
    for forget in (lambda: None, (run / "config.json").unlink):
        forget()
        with pytest.raises(UserError, match=r"no state\.safetensors to go on from.*--init-from .*/snapshots/last"):
            sit(run, "kimg=0.16")
    assert before and before == {path: path.read_bytes() for path in run.glob("snapshots/*/*") if path.is_file()}


@pytest.mark.parametrize("name", ["log.txt", "stats.jsonl"])
def test_a_pipe_where_lines_are_added_is_refused_at_once(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(UserError, match="is a named pipe, not a file"):
        sit(tmp_path)
