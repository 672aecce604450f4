"""What the verbs share on the terminal: lines, tables, and progress that turns plain in a log file."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Called with the number of items done and the number of all of them."""
_PLAIN_INTERVAL = 10.0
"""Seconds between two progress lines where there is no terminal."""


@functools.cache
def console() -> Console:
    """The one console of this process, on standard output."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print one line as it is: paths and brackets are never taken for markup."""
    console().print(text, markup=False)


def track(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Pass `items` through under a progress bar, or with a plain line now and then where there is no terminal."""
    if console().is_terminal:
        from rich.progress import track as bar

        yield from bar(items, what, total=total, console=console(), transient=True)
        return
    last = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        if time.monotonic() - last > _PLAIN_INTERVAL:
            last = time.monotonic()
            say(f"{what}: {done} of {total}")


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """A bar for work that reports (done, total); a plain line at each tenth where there is no terminal."""
    if not console().is_terminal:
        yield _plain(what)
        return
    from rich.progress import Progress as Bar

    with Bar(console=console(), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _plain(what: str) -> Progress:
    said = 0

    def report(done: int, total: int) -> None:
        nonlocal said
        tenth = 10 * done // total
        if tenth > said:
            said = tenth
            say(f"{what}: {done} of {total}")

    return report


def show_table(rows: Sequence[dict[str, Any]], title: str, most: int = 40) -> None:
    """Print rows with the same keys as a table; numbers to three places, a dash where there is none."""
    from rich.table import Table

    if not rows:
        return
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for key, first in rows[0].items():
        word = isinstance(first, str)
        widest = max(len(str(row[key])) for row in rows) if word else None
        table.add_column(key, justify="left" if word else "right", min_width=widest)
    for row in rows[:most]:
        table.add_row(*map(_cell, row.values()))
    console().print(table)
    if len(rows) > most:
        say(f"... and {len(rows) - most} more rows in the table on disk")


def _cell(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return "-" if value != value else f"{value:.3f}"


class Bars:
    """One bar for each name that reports. Used as a context manager."""

    def __init__(self, *, show: bool = True) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._terminal = show and console().is_terminal
        self._plain = show and not self._terminal
        self._progress = RichProgress(*columns, console=console(), transient=True, disable=not self._terminal)
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
