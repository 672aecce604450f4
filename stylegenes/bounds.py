"""A bound on the memory that building a network takes, so that a wrong number is refused before it is tried."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from stylegenes.errors import UserError

_OVERHEAD = 4096
"""Bytes that a tensor takes beside its numbers, with the module that holds it."""


@contextmanager
def memory_bound(what: str) -> Iterator[None]:
    """Within, tensors may together take as much memory as is free now.

    Raises:
        UserError: before the tensor that would exceed it is made; `what` is being built.
    """
    with _Bound(what, free_memory()):
        yield


def free_memory() -> int:
    """Bytes of main memory that are free for this process."""
    return psutil.virtual_memory().available


class _Bound(TorchDispatchMode):
    """Counts what lives of the tensors that are made within it."""

    def __init__(self, what: str, most: int) -> None:
        super().__init__()
        self.what, self.most, self.bytes = what, most, 0
        self._made: list[tuple[StorageWeakRef, int]] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled within; torch would import its whole compiler to leave this class alone."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        self._check(_wanted(func, args, kwargs))
        result = func(*args, **kwargs)
        if isinstance(result, torch.Tensor) and not func.is_view and result.device.type == "cpu":
            storage = result.untyped_storage()
            self._made.append((StorageWeakRef(storage), storage.nbytes() + _OVERHEAD))
            self.bytes += self._made[-1][1]
            self._check(0)
        return result

    def _check(self, more: int) -> None:
        if self.bytes + more <= self.most:
            return
        self._made = [(ref, size) for ref, size in self._made if not ref.expired()]
        self.bytes = sum(size for _, size in self._made)
        if self.bytes + more > self.most:
            raise UserError(
                f"{self.what} needs more memory than there is: at least {(self.bytes + more) / 2**30:,.1f} GiB, and "
                f"{self.most / 2**30:,.1f} GiB are free; give it smaller sizes"
            )


def _wanted(func: Any, args: Any, kwargs: Any) -> int:
    """Bytes of the tensor that a factory (`zeros`, `randn`, ...) is asked for; 0 for everything else."""
    names = [argument.name for argument in func._schema.arguments]
    device = kwargs.get("device")
    if device is not None and torch.device(device).type != "cpu":
        return 0
    if "size" not in names or any(isinstance(argument, torch.Tensor) for argument in args):
        return 0
    place = names.index("size")
    size = args[place] if place < len(args) else kwargs.get("size", ())
    dtype = kwargs.get("dtype") or torch.get_default_dtype()
    return math.prod(max(int(length), 0) for length in size) * dtype.itemsize
