"""Steps of a reproduction or of a grid as jobs of a cluster, through submitit: SLURM, or processes of this machine.

A job is a training and what reads that training alone; what reads several is a job of its own that waits for theirs.
Jobs of one rank, which wait for nothing in common, are one job array. Each can be asked to end at any moment: the
commands in it save, the job goes back into the queue, and the next time it does what is left.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from filelock import FileLock, Timeout

from stylegenes.analysis.ablation import cell_name, check_grid
from stylegenes.cluster_options import ClusterOptions
from stylegenes.errors import UserError
from stylegenes.files import read_record, write_json
from stylegenes.reproduction.conduct import Event, StepLedger, conduct
from stylegenes.reproduction.steps import Step
from stylegenes.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER, _NOTE, _LOCK = "jobs", "jobs.json", ".submit.lock"
_POLL_SECONDS, _PATIENCE_SECONDS = 0.5, 100.0
_OVER = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE",
         "REVOKED")  # fmt: skip
"""States of jobs that will not come back by themselves."""


@dataclass(frozen=True)
class Lane:
    """What one job does.

    Attributes:
        name: of its first step.
        steps: names of its steps in their order.
        needs: names of the lanes that must have ended before.
        rank: 0 where nothing is needed, else one more than the highest rank of what is.
    """

    name: str
    steps: tuple[str, ...]
    needs: tuple[str, ...] = ()
    rank: int = 0


@dataclass(frozen=True)
class SubmittedJob:
    """A job that was handed over.

    Attributes:
        job: its number, with the number in its array.
        lane: what it is called here.
        steps: names of its steps.
    """

    job: str
    lane: str
    steps: list[str]


@dataclass(frozen=True)
class Submission:
    """What was handed over last, as the folder remembers it.

    Attributes:
        cluster: `slurm` or `local`.
        jobs: all of them.
    """

    cluster: str
    jobs: list[SubmittedJob] = field(default_factory=list)


def lanes(steps: Sequence[Step], done: frozenset[str] = frozenset()) -> list[Lane]:
    """Divide the steps that are not done: each goes with the only lane that it reads, or begins a lane of its own.

    Args:
        steps: in their order.
        done: names of those that are done.
    """
    lane_of: dict[str, str] = {}
    members: dict[str, list[str]] = {}
    needs: dict[str, set[str]] = {}
    for step in steps:
        if step.name in done:
            continue
        read = {lane_of[name] for name in step.needs if name in lane_of}
        own = next(iter(read)) if len(read) == 1 and step.trains is None else step.name
        lane_of[step.name] = own
        members.setdefault(own, []).append(step.name)
        needs.setdefault(own, set()).update(read - {own})
    ranks: dict[str, int] = {}
    for name in members:
        ranks[name] = max((ranks[other] + 1 for other in needs[name]), default=0)
    return [Lane(name, tuple(found), tuple(sorted(needs[name])), ranks[name]) for name, found in members.items()]


def grid_steps(genes: Sequence[int], variants: Sequence[int], w_dim: int, argv: Sequence[str]) -> list[Step]:
    """One command a cell, to be run in the folder of the grid.

    Args:
        genes: numbers of genes.
        variants: numbers of variants.
        w_dim: length of w, which each number of genes must divide.
        argv: the command line of the grid after `stylegenes`, without `--out` and `--only`.

    Raises:
        UserError: for a grid that no genome has.
    """
    check_grid(list(genes), list(variants), w_dim)
    names = [cell_name(g, v) for v in variants for g in genes]
    return [Step(f"cell-{name}", (*argv, "--out", ".", "--only", name)) for name in names]


@dataclass
class LaneJob:
    """What a job runs, wherever it runs; submitit calls `checkpoint` before it requeues it.

    Attributes:
        folder: of the reproduction or grid.
        steps: all steps.
        chosen: names of those that are this job's.
        token: name of a file that the submission left in the folder.
        devices: processes of each training, evaluation and survey.
    """

    folder: Path
    steps: list[Step]
    chosen: tuple[str, ...]
    token: str
    devices: int = 1

    def __call__(self) -> list[str]:
        """Run the steps that are not done; returns their names.

        Raises:
            UserError: for a folder that is not the one of the submission, a step that cannot begin, or one that failed.
        """
        if not (self.folder / _FOLDER / self.token).is_file():
            raise UserError(
                f"{socket.gethostname()} does not see {self.folder} as it was when this job was submitted; put --out "
                "on a disk that all nodes share, and submit again from there"
            )
        _forget_launcher()
        ledger = StepLedger(self.folder, self.steps, self.chosen, devices=self.devices)
        outside = {need for step in ledger.steps for need in step.needs} - set(self.chosen) - ledger.done
        if outside:
            raise UserError(
                f"{', '.join(sorted(outside))} must be done first and is not; see its log in {self.folder / 'logs'}, "
                "and submit again"
            )
        conduct(ledger, 1, _print)
        left = [step.name for step in ledger.steps if not ledger.is_done(step)]
        if left:
            raise UserError(f"not done: {', '.join(left)}; see {self.folder / 'logs'}, and submit again")
        return list(self.chosen)

    def checkpoint(self) -> Any:
        """Let the command that runs save and end; the same job goes on from there."""
        from submitit.helpers import DelayedSubmission

        commands = psutil.Process().children()
        for command in commands:
            command.terminate()
        for command in psutil.wait_procs(commands, timeout=_PATIENCE_SECONDS)[1]:
            command.kill()
        return DelayedSubmission(self)


def submit(
    folder: Path,
    steps: Sequence[Step],
    options: ClusterOptions,
    *,
    at_once: int = 1,
    on_note: Callable[[str], None] = lambda text: None,
) -> list[SubmittedJob]:
    """Hand over everything that is neither done nor in a job that still lives; the local executor is waited for.

    Args:
        folder: of the reproduction or grid, seen by all nodes.
        steps: what is wanted, in their order.
        options: where and how.
        at_once: jobs that the local executor runs at a time.
        on_note: told in a sentence what happens.

    Raises:
        UserError: without submitit, or a cluster; for options that it refuses; while another submission is made.
        KeyboardInterrupt: when somebody wished to stop while the local executor was waited for.
    """
    folder = folder.expanduser().resolve()
    executor = options.executor(folder / _FOLDER / "%j")
    if options.cluster == "slurm" and folder.is_relative_to("/tmp"):
        on_note(f"note: {folder} is in /tmp, which nodes hardly ever share")
    with _alone(folder):
        living = living_jobs(folder)
        busy = {name for job in living for name in job.steps}
        for job in living:
            on_note(f"{job.lane} is in job {job.job} already")
        ledger = StepLedger(folder, steps)
        wanted = [lane for lane in lanes(ledger.steps, ledger.done) if not busy & set(lane.steps)]
        token = f"submission-{secrets.token_hex(8)}"
        (folder / _FOLDER / token).touch()
        work = {lane.name: LaneJob(folder, list(steps), lane.steps, token, options.devices) for lane in wanted}
        place = _Place(folder, options, executor, list(living), on_note)
        if options.cluster == "local":
            return place.run_here(wanted, work, at_once)
        return place.queue(wanted, work)


def living_jobs(folder: Path) -> list[SubmittedJob]:
    """The jobs of earlier submissions into a folder that still wait or run, as far as the cluster tells."""
    submission = _submission(folder)
    if submission is None:
        return []
    lives = _lives_here if submission.cluster == "local" else _lives_in_slurm
    return [one for one in submission.jobs if lives(one, folder)]


def _lives_here(one: SubmittedJob, folder: Path) -> bool:
    """Whether the process that watches over a local job runs; its number is the job's."""
    try:
        return "submitit" in " ".join(psutil.Process(int(one.job)).cmdline())
    except psutil.Error:
        return False


