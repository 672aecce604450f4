import json

import numpy as np
import pytest
from PIL import Image

from stylegenes.cli.main import run
from stylegenes.data.originals import Originals
from stylegenes.metrics import read_records
from stylegenes.metrics.record import Files
from stylegenes.perception.hdf5 import write_converted
from stylegenes.perception.squeezenet import SHA256, SqueezeNetTrunk


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two folders of small pictures; caches and working folder apart from the user's."""
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("STYLEGENES_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name, high in (("real", 256), ("fake", 200)):
        (tmp_path / name).mkdir()
        for i in range(12):
            pixels = rng.integers(0, high, (8, 8, 3), dtype=np.uint8).repeat(2, 0).repeat(2, 1)
            Image.fromarray(pixels).save(tmp_path / name / f"{i:02d}.png")
    return tmp_path


def evaluate(*more: str) -> int:
    return run(["evaluate", *more, "--device", "cpu"])


def test_folder_against_folder_and_comparison(folders, capsys):
    assert evaluate("fake", "--data", "real", "--resolution", "16", "--metrics", "fd,pr", "--num", "12") == 0
    shown = capsys.readouterr().out
    assert "fd_lite0" in shown and "(n = 6)" in shown and "precision_lite0" in shown
    record = json.loads((folders / "metric-fd_lite0.jsonl").read_text())
    assert record["value"] > 0 and record["provenance"]["num_fake"] == 12 and record["provenance"]["psi"] is None
    assert run(["evaluate", "--compare", "metric-fd_lite0.jsonl", "metric-fd_lite0.jsonl"]) == 0
    assert "fake" in capsys.readouterr().out
    assert run(["evaluate", "--compare", "metric-fd_lite0.jsonl", "metric-recall_lite0.jsonl"]) == 1
    assert "metric: 'fd_lite0' and 'recall_lite0'" in capsys.readouterr().err


def again(folder, name, format, **options):
    """The pictures of a folder in another format."""
    (folder.parent / name).mkdir()
    for file in sorted(folder.iterdir()):
        Image.open(file).save(folder.parent / name / f"{file.stem}.{format}", **options)


def test_records_name_the_formats_and_warn_where_the_sides_differ(folders, capsys):
    again(folders / "fake", "jpegs", "jpg", quality=70)
    wanted = ["--data", "real", "--resolution", "16", "--num", "12"]
    for name, files in {
        "fake": {"real": "PNG (12)", "fake": "PNG (12)", "warning": ""},
        "jpegs": {
            "real": "PNG (12)",
            "fake": "JPEG of quality 70 (12)",
            "warning": "PNG (12) against JPEG of quality 70 (12)",
        },
    }.items():
        assert evaluate(name, *wanted, "--out", name + "-out") == 0
        assert json.loads((folders / f"{name}-out" / "metric-fd_lite0.jsonl").read_text())["files"] == files
        shown = " ".join(capsys.readouterr().out.split())
        assert ("the files differ" in shown) == bool(files["warning"]) and files["warning"] in shown
    assert run(["evaluate", "--compare", *(f"{name}-out/metric-fd_lite0.jsonl" for name in ("fake", "jpegs"))]) == 0
    assert "the files differ" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("real", "fake", "differ"),
    [
        ({"PNG": 100}, {"PNG": 7}, False),
        ({"PNG": 100}, {"PNG": 95, "JPEG q90": 5}, False),
        ({"PNG": 50, "JPEG q90": 50}, {"JPEG q90": 10}, True),
        ({"JPEG q90": 10}, {"JPEG q75": 10}, True),
        ({"JPEG q90": 10}, {"JPEG q88": 9, "JPEG q50": 1}, False),
        ({"drawn": 10}, {"JPEG q75": 10}, False),
        ({}, {"JPEG q75": 10}, False),
    ],
)
def test_formats_differ_by_shares_and_quality(real, fake, differ):
    for one, other in ((real, fake), (fake, real)):
        assert bool(Originals(one).unlike(Originals(other))) == differ


def test_records_of_earlier_versions_are_read(folders):
    assert evaluate("fake", "--data", "real", "--resolution", "16", "--num", "12") == 0
    file = folders / "metric-fd_lite0.jsonl"
    record = json.loads(file.read_text())
    del record["files"]
    file.write_text(json.dumps(record) + "\n")
    assert read_records(file)[0].files == Files()


