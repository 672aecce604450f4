"""Wishes to stop: Ctrl-C, SIGTERM and a cluster's signals, heard between steps, and at once during something long."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from stylegenes.processes import handled


class StopRequest(Protocol):
    """A wish to stop, between threads or processes."""

    def set(self) -> None:
        """StopRequest."""
        ...

    def is_set(self) -> bool:
        """Whether somebody wishes to stop."""
        ...


@contextmanager
def stop_requests(wish: StopRequest) -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and a cluster's signals into a wish to stop; a second Ctrl-C interrupts at once."""

    def ask(number: int, frame: Any) -> None:
        if wish.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        wish.set()

    with handled(ask):
        yield


@contextmanager
def interruptible(wish: StopRequest) -> Iterator[None]:
    """Within, a wish to stop interrupts the main thread at once, whoever wishes: a signal, or another process.

    Raises:
        KeyboardInterrupt: when somebody wishes to stop, or wished before.
    """

    done = threading.Event()

    def leave(number: int, frame: Any) -> None:
        wish.set()
        if number == signal.SIGINT or not done.is_set():
            done.set()
            raise KeyboardInterrupt

    def listen() -> None:
        while not done.wait(0.2):
            if wish.is_set() and not done.is_set():
                os.kill(os.getpid(), signal.SIGINT)
                return

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    listener = threading.Thread(target=listen, name="wish", daemon=True)
    with handled(leave):
        listener.start()
        try:
            yield
        finally:
            done.set()
            listener.join()
