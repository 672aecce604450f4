"""Pickles in the layout of the official releases, written without their code.

Modules are wrapped, as the persistence of StyleGAN2-ADA and StyleGAN3 does, or plain, as ProjectedGAN and R3GAN leave
them.
"""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest
import torch
from torch import nn


def _reconstruct_persistent_obj(meta):
    raise AssertionError("the writer's function must never run")


class EasyDict(dict):
    pass


class Wrapped:
    """Pickles as the official code does: a call of the persistence module with a dictionary."""

    def __init__(self, class_name, state):
        self.class_name, self.state = class_name, state

    def __reduce__(self):
        source = "raise SystemExit('source code was executed')"
        meta = {"type": "class", "version": 6, "module_src": source, "class_name": self.class_name, "state": self.state}
        return _reconstruct_persistent_obj, (EasyDict(meta),)


class Plain:
    """Pickles as any object does: its class by name, and its attributes."""

    def __init__(self, class_name, state):
        assert class_name == "Module"
        self.__dict__.update(state)

    def __setstate__(self, state):
        raise AssertionError("the class must never be found again")


@pytest.fixture
def official_names(monkeypatch):
    """Modules under the official names, so that pickles name them."""
    for module, members in {
        "torch_utils": {},
        "torch_utils.persistence": {"_reconstruct_persistent_obj": _reconstruct_persistent_obj},
        "dnnlib": {},
        "dnnlib.util": {"EasyDict": EasyDict},
        "R3GAN": {},
        "R3GAN.Networks": {"Plain": Plain},
    }.items():
        made = types.ModuleType(module)
        for name, member in members.items():
            setattr(made, name, member)
            monkeypatch.setattr(member, "__module__", module)
        monkeypatch.setitem(sys.modules, module, made)


def tree(state: dict[str, torch.Tensor], own: dict[str, Any] | None = None, kind: type = Wrapped) -> Any:
    """A state dict as nested modules of one kind, the outermost with further attributes of its own."""
    attributes = {"_parameters": {}, "_buffers": {}, "_modules": {}, "training": False, **(own or {})}
    nested: dict[str, dict[str, torch.Tensor]] = {}
    for key, tensor in state.items():
        head, _, rest = key.partition(".")
        if rest:
            nested.setdefault(head, {})[rest] = tensor
        elif tensor.is_floating_point():
            attributes["_parameters"][head] = nn.Parameter(tensor)
        else:
            attributes["_buffers"][head] = tensor
    attributes["_modules"] = {name: tree(part, kind=kind) for name, part in nested.items()}
    return kind("Module", attributes)
