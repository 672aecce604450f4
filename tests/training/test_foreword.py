"""Before it begins, a training says what happens to the pictures, and refuses those that teach it nothing."""

import io
import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
import tiny_run
import torch
from PIL import Image

from stylegenes.cli import main
from stylegenes.data import open_dataset
from stylegenes.data.originals import Originals
from stylegenes.errors import UserError
from stylegenes.metrics import read_records
from stylegenes.recipes import RECIPES
from stylegenes.training import apply_overrides, train
from stylegenes.training.foreword import check_variety, foreword
from stylegenes.training.resolve import read_config
from stylegenes.training.status import StatusLine


class Pictures(tiny_run.TinyData):
    """Some pictures, and what they were."""

    def __init__(self, n: int, **originals) -> None:
        super().__init__(n)
        self.originals = Originals(**originals)


def config(*overrides):
    return tiny_run.tiny_config(*overrides)


def test_what_happens_to_the_pictures_is_counted():
    data = Pictures(256, formats={"JPEG q75": 200, "JPEG q90": 6, "PNG": 50}, not_square=254, enlarged=3, reduced=250)
    line, *_ = foreword(config(), data, begun=False)
    assert line == (
        "256 pictures of tiny (JPEG of quality 75 to 90 (206), PNG (50)), 254 not square: cropped to the middle "
        "(data.fit=letterbox keeps all), 3 smaller than 8 px: enlarged, 250 larger than 8 px: reduced"
    )
    framed, *_ = foreword(config("data.fit=letterbox"), data, begun=False)
    assert "254 not square: framed in black" in framed
    plain, *_ = foreword(config(), Pictures(9000), begun=False)
    assert plain == "9,000 pictures of tiny"


@pytest.mark.parametrize("overrides", [["augment.pipe=none", "augment.p.name=fixed"], ["augment.p.name=fixed"]])
def test_the_advice_for_few_pictures_can_be_followed(overrides):
    before = config(*overrides)
    advice = foreword(before, Pictures(100), begun=False)[-1]
    assert advice.startswith("few pictures (100): ")
    words = advice.partition(" add ")[2].split()
    after = apply_overrides(before, words[1::2])
    assert set(words[::2]) == {"--set"} and after.augment.pipe is not None and after.augment.p["name"] == "adaptive"
    assert "altered (augment.pipe=ada)" in foreword(after, Pictures(100), begun=False)[-1]
    assert len(foreword(before, Pictures(100), begun=True)) == 1, "a run that goes on keeps its settings"
    assert len(foreword(before, Pictures(6000), begun=False)) == 1


@pytest.mark.parametrize("p", ["fixed", "adaptive"])
def test_pipes_without_a_strength_need_no_schedule_of_it(p):
    """DiffAugment alters every picture: the discriminator is safe, and a schedule that moves nothing is named."""
    told = foreword(config("augment.pipe.name=diffaugment", f"augment.p.name={p}"), Pictures(100), begun=False)
    assert "altered (augment.pipe=diffaugment)" in told[1]
    moved = "augment.p (adaptive) moves nothing: augment.pipe=diffaugment has no strength"
    assert told[2:] == ([] if p == "fixed" else [moved])


def test_a_strength_in_the_pipe_is_refused_of_a_new_run(tmp_path):
    strong = config("augment.pipe.p=0.5")
    with pytest.raises(UserError, match=r"augment\.p\.value=0\.5"):
        train(strong, tmp_path / "run", data=Pictures(100), quiet=True)
    train(config(), tmp_path / "run", data=Pictures(100), quiet=True, max_seconds=0)
    path = tmp_path / "run" / "config.json"
    tree = json.loads(path.read_text())
    tree["augment"]["pipe"]["p"] = 0.5
    path.write_text(json.dumps(tree))
    assert train(read_config(tmp_path / "run"), tmp_path / "run", data=Pictures(100), quiet=True).finished


@pytest.mark.parametrize(("n", "copies"), [(1, False), (2, True), (600, True)])
def test_pictures_without_variety_are_refused(tmp_path, n, copies):
    data = Pictures(n)
    if copies:
        data._images[:] = data._images[:1]
    with pytest.raises(UserError, match=r"tiny holds .*one picture"):
        train(config(), tmp_path / "run", data=data, quiet=True)
    assert not (tmp_path / "run").exists()
    if copies:
        data._images[-1] += 1
        check_variety(data)


