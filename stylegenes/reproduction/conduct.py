"""Conducting steps: several commands at once, each in a process of its own, resumable after any interruption."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from stylegenes.errors import UserError
from stylegenes.files import read_object, write_json
from stylegenes.processes import handled, interrupt
from stylegenes.reproduction.steps import Step
from stylegenes.shape import check
from stylegenes.snapshot import find_snapshot, read_card
from stylegenes.training.state import STATE_FILE, read_state

_POLL = 0.2
_PATIENCE = 120.0
"""Seconds that a stopped command has to save what it has."""
_SHARED = ("train", "evaluate", "survey", "invert")
"""Commands that several devices share."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a step.

    Attributes:
        step: which.
        kind: `started`, `done` or `failed`.
        seconds: since it was started in this sitting.
        message: the last line that a failed command printed.
    """

    step: Step
    kind: str
    seconds: float = 0.0
    message: str = ""


OnEvent = Callable[[Event], None]


class StepLedger:
    """Which steps are done in a folder. A step is done again when its command, or a step that it reads, has changed.

    Args:
        folder: where the commands run.
        steps: all of them, each after those that it needs.
        chosen: names of those that are to be done here; None for all. The others are read, and done elsewhere.
        devices: processes that each command shares which can; no part of what a step is.
    """

    def __init__(
        self, folder: Path, steps: Sequence[Step], chosen: Collection[str] | None = None, *, devices: int = 1
    ) -> None:
        self.folder, self.devices = folder, devices
        self.steps = [step for step in steps if chosen is None or step.name in chosen]
        self._digests: dict[str, str] = {}
        self._done: set[str] = set()
        for step in steps:
            unknown = [name for name in step.needs if name not in self._digests]
            assert not unknown, f"{step.name} needs {unknown}, which come later or do not exist"
            read = [self._digests[name] for name in step.needs]
            digest = hashlib.sha256(json.dumps([step.argv, read]).encode()).hexdigest()
            self._digests[step.name] = digest
            marker = self._marker(step)
            if marker.is_file() and read_object(marker).get("digest") == digest:
                self._done.add(step.name)

    def is_done(self, step: Step) -> bool:
        """Whether its products are there, made by this very command."""
        return step.name in self._done

    @property
    def done(self) -> frozenset[str]:
        """Names of the steps that are done."""
        return frozenset(self._done)

    def seconds(self, step: Step) -> float:
        """How long a step that is done has taken; a training, over all its sittings."""
        return check(read_object(self._marker(step)).get("seconds"), float, f"seconds in {self._marker(step)}")

    def is_ready(self, step: Step) -> bool:
        """Whether everything that it reads is there."""
        return self._done.issuperset(step.needs)

    def finish(self, step: Step, seconds: float) -> None:
        """Note that a step is done; a training knows itself how long it took, over all its sittings and lengths."""
        if step.trains is not None:
            state = self.folder / step.trains[0] / STATE_FILE
            if state.is_file():
                seconds = read_state(state).counters.seconds
            elif self._marker(step).is_file():
                seconds += self.seconds(step)
        argv = ["stylegenes", *step.argv]
        write_json(self._marker(step), {"digest": self._digests[step.name], "command": argv, "seconds": seconds})
        self._done.add(step.name)

    def _marker(self, step: Step) -> Path:
        return self.folder / "done" / f"{step.name}.json"


def images_seen(run: Path) -> int:
    """Images that the newest snapshot of a run was trained on; 0 where there is none."""
    try:
        return read_card(find_snapshot(run)).images_seen
    except UserError:
        return 0


def conduct(progress: StepLedger, jobs: int, on_event: OnEvent, *, max_seconds: float | None = None) -> bool:
    """Run all steps that are not done, `jobs` at a time; returns whether all are done in the end.

    A step that fails is reported and the others go on; the same call again tries it once more. Ctrl-C and SIGTERM
    reach the commands, which save what they have, and so does the end of `max_seconds`.

    Args:
        progress: the steps, and which are done.
        jobs: commands at once, at least 1.
        on_event: told of everything that happens to a step.
        max_seconds: of this sitting; without end where None.

    Raises:
        UserError: for less than one job.
        KeyboardInterrupt: when the sitting was interrupted.
    """
    if jobs < 1:
        raise UserError(f"--jobs {jobs} must be at least 1")
    crew, start = _Crew(progress, on_event, jobs), time.monotonic()
    with handled(interrupt, (signal.SIGTERM,)):
        try:
            while crew.start_what_is_ready() or crew.running:
                time.sleep(_POLL)
                crew.collect()
                if max_seconds is not None and time.monotonic() - start > max_seconds:
                    crew.stop()
                    break
        except KeyboardInterrupt:
            crew.stop()
            raise
    return all(progress.is_done(step) for step in progress.steps)


@dataclass
class _Running:
    step: Step
    process: subprocess.Popen[bytes]
    start: float


class _Crew:
    """The processes that run now."""

    def __init__(self, progress: StepLedger, on_event: OnEvent, jobs: int) -> None:
        self.progress, self.on_event, self.jobs = progress, on_event, jobs
        self.running: list[_Running] = []
        self.failed: set[str] = set()

    def start_what_is_ready(self) -> bool:
        """Fill the free places; returns whether a step was started."""
        busy = {one.step.name for one in self.running} | self.failed
        waiting = [s for s in self.progress.steps if s.name not in busy and not self.progress.is_done(s)]
        ready = [step for step in waiting if self.progress.is_ready(step)]
        chosen = ready[: self.jobs - len(self.running)]
        for step in chosen:
            self._start(step)
        return bool(chosen)

    def collect(self) -> None:
        """Note which commands have ended."""
        for one in [one for one in self.running if one.process.poll() is not None]:
            self.running.remove(one)
            self._ended(one)

    def stop(self) -> None:
        """Ask every command to save and end."""
        for one in self.running:
            one.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        for one in self.running:
            try:
                one.process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                one.process.kill()

    def _start(self, step: Step) -> None:
        log = self._log(step)
        log.parent.mkdir(parents=True, exist_ok=True)
        threads = str(max((os.cpu_count() or 1) // self.jobs, 1))
        environment = {"OMP_NUM_THREADS": threads, **os.environ}
        shared = (
            ("--devices", str(self.progress.devices)) if self.progress.devices > 1 and step.argv[0] in _SHARED else ()
        )
        command = [sys.executable, "-m", "stylegenes", *step.argv, *shared]
        with log.open("ab") as out:
            process = subprocess.Popen(
                command, cwd=self.progress.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                env=environment, start_new_session=True,
            )  # fmt: skip
        self.running.append(_Running(step, process, time.monotonic()))
        self.on_event(Event(step, "started"))

    def _ended(self, one: _Running) -> None:
        seconds = time.monotonic() - one.start
        if one.process.returncode == 0 and self._has_product(one.step):
            self.progress.finish(one.step, seconds)
            self.on_event(Event(one.step, "done", seconds))
        else:
            self.failed.add(one.step.name)
            self.on_event(Event(one.step, "failed", seconds, _last_line(self._log(one.step))))

    def _has_product(self, step: Step) -> bool:
        if step.trains is None:
            return True
        run, kimg = step.trains
        return images_seen(self.progress.folder / run) >= 1000 * kimg

    def _log(self, step: Step) -> Path:
        return self.progress.folder / "logs" / f"{step.name}.log"


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
