"""Tensors out of foreign pickles, executing nothing of what they name.

A pickle is a program that may name any function. This reader knows a short table of names, each bound to code of its
own or to a plain constructor of data, imports nothing, and refuses every other name. Network pickles of StyleGAN2-ADA
and StyleGAN3 wrap each module with its source code, those of ProjectedGAN and R3GAN hold plain modules as well; here
either becomes a `PersistentModule`, a record of its state, and neither source nor class is ever looked at.
"""

from __future__ import annotations

import collections
import io
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

from stylegenes.errors import UserError


@dataclass
class PersistentModule:
    """What a pickle says about one module.

    Attributes:
        class_name: the class it had.
        attributes: its attributes by name.
    """

    class_name: str
    attributes: dict[str, Any] = field(default_factory=dict)

    def attribute(self, name: str) -> Any:
        """A constructor argument or, failing that, an attribute of that name; None where it has neither."""
        return self.kwargs().get(name, self.attributes.get(name))

    def kwargs(self, *positional: str) -> dict[str, Any]:
        """The constructor arguments it was made with; `positional` names those given by position."""
        given = dict(zip(positional, self.attributes.get("_init_args", ())))
        return {**given, **self.attributes.get("_init_kwargs", {})}

    def state_dict(self, prefix: str = "") -> dict[str, torch.Tensor]:
        """Parameters and buffers of it and of the modules in it, by dotted name."""
        own = {**self.attributes.get("_parameters", {}), **self.attributes.get("_buffers", {})}
        state = {prefix + name: tensor.detach() for name, tensor in own.items() if isinstance(tensor, torch.Tensor)}
        for name, child in self.attributes.get("_modules", {}).items():
            if isinstance(child, PersistentModule):
                state.update(child.state_dict(f"{prefix}{name}."))
        return state


class _Plain(PersistentModule):
    """A module that was pickled without wrapping: what it is called, and its attributes."""

    def __new__(cls, *_: object) -> _Plain:
        """Whatever it is made with is left out."""
        made = object.__new__(cls)
        made.class_name, made.attributes = cls.__qualname__, {}
        return made

    def __setstate__(self, state: object) -> None:
        """Its attributes."""
        self.attributes = dict(state) if isinstance(state, Mapping) else {}


class _Dict(dict):
    """A dictionary class of the pickle, without its behaviour."""

    def __setstate__(self, state: object) -> None:
        """Nothing beyond the items is kept."""


def _persistent(meta: Mapping[str, Any]) -> PersistentModule:
    state = meta.get("state")
    return PersistentModule(str(meta.get("class_name", "")), dict(state) if isinstance(state, Mapping) else {})


def _storage(data: bytes) -> Any:
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def _tensor(storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object) -> torch.Tensor:
    """A view of a storage. Unlike torch's own function it never grows the storage to fit the sizes."""
    flat = torch.empty(0, dtype=storage.dtype).set_(storage._untyped_storage)
    return flat.as_strided(size, stride, offset).clone()


def _parameter(data: torch.Tensor, *_: object) -> torch.Tensor:
    return data


def _latin1_bytes(text: str, encoding: str) -> bytes:
    """Bytes as protocols below 3 write them."""
    if encoding != "latin1":
        _refuse(f"the encoding {encoding!r}")
    return text.encode("latin1")


_ALLOWED: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": collections.OrderedDict,
    "_codecs.encode": _latin1_bytes,
    "builtins.set": set,
    "builtins.frozenset": frozenset,
    "builtins.complex": complex,
    "builtins.slice": slice,
    "torch.Size": torch.Size,
    "torch.device": torch.device,
    "torch.storage._load_from_bytes": _storage,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch_utils.persistence._reconstruct_persistent_obj": _persistent,
    "dnnlib.util.EasyDict": _Dict,
}
_MODULES = re.compile(
    r"(torch\.nn\.modules|pg_modules|R3GAN|training)\.[\w.]+|torch\.nn\.utils\.spectral_norm\.SpectralNorm\w*"
)
"""Classes that become records: no code of theirs is looked up, whatever they are."""
_DTYPES = {f"torch.{name}": getattr(torch, name) for name in ("float64", "float32", "float16", "bfloat16")}
_NUMBERS = {
    "numpy.dtype",
    "numpy.ndarray",
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("scalar", "_reconstruct")),
}


class _Reader(pickle.Unpickler):
    """Finds a name in the table or refuses it."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """The table's entry for a name."""
        name = f"{module_name.replace('__builtin__', 'builtins')}.{global_name}"
        if name in _ALLOWED or name in _DTYPES:
            return _ALLOWED.get(name) or _DTYPES[name]
        if _MODULES.fullmatch(name):
            return type(global_name, (_Plain,), {})
        return _number(name) if name in _NUMBERS else _refuse(name)

    def persistent_load(self, pid: object) -> NoReturn:
        """Refused: references out of the file belong to formats that `read_checkpoint` reads."""
        _refuse(f"a reference {pid!r} out of the file")


def _number(name: str) -> Any:
    own = {
        "dtype": np.dtype,
        "ndarray": np.ndarray,
        "scalar": np.float64(0).__reduce__()[0],
        "_reconstruct": np.zeros(0).__reduce__()[0],
    }
    return own[name.rsplit(".", 1)[1]]


def _refuse(what: str) -> NoReturn:
    raise UserError(
        f"the pickle asks for {what}, which is not on the list of harmless names; it was not executed. Only network "
        "pickles of the official StyleGAN2-ADA, StyleGAN3, ProjectedGAN and R3GAN (PyTorch) code are read"
    )


def read_pickle(path: str | PathLike[str]) -> Any:
    """Read a network pickle of StyleGAN2-ADA, StyleGAN3, ProjectedGAN or R3GAN, executing nothing.

    Args:
        path: the .pkl file.

    Returns:
        Its content, usually a dictionary of `PersistentModule` (G, D, G_ema) and settings.

    Raises:
        UserError: for a name that is not allowed, and for a file that is damaged or no pickle.
    """
    data = Path(path).read_bytes()
    try:
        return _Reader(io.BytesIO(data)).load()
    except UserError:
        raise
    except Exception as error:
        # A damaged pickle is a random program: it can fail with any exception at all.
        raise UserError(f"{path} is not a readable pickle ({type(error).__name__}: {error})") from error


def read_checkpoint(path: str | PathLike[str]) -> Any:
    """Read a `torch.save` file (.pt) of plain containers and tensors, such as rosinality's, executing nothing.

    Raises:
        UserError: for anything beyond containers and tensors, and for a damaged file.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path} holds more than tensors, or is damaged; it was not executed ({reason})") from error


def find_module(content: Any, name: str) -> PersistentModule:
    """The network `name` of a pickle's content.

    Raises:
        UserError: when there is none; lists those that there are.
    """
    entries = content if isinstance(content, Mapping) else {}
    found = {key: value for key, value in entries.items() if isinstance(value, PersistentModule)}
    if name not in found:
        raise UserError(f"the pickle has no network {name!r}; it has: {', '.join(map(str, found)) or 'none'}")
    return found[name]
