"""A run from its first step to its last: what it writes, keeps, says, and how it recovers."""

import errno
import json
import logging
import math
import shutil

import pytest
import torch
from PIL import Image
from tiny_run import TinyData, tiny_config

from stylegenes.errors import UserError
from stylegenes.sheets import Sheet
from stylegenes.snapshot import load_snapshot, read_card
from stylegenes.training import Machine, checkpoints, read_config, report, train
from stylegenes.training.history import read_history
from stylegenes.training.state import read_state
from stylegenes.training.step import Stepper


def run(folder, *overrides, **kwargs):
    kwargs.setdefault("quiet", True)
    return train(tiny_config(*overrides), folder, data=TinyData(), machine=Machine("cpu"), **kwargs)


def stats(folder):
    return [json.loads(line) for line in (folder / "stats.jsonl").read_text().splitlines()]


def test_what_a_run_leaves_behind(tmp_path, capsys):
    result = run(tmp_path, "intervals.tick_seconds=0", "intervals.image_kimg=0.04", "tensorboard=true", quiet=False)
    assert result.finished and (result.step, result.images) == (10, 80)
    assert read_config(tmp_path).recipe == "test"
    assert [tick["step"] for tick in stats(tmp_path)] == list(range(1, 11))
    assert {"D main", "D lazy", "G main", "G lazy"} <= stats(tmp_path)[0]["losses"].keys()
    assert 0 < stats(tmp_path)[0]["vitals"]["gene_usage"] <= 1
    assert Image.open(tmp_path / "samples" / "reals.png").size == (7 * 8, 6 * 8)
    assert Image.open(tmp_path / "samples" / "000000.png").size == (64, 64)
    assert list((tmp_path / "tensorboard").glob("events.*"))
    shown = capsys.readouterr().out
    assert "kimg" in shown and "img/s | ETA" in shown and "r_t" in shown
    assert "labels (a, b, c ...) that this run does not use" in shown + (tmp_path / "log.txt").read_text()
    snapshot = load_snapshot(tmp_path)
    assert snapshot.discriminator is not None
    assert (snapshot.card.images_seen, snapshot.card.data.hash) == (80, "tiny-1")
    assert not list((tmp_path / "ranks").iterdir())


def test_snapshots_are_kept_by_number_and_by_metric(tmp_path):
    values = iter([3.0, 1.0, 2.0, 5.0, 4.0])
    seen = []

    def evaluate(generator):
        assert not generator.training
        seen.append(next(values))
        return {"distance": seen[-1], "other": 0.0}

    kept = ("intervals.snapshot_kimg=0.016", "intervals.keep_snapshots=2", "intervals.evaluate_kimg=0.016")
    run(tmp_path, *kept, evaluate=evaluate)
    names = sorted(path.name for path in (tmp_path / "snapshots").iterdir() if not path.name.startswith("."))
    assert seen == [3.0, 1.0, 2.0, 5.0, 4.0]
    assert names == ["best", "kimg-00000064", "kimg-00000080", "last"]
    assert read_card(tmp_path / "snapshots" / "best").metrics["distance"] == 1.0
    assert read_card(tmp_path / "snapshots" / "best").images_seen == 32
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 5


OFTEN = ("intervals.evaluate_kimg=0.016", "intervals.snapshot_kimg=0", "intervals.image_kimg=0")


