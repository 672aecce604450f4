"""Many calls of one function over worker processes, with the results in order."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from typing import Any, TypeVar

from stylegenes.errors import UserError
from stylegenes.processes import begin_helper

T = TypeVar("T")
_CHUNK = 32
_CHUNKS_AHEAD = 4


def default_workers() -> int:
    """One process for each processor that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def ordered_map(function: Callable[[int], T], count: int, workers: int, *, first: int = 0) -> Iterator[T]:
    """`function(first), ..., function(count - 1)`, computed by worker processes that stay a bounded stretch ahead.

    The workers end within one call each when the caller stops early, and at once when this process is killed.

    Args:
        function: must pickle (a method of an object that does, say); it is sent to each process once.
        count: the number after the last one.
        workers: number of processes; with 1, or with little to do, the calls are made in this one.
        first: the number to begin with.

    Raises:
        UserError: when a worker process is killed.
    """
    if workers <= 1 or count - first <= _CHUNK:
        yield from map(function, range(first, count))
        return
    chunks = deque(range(start, min(start + _CHUNK, count)) for start in range(first, count, _CHUNK))
    running: deque[Future[list[T]]] = deque()
    context = _context()
    stop = context.RawValue("b", 0)
    with ProcessPoolExecutor(min(workers, len(chunks)), context, _start_worker, (function, stop)) as pool:
        try:
            while chunks or running:
                while chunks and len(running) < _CHUNKS_AHEAD * workers:
                    running.append(pool.submit(_call_chunk, chunks.popleft()))
                yield from running.popleft().result()
        except BrokenProcessPool as error:
            raise UserError("a process that prepares images was killed; is memory short? try fewer workers") from error
        finally:
            stop.value = 1
            pool.shutdown(wait=False, cancel_futures=True)


_function: Callable[[int], Any] | None = None
"""The function that this worker process calls."""
_stop: Any = None
"""Shared with the parent: not 0 once it wants no more results."""


def _start_worker(function: Callable[[int], Any], stop: Any) -> None:
    global _function, _stop
    begin_helper()
    _function, _stop = function, stop


def _call_chunk(indices: range) -> list[Any]:
    assert _function is not None
    results = []
    for index in indices:
        if _stop.value:
            break
        results.append(_function(index))
    return results


def _context() -> BaseContext:
    """Forking is quick and needs no guard in the caller's script; elsewhere than on Linux it is not safe."""
    return multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


def in_child(function: Callable[[], T]) -> T | None:
    """The result of a call that may end its process, made in one of its own; None when it did. Errors pass through."""
    with ProcessPoolExecutor(1, _context(), begin_helper) as pool:
        try:
            return pool.submit(function).result()
        except BrokenProcessPool:
            return None
