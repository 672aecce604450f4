"""train and measure what the papers' tables need, and report their numbers beside ours

Examples:
  stylegenes reproduce --scale tiny --out runs/tiny       every step with hardly any images: minutes, no result
  stylegenes reproduce --scale small --out runs/small     the embedded faces at 32 px: a working day of two cores
  stylegenes reproduce --scale claims --out runs/claims   every variant seen 20,000 times, three seeds a side: a day
  stylegenes reproduce --scale paper --out runs/paper --dry-run
  stylegenes reproduce --scale paper --out runs/paper --submit slurm --slurm partition=gpu --slurm gpus=4
  stylegenes reproduce --scale paper --out runs/paper --report      what is there, and what has become of the jobs

The same command again goes on where it stopped; report.html tells what is there by then.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from stylegenes.cli.jobs import JobArgs
from stylegenes.errors import UserError

if TYPE_CHECKING:
    from stylegenes.reproduction.conduct import Event, StepLedger
    from stylegenes.reproduction.scale import Scale
    from stylegenes.reproduction.steps import Step


@dataclass(frozen=True)
class Args:
    """Train and measure what the papers' tables need."""

    out: Path = Path("reproduction")
    """folder of models, measures and report"""
    scale: str = "small"
    """tiny, small, claims, claims-gpu or paper"""
    jobs: int | None = None
    """steps at once (default: one for each processor core, or one where there is a GPU)"""
    only: str | None = None
    """steps of these names, or else all whose names begin so, with commas between, and what they need"""
    max_minutes: float | None = None
    """end this sitting after so long; the same command continues"""
    dry_run: bool = False
    """print the commands, check that each parses, and run none"""
    report: bool = False
    """run nothing: write the report of what is there, and say what has become of the jobs"""
    cluster: Annotated[JobArgs, tyro.conf.arg(name="")] = field(default_factory=JobArgs)
    """trainings as jobs of a cluster"""


def run(args: Args) -> None:
    """Run what is missing and write the report.

    Raises:
        UserError: for an unknown scale or step, or when steps have failed.
    """
    from stylegenes.cli import jobs
    from stylegenes.reproduction.scale import scale_called
    from stylegenes.reproduction.steps import steps

    if args.max_minutes is not None and args.max_minutes <= 0:
        raise UserError(f"--max-minutes {args.max_minutes:g} must be positive")
    jobs.check(args.cluster)
    scale = scale_called(args.scale)
    chosen = _chosen(steps(scale), args.only)
    if args.dry_run:
        _rehearse(scale, chosen)
        return
    if args.report:
        if not args.out.is_dir():
            raise UserError(f"there is no folder {str(args.out)!r} to report of")
        _report(args.out, scale)
        return
    args.out.mkdir(parents=True, exist_ok=True)
    _check_inputs(scale, args.out)
    at_once = _default_jobs() if args.jobs is None else args.jobs
    if args.cluster.submit is not None:
        jobs.submit(args.cluster, args.out, chosen, at_once)
        return
    jobs.refuse_beside_jobs(args.out)
    _conduct(args, scale, chosen, at_once)


def _conduct(args: Args, scale: Scale, chosen: list[Step], at_once: int) -> None:
    """Run what is missing on this machine."""
    from stylegenes.cli.console import say
    from stylegenes.reproduction.conduct import StepLedger, conduct
    from stylegenes.words import counted

    progress = StepLedger(args.out, chosen)
    missing = [step for step in chosen if not progress.is_done(step)]
    todo = counted(len(chosen), "step")
    say(f"{todo}, {len(missing)} to do, {at_once} at once; logs in {args.out / 'logs'}; Ctrl-C saves")
    seconds = None if args.max_minutes is None else 60 * args.max_minutes
    try:
        finished = conduct(progress, at_once, lambda event: _tell(event, progress), max_seconds=seconds)
    finally:
        _report(args.out, scale)
    failed = [step.name for step in chosen if not progress.is_done(step)]
    if not finished and seconds is None:
        raise UserError(f"{counted(len(failed), 'step')} not done: {', '.join(failed[:8])}; see {args.out / 'logs'}")


