"""What the verbs share on the terminal: lines, progress that turns plain in a log file, and a choice of device."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from stylegenes.errors import UserError
from stylegenes.words import did_you_mean

if TYPE_CHECKING:
    import torch
    from rich.console import Console

T = TypeVar("T")
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


def pick_device(name: str) -> torch.device:
    """The torch device that `name` means; `auto` takes cuda, then mps, then cpu.

    Raises:
        UserError: when torch does not know the name, or this machine has no such device.
    """
    import torch

    if name == "auto":
        mps = torch.backends.mps.is_available()
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if mps else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UserError(
            f"device {name!r} {_why_not(name)}; --device takes cpu, cuda, cuda:1 ..., mps, or auto, the fastest here"
        ) from error
    return device


def _why_not(name: str) -> str:
    """Why a device cannot be used, in few words: torch's own name back ends that nothing here runs on."""
    import torch

    kind, _, number = name.partition(":")
    if kind in ("cpu", "cuda", "mps") and (not number or number.isdecimal()):
        found = torch.cuda.device_count() if kind == "cuda" else int(torch.backends.mps.is_available())
        return f"cannot be used: this machine has {found or 'no'} {kind} device{'' if found == 1 else 's'}"
    return f"is not known{did_you_mean(name, ('cpu', 'cuda', 'mps', 'auto'), '')}"
