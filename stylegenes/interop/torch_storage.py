"""Tensors as torch's files hold them: storages of numbers, and views of them, no byte of which is trusted.

Covers the parts of a network pickle that hold numbers, and whole files of `torch.save`, in the zip format and in the
one before it.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import torch

from stylegenes.errors import UserError, shown
from stylegenes.interop.pickle_machine import Call, PickleMachine, refuse
from stylegenes.interop.records import Allowance, Name, Record

MAGIC = 0x1950A86A20F9469CFC6C
"""What a file of `torch.save` before the zip format starts with."""
_KINDS = {
    "Double": torch.float64,
    "Float": torch.float32,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
}
_DTYPES = {f"torch.{place}{kind}Storage": dtype for place in ("", "cuda.") for kind, dtype in _KINDS.items()}
_DTYPES |= {f"torch.storage.{kind}Storage": dtype for kind, dtype in _KINDS.items()}
_MAX_DIMENSIONS, _MAX_SIZE = 16, 1 << 40


@dataclass(frozen=True, eq=False)
class Storage:
    """The numbers of one storage, [numel]."""

    numbers: torch.Tensor


def tensor_of(storage: Any, offset: Any, size: Any, stride: Any) -> torch.Tensor:
    """A view of a storage, which must hold every element, and each for one place only.

    Args:
        storage: what a file says its numbers are.
        offset: of the first element, in elements.
        size: of each dimension.
        stride: step of each dimension, in elements.

    Raises:
        UserError: for sizes beyond the storage, strides that read a number twice, and what are no sizes at all.
    """
    if not isinstance(storage, Storage) or not _whole([offset]) or not _whole(size) or not _whole(stride):
        refuse("a tensor without a storage and whole sizes")
    if len(size) != len(stride) or len(size) > _MAX_DIMENSIONS:
        refuse("a tensor whose sizes and strides are not as many")
    extents = sorted((step, count) for count, step in zip(size, stride) if count > 1)
    needed = 1
    for step, count in extents:
        if step < needed:
            refuse("a tensor whose elements overlap")
        needed = step * (count - 1) + needed
    if offset + needed * bool(math.prod(size)) > storage.numbers.numel():
        refuse(f"a tensor of sizes {shown(list(size), 60)} beyond its storage")
    return storage.numbers.as_strided(size, stride, offset)


def _whole(values: Any) -> bool:
    if not isinstance(values, Sequence) or len(values) > _MAX_DIMENSIONS:
        return False
    return all(isinstance(value, int) and 0 <= value < _MAX_SIZE for value in values)


def _reference(pid: Any) -> tuple[torch.dtype, str, int]:
    """Kind, key and length of the storage that a reference means."""
    if not isinstance(pid, tuple) or len(pid) not in (5, 6) or pid[0] != "storage" or not isinstance(pid[1], Name):
        refuse("a reference out of the file that is no storage")
    _, kind, key, _, count, *view = pid
    if kind.full not in _DTYPES:
        refuse(f"numbers of the kind {shown(kind.full, 60)}")
    if not isinstance(key, str) or not _whole([count]) or view not in ([], [None]):
        refuse("a storage without key and length")
    return _DTYPES[kind.full], key, count


def _numbers(raw: bytes | memoryview, dtype: torch.dtype, count: int) -> torch.Tensor:
    size = count * dtype.itemsize
    if len(raw) < size:
        raise UserError(f"a storage is cut short: {len(raw)} bytes of {size}")
    made = torch.empty(size, dtype=torch.uint8)
    made.numpy()[:] = np.frombuffer(raw, np.uint8, size)
    return made.view(dtype)


def load_legacy(stream: BinaryIO, budget: Allowance, calls: Mapping[str, Call]) -> Any:
    """The content of a file of `torch.save` before the zip format; `stream` stands behind its magic number.

    Raises:
        UserError: for whatever is not such a file, or more than it holds.
    """
    version, system = (PickleMachine(stream, budget, calls).run() for _ in range(2))
    if version != 1001 or not isinstance(system, dict) or system.get("little_endian") is not True:
        raise UserError("its torch format is not version 1001 with the low byte first")
    found: dict[str, Storage] = {}

    def refer(pid: Any) -> Any:
        if isinstance(pid, tuple) and len(pid) == 4 and pid[0] == "module":
            return pid[1]  # A class with its source code beside it, neither of which is looked at.
        dtype, key, count = _reference(pid)
        if key not in found:
            # The numbers follow behind the pickles, so that views of them come first.
            budget.hold(count * dtype.itemsize)
            found[key] = Storage(torch.zeros(count, dtype=dtype))
        return found[key]

    content = PickleMachine(stream, budget, calls, refer).run()
    keys = PickleMachine(stream, budget, calls).run()
    if not isinstance(keys, list) or set(keys) != set(found):
        raise UserError("its storages are not those that it lists")
    for key in keys:
        numbers = found[key].numbers
        count = int.from_bytes(stream.read(8), "little")
        if count != numbers.numel():
            raise UserError(f"a storage of {numbers.numel()} numbers has {count}")
        numbers.copy_(_numbers(stream.read(count * numbers.itemsize), numbers.dtype, count))
    return content


def load_zip(stream: BinaryIO, size: int, budget: Allowance, calls: Mapping[str, Call]) -> Any:
    """The content of a file of `torch.save` in the zip format.

    Args:
        stream: the file.
        size: its length in bytes.
        budget: what reading it may cost.
        calls: what calling a name does.

    Raises:
        UserError: for a zip file of anything else, packed, or with entries that overlap.
    """
    with zipfile.ZipFile(stream) as archive:
        entries = {entry.filename.partition("/")[2]: entry for entry in archive.infolist()}
        if "data.pkl" not in entries:
            raise UserError("it is a zip file, but not one of torch.save")
        plain = all(entry.compress_type == zipfile.ZIP_STORED and not entry.flag_bits & 1 for entry in entries.values())
        if not plain or sum(entry.file_size for entry in entries.values()) > size:
            raise UserError("its entries are packed or overlap, as torch.save leaves none")
        if "byteorder" in entries and archive.read(entries["byteorder"]) != b"little":
            raise UserError("its numbers are not stored with the low byte first")
        found: dict[str, Storage] = {}

        def refer(pid: Any) -> Storage:
            dtype, key, count = _reference(pid)
            if key not in found:
                if f"data/{key}" not in entries:
                    raise UserError("a storage that it names is missing")
                found[key] = Storage(_numbers(archive.read(entries[f"data/{key}"]), dtype, count))
            if found[key].numbers.dtype != dtype:
                raise UserError("a storage is named with two kinds of numbers")
            return found[key]

        return PickleMachine(io.BytesIO(archive.read(entries["data.pkl"])), budget, calls, refer).run()


def _storage(machine: PickleMachine, arguments: list[Any]) -> Any:
    (data,) = arguments
    if not isinstance(data, bytes | bytearray):
        refuse("a storage of something that is no bytes")
    machine.budget.hold(len(data))
    stream = io.BytesIO(data)
    if PickleMachine(stream, machine.budget, machine.calls).run() != MAGIC:
        refuse("a storage of an unknown format")
    return load_legacy(stream, machine.budget, machine.calls)


def _tensor(machine: PickleMachine, arguments: list[Any]) -> torch.Tensor:
    machine.budget.spend(8)
    return tensor_of(*arguments[:4])


def _first(machine: PickleMachine, arguments: list[Any]) -> Any:
    if not torch.is_tensor(arguments[0]):
        refuse("a parameter of something that is no tensor")
    return arguments[0]


def _from_type(machine: PickleMachine, arguments: list[Any]) -> Any:
    return machine.call(arguments[0], arguments[2])


def _device(machine: PickleMachine, arguments: list[Any]) -> Record:
    return Record("torch.device")


CALLS: dict[str, Call] = {
    "torch.storage._load_from_bytes": _storage,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
    "torch._tensor._rebuild_from_type_v2": _from_type,
    "torch.device": _device,
}
"""The calls that make tensors."""
