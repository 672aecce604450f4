"""Tensors in one file with what is said about them, under one checksum: a changed bit anywhere is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from stylegenes.errors import UserError
from stylegenes.files import atomic_path, check_regular

_SEAL = "sha256"


@dataclass(frozen=True)
class Sealed:
    """What a file holds.

    Attributes:
        tensors: by name.
        about: text by name.
        sealed: whether the checksum covers all of it; files of older versions have none, or one of the tensors alone.
    """

    tensors: dict[str, torch.Tensor]
    about: dict[str, str]
    sealed: bool


def save_sealed(path: str | Path, tensors: Mapping[str, torch.Tensor], about: Mapping[str, str] | None = None) -> None:
    """Write a safetensors file, all or nothing, readable by whom the folder's permissions allow.

    Raises:
        OSError, SafetensorError: when it cannot be written; an older file stays whole.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {**(about or {}), _SEAL: checksum(plain, about or {})}
    with atomic_path(path) as part:
        # safetensors' own writer makes files that only their owner may read.
        part.touch()
        mode = part.stat().st_mode
        save_file(plain, part, metadata=header)
        part.chmod(mode)


def load_sealed(path: str | Path, *, is_old: Callable[[dict[str, str]], bool] | None = None) -> Sealed:
    """Read what `save_sealed` wrote, on the CPU.

    Args:
        path: the file.
        is_old: tells what older versions, which did not seal, wrote about the tensors; None accepts nothing unsealed.

    Raises:
        UserError: when the file is missing, damaged, or not what was written.
    """
    check_regular(path)
    try:
        with safe_open(path, framework="pt") as file:
            about = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, RuntimeError, AttributeError) as error:
        raise UserError(f"{path} is damaged: it cannot be read ({error})") from error
    if is_old is not None and is_old(about):
        return Sealed(tensors, about, sealed=False)
    if about.pop(_SEAL, None) != checksum(tensors, about):
        raise UserError(f"{path} is damaged: its checksum does not match")
    return Sealed(tensors, about, sealed=True)


def checksum(tensors: Mapping[str, torch.Tensor], about: Mapping[str, str] | None = None) -> str:
    """sha256 of names, types, shapes and contents of tensors on the CPU, and of what is said about them."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    if about is not None:
        digest.update(json.dumps(dict(about), sort_keys=True).encode())
    return digest.hexdigest()
