"""Steps as jobs of a cluster: which go together, what each is given, and that a job which is asked to end goes on."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import slurm_stand_in
from filelock import FileLock

from stylegenes import clusters
from stylegenes.cli import main
from stylegenes.cluster_options import ClusterOptions, read_options
from stylegenes.clusters import LaneJob, grid_steps, lanes, living_jobs, submit, told_of
from stylegenes.errors import UserError
from stylegenes.files import read_json, write_json
from stylegenes.reproduction.conduct import StepLedger
from stylegenes.reproduction.scale import SCALES
from stylegenes.reproduction.steps import Step, steps

FAST, WRONG = ("--version",), ("nonsense",)
CHAIN = [Step("a", FAST), Step("b", FAST, ("a",)), Step("c", FAST), Step("both", FAST, ("b", "c"))]


@pytest.mark.parametrize("scale", sorted(SCALES))
def test_every_step_is_in_one_lane_and_a_lane_has_one_training(scale):
    every = steps(SCALES[scale])
    found = lanes(every)
    assert sorted(name for lane in found for name in lane.steps) == sorted(step.name for step in every)
    by_name = {step.name: step for step in every}
    rank = {name: lane.rank for lane in found for name in lane.steps}
    lane_of = {name: lane.name for lane in found for name in lane.steps}
    for lane in found:
        assert sum(by_name[name].trains is not None for name in lane.steps) <= 1
        order = list(lane.steps)
        for name in order:
            for need in by_name[name].needs:
                assert rank[need] < lane.rank or order.index(need) < order.index(name)
                assert lane_of[need] == lane.name or lane_of[need] in lane.needs
    trainings = sum(step.trains is not None for step in every)
    assert sum(lane.rank == 0 for lane in found) == trainings


def test_what_is_done_is_in_no_lane_and_waited_for_by_none():
    found = lanes(CHAIN, frozenset({"a", "b"}))
    assert [(lane.name, lane.steps, lane.rank) for lane in found] == [("c", ("c", "both"), 0)]
    assert [lane.steps for lane in lanes(CHAIN)] == [("a", "b"), ("c",), ("both",)]
    assert [lane.rank for lane in lanes(CHAIN)] == [0, 0, 1]


@pytest.mark.parametrize(("word", "key", "value"), [
    ("partition=gpu", "partition", "gpu"), ("slurm_partition=gpu", "partition", "gpu"), ("time=90", "time", 90),
    ("time=4:00:00", "time", 240), ("time=1-12", "time", 2160), ("time=1-0:30", "time", 1470),
    ("time=90:30", "time", 91),
    ("timeout_min=30", "time", 30), ("gpus=4", "gpus_per_node", 4), ("gpus-per-node=2", "gpus_per_node", 2),
    ("--gpus-per-node=2", "gpus_per_node", 2), ("gpus=0", "gpus_per_node", 0), ("mem=32G", "mem", "32G"),
    ("mem_gb=32", "mem", "32GB"), ("cpus-per-task=8", "cpus_per_task", 8), ("account=me=you", "account", "me=you"),
    ("reservation=r", "reservation", "r"), ("exclusive=true", "exclusive", True),
    ("parallel=3", "array_parallelism", 3),
])  # fmt: skip
def test_options_by_the_names_of_sbatch_and_submitit(word, key, value):
    assert read_options("slurm", [word]).given == {key: value}


@pytest.mark.parametrize(("word", "words"), [
    ("partitoin=gpu", "partition"), ("partition", "neither KEY=VALUE"), ("partition=", "no value"),
    ("time=soon", "is no time"), ("time=0", "shorter than a minute"), ("time=0:30", "shorter than a minute"),
    ("gpus=many", "whole number"), ("gpus=-1", "whole number"), ("cpus_per_task=0", "at least 1"), ("=4", "no option"),
    ("nodes=2", "one task on one node"), ("ntasks-per-node=4", "one task"),
    ("dependency=afterok:3", "without being told"),
    ("array=0-3", "array_parallelism"), ("command=rm", "no option"), ("missing.yaml", "cannot be read"),
])  # fmt: skip
def test_options_that_no_cluster_takes_are_refused(word, words):
    with pytest.raises(UserError, match=words):
        read_options("slurm", [word])


@pytest.mark.parametrize(("text", "words"), [("- a\n", "holds no options"), ("a: [", "cannot be read"),
                                             ("", "no options"),
                                             ("foo: 1", "no option 'foo'"), ("partition:", "no value")])  # fmt: skip
def test_files_of_options_that_are_none(tmp_path, text, words):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(UserError, match=words):
        read_options("slurm", [str(tmp_path / "a.yaml")])


def test_a_file_and_what_is_said_after_it(tmp_path):
    (tmp_path / "a.yml").write_text("partition: gpu\ntime: 2:00:00\nsetup: [module load cuda]\n")
    found = read_options("slurm", [str(tmp_path / "a.yml"), "partition=fast"])
    assert found.given == {"partition": "fast", "time": 120, "setup": ["module load cuda"]}


def test_time_as_yaml_reads_it(tmp_path):
    """YAML 1.1 takes 4:00:00 for a number in base 60."""
    (tmp_path / "a.yaml").write_text("time: 4:00:00\n")
    assert read_options("slurm", [str(tmp_path / "a.yaml")]).given == {"time": 240}


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A cluster of this machine; returns the folder of its states."""
    for name, value in slurm_stand_in.install(tmp_path / "slurm").items():
        monkeypatch.setenv(name, value)
    root = str(Path(clusters.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", root)
    return tmp_path / "slurm" / "state"


def wait_for(what, seconds: float = 150.0):
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


def over(state: Path) -> bool:
    return all(one in slurm_stand_in.OVER for one in slurm_stand_in.states(state).values())


def test_arrays_wait_for_what_they_read_and_a_job_that_fails_fails_alone(slurm, tmp_path):
    given = [*CHAIN[:2], Step("c", WRONG), CHAIN[3]]
    said: list[str] = []
    options = read_options("slurm", ["partition=gpu", "time=10", "gpus=0"])
    jobs = submit(tmp_path / "out", given, options, on_note=said.append)
    assert [(job.lane, job.job) for job in jobs] == [("a", "100_0"), ("c", "100_1"), ("both", "101")]
    assert any("/tmp" in line for line in said)
    script = slurm_stand_in.options(slurm / "101.sh")
    assert script["dependency"] == "afterany:100_0:100_1" and script["partition"] == "gpu" and script["time"] == "10"
    assert "dependency" not in slurm_stand_in.options(slurm / "100.sh")
    for argv in (["reproduce", "--scale", "tiny"], ["ablate", "avatars", "--genes", "4", "--variants", "8"]):
        with pytest.raises(UserError, match=r"jobs work in .*100_0"):
            main.call(argv[0], [*argv[1:], "--out", str(tmp_path / "out")])
    wait_for(lambda: over(slurm))
    ledger = StepLedger(tmp_path / "out", given)
    assert ledger.done == {"a", "b"}
    told = "\n".join(told_of(tmp_path / "out", ledger.done))
    assert (
        "100_1 (c) has ended with steps left" in told and "101 (both) has ended" in told and "left no log" not in told
    )
    logs = "".join(path.read_text() for path in (tmp_path / "out/jobs").rglob("*.err"))
    assert "there is no command 'nonsense'" in logs + "".join(
        path.read_text() for path in (tmp_path / "out/logs").glob("c.log")
    )
    assert "c must be done first and is not" in logs


def test_what_lives_is_not_submitted_twice(slurm, tmp_path, monkeypatch):
    options = read_options("slurm", ["time=10"])
    monkeypatch.setattr(slurm_stand_in, "OVER", ())
    for name in ("sbatch",):  # jobs that never begin
        path = Path(os.environ["PATH"].split(":")[0]) / name
        path.write_text("#!/bin/sh\necho Submitted batch job 7\n")
    for job in ("7_0", "7_1", "7"):
        slurm_stand_in.set_state(slurm, job, "PENDING")
    first, said = submit(tmp_path / "out", CHAIN, options), []
    assert [job.lane for job in first] == ["a", "c", "both"] and len(living_jobs(tmp_path / "out")) == 3
    assert submit(tmp_path / "out", CHAIN, options, on_note=said.append) == []
    assert any("a is in job 7_0 already" in line for line in said)
    for job in ("7_0", "7_1", "7"):
        slurm_stand_in.set_state(slurm, job, "CANCELLED by 0")
    assert told_of(tmp_path / "out", frozenset())[0].endswith(
        "left no log: does its node see " + str(tmp_path / "out") + "?"
    )
    assert [job.lane for job in submit(tmp_path / "out", CHAIN, options)] == ["a", "c", "both"]


def test_local_jobs_live_as_long_as_their_processes(tmp_path):
    """The command that submitted them may have been killed, which leaves nothing that says how they ended."""
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)", "submitit"]
    with subprocess.Popen(sleeping) as living, subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
        jobs = [clusters.SubmittedJob(str(one.pid), name, [name]) for one, name in ((living, "a"), (dead, "c"))]
        write_json(tmp_path / "jobs.json", asdict(clusters.Submission("local", jobs)))
        assert [job.lane for job in living_jobs(tmp_path)] == ["a"]
        assert "(c) has ended with steps left and left no log" in "".join(told_of(tmp_path, frozenset()))
        living.kill()
    assert living_jobs(tmp_path) == []


def test_two_submissions_at_once_are_one(tmp_path):
    (tmp_path / "jobs").mkdir()
    with FileLock(tmp_path / ".submit.lock"), pytest.raises(UserError, match="submits the jobs of"):
        submit(tmp_path, CHAIN, ClusterOptions("local"))


def test_a_partition_that_is_not_there_is_told(slurm, tmp_path):
    with pytest.raises(UserError, match=r"sbatch refused the jobs: .*invalid partition specified: nowhere"):
        submit(tmp_path / "out", CHAIN, read_options("slurm", ["partition=nowhere"]))
    assert living_jobs(tmp_path / "out") == []


def test_a_machine_without_slurm_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError, match="try --submit local"):
        submit(tmp_path / "out", CHAIN, read_options("slurm", []))


