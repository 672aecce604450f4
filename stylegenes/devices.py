"""The choice of a device by name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

from stylegenes.errors import UserError
from stylegenes.words import did_you_mean

Device = str | int | torch.device
"""A device as torch names it, `auto`, or the number of a CUDA device."""


def pick_device(name: Device) -> torch.device:
    """The torch device that `name` means; `auto` takes cuda, then mps, then cpu.

    Raises:
        UserError: when torch does not know the name, or this machine has no such device.
    """
    name = f"cuda:{name}" if isinstance(name, int) else str(name)
    if name == "auto":
        mps = torch.backends.mps.is_available()
        name = "cuda" if torch.cuda.is_available() else "mps" if mps else "cpu"
    try:
        device = torch.device(name)
        # Of a device that only counts shapes nothing can be read.
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UserError(
            f"device {name!r} {_why_not(name)}; --device takes cpu, cuda, cuda:1 ..., mps, or auto, the fastest here"
        ) from error
    if device.type == "cuda":
        set_exact(True)
    return device


def set_exact(exact: bool) -> None:
    """Whether float32 on CUDA is float32, as figures want it, or TF32 in convolutions and products, as in training."""
    torch.backends.cudnn.allow_tf32 = not exact
    torch.set_float32_matmul_precision("highest" if exact else "high")


def make_deterministic() -> None:
    """Ask for kernels that give the same bits every time; torch names in a warning those of which there are none."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


def keep_to_one_core() -> None:
    """Let the calling thread compute on one core from now on, so that another thread can have all of them.

    OpenMP gives each thread that computes a team of its own. With two teams there are more threads than cores, and
    waiting ones are put to sleep: waking them costs small networks up to half of their speed.
    """
    # Otherwise torch would set the number again, at the first operation of this thread.
    torch.get_num_threads()
    threadpool_limits(1, user_api="openmp")


@contextmanager
def exactly() -> Iterator[None]:
    """Within this context float32 on CUDA is float32 and nothing is computed in less; then as before."""
    before = torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
    set_exact(True)
    try:
        with torch.autocast("cuda", enabled=False), torch.autocast("cpu", enabled=False):
            yield
    finally:
        torch.backends.cudnn.allow_tf32 = before[0]
        torch.set_float32_matmul_precision(before[1])


def _why_not(name: str) -> str:
    """Why a device cannot be used, in few words: torch's own name back ends that nothing here runs on."""
    kind, _, number = name.partition(":")
    if kind in ("cpu", "cuda", "mps") and (not number or number.isdecimal()):
        found = torch.cuda.device_count() if kind == "cuda" else int(torch.backends.mps.is_available())
        return f"cannot be used: this machine has {found or 'no'} {kind} device{'' if found == 1 else 's'}"
    return f"is not known{did_you_mean(name, ('cpu', 'cuda', 'mps', 'auto'), '')}".rstrip("?")
