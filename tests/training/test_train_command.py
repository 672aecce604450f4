"""The command: what it takes, what it refuses, what it prints."""

import pytest
import tiny_run

from stylegenes.cli import main
from stylegenes.metrics import read_records
from stylegenes.recipes import RECIPES
from stylegenes.snapshot import read_card
from stylegenes.training.history import read_history


@pytest.fixture
def tiny(monkeypatch):
    """A recipe and a data set that make the command quick."""
    monkeypatch.setitem(RECIPES, "test", tiny_run.tiny_config)
    monkeypatch.setattr("stylegenes.training.config.open_dataset", lambda *args, **kwargs: tiny_run.TinyData())
    monkeypatch.setattr("stylegenes.data.open_dataset", lambda *args, **kwargs: tiny_run.TinyData())


def command(*words: str, metrics: str = "none") -> int:
    return main.run(["train", *map(str, words), "--metrics", metrics])


def test_a_run_judges_itself_and_keeps_the_best(tmp_path, tiny, capsys, monkeypatch):
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("stylegenes.cli.judging.END_ELSEWHERE", 24)
    out = tmp_path / "run"
    words = ("photos", "--recipe", "test", "--out", out, "--accelerator", "cpu")
    assert command(*words, "--set", "intervals.evaluate_kimg=0.04", metrics="fd@16") == 0
    history = read_history(out)
    assert [entry["kimg"] for entry in history] == [0.04, 0.08]
    best = min(entry["fd_lite0"] for entry in history)
    assert read_card(out / "snapshots" / "best").metrics == {"fd_lite0": best}
    assert (out / "metrics.png").exists()
    assert [record.provenance.num_fake for record in read_records(out / "metric-fd_lite0.jsonl")] == [24]
    assert "measuring the finished run" in capsys.readouterr().out
    assert command(out, metrics="fd@16") == 0
    assert "measuring" not in capsys.readouterr().out


def test_train_and_continue(tmp_path, tiny, capsys):
    out = tmp_path / "run"
    assert command("photos", "--recipe", "test", "--out", out, "--max-minutes", "0") == 0
    assert f"continue with: stylegenes train {out}" in capsys.readouterr().out
    assert command(out) == 0
    assert "finished 0.08 kimg" in capsys.readouterr().out
    assert command(out, "--kimg", "0.096", "--set", "batch.micro=4") == 0
    assert "finished 0.096 kimg" in capsys.readouterr().out


def test_dry_run_prints_the_plan(tmp_path, tiny, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command("photos", "--recipe", "test", "--dry-run", "--set", "batch.total=16", "--set", "batch.micro=8") == 0
    shown = capsys.readouterr().out
    for word in ('"num_genes": 4', "parameters   G ", "16 = 8 x 2 accumulation x 1 ranks", "s/kimg", "GiB", "duration"):
        assert word in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["photos", "--recipe", "test"], "where should the run go? Add --out"),
        (["photos", "--recipe", "tset", "--out", "x"], "did you mean 'test'"),
        (["photos", "--recipe", "test", "--out", "x", "--set", "model.latent.genes=3"], "accepted: w_dim, num_genes"),
        (["photos", "--recipe", "test", "--out", "x", "--devices", "3"], "nearest totals that do: 12"),
        (["photos", "--recipe", "test", "--out", "x", "--nodes", "2"], "torchrun --nnodes 2"),
        (["photos", "--recipe", "test", "--out", "x", "--init-from", "nowhere"], "nowhere is not a snapshot"),
        (["photos", "--recipe", "test", "--out", "x", "--kimg", "-1"], "kimg = -1.0 must be above 0"),
    ],
)
def test_mistakes_are_explained(tmp_path, tiny, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert command(*words, "--accelerator", "cpu") == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_a_run_is_continued_as_it_was_begun(tmp_path, tiny, capsys):
    out = tmp_path / "run"
    assert command("photos", "--recipe", "test", "--out", out, "--max-minutes", "0") == 0
    for words, message in (
        (["--recipe", "test"], "leave out --recipe"),
        (["--out", "elsewhere"], "leave out --out"),
        (["--set", "model.latent.num_genes=2"], "num_genes was 4, now 2"),
    ):
        assert command(out, *words) == 1
        assert message in capsys.readouterr().err
