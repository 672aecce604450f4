"""A progress bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")
logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 10.0


def track(items: Iterable[T], total: int, title: str) -> Iterator[T]:
    """Pass items through while showing how far it is."""
    console = Console(stderr=True)
    return _bar(items, total, title, console) if console.is_terminal else _lines(items, total, title)


def _bar(items: Iterable[T], total: int, title: str, console: Console) -> Iterator[T]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=total)
        for item in items:
            yield item
            progress.advance(task)


def _lines(items: Iterable[T], total: int, title: str) -> Iterator[T]:
    start = shown = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - shown > _SECONDS_BETWEEN_LINES:
            shown = now
            logger.info("%s: %d of %d, about %.0f s left", title, done, total, (now - start) * (total - done) / done)