def test_a_node_that_does_not_see_the_folder_says_so(tmp_path):
    with pytest.raises(UserError, match=r"does not see .* as it was when this job was submitted"):
        LaneJob(tmp_path, CHAIN, ("a",), "submission-x")()


TRAIN = ("train", "avatars:n=64", "--recipe", "tiny32", "--out", "models/x", "--metrics", "none", "--set",
         "tensorboard=false", "--set", "batch.total=8", "--set", "data.resolution=8")  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGUSR2])
def test_a_job_that_is_preempted_saves_and_goes_on(slurm, tmp_path, number):
    long = Step("train", (*TRAIN, "--kimg", "0.3"), trains=("models/x", 0.3))
    submit(tmp_path / "out", [long], read_options("slurm", ["time=60"]))
    state = tmp_path / "out" / "models/x/state.safetensors"
    log = tmp_path / "out/logs/train.log"
    wait_for(lambda: log.is_file() and "img/s" in log.read_text(), 280)
    job = int((slurm / "srun.pids").read_text())
    os.kill(job, number)
    wait_for(lambda: "continue with" in log.read_text(), 280)
    assert state.is_file()
    wait_for(lambda: over(slurm), 600)
    assert slurm_stand_in.states(slurm) == {"100": "COMPLETED"}
    assert StepLedger(tmp_path / "out", [long]).done == {"train"}
    assert "finished 0.304 kimg" in log.read_text()


