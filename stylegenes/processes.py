"""Processes: which still live, and helpers that end with the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any

import psutil

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
"""Signals by which somebody wishes that a process saves and ends: Ctrl-C, the system, a cluster that wants the node."""


def is_alive(pid: int, host: str) -> bool:
    """Whether a process still runs; assumed of those on other machines."""
    if host != socket.gethostname():
        return True
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True


def follow_parent() -> None:
    """Let this helper process, which `multiprocessing` started, end at once when its parent does, however that ends."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "only a helper process has a parent to follow"
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


@contextmanager
def handled(handler: Callable[[int, Any], None], numbers: Sequence[signal.Signals] = ENDING) -> Iterator[None]:
    """Within, `handler` takes these signals. Only the main thread can take any: elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            # What was set from outside Python is None here, and cannot be set again.
            signal.signal(number, signal.SIG_DFL if old is None else old)


def interrupt(number: int, frame: Any) -> None:
    """A handler that makes of a signal what Ctrl-C is.

    Raises:
        KeyboardInterrupt: always.
    """
    raise KeyboardInterrupt


@contextmanager
def held_back() -> Iterator[None]:
    """Within, signals that end a process wait until the context is left: what must not be half done is done whole."""
    caught: list[int] = []

    def remember(number: int, frame: Any) -> None:
        caught.append(number)

    with handled(remember):
        yield
    for number in caught[:1]:
        signal.raise_signal(number)


def begin_helper() -> None:
    """What a forked or spawned helper does first: it follows its parent and keeps none of its parent's handlers.

    Ctrl-C reaches every process of a terminal; the parent decides what becomes of its helpers.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    follow_parent()