def test_too_few_pictures_are_told_before_any_is_judged(folders, capsys):
    for file in sorted((folders / "real").iterdir())[7:]:
        file.unlink()
    assert evaluate("fake", "--data", "real", "--resolution", "16", "--metrics", "fd,pr", "--num", "12") == 1
    assert "real has 7 pictures; pr needs at least 8, 4 in either half" in capsys.readouterr().err
    assert not (folders / "metric-fd_lite0.jsonl").exists()


def test_a_fetched_judge_serves_every_distribution_metric(folders, capsys):
    """Random weights where the fetched ones lie; the command does the same with the real ones."""
    (folders / "weights").mkdir()
    trunk = SqueezeNetTrunk(pretrained=False)
    write_converted(folders / "weights" / "squeezenet.safetensors", trunk.state_dict(), SHA256)
    wanted = ["--metrics", "fd,kid,pr,dc,outliers", "--num", "12", "--extractor", "squeezenet"]
    assert evaluate("fake", "--data", "real", "--resolution", "16", *wanted) == 0
    shown = capsys.readouterr().out
    for metric in ("fd", "kid", "precision", "recall", "density", "coverage", "outliers"):
        record = json.loads((folders / f"metric-{metric}_squeezenet.jsonl").read_text())
        assert record["floor"]["num"] == 6 and f"{metric}_squeezenet" in shown
    assert json.loads((folders / "metric-outliers_squeezenet.jsonl").read_text())["details"]["limit"] > 0


@pytest.mark.parametrize("old", [["--judge", "lite0"], ["--judge=lite0"]])
def test_the_old_name_of_an_option_works_and_says_the_new_one(folders, capsys, old):
    assert evaluate("fake", "--data", "real", "--resolution", "16", "--num", "12", *old) == 0
    assert "--judge is called --extractor now" in capsys.readouterr().err
    assert json.loads((folders / "metric-fd_lite0.jsonl").read_text())["metric"] == "fd_lite0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say what to measure"),
        (["nowhere", "--data", "real"], "nowhere is not a snapshot"),
        (["fake", "--data", "real"], "add --resolution"),
        (
            ["fake", "--data", "real", "--resolution", "16", "--metrics", "fid"],
            "no metric 'fid'; did you mean 'fd'? metrics: fd, kid",
        ),
        (["fake", "--data", "real", "--resolution", "16", "--extractor", "inception"], "stylegenes fetch inception"),
        (["fake", "--data", "real", "--resolution", "16", "--metrics", "fd, ppl"], "ppl needs a generator"),
        (["fake", "--data", "real", "--resolution", "16", "--num", "0"], "at least 2 fakes"),
        (["fake", "--data", "real", "--resolution", "16", "--batch", "0"], "batches of at least 1"),
        (["fake", "--data", "real", "--resolution", "16", "--psi", "nan"], "--psi is nan, which is no finite number"),
        (["fake", "--data", "real", "--resolution", "16", "--classifier", "real"], "real holds no classifier"),
    ],
)
def test_a_mistake_is_a_message(folders, capsys, arguments, message):
    assert evaluate(*arguments) == 1
    assert message in capsys.readouterr().err


def test_fetch_lists_and_refuses(folders, capsys):
    assert run(["fetch"]) == 0
    assert "inception  missing" in capsys.readouterr().out
    assert run(["fetch", "inceptoin", "--source", "x"]) == 1
    assert "there are: squeezenet, vgg16-hed, inception, vgg16, lpips-vgg" in capsys.readouterr().err
    assert run(["fetch", "inception"]) == 1
    assert "pt_inception-2015-12-05-6726825d.pth" in capsys.readouterr().err
    assert run(["fetch", "squeezenet", "--sha256", "ab"]) == 1
    assert "leave out --sha256" in capsys.readouterr().err


def test_a_classifier_needs_labels(folders, capsys):
    assert run(["classifier", "real", "--resolution", "16", "--device", "cpu"]) == 1
    assert "has no labels" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["real", "real/00.png"])
def test_a_classifier_replaces_nothing_else(folders, capsys, out):
    assert run(["classifier", "avatars:n=30", "--out", out, "--device", "cpu"]) == 1
    assert "give another" in capsys.readouterr().err
    assert len(list((folders / "real").iterdir())) == 12


def test_a_classifier_of_no_pictures_is_refused(folders, capsys):
    assert run(["classifier", "avatars:n=30", "--images", "0", "--device", "cpu"]) == 1
    assert "at least one batch of 64 pictures; got 0" in capsys.readouterr().err
