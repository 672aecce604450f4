"""How far a long job is, in the log. The command line hands in a bar of the same form."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 10.0


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
        if now - shown > _SECONDS_BETWEEN_LINES:
            shown = now
            logger.info("%s: %d of %d, about %.0f s left", what, done, total, (now - start) * (total - done) / done)
