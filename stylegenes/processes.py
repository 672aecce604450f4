"""Processes: which still live, and helpers that end with the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
from multiprocessing.connection import wait

import psutil


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


def begin_helper() -> None:
    """What a forked or spawned helper does first: it follows its parent and keeps none of its parent's handlers.

    Ctrl-C reaches every process of a terminal; the parent decides what becomes of its helpers.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    follow_parent()
