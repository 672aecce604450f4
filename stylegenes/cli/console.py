"""What the verbs share on the terminal: lines, tables, and progress that turns plain in a log file."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from stylegenes.progress import SECONDS_BETWEEN_LINES

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

T = TypeVar("T")


@functools.cache
def console() -> Console:
    """The one console of this process, on standard output."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, markup=False, emoji=False)


def say(text: str) -> None:
    """Print one line as it is: no letter of a path is taken for markup or a picture, and tabs stay tabs."""
    from rich.segment import Segment, Segments

    console().print(Segments([Segment(text), Segment.line()]))


def track(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Pass `items` through under a progress bar, or with a plain line now and then where there is no terminal."""
    with Bars() as bars:
        bars.update(what, 0, total)
        for done, item in enumerate(items, 1):
            yield item
            bars.update(what, done, total)


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
    """A bar for each name that reports, or a plain line now and then where there is no terminal; used with `with`."""

    def __init__(self, *, show: bool = True) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        what = TextColumn("{task.description}", markup=False)
        columns = (what, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._terminal = show and console().is_terminal
        self._plain = show and not self._terminal
        self._progress = Progress(*columns, console=console(), transient=True, disable=not self._terminal)
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
        if self._plain and time.monotonic() - self._last > SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            say(f"{what}: {done} of {total}")