@pytest.mark.parametrize("undefined", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("names", [["distance"], ["distance", "other"], ["other", "distance"]])
def test_a_metric_that_is_no_number_is_left_out(names, undefined, tmp_path, caplog):
    """The run goes on, can be continued, and ranks by what is a number."""
    values = iter([undefined, 2.0, 3.0, undefined, 4.0])

    def evaluate(generator):
        found = {"distance": next(values), "other": 1.0}
        return {name: found[name] for name in names}

    with caplog.at_level(logging.WARNING):
        run(tmp_path, *OFTEN, "kimg=0.064", evaluate=evaluate)
    assert f"distance {undefined}" in caplog.text
    run(tmp_path, *OFTEN, evaluate=evaluate)
    best = read_card(tmp_path / "snapshots" / "best")
    assert best.metrics.get("distance") == (2.0 if names[0] == "distance" else None)
    assert best.images_seen == (32 if names[0] == "distance" else 16)
    assert all(math.isfinite(value) for entry in read_history(tmp_path) for value in entry.values())


@pytest.mark.parametrize("name", ["precision_lite0", "recall_inception", "density_lite0", "coverage_lite0"])
def test_of_metrics_that_rise_the_largest_is_best(name, tmp_path):
    values = iter([0.1, 0.4, 0.2, 0.4, 0.3])
    run(tmp_path, *OFTEN, evaluate=lambda generator: {name: next(values)})
    best = read_card(tmp_path / "snapshots" / "best")
    assert (best.images_seen, best.metrics) == (32, {name: 0.4})


def test_a_run_that_goes_on_with_another_metric_ranks_by_that_one(tmp_path):
    run(tmp_path, *OFTEN, "kimg=0.032", evaluate=lambda generator: {"kid": 0.02})
    values = iter([300.0, 100.0, 200.0])
    run(tmp_path, *OFTEN, evaluate=lambda generator: {"fd": next(values)})
    best = read_card(tmp_path / "snapshots" / "best")
    assert (best.images_seen, best.metrics) == (64, {"fd": 100.0})


def test_what_was_trained_is_kept_when_an_evaluation_fails(tmp_path):
    def fail(generator):
        raise RuntimeError("no such judge")

    with pytest.raises(RuntimeError, match="no such judge"):
        run(tmp_path, *OFTEN, evaluate=fail)
    assert read_state(tmp_path / "state.safetensors").counters.images == 16
    assert run(tmp_path, *OFTEN, evaluate=lambda generator: {"fd": 1.0}).finished


def test_a_full_disk_costs_a_run_its_lines_and_grids_not_the_training(tmp_path, monkeypatch, caplog):
    """All but the state: that one is needed."""

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "stats.jsonl").symlink_to("/dev/full")
    monkeypatch.setattr(Sheet, "save", full)
    monkeypatch.setattr(checkpoints, "add_to_history", full)
    monkeypatch.setattr(report, "check_regular", lambda path: None)
    often = ("intervals.tick_seconds=0", "intervals.image_kimg=0.016", "intervals.evaluate_kimg=0.016")
    with caplog.at_level(logging.WARNING):
        assert run(tmp_path, *often, evaluate=lambda generator: {"fd": 1.0}).finished
    for what in ("stats.jsonl", "the image grid", "the metrics"):
        assert f"cannot write {what}" in caplog.text.replace(f"to {tmp_path}/", "")
    assert caplog.text.count("stats.jsonl: ") == 1, "said once"


def poison(monkeypatch, when):
    """Make the generator's gradient not a number whenever `when(epoch, step)` holds."""
    gather = Stepper._gather

    def broken(self, phase, inputs, key):
        statistics = gather(self, phase, inputs, key)
        if phase.name == "G main" and when(*key[:2]):
            next(iter(self.players.parameters("G"))).grad.fill_(torch.nan)
        return statistics

    monkeypatch.setattr(Stepper, "_gather", broken)


def test_a_loss_that_is_not_finite_rolls_back(tmp_path, monkeypatch, caplog):
    poison(monkeypatch, lambda epoch, step: epoch == 0 and step == 7)
    with caplog.at_level(logging.WARNING):
        result = run(tmp_path, "intervals.state_seconds=0")
    assert result.finished
    assert "not finite at 0.1 kimg: back to 0.1 kimg (roll-back 1 of at most 3" in caplog.text
    G = load_snapshot(tmp_path).generator
    assert all(parameter.isfinite().all() for parameter in G.parameters())


def test_it_gives_up_with_advice(tmp_path, monkeypatch):
    poison(monkeypatch, lambda epoch, step: step >= 6)
    with pytest.raises(UserError, match=r"given up.*last good state is whole.*gamma"):
        run(tmp_path, "intervals.state_seconds=0")
    monkeypatch.undo()
    assert run(tmp_path).finished


def test_transfer_from_a_snapshot(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    run(first)
    source = load_snapshot(first)
    run(second, f"init_from={first}", "kimg=0.008", "optimizer.G.lr=0.0", "optimizer.D.lr=0.0", "seed=9")
    target = load_snapshot(second)
    for a, b in ((source.generator, target.generator), (source.discriminator, target.discriminator)):
        assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert target.card.parent == str(first)
    with pytest.raises(UserError, match="differs from this run's in num_genes=4"):
        run(tmp_path / "third", f"init_from={first}", "model.latent.num_genes=2")


def test_a_run_goes_on_when_its_start_is_gone(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    run(first, "kimg=0.008")
    run(second, f"init_from={first}", "kimg=0.008")
    shutil.rmtree(first)
    assert run(second, f"init_from={first}", "kimg=0.016").step == 2
    assert load_snapshot(second).card.parent == str(first)


def test_a_fixed_augmentation_stays(tmp_path):
    run(tmp_path, "augment.p.name=fixed", "augment.p.value=0.3", "intervals.tick_seconds=0")
    assert {tick["augment_p"] for tick in stats(tmp_path)} == {0.3}