def _lives_in_slurm(one: SubmittedJob, folder: Path) -> bool:
    """Whether SLURM has a job in any state but a last one; one that it does not know yet counts as living."""
    try:
        from submitit.slurm.slurm import SlurmJob
    except ImportError:
        return False
    return not SlurmJob(folder / _FOLDER / "%j", one.job).state.split(" ")[0].rstrip("+").upper().startswith(_OVER)


def told_of(folder: Path, done: frozenset[str]) -> list[str]:
    """A sentence about the jobs that were submitted last: how many live, and which ended with something left to do."""
    submission = _submission(folder)
    if submission is None:
        return []
    living = {one.job for one in living_jobs(folder)}
    ended = [one for one in submission.jobs if one.job not in living and not done.issuperset(one.steps)]
    lines = [f"{counted(len(living), 'job')} waiting or running"] if living else []
    for one in ended:
        logs = [*(folder / _FOLDER).glob(f"{one.job.split('_')[0]}*/*log*")]
        logs += [path for name in one.steps if (path := folder / "logs" / f"{name}.log").is_file()]
        silent = "" if logs else f" and left no log: does its node see {folder}?"
        lines.append(f"job {one.job} ({one.lane}) has ended with steps left{silent}")
    return lines


@dataclass
class _Place:
    """One submission."""

    folder: Path
    options: ClusterOptions
    executor: Any
    jobs: list[SubmittedJob]
    on_note: Callable[[str], None]

    def queue(self, wanted: Sequence[Lane], work: dict[str, LaneJob]) -> list[SubmittedJob]:
        """One array for each rank of lanes, which waits for the jobs that its lanes need, however these end."""
        ids = {one.lane: one.job for one in self.jobs}
        made: list[SubmittedJob] = []
        for rank in sorted({lane.rank for lane in wanted}):
            array = [lane for lane in wanted if lane.rank == rank]
            before = sorted({ids[need] for lane in array for need in lane.needs if need in ids})
            waits = {"slurm_dependency": "afterany:" + ":".join(before)} if before else {}
            handles = self.options.submit(self.executor, [work[lane.name] for lane in array], waits)
            found = [
                SubmittedJob(handle.job_id, lane.name, list(lane.steps))
                for handle, lane in zip(handles, array, strict=True)
            ]
            ids |= {one.lane: one.job for one in found}
            made += found
            self._remember(found)
            after = f", after {counted(len(before), 'other')}" if before else ""
            self.on_note(f"{counted(len(array), 'job')} in array {found[0].job.split('_')[0]}{after}")
        return made

    def run_here(self, wanted: Sequence[Lane], work: dict[str, LaneJob], at_once: int) -> list[SubmittedJob]:
        """At most so many at a time, each when what it needs has ended."""
        waiting, running, over, made = list(wanted), {}, set(), []
        names = {lane.name for lane in wanted}
        try:
            while waiting or running:
                for name in [name for name, handle in running.items() if handle.done()]:
                    over.add(name)
                    self._tell_end(name, running.pop(name))
                ready = [lane for lane in waiting if over.issuperset(names & set(lane.needs))]
                for lane in ready[: at_once - len(running)]:
                    waiting.remove(lane)
                    (handle,) = self.options.submit(self.executor, [work[lane.name]], {})
                    running[lane.name] = handle
                    made.append(SubmittedJob(handle.job_id, lane.name, list(lane.steps)))
                    self._remember(made[-1:])
                    self.on_note(f"{lane.name} began as job {handle.job_id}")
                time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            for handle in running.values():
                _end(int(handle.job_id))
            raise
        return made

    def _tell_end(self, name: str, handle: Any) -> None:
        error = handle.exception()
        reason = "" if error is None else f": {str(error).strip().splitlines()[-1]}"
        self.on_note(f"{name} {'failed' if error else 'done'}{reason}")

    def _remember(self, found: Sequence[SubmittedJob]) -> None:
        """Keep what was handed over, at once: a submission that is cut off must not lose its jobs."""
        self.jobs += found
        write_json(self.folder / _NOTE, asdict(Submission(self.options.cluster, self.jobs)))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One submission at a time."""
    (folder / _FOLDER).mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / _LOCK, timeout=0):
            yield
    except Timeout as error:
        raise UserError(
            f"another command submits the jobs of {folder} at this moment; wait until it has ended"
        ) from error


def _submission(folder: Path) -> Submission | None:
    path = folder / _NOTE
    return read_record(path, Submission) if path.is_file() else None


def _forget_launcher() -> None:
    """A job of one task is no rank of a larger run: the commands in it choose their own processes."""
    if os.environ.get("SLURM_NTASKS", "1") == "1":
        for name in ("SLURM_NTASKS", "SLURM_NTASKS_PER_NODE", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID"):
            os.environ.pop(name, None)


def _end(pid: int) -> None:
    """Ask a local job's commands to save, and wait for them."""
    try:
        controller = psutil.Process(pid)
        commands = controller.children(recursive=True)
    except psutil.NoSuchProcess:
        return
    for process in (controller, *commands):
        process.terminate()
    psutil.wait_procs(commands, timeout=_PATIENCE_SECONDS)


def _print(event: Event) -> None:
    """The log of a job."""
    message = f": {event.message}" if event.message else ""
    os.write(1, f"{event.step.name} {event.kind} {event.seconds / 60:.1f} min{message}\n".encode())
