"""The scripts for SLURM and torchrun: their syntax, their #SBATCH lines, their commands, and two processes for real."""

import importlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import slurm_stand_in

from stylegenes.cli.usage import parse
from stylegenes.training import read_config

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "scripts").iterdir())
KNOWN = {"job-name", "nodes", "ntasks-per-node", "gpus-per-node", "cpus-per-task", "time", "signal", "requeue",
         "open-mode", "output"}  # fmt: skip
WORDS = {"$data": "photos", "$run": "runs/x", "$recipe": "ffhq256", "$@": ""}
TINY = ["--kimg", "0.032", "--metrics", "none", "--accelerator", "cpu", "--set", "batch.total=16", "--set",
        "data.resolution=8", "--set", "tensorboard=false"]  # fmt: skip

LONGER = ["0.48" if word == "0.032" else word for word in TINY]


def commands(path: Path) -> list[list[str]]:
    """The command lines of stylegenes in a script and in its comments, with the variables filled in."""
    found = re.findall(r"(?:stylegenes|\]\}\") ((?:train|survey|evaluate|invert) .*?)(?: &)?$", path.read_text(), re.M)
    found += re.findall(r"^#   sbatch \S+ ((?:survey|evaluate) .*)$", path.read_text(), re.M)
    for name, word in WORDS.items():
        found = [line.replace(f'"{name}"', word) for line in found]
    return [shlex.split(line) for line in found]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_parses_and_so_does_every_command_in_it(path):
    subprocess.run(["bash", "-n", path], check=True)
    assert commands(path), "it has no command of ours"
    for verb, *argv in commands(path):
        parse(importlib.import_module(f"stylegenes.cli.{verb}").Args, f"stylegenes {verb}", None, argv)


@pytest.mark.parametrize("path", [path for path in SCRIPTS if path.suffix == ".sbatch"], ids=lambda path: path.name)
def test_the_lines_for_sbatch(path):
    given = slurm_stand_in.options(path)
    assert len(given) == path.read_text().count("\n#SBATCH ") and set(given) <= KNOWN
    assert all(int(given[name]) >= 1 for name in ("nodes", "ntasks-per-node", "gpus-per-node", "cpus-per-task"))
    assert re.fullmatch(r"\d+:\d\d:\d\d", given["time"]) and re.fullmatch(r"(B:)?USR1@\d+", given["signal"])
    head = path.read_text().split("\nset -")[0]
    assert all(line.startswith("#") for line in head.splitlines()), "sbatch reads no options after a command"


def run_as_job(path: Path, tmp_path: Path, monkeypatch, *argv: str) -> Path:
    """Queue a script in the stand-in as one node of two tasks, without GPUs; returns the folder of its states."""
    for name, value in slurm_stand_in.install(tmp_path / "slurm").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    own = tmp_path / "slurm/bin/stylegenes"
    own.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m stylegenes "$@"\n')
    own.chmod(0o755)
    text = path.read_text()
    for name, value in {"nodes": 1, "ntasks-per-node": 2}.items():
        text = re.sub(rf"^(#SBATCH --{name}=).*$", rf"\g<1>{value}", text, flags=re.M)
    script = tmp_path / path.name
    script.write_text(text.replace("set -", f"set -- {shlex.join(argv)}\nset -", 1))
    monkeypatch.chdir(tmp_path)
    subprocess.run(["sbatch", str(script)], check=True, stdout=subprocess.DEVNULL)
    return tmp_path / "slurm/state"


def wait_for(what, seconds: float = 280.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def over(state: Path) -> str:
    return next((one for one in slurm_stand_in.states(state).values() if one in slurm_stand_in.OVER), "")


@pytest.mark.slow
def test_the_job_trains_with_two_tasks_and_goes_on_after_the_signal(tmp_path, monkeypatch):
    state = run_as_job(ROOT / "scripts/train.sbatch", tmp_path, monkeypatch, "avatars:n=64", "run", "tiny32", *LONGER)
    log = tmp_path / "run/log.txt"
    wait_for(lambda: log.is_file() and "img/s" in log.read_text())
    os.kill(int((state / "100.pid").read_text()), signal.SIGUSR1)
    wait_for(lambda: (tmp_path / "run/snapshots/last").is_dir() and over(state), 500)
    assert over(state) == "COMPLETED" and not list(state.glob("*.again"))


def test_torchrun_trains_with_two_processes_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    environment = {**os.environ, "DEVICES": "2", "PORT": "29577", "RESTARTS": "0",
                   "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}  # fmt: skip
    argv = ["bash", ROOT / "scripts/train-torchrun.sh", "avatars:n=64", tmp_path / "run", "tiny32", *TINY]
    subprocess.run(argv, env=environment, check=True, capture_output=True, timeout=280)
    assert read_config(tmp_path / "run").batch.total == 16
    assert (tmp_path / "run/snapshots/last").exists()
