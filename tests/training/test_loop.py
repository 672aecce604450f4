"""A run from its first step to its last: what it writes, keeps, says, and how it recovers."""

import json
import logging

import pytest
import torch
from PIL import Image
from tiny_run import TinyData, tiny_config

from stylegenes.errors import UserError
from stylegenes.snapshot import load_snapshot, read_card
from stylegenes.training import Machine, read_config, train
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


def test_a_fixed_augmentation_stays(tmp_path):
    run(tmp_path, "augment.p.name=fixed", "augment.p.value=0.3", "intervals.tick_seconds=0")
    assert {tick["augment_p"] for tick in stats(tmp_path)} == {0.3}
