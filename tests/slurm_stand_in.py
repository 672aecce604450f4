"""What of SLURM a test needs, on one machine: sbatch with arrays and dependencies, srun, sacct, scontrol and scancel.

`install` puts them into a folder for PATH. States lie in files, so that every call is a process of its own.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

NAMES = ("sbatch", "srun", "sacct", "scontrol", "scancel")
OVER = ("COMPLETED", "FAILED", "CANCELLED")


def install(folder: Path) -> dict[str, str]:
    """Write the commands into a folder; returns what the environment needs."""
    (folder / "bin").mkdir(parents=True)
    (folder / "state").mkdir()
    for name in NAMES:
        script = folder / "bin" / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" {name} "$@"\n')
        script.chmod(0o755)
    return {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "SLURM_STAND_IN": str(folder / "state")}


def options(script: Path) -> dict[str, str]:
    """The #SBATCH lines of a script."""
    lines = re.findall(r"^#SBATCH\s+--([\w-]+)(?:[= ](.*))?$", script.read_text(), re.MULTILINE)
    return {name: (value or "").strip().strip("'\"") for name, value in lines}


def states(place: Path) -> dict[str, str]:
    return {path.stem: path.read_text() for path in place.glob("*.state")}


def set_state(place: Path, job: str, state: str) -> None:
    (place / f"{job}.part").write_text(state)
    (place / f"{job}.part").rename(place / f"{job}.state")


def sbatch(place: Path, argv: list[str]) -> int:
    script = Path(argv[-1])
    given = options(script)
    if given.get("partition") == "nowhere":
        sys.stderr.write("sbatch: error: invalid partition specified: nowhere\n")
        return 1
    number = 100 + len(list(place.glob("*.sh")))
    kept = place / f"{number}.sh"
    kept.write_text(script.read_text())
    last = int(re.match(r"0-(\d+)", given["array"])[1]) if "array" in given else None
    jobs = [str(number)] if last is None else [f"{number}_{i}" for i in range(last + 1)]
    for job in jobs:
        set_state(place, job, "PENDING")
        nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.Popen([sys.executable, __file__, "run", job, str(kept)], start_new_session=True, **nowhere)
    sys.stdout.write(f"Submitted batch job {number}\n")
    return 0


def run(place: Path, argv: list[str]) -> int:
    """One job from its queueing to its end."""
    job, script = argv[0], Path(argv[1])
    given = options(script)
    needs = given.get("dependency", "").split(":")[1:]
    while any(states(place).get(need, "COMPLETED") not in OVER for need in needs):
        time.sleep(0.05)
    array, _, task = job.partition("_")
    tasks = int(given.get("nodes", 1)) * int(given.get("ntasks-per-node", 1))
    nodes, host = given.get("nodes", "1"), "localhost"
    environment = {
        **os.environ, "SLURM_JOB_ID": str(10_000 + int(array) * 50 + int(task)) if task else array,
        "SLURM_JOB_NAME": "stand-in", "SLURM_NTASKS": str(tasks),
        "SLURM_NTASKS_PER_NODE": given.get("ntasks-per-node", "1"), "SLURM_JOB_NUM_NODES": nodes, "SLURM_NNODES": nodes,
        "SLURM_NODEID": "0", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_JOB_NODELIST": host,
        "SLURM_NODELIST": host, "SLURM_STAND_IN_JOB": job,
    }  # fmt: skip
    if task:
        environment |= {"SLURM_ARRAY_JOB_ID": array, "SLURM_ARRAY_TASK_ID": task}
    while True:
        process = subprocess.Popen(["bash", str(script)], env=environment, start_new_session=True)
        (place / f"{job}.pid").write_text(str(process.pid))
        set_state(place, job, "RUNNING")
        code = process.wait()
        again = place / f"{job}.again"
        if not again.exists():
            break
        again.unlink()
    set_state(place, job, "COMPLETED" if code == 0 else "FAILED")
    return 0


def srun(place: Path, argv: list[str]) -> int:
    """As many tasks as the job has, each told which it is."""
    names = {"%j": os.environ.get("SLURM_STAND_IN_JOB", "0"), "%A_%a": os.environ.get("SLURM_STAND_IN_JOB", "0")}
    files: dict[str, str] = {}
    while argv and argv[0].startswith("-"):
        word = argv.pop(0)
        name, equals, value = word.partition("=")
        if name in ("--output", "--error"):
            files[name] = value if equals else argv.pop(0)
    processes = []
    for rank in range(int(os.environ.get("SLURM_NTASKS", "1"))):
        places = {}
        for name, path in files.items():
            for sign, word in {**names, "%t": str(rank)}.items():
                path = path.replace(sign, word)
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            stream = {"--output": "stdout", "--error": "stderr"}[name]
            places[stream] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        environment = {**os.environ, "SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank)}
        processes.append(subprocess.Popen(argv, env=environment, **places))
    (place / "srun.pids").write_text(" ".join(str(one.pid) for one in processes))
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, lambda number, frame: [one.send_signal(number) for one in processes])
    return max(abs(process.wait()) for process in processes)


def sacct(place: Path, argv: list[str]) -> int:
    sys.stdout.write("JobID|State|NodeList\n")
    for job, state in sorted(states(place).items()):
        sys.stdout.write(f"{job}|{state}|localhost\n")
    return 0


def scontrol(place: Path, argv: list[str]) -> int:
    assert argv[0] == "requeue"
    (place / f"{os.environ['SLURM_STAND_IN_JOB']}.again").touch()
    return 0


def scancel(place: Path, argv: list[str]) -> int:
    set_state(place, argv[-1], "CANCELLED")
    return 0


if __name__ == "__main__":
    sys.exit(globals()[sys.argv[1]](Path(os.environ["SLURM_STAND_IN"]), sys.argv[2:]))
