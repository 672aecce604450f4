"""The command: what it takes, what it refuses, what it prints."""

import functools
import json
import shutil
from dataclasses import replace

import pytest
import tiny_run

from stylegenes.cli import main
from stylegenes.errors import UserError
from stylegenes.metrics import read_records
from stylegenes.recipes import RECIPES
from stylegenes.snapshot import load_snapshot, read_card
from stylegenes.training import read_config
from stylegenes.training.history import read_history
from stylegenes.training.resolve import complete_config, write_config


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
    monkeypatch.setattr("stylegenes.cli.run_evaluation.END_ELSEWHERE", 24)
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


@pytest.mark.parametrize(("launcher", "status"), [({}, 130), ({"TORCHELASTIC_RUN_ID": "x"}, 0)])
def test_what_a_launcher_asked_to_end_is_no_failure_that_it_starts_again(tmp_path, monkeypatch, launcher, status):
    """Here before the first step, while pictures are packed."""
    from stylegenes import training

    def stopped(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", stopped)
    for name, value in launcher.items():
        monkeypatch.setenv(name, value)
    words = ["train", "avatars", "--recipe", "tiny32", "--metrics", "none", "--out", str(tmp_path / "run")]
    assert main.run(words) == status


def test_dry_run_prints_the_plan(tmp_path, tiny, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command("photos", "--recipe", "test", "--dry-run", "--set", "batch.total=16", "--set", "batch.micro=8") == 0
    shown = capsys.readouterr().out
    for word in ('"num_genes": 4', "parameters   G ", "16 = 8 x 2 accumulation x 1 ranks", "s/kimg", "GiB", "duration"):
        assert word in shown
    assert not list(tmp_path.iterdir())


PLAN = ("photos", "--recipe", "test", "--dry-run", "--accelerator", "cpu")
MANY = ("--devices", "4", "--nodes", "16", "--set", "batch.total=512", "--images-per-second", "50")


def test_a_plan_of_many_devices_says_what_is_given_and_what_is_predicted(tmp_path, tiny, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command(*PLAN, *MANY, "--link", "10,50", "--price", "2") == 0
    shown = capsys.readouterr().out
    for word in ("512 = 8 x 1 accumulation x 64 ranks", "50.0 images/s with 8 images a step, given", "on 64 devices",
                 "10 Gbit/s, 50 us a hop, given", "predicted", "optimizers alone", "device-hours"):  # fmt: skip
        assert word in shown
    assert command(*PLAN, *MANY) == 0
    shown = capsys.readouterr().out
    assert "100 Gbit/s, 20 us a hop, assumed" in shown and "cost " not in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--devices", "0"], "at least 1; got 0"),
        (["--nodes", "-1"], "at least 1; got 1 and -1"),
        (["--devices", "3", "--nodes", "5"], "nearest totals that do"),
        (["--link", "fast"], "not Gbit/s and microseconds"),
        (["--link", "100"], "not Gbit/s and microseconds"),
        (["--link", "0,5"], "a link has a speed above 0"),
        (["--images-per-second", "0"], "positive number of images"),
        (["--images-per-second", "nan"], "--images-per-second is nan, which is no finite number"),
        (["--price", "-1"], "--price is -1.0"),
    ],
)
def test_plans_that_cannot_be_are_refused(tmp_path, tiny, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert command(*PLAN, *words) == 1
    assert message in capsys.readouterr().err


def test_what_belongs_to_a_plan_is_refused_without_one(tmp_path, tiny, capsys):
    assert command("photos", "--recipe", "test", "--out", tmp_path / "x", "--price", "2") == 1
    assert "go with --dry-run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([".", "--recipe", "test"], "where should the run go? Add --out"),
        (
            ["runs/0001", "--recipe", "test"],
            "there is no runs/0001; give pictures (a folder, .zip, LMDB or `avatars`) or a",
        ),
        (["album", "--recipe", "test"], "there is no album; did you mean 'albums'?"),
        (
            ["photos", "--recipe", "test", "--out", "albums"],
            "--out albums holds pictures (b.jpg); a run needs a folder of",
        ),
        (["photos", "--recipe", "tset", "--out", "x"], "did you mean 'test'"),
        (["photos", "--recipe", "test", "--out", "x", "--set", "model.latent.genes=3"], "accepted: w_dim, num_genes"),
        (["photos", "--recipe", "test", "--out", "x", "--devices", "3"], "nearest totals that do: 12"),
        (["photos", "--recipe", "test", "--out", "x", "--nodes", "2"], "torchrun --nnodes 2"),
        (["photos", "--recipe", "test", "--out", "x", "--init-from", "nowhere"], "nowhere is not a snapshot"),
        (
            ["photos", "--recipe", "test", "--out", "x", "--kimg", "-1"],
            "kimg = -1.0 must be from 0.001 to",
        ),
    ],
)
def test_mistakes_are_explained(tmp_path, tiny, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "albums").mkdir()
    (tmp_path / "albums" / "b.jpg").write_bytes(b"a picture")
    assert command(*words, "--accelerator", "cpu") == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("recipe", "wrong", "message"),
    [
        ("tiny32", "data.resolution=50x30", "the nearest that fit are 52x32, 48x32"),
        ("stylegan3-t32", "data.resolution=33", "the nearest that fit are 32, 36"),
        ("projected32", "data.channels=4", "1 or 3 channels"),
        ("eg3d-scenes32", "data.resolution=48x32", "set data.resolution=32"),
    ],
)
def test_what_no_network_can_make_is_refused_before_pictures_are_packed(
    tmp_path, capsys, monkeypatch, dry, recipe, wrong, message
):
    def pack(*args, **kwargs):
        raise AssertionError("pictures would be packed for nothing")

    monkeypatch.setattr("stylegenes.training.config.open_dataset", pack)
    words = ["photos", "--recipe", recipe, "--set", wrong, "--out", tmp_path / "run", *dry]
    assert command(*words) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


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


