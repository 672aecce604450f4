"""One thread owns the model. What waits for it is ordered, bounded, shared, and dropped when nobody wants it any more.

Pictures are drawn one after another, as everywhere here: the last bit of a convolution depends on the batch, and a code
must have the very same pixels alone and among others.
"""

from __future__ import annotations

import heapq
import logging
import math
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import Any

from stylegenes.errors import UserError

log = logging.getLogger(__name__)

Work = Callable[[], Any]
OWN_MISTAKE = "the explorer made a mistake of its own; its terminal says more"
"""What people are told of an error that is no mistake of theirs, and that is in the log."""


class Priority(IntEnum):
    """What goes first."""

    CLICK = 0
    HOVER = 1
    THUMBNAIL = 2
    BACKGROUND = 3


class Busy(Exception):
    """The queue is full.

    Attributes:
        seconds: when to come again.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(f"the explorer has too much to do; come again in {seconds} s")
        self.seconds = seconds


class Replaced(Exception):
    """A newer request of the same slot came before this one was begun."""

    def __init__(self) -> None:
        super().__init__("a newer request of the same slot came before this one was begun")


class Stopped(Exception):
    """The server is closing."""

    def __init__(self) -> None:
        super().__init__("the explorer is closing")


@dataclass
class _Job:
    """One piece of work and all who wait for it."""

    work: Work
    key: str | None
    priority: Priority
    waiters: list[Future[Any]] = field(default_factory=list)
    begun: bool = False

    @property
    def wanted(self) -> bool:
        return any(not waiter.done() for waiter in self.waiters)


@dataclass(frozen=True)
class Load:
    """How busy the worker is.

    Attributes:
        waiting: requests that wait, with those that are worked on.
        done: pieces of work done so far.
        dropped: requests that were given up or replaced before they were begun.
        latency: median seconds of the last hundred requests, waiting and working.
    """

    waiting: int
    done: int
    dropped: int
    latency: float


class Worker:
    """Does one piece of work after another, the most urgent first.

    Args:
        limit: requests that may wait, with those that are worked on.
    """

    def __init__(self, limit: int = 512) -> None:
        self.limit = limit
        self._changed = threading.Condition()
        self._heap: list[tuple[int, int, _Job]] = []
        self._keyed: dict[str, _Job] = {}
        self._slots: dict[str, tuple[_Job, Future[Any]]] = {}
        self._number = count()
        self._waiting: set[Future[Any]] = set()
        self._latencies: deque[float] = deque(maxlen=100)
        self._seconds: deque[float] = deque(maxlen=100)
        self._done = self._dropped = 0
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="explorer-worker", daemon=True)
        self._thread.start()

    def submit(
        self, work: Work, priority: Priority = Priority.CLICK, *, key: str | None = None, slot: str | None = None
    ) -> Future[Any]:
        """Queue a piece of work; cancel the future to give it up.

        Args:
            work: called in the worker's thread.
            priority: how urgent.
            key: what it makes; who asks for the same while it waits or is done shares it.
            slot: where the answer is shown: an older request of the slot that is not yet begun is answered `Replaced`.

        Raises:
            Busy: when too much waits.
            Stopped: when the worker is closing.
        """
        future: Future[Any] = Future()
        since = time.monotonic()
        future.add_done_callback(lambda done: self._settle(done, slot, since))
        with self._changed:
            if self._stopped:
                raise Stopped
            older = self._slots.pop(slot, None) if slot is not None else None
            replaced = older[1] if older is not None and not older[0].begun else None
            if len(self._waiting) - (replaced in self._waiting) >= self.limit:
                raise Busy(self._when())
            job = self._queued(work, priority, key)
            job.waiters.append(future)
            self._waiting.add(future)
            if slot is not None:
                self._slots[slot] = job, future
            self._changed.notify()
        if replaced is not None:
            _answer(replaced, error=Replaced())
        return future

    def serve(self) -> None:
        """Do what waits and is more urgent than background work; long work calls this between its steps."""
        while (job := self._take(Priority.THUMBNAIL)) is not None:
            self._do(job)

    @property
    def load(self) -> Load:
        """How busy the worker is."""
        with self._changed:
            latency = statistics.median(self._latencies) if self._latencies else 0.0
            return Load(len(self._waiting), self._done, self._dropped, latency)

    def stop(self) -> None:
        """Answer everybody who waits with `Stopped`, and end the thread after the work in hand."""
        with self._changed:
            self._stopped = True
            waiting = list(self._waiting)
            self._changed.notify()
        for future in waiting:
            _answer(future, error=Stopped())
        self._thread.join(timeout=10)

    @property
    def stopped(self) -> bool:
        """Whether the worker is closing; long work looks between its steps."""
        return self._stopped

    def _queued(self, work: Work, priority: Priority, key: str | None) -> _Job:
        """The job that makes the same, or a new one; at least as urgent as asked."""
        job = self._keyed.get(key) if key is not None else None
        if job is None:
            job = _Job(work, key, priority)
            if key is not None:
                self._keyed[key] = job
            self._push(job)
        elif priority < job.priority and not job.begun:
            job.priority = priority
            self._push(job)
        return job

    def _push(self, job: _Job) -> None:
        heapq.heappush(self._heap, (job.priority, next(self._number), job))

    def _when(self) -> int:
        each = statistics.median(self._seconds) if self._seconds else 0.05
        return max(1, min(60, math.ceil(len(self._waiting) * each)))

    def _settle(self, future: Future[Any], slot: str | None, since: float) -> None:
        with self._changed:
            self._waiting.discard(future)
            if slot is not None and self._slots.get(slot, (None, None))[1] is future:
                del self._slots[slot]
            if future.cancelled() or isinstance(future.exception(), Replaced):
                self._dropped += 1
            else:
                self._latencies.append(time.monotonic() - since)

    def _take(self, least: Priority) -> _Job | None:
        """The most urgent piece of work that somebody still wants, of at least this priority."""
        with self._changed:
            while self._heap and self._heap[0][0] <= least:
                job = heapq.heappop(self._heap)[2]
                if job.begun:
                    continue
                if job.wanted:
                    job.begun = True
                    return job
                self._forget(job)
        return None

    def _forget(self, job: _Job) -> None:
        if job.key is not None and self._keyed.get(job.key) is job:
            del self._keyed[job.key]

    def _do(self, job: _Job) -> None:
        begun, result, error = time.monotonic(), None, None
        try:
            result = job.work()
        except Exception as caught:
            error = caught
        with self._changed:
            self._forget(job)
            self._done += 1
            self._seconds.append(time.monotonic() - begun)
        if error is not None and not job.wanted and not isinstance(error, UserError | Stopped):
            log.error("work failed whose clients had all left", exc_info=error)
        for waiter in job.waiters:
            _answer(waiter, result, error)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._heap and not self._stopped:
                    self._changed.wait()
                if self._stopped:
                    return
            job = self._take(Priority.BACKGROUND)
            if job is not None:
                self._do(job)


def _answer(future: Future[Any], result: Any = None, error: Exception | None = None) -> None:
    """Settle a future, unless somebody did already."""
    try:
        future.set_result(result) if error is None else future.set_exception(error)
    except InvalidStateError:
        log.debug("an answer came after its request was given up")
