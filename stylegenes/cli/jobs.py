"""Options by which a verb's trainings become jobs of a cluster, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from stylegenes.errors import UserError

if TYPE_CHECKING:
    from stylegenes.reproduction.steps import Step


@dataclass(frozen=True)
class JobArgs:
    """Trainings as jobs of a cluster."""

    submit: Literal["slurm", "local"] | None = None
    """hand everything over as job arrays, one job a training: slurm, or local for processes of this machine"""
    slurm: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """what each job is given, KEY=VALUE as sbatch and submitit name it (partition=gpu, time=4:00:00, gpus=1, mem=32G),
    or a .yaml file of such pairs; may be repeated"""


def submit(jobs: JobArgs, folder: Path, steps: Sequence[Step], at_once: int) -> None:
    """Hand over what is to do, and say what was made of it.

    Args:
        jobs: where, and what each job is given.
        folder: of the reproduction or grid.
        steps: all that is wanted.
        at_once: jobs that the local executor runs at a time.

    Raises:
        UserError: for options that are not understood, and whatever the cluster refuses.
    """
    from stylegenes.cli.console import say
    from stylegenes.cluster_options import read_options
    from stylegenes.clusters import submit
    from stylegenes.words import counted

    assert jobs.submit is not None
    options = read_options(jobs.submit, jobs.slurm)
    folder.mkdir(parents=True, exist_ok=True)
    found = submit(folder, steps, options, at_once=at_once, on_note=say)
    steps_of = counted(sum(len(job.steps) for job in found), "step")
    say(f"{counted(len(found), 'job')} with {steps_of} submitted; their logs are in {folder / 'jobs'}")


def check(jobs: JobArgs) -> None:
    """Refuse options of jobs where none are submitted.

    Raises:
        UserError: for `--slurm` without `--submit`.
    """
    if jobs.slurm and jobs.submit is None:
        raise UserError("--slurm goes with --submit slurm; leave it out, or add --submit")


def tell(folder: Path, done: frozenset[str]) -> None:
    """Say what has become of the jobs that were submitted last."""
    from stylegenes.cli.console import say
    from stylegenes.clusters import told_of

    for line in told_of(folder, done):
        say(line)


def refuse_beside_jobs(folder: Path) -> None:
    """Refuse to do here what jobs are doing.

    Raises:
        UserError: while jobs of an earlier submission live.
    """
    from stylegenes.clusters import living_jobs

    living = living_jobs(folder)
    if living:
        raise UserError(
            f"jobs work in {folder} ({', '.join(job.job for job in living[:4])}{' ...' * (len(living) > 4)}); wait for "
            "them, cancel them, or look with --report. If the cluster no longer knows them, remove "
            f"{folder / 'jobs.json'}"
        )