def _report(folder: Path, scale: Scale) -> None:
    """Write the report of whatever is there."""
    from stylegenes.cli import jobs
    from stylegenes.cli.console import say
    from stylegenes.reproduction.conduct import StepLedger
    from stylegenes.reproduction.report import write_report
    from stylegenes.reproduction.results import Results
    from stylegenes.reproduction.steps import steps

    everything = StepLedger(folder, steps(scale))
    page = write_report(Results(folder, scale, everything.done), _facts(scale, everything))
    say(f"report: {page}")
    jobs.tell(folder, everything.done)


def _chosen(every: list[Step], only: str | None) -> list[Step]:
    """The steps that are wanted and, in their order, what they need."""
    from stylegenes.words import did_you_mean

    if only is None:
        return every
    names, kept = [step.name for step in every], set[str]()
    for text in only.split(","):
        start = text.strip()
        if not start:
            raise UserError(f"--only {only!r} has an empty name in it: name steps, or how their names begin")
        meant = [start] if start in names else [name for name in names if name.startswith(start)]
        if not meant:
            raise UserError(f"no step begins with {start!r}{did_you_mean(start, names, 'steps')}")
        kept.update(meant)
    for step in reversed(every):
        if step.name in kept:
            kept.update(step.needs)
    return [step for step in every if step.name in kept]


def _check_inputs(scale: Scale, folder: Path) -> None:
    """Refuse to start what cannot be finished."""
    missing = [name for name in scale.inputs if not (folder / name).exists()]
    if missing:
        raise UserError(
            f"--scale {scale.name} needs {', '.join(missing)} in {folder}: put there, or link to, each data set "
            "(anything that `stylegenes train` reads) and each classifier (a folder of `stylegenes classifier`)"
        )


def _default_jobs() -> int:
    from stylegenes.devices import pick_device

    return 1 if pick_device("auto").type == "cuda" else max((os.cpu_count() or 1), 1)


def _tell(event: Event, progress: StepLedger) -> None:
    from stylegenes.cli.console import say

    done = sum(progress.is_done(step) for step in progress.steps)
    time = f" in {event.seconds / 60:.1f} min" if event.kind != "started" else ""
    message = f": {event.message}" if event.message else ""
    say(f"[{done}/{len(progress.steps)}] {event.step.name} {event.kind}{time}{message}")


def _facts(scale: Scale, progress: StepLedger) -> list[tuple[str, str]]:
    done = [step for step in progress.steps if progress.is_done(step)]
    hours = sum(progress.seconds(step) for step in done) / 3600
    kimg = sum(step.trains[1] for step in done if step.trains)
    return [
        ("scale", scale.name),
        ("steps done", f"{len(done)} of {len(progress.steps)}"),
        ("trained", f"{kimg:,.1f} thousand images in {sum(step.trains is not None for step in done)} trainings"),
        ("time of the steps", f"{hours:.1f} hours, several at once"),
    ]


def _rehearse(scale: Scale, chosen: Sequence[Step]) -> None:
    """Print every command, and see that it parses and that its recipe takes its settings."""
    import tyro

    from stylegenes.cli.console import say
    from stylegenes.recipes import recipe
    from stylegenes.training import apply_overrides
    from stylegenes.words import command, counted

    for step in chosen:
        module = importlib.import_module(f"stylegenes.cli.{step.argv[0]}")
        args = tyro.cli(module.Args, args=step.argv[1:])
        if step.trains is not None:
            apply_overrides(recipe(args.recipe), args.set)
        say(command(*step.argv))
    trainings = [step.trains[1] for step in chosen if step.trains]
    say(
        f"\n{scale.name}: {counted(len(chosen), 'step')} with {counted(len(trainings), 'training')} of "
        f"{sum(trainings):,.0f} thousand images in all; every command parses and every recipe takes its settings"
    )
