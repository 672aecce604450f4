"""Tensors out of foreign weight files, executing nothing of what they name.

A pickle is a program that may name any function. Here such a program runs on a machine of our own
(`pickle_machine`), which looks no name up: the calls in a short table make plain data, and every other object becomes
a record of its state. Network pickles of StyleGAN2-ADA and StyleGAN3 wrap each module with its source code, those of
ProjectedGAN and R3GAN hold plain modules as well, with the classes of other packages among them; neither source nor
class is ever looked at.
"""

from __future__ import annotations

import io
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from stylegenes.errors import UserError, shown
from stylegenes.interop import torch_storage
from stylegenes.interop.pickle_machine import Call, PickleMachine, key, refuse
from stylegenes.interop.records import Allowance, Record, mapping

READABLE = "network pickles of StyleGAN2-ADA, StyleGAN3, EG3D, ProjectedGAN and R3GAN (PyTorch), and rosinality's .pt"
_MESSAGE, _PATH = 420, 140
_NUMBERS = {"f8": "d", "f4": "f", "f2": "e", "b1": "?"} | {
    f"{kind}{size}": code.upper() if kind == "u" else code
    for kind in "iu"
    for size, code in ((1, "b"), (2, "h"), (4, "i"), (8, "q"))
}
"""Kinds of numpy's numbers, as `struct` names them."""


def _persistent(machine: PickleMachine, arguments: list[Any]) -> Record:
    meta = mapping(arguments[0])
    if meta.get("type") != "class":
        refuse("a wrapped object that is no class")
    name = meta.get("class_name")
    made = Record(name if isinstance(name, str) else "")
    made.attributes.update(mapping(meta.get("state")))
    machine.budget.spend(len(made.attributes))
    return made


def _encode(machine: PickleMachine, arguments: list[Any]) -> bytes:
    """Bytes as protocols below 3 write them."""
    text, encoding = arguments
    if not isinstance(text, str) or encoding != "latin1":
        refuse("another encoding than latin1")
    machine.budget.hold(len(text))
    return text.encode("latin1")


def _copied(make: Callable[[Any], Any]) -> Call:
    """A container made of another one."""

    def call(machine: PickleMachine, arguments: list[Any]) -> Any:
        (values,) = arguments or ((),)
        if not isinstance(values, list | tuple | set | frozenset | dict):
            refuse("a container of something that is none")
        machine.budget.spend(len(values))
        return make(values)

    return call


def _ordered(values: Any) -> dict[Any, Any]:
    pairs = values.items() if isinstance(values, dict) else values
    return {key(name): value for name, value in pairs}


def _record(name: str) -> Call:
    return lambda machine, arguments: Record(name)


def _reconstructed(machine: PickleMachine, arguments: list[Any]) -> Record:
    return machine.record(arguments[0])


def _dtype(machine: PickleMachine, arguments: list[Any]) -> Record:
    return Record("numpy.dtype", {"code": arguments[0]})


def _scalar(machine: PickleMachine, arguments: list[Any]) -> Any:
    """A single number of numpy as one of Python; None for what is no number."""
    kind, data = arguments
    code, order = kind.attributes.get("code"), kind.attributes.get("order", "<")
    if not isinstance(code, str) or code not in _NUMBERS or not isinstance(data, bytes):
        return None
    return struct.unpack((">" if order == ">" else "<") + _NUMBERS[code], data)[0]


CALLS: dict[str, Call] = {
    **torch_storage.CALLS,
    "torch_utils.persistence._reconstruct_persistent_obj": _persistent,
    "_codecs.encode": _encode,
    "copyreg._reconstructor": _reconstructed,
    "collections.OrderedDict": _copied(_ordered),
    "builtins.dict": _copied(_ordered),
    "dnnlib.util.EasyDict": _copied(_ordered),
    "builtins.list": _copied(list),
    "builtins.set": _copied(lambda values: set(map(key, values))),
    "builtins.frozenset": _copied(lambda values: frozenset(map(key, values))),
    "torch.Size": _copied(tuple),
    "numpy.dtype": _dtype,
    **{f"numpy.{core}.multiarray.scalar": _scalar for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray._reconstruct": _record("numpy.ndarray") for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _record("numpy.ndarray") for core in ("core", "_core")},
    **{
        name: _record(name)
        for name in (
            "builtins.bytearray",
            "builtins.bytes",
            "builtins.complex",
            "builtins.range",
            "builtins.slice",
            "collections.Counter",
            "collections.defaultdict",
            "collections.deque",
            "functools.partial",
            "pathlib.PosixPath",
            "pathlib.WindowsPath",
        )
    },
}
"""Every call that does something."""


def read_weights(path: str | PathLike[str]) -> Any:
    """Read a network pickle or a file of `torch.save`, executing nothing.

    Args:
        path: the .pkl or .pt file.

    Returns:
        Its content, usually a dictionary: of `Record` (G, D, G_ema) and settings, or of state dicts.

    Raises:
        UserError: for a call that is not harmless, and for a file that is damaged or of another kind; one line.
        OSError: when it cannot be opened.
    """
    path = Path(path)
    if not stat.S_ISREG(path.stat().st_mode):
        raise UserError(f"{shown(path, _PATH)} is no file of weights")
    data = path.read_bytes()
    with named(path):
        try:
            return _read(data)
        except UserError as error:
            raise UserError(f"{error}. Only these are read: {READABLE}") from error
        except Exception as error:
            # A damaged pickle is a random program: it can fail with any exception at all.
            reason = f"{type(error).__name__}: {shown(error, 120)}"
            raise UserError(f"not a readable file of weights ({reason}). Only these are read: {READABLE}") from error


@contextmanager
def named(path: str | PathLike[str]) -> Iterator[None]:
    """Errors about a foreign file name it, and come as one short line that no terminal takes for a command."""
    try:
        yield
    except UserError as error:
        raise UserError(shown(f"{shown(path, _PATH)}: {error}", _MESSAGE)) from error


def _read(data: bytes) -> Any:
    budget = Allowance.of(len(data))
    stream = io.BytesIO(data)
    if data.startswith(b"PK"):
        return torch_storage.load_zip(stream, len(data), budget, CALLS)
    other = next((what for start, what in _OTHERS.items() if start in data[:16]), None)
    if other:
        raise UserError(f"it is {other}")
    content = PickleMachine(stream, budget, CALLS).run()
    legacy = isinstance(content, int) and content == torch_storage.MAGIC
    return torch_storage.load_legacy(stream, budget, CALLS) if legacy else content


_OTHERS = {
    b'{"': "a safetensors or JSON file, which does not say how its network is built",
    b"HDF\r\n": "an HDF5 file",
    b"\x1f\x8b": "a gzip file; unpack it first",
    b"<html": "a web page, not the file that the download should have been",
    b"<!DOC": "a web page, not the file that the download should have been",
    b"version https": "a pointer of Git LFS, not the file itself",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
"""What people mistake for weights, by what it begins with."""
