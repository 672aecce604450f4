"""survey, evaluate and invert by several real processes: killed, gone on by another number, with the numbers of one."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from safetensors.torch import load_file

import stylegenes
from stylegenes.snapshot import find_snapshot

ROOT = Path(stylegenes.__file__).parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture
def model(tmp_path) -> Path:
    shutil.copytree(find_snapshot("avatars32"), tmp_path / "a", ignore=shutil.ignore_patterns("genes"))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    return tmp_path


def command(folder: Path, *words: object, launcher: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "STYLEGENES_CACHE": str(folder / "cache"),
    }
    start = [sys.executable, *launcher, "-m", "stylegenes"]
    out = (folder / "log").open("ab")
    return subprocess.Popen([*start, *map(str, words)], cwd=folder, env=environment, stdout=out, stderr=out)


def done(folder: Path, *words: object, **options) -> None:
    assert command(folder, *words, **options).wait(900) == 0, (folder / "log").read_text()


def kill_when(process: subprocess.Popen[bytes], ready, how: str) -> None:
    """End a command with two processes: one of them by SIGKILL, or all by SIGTERM."""
    deadline = time.monotonic() + 300
    while not ready() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    helpers = [one for one in psutil.Process(process.pid).children() if "spawn_main" in " ".join(one.cmdline())]
    if how == "one":
        helpers[-1].send_signal(signal.SIGKILL)
    else:
        process.send_signal(signal.SIGTERM)
    assert process.wait(300) != 0


TORCHRUN = ("-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29588")


@pytest.mark.parametrize("how", ["one", "all"])
def test_a_survey(model, how):
    words = ("--classifier", "avatars32-judge", "--num", 1440, "--shard", 48)
    shards = model / "b/genes/survey"
    kill_when(command(model, "survey", "b", *words, "--devices", 2), lambda: len(list(shards.glob("shard*"))) > 5, how)
    made = len(list(shards.glob("shard*")))
    assert 5 < made < 30
    done(model, "survey", "b", *words, "--devices", 3)
    done(model, "survey", "a", *words)
    for path in sorted((model / "a/genes/survey").glob("shard*")):
        assert path.read_bytes() == (shards / path.name).read_bytes()
    one, other = (load_file(model / name / "genes/survey/statistics-classifier.safetensors") for name in "ab")
    assert all((one[name] == other[name]).all() for name in one)


def test_an_evaluation_under_torchrun(model):
    words = ("--data", "avatars:n=300", "--metrics", "fd,kid,pr,ppl", "-n", 400, "--out")
    done(model, "evaluate", "a", *words, "two", launcher=TORCHRUN)
    done(model, "evaluate", "a", *words, "three", "--devices", 3)
    done(model, "evaluate", "a", *words, "one")
    for path in (model / "one").glob("metric-*.jsonl"):
        one, two, three = (
            json.loads((model / name / path.name).read_text())["value"] for name in ("one", "two", "three")
        )
        assert two == pytest.approx(one, rel=1e-7) and three == pytest.approx(one, rel=1e-7)
    assert not list(model.glob("*/.evaluate"))


def test_an_inversion(model):
    done(model, "sample", "a", "--seeds", "0-4", "--out", "p.png")
    from PIL import Image

    sheet = Image.open(model / "p.png").convert("RGB")
    (model / "photos").mkdir()
    for i in range(5):
        sheet.crop((i * 8, 0, i * 8 + 40, 40)).save(model / f"photos/{i}.png")
    words = ("invert", "a", "photos", "--steps", 60, "--batch", 1, "--calibrate", 3, "--out")
    states = model / "two/state"
    kill_when(command(model, *words, "two", "--devices", 2), lambda: len(list(states.glob("photos*"))) > 1, "all")
    done(model, *words, "two", "--devices", 3)
    done(model, *words, "one")
    one, two = (load_file(model / name / "latents.safetensors") for name in ("one", "two"))
    assert (one["ws"] == two["ws"]).all()
    assert (model / "one/results.csv").read_text() == (model / "two/results.csv").read_text()