@pytest.mark.parametrize("younger", ["noise", "freeze_d", "data.shuffle", "ema.rampup", "batch.deterministic"])
def test_a_run_of_an_older_version_knows_nothing_of_younger_settings_and_goes_on(tmp_path, tiny, younger):
    out = tmp_path / "run"
    assert command("photos", "--recipe", "test", "--out", out, "--max-minutes", "0") == 0
    tree = json.loads((out / "config.json").read_text())
    *groups, name = younger.split(".")
    del functools.reduce(dict.__getitem__, groups, tree)[name]
    (out / "config.json").write_text(json.dumps(tree))
    assert command("photos", "--recipe", "test", "--out", out) == 0


def test_what_is_measured_is_kept_with_the_run(tmp_path, tiny):
    """As it was begun, until another --metrics is given."""
    out = tmp_path / "run"
    words = ("photos", "--recipe", "test", "--out", out, "--set", "intervals.evaluate_kimg=0.04")
    assert command(*words, "--max-minutes", "0") == 0
    assert main.run(["train", str(out)]) == 0
    assert read_config(out).metrics == "none" and not list(out.glob("metric*"))
    assert main.run(["train", str(out), "--metrics", "nonsense@2k"]) == 1
    assert read_config(out).metrics == "none"


@pytest.mark.parametrize(
    "wrong",
    [("--init-from", "nowhere"), ("--freeze-d", "40"), ("--set", "regularizers.r2.interval=3"),
     ("--set", "model.latent.w_dim=9"), ("--set", "data.labels=true")],
)  # fmt: skip
def test_a_refused_start_leaves_nothing_that_is_in_the_way(tmp_path, tiny, wrong):
    out = tmp_path / "runs" / "a"
    words = ("photos", "--recipe", "test", "--out", out, "--accelerator", "cpu", "--max-minutes", "0")
    assert command(*words, *wrong) == 1
    assert not out.parent.exists()
    out.mkdir(parents=True)
    assert command(*words, *wrong) == 1 and not any(out.iterdir())
    assert command(*words) == 0


def test_a_start_that_was_killed_binds_nobody(tmp_path, tiny):
    """Its config.json is there and its state is not."""
    out = tmp_path / "run"
    write_config(tiny_run.tiny_config("model.latent.num_genes=2"), out)
    assert command("photos", "--recipe", "test", "--out", out, "--max-minutes", "0") == 0
    assert read_config(out).model.latent["num_genes"] == 4
    (out / "state.safetensors").unlink()
    shutil.rmtree(out / "snapshots")
    assert command(out, "--max-minutes", "0") == 0


@pytest.mark.parametrize("how", ["packed", "model.synthesis.image_channels=1"])
def test_gray_pictures_from_end_to_end(tmp_path, monkeypatch, how):
    monkeypatch.setitem(RECIPES, "test", tiny_run.tiny_config)
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    source, out, more = "avatars:n=16", str(tmp_path / "run"), ["--set", how]
    if how == "packed":
        source, more = str(tmp_path / "gray"), []
        words = ["--channels", "1", "--resolution", "8", "--out", source]
        assert main.run(["data", "pack", "avatars:n=16", *words]) == 0
    assert command(source, "--recipe", "test", "--out", out, "--kimg", "0.008", *more) == 0
    assert load_snapshot(out).generator.synthesis.image_channels == 1
    assert main.run(["evaluate", out, "--data", source, "--metrics", "fd", "--num", "8"]) == 0


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model.synthesis.resolution=16", "data.resolution=8"], "data.resolution=8 contradicts model.synthesis.reso"),
        (["data.channels=3", "model.discriminator.image_channels=1"], "contradicts data.channels=3"),
        (["model.discriminator.label_dim=3"], "--set data.labels=true"),
        (["data.channels=65"], "at least 1 and at most 64"),
    ],
)
def test_what_the_data_decide_is_never_overruled_in_silence(overrides, message):
    with pytest.raises(UserError, match=message):
        tiny_run.tiny_config(*overrides)


def test_networks_follow_what_is_said_of_one_of_them():
    config = tiny_run.tiny_config("model.synthesis.resolution=16", "model.discriminator.image_channels=1")
    assert (config.data.resolution, config.data.channels) == (16, 1)
    specs = config.model.synthesis, config.model.discriminator
    assert all(spec["resolution"] == 16 and spec.get("image_channels", 1) == 1 for spec in specs)


def test_a_configuration_that_contradicts_the_data_is_refused():
    config = tiny_run.tiny_config()
    config = replace(config, model=replace(config.model, synthesis={**config.model.synthesis, "image_channels": 1}))
    with pytest.raises(UserError, match="image_channels=1, and the data ask for 3"):
        complete_config(config, tiny_run.TinyData())
