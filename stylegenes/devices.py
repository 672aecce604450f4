"""The choice of a device by name."""

from __future__ import annotations

import torch

from stylegenes.errors import UserError
from stylegenes.words import did_you_mean


def pick_device(name: str) -> torch.device:
    """The torch device that `name` means; `auto` takes cuda, then mps, then cpu.

    Raises:
        UserError: when torch does not know the name, or this machine has no such device.
    """
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
    kind, _, number = name.partition(":")
    if kind in ("cpu", "cuda", "mps") and (not number or number.isdecimal()):
        found = torch.cuda.device_count() if kind == "cuda" else int(torch.backends.mps.is_available())
        return f"cannot be used: this machine has {found or 'no'} {kind} device{'' if found == 1 else 's'}"
    return f"is not known{did_you_mean(name, ('cpu', 'cuda', 'mps', 'auto'), '')}".rstrip("?")