@pytest.mark.slow
def test_the_local_executor_keeps_the_order_and_reports(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(clusters.__file__).parents[1]))
    given, said = [CHAIN[0], replace(CHAIN[2], argv=WRONG), CHAIN[3], CHAIN[1]], []
    given = [given[0], given[3], given[1], given[2]]
    jobs = submit(tmp_path / "out", given, ClusterOptions("local"), at_once=2, on_note=said.append)
    assert [job.lane for job in jobs] == ["a", "c", "both"]
    ended = [line for line in said if " done" in line or " failed" in line]
    assert {line.split()[0] for line in ended[:2]} == {"a", "c"} and ended[2].startswith("both failed")
    assert StepLedger(tmp_path / "out", given).done == {"a", "b"} and living_jobs(tmp_path / "out") == []
    assert read_json(tmp_path / "out/jobs.json")["cluster"] == "local"


def test_a_grid_is_one_job_a_cell_and_its_report_is_of_what_is_there(tmp_path, monkeypatch, capsys):
    found = grid_steps([4, 2], [8, 16], 16, ("ablate", "photos", "--genes", "4,2"))
    assert [step.name for step in found] == ["cell-4x8", "cell-2x8", "cell-4x16", "cell-2x16"]
    assert found[0].argv[-4:] == ("--out", ".", "--only", "4x8") and {lane.rank for lane in lanes(found)} == {0}
    given = ["avatars", "--genes", "4,2", "--variants", "8", "--out", str(tmp_path / "grid"), "--report"]
    main.call("ablate", given)
    told = capsys.readouterr().out
    assert "4 x 8 not trained yet" in told and (tmp_path / "grid").is_dir()
    assert not (tmp_path / "grid/4x8").exists() and not (tmp_path / "grid/reals").exists()
    (tmp_path / "grid/4x8").mkdir()
    (tmp_path / "grid/4x8/cell.json").write_text('{"num_genes": 4, "num_variants": 8, "score": 12.5, "note": ""}')
    main.call("ablate", given)
    assert "12.5" in capsys.readouterr().out


@pytest.mark.parametrize(("argv", "words"), [
    (["ablate", "avatars", "--out", "x", "--only", "3x3"], "no cell of this grid"),
    (["ablate", "avatars", "--out", "x", "--slurm", "partition=gpu"], "goes with --submit"),
    (["ablate", "avatars", "--out", "x", "--submit", "local", "--report"], "leave out --only and --report"),
    (["reproduce", "--out", "x", "--slurm", "partition=gpu"], "goes with --submit"),
    (["reproduce", "--scale", "tiny", "--out", "x", "--submit", "local", "--slurm", "partitoin=gpu"], "no option"),
])  # fmt: skip
def test_options_that_contradict_each_other(tmp_path, monkeypatch, argv, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=words):
        main.call(argv[0], argv[1:])


@pytest.mark.slow
def test_jobs_survive_the_end_of_the_command_that_submitted_them(slurm, tmp_path):
    argv = ["--scale", "tiny", "--only", "train-main", "--out", str(tmp_path / "out"), "--submit", "slurm"]
    code = (
        "import slurm_stand_in, sys; from stylegenes.cli import main; from stylegenes.reproduction import steps;"
        f"steps.steps = lambda scale: [steps.Step('train-main', ('--version',))]; "
        f"sys.exit(main.run(['reproduce', *{argv}]))"
    )
    environment = {**os.environ, "PYTHONPATH": f"{os.environ['PYTHONPATH']}:{Path(__file__).parent}"}
    made = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0 and "1 job with 1 step submitted" in made.stdout, made.stderr
    wait_for(lambda: over(slurm))
    assert (tmp_path / "out/done/train-main.json").is_file()
