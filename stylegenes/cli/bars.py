"""Progress of work that reports by callback: bars on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from stylegenes.cli.console import console, say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PLAIN_INTERVAL = 10.0
"""Seconds between two lines where there is no terminal."""


class Bars:
    """One bar for each name that reports. Used as a context manager."""

    def __init__(self, *, show: bool = True) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._terminal = show and console().is_terminal
        self._plain = show and not self._terminal
        self._progress: Progress = Progress(*columns, console=console(), transient=True, disable=not self._terminal)
        self._tasks: dict[str, TaskID] = {}
        self._last = time.monotonic()

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def update(self, what: str, done: int, total: int) -> None:
        """`done` of `total` of `what`."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._tasks[what], completed=done, total=total)
        if self._plain and time.monotonic() - self._last > _PLAIN_INTERVAL:
            self._last = time.monotonic()
            say(f"{what}: {done} of {total}")
