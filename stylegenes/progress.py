"""How far a long job is: what jobs report to, and a log that shows it. The command line hands in bars."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0
"""Where there is no terminal."""
OnProgress = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and of how much."""
OnStep = Callable[[int, int], None]
"""Called with how much is done, and of how much."""


def silent(what: str, done: int, total: int) -> None:
    """Shows no progress."""


def silent_step(done: int, total: int) -> None:
    """Shows no progress."""


def naming(what: str, on_progress: OnProgress) -> OnStep:
    """Steps of `what`, for whoever is told of several things."""
    return lambda done, total: on_progress(what, done, total)


class Track(Protocol):
    """Passes items through while showing how far it is."""

    def __call__(self, items: Iterable[T], what: str, total: int) -> Iterator[T]:
        """`total` items are to come; `what` says what is being done."""
        ...


def log_progress(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """A line in the log now and then."""
    start = shown = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - shown > SECONDS_BETWEEN_LINES:
            shown = now
            logger.info("%s: %d of %d, about %.0f s left", what, done, total, (now - start) * (total - done) / done)
