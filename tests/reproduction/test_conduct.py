import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from stylegenes.errors import UserError
from stylegenes.files import read_json
from stylegenes.reproduction.conduct import StepLedger, conduct
from stylegenes.reproduction.steps import Step

FAST = ("--version",)
WRONG = ("nonsense",)


def run(folder, steps, jobs=1, **settings):
    events = []
    finished = conduct(StepLedger(folder, steps), jobs, events.append, **settings)
    return finished, [(event.step.name, event.kind) for event in events], events


def test_steps_run_once_and_in_their_order(tmp_path):
    steps = [Step("a", FAST), Step("b", FAST, ("a",))]
    finished, told, _ = run(tmp_path, steps)
    assert finished and told == [("a", "started"), ("a", "done"), ("b", "started"), ("b", "done")]
    assert read_json(tmp_path / "done" / "b.json")["command"] == ["stylegenes", "--version"]
    assert "stylegenes" in (tmp_path / "logs" / "a.log").read_text()
    assert run(tmp_path, steps)[:2] == (True, [])


def test_a_changed_step_is_done_again_with_all_that_reads_it(tmp_path):
    steps = [Step("a", FAST), Step("b", FAST, ("a",)), Step("c", FAST)]
    run(tmp_path, steps, jobs=3)
    steps[0] = replace(steps[0], argv=("help",))
    progress = StepLedger(tmp_path, steps)
    assert [step.name for step in steps if not progress.is_done(step)] == ["a", "b"]


def test_the_time_of_a_training_that_went_on_adds_up(tmp_path):
    training, other = Step("train", FAST, trains=("models/x", 1.0)), Step("a", FAST)
    for step in (training, other):
        StepLedger(tmp_path, [step]).finish(step, 10.0)
        longer = replace(step, argv=("help",))
        progress = StepLedger(tmp_path, [longer])
        assert not progress.is_done(longer)
        progress.finish(longer, 5.0)
        assert StepLedger(tmp_path, [longer]).seconds(longer) == (15.0 if step is training else 5.0)


def test_a_failed_step_is_named_and_the_others_go_on(tmp_path):
    steps = [Step("bad", WRONG), Step("after", FAST, ("bad",)), Step("good", FAST)]
    finished, told, events = run(tmp_path, steps)
    assert not finished
    assert ("good", "done") in told and ("after", "started") not in told
    failed = next(event for event in events if event.kind == "failed")
    assert failed.step.name == "bad" and "there is no command 'nonsense'" in failed.message


def test_a_training_that_saw_too_few_images_is_not_done(tmp_path):
    assert run(tmp_path, [Step("train", FAST, trains=("models/x", 1.0))])[1][-1] == ("train", "failed")


def test_no_jobs_are_refused(tmp_path):
    with pytest.raises(UserError, match="--jobs 0"):
        run(tmp_path, [Step("a", FAST)], jobs=0)


TRAIN = ("train", "avatars:n=64", "--recipe", "tiny32", "--out", "models/x", "--kimg", "100", "--metrics", "none")


def test_the_end_of_a_sitting_stops_commands_and_loses_nothing(tmp_path):
    step = Step("train", (*TRAIN, "--set", "tensorboard=false"), trains=("models/x", 100.0))
    finished, told, _ = run(tmp_path, [step], max_seconds=20)
    assert not finished and told == [("train", "started")]
    deadline = time.monotonic() + 10
    while not (tmp_path / "models/x/state.safetensors").is_file() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert (tmp_path / "models/x/state.safetensors").is_file()


SCRIPT = """
import sys
from pathlib import Path
from stylegenes.reproduction.conduct import StepLedger, conduct
from stylegenes.reproduction.steps import Step
step = Step("train", tuple(sys.argv[2:]), trains=("models/x", 100.0))
conduct(StepLedger(Path(sys.argv[1]), [step]), 1, print)
"""


def test_a_termination_reaches_the_commands(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path), *TRAIN], stderr=subprocess.DEVNULL)
    log = tmp_path / "logs" / "train.log"
    while not (log.is_file() and "img/s" in log.read_text()):
        assert process.poll() is None
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) != 0
    assert "saved" in log.read_text()
    assert not [pid for pid in Path("/proc").glob("[0-9]*") if _is_ours(pid, tmp_path)] or os.name != "posix"


def _is_ours(pid, folder):
    try:
        return Path(os.readlink(pid / "cwd")) == folder
    except OSError:
        return False