def test_hardly_varied_reals_do_not_make_fakes_look_diverse(tmp_path):
    data = Pictures(40)
    data._images[:] = data._images[:1]
    data._images[-1, 0, 0, 0] += 1
    seen = []

    def judge(self):
        seen.append(real(self))
        return seen[-1]

    real, StatusLine._diversity = StatusLine._diversity, judge
    try:
        train(config("kimg=0.016"), tmp_path, data=data, quiet=True)
    finally:
        StatusLine._diversity = real
    assert seen and max(seen) < 1000


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(RECIPES, "test", tiny_run.tiny_config)

    def make(n):
        folder = tmp_path / f"photos{n}"
        folder.mkdir()
        for i in range(n):
            pixels = np.random.default_rng(i).integers(0, 256, (20, 16 + 4 * (i % 2), 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{i}.jpg", quality=85)
        return folder

    return make


@pytest.mark.parametrize("dry", [False, True])
@pytest.mark.parametrize(("n", "metrics", "need"), [(3, "fd@16", 4), (7, "pr@16", 8), (11, "fd@16,dc@16", 12)])
def test_too_few_pictures_for_the_evaluation_are_told_before_training(tmp_path, photos, capsys, n, metrics, need, dry):
    words = ["train", str(photos(n)), "--recipe", "test", "--out", str(tmp_path / "run"), "--accelerator", "cpu"]
    assert main.run([*words, "--metrics", metrics, *(["--dry-run"] if dry else [])]) == 1
    error = capsys.readouterr().err
    assert f"needs at least {need}" in error and "--metrics none" in error
    assert not (tmp_path / "run").exists()


def test_as_few_pictures_as_an_evaluation_takes_are_trained_and_measured(tmp_path, photos, capsys, monkeypatch):
    monkeypatch.setattr("stylegenes.cli.run_evaluation.END_ELSEWHERE", 16)
    folder = photos(4)
    (folder / "broken.jpg").write_bytes(b"x")
    words = ["train", str(folder), "--recipe", "test", "--out", str(tmp_path / "run"), "--accelerator", "cpu"]
    assert main.run([*words, "--set", "intervals.evaluate_kimg=0.04", "--metrics", "fd@16"]) == 0
    out = capsys.readouterr().out
    assert "4 pictures of" in out and "JPEG of quality 85 (4)" in out and "2 not square: cropped" in out
    assert "only 4 pictures: expect copies of them" in out
    assert out.count("broken.jpg") == 1, "oddities of the data are said once"
    assert (tmp_path / "run" / "metric-fd_lite0.jsonl").exists()


def test_a_dry_run_says_the_same(photos, capsys, monkeypatch):
    monkeypatch.setattr("stylegenes.training.plan.measure", lambda *_: SimpleNamespace(lines=list))
    folder = photos(40)
    assert main.run(["train", str(folder), "--recipe", "test", "--dry-run", "--accelerator", "cpu"]) == 0
    assert "20 not square: cropped to the middle" in capsys.readouterr().out


def test_evaluations_frame_the_pictures_as_the_training_did(tmp_path, photos, monkeypatch):
    monkeypatch.setattr("stylegenes.cli.run_evaluation.END_ELSEWHERE", 16)
    folder, out = photos(8), tmp_path / "run"
    words = ["train", str(folder), "--recipe", "test", "--out", str(out), "--set", "data.fit=letterbox"]
    assert main.run([*words, "--metrics", "fd@16", "--accelerator", "cpu"]) == 0
    assert main.run(["evaluate", str(out), "--data", str(folder), "--num", "8", "--device", "cpu"]) == 0
    framed = open_dataset(folder, resolution=8, fit="letterbox").content_hash
    records = read_records(out / "metric-fd_lite0.jsonl")
    assert [record.provenance.data for record in records] == [framed, framed]


def test_qualities_of_jpegs_are_read():
    from stylegenes.data.originals import jpeg_quality

    for quality in (30, 75, 90, 95, 100):
        buffer = io.BytesIO()
        Image.fromarray(torch.arange(768, dtype=torch.uint8).reshape(16, 16, 3).numpy()).save(
            buffer, "JPEG", quality=quality
        )
        assert jpeg_quality(Image.open(buffer)) == quality


def test_a_source_whose_name_is_not_utf_8_is_refused(tmp_path, photos, capsys):
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xfe")
    photos(4).rename(odd)
    assert main.run(["train", odd, "--recipe", "test", "--out", str(tmp_path / "run")]) == 1
    assert "no name in UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sizes", "resolution", "told"),
    [
        ([(60, 40)] * 20, 32, "are 3:2; a resolution of 24x16 keeps them whole"),
        ([(40, 60)] * 19 + [(50, 50)], 64, "are 2:3; a resolution of 32x48 keeps them whole"),
        ([(48, 32), (60, 20)] * 10, 32, ""),
        ([(50, 50)] * 20, 32, ""),
        ([(60, 40)] * 20, "24x16", ""),
        ([(64, 64)] * 20, "24x16", "are square; a resolution of 32 keeps them whole"),
    ],
)
def test_pictures_of_one_shape_are_told_what_keeps_it(sizes, resolution, told, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    (folder := tmp_path / "photos").mkdir()
    for number, (width, height) in enumerate(sizes):
        pixels = np.random.default_rng(number).integers(0, 255, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    data = open_dataset(folder, resolution=resolution)
    lines = "\n".join(foreword(config(), data, begun=False))
    assert main.run(["data", "check", str(folder), "--resolution", str(resolution), "--workers", "1"]) == 0
    for said in (lines, capsys.readouterr().out):
        assert told in said and ("keeps them whole" in said) == bool(told)
    assert "keeps them whole" not in "\n".join(foreword(config(), data, begun=True))
