"""What a foreign weight file holds, and the network in it that is asked for."""

from __future__ import annotations

import re
from typing import Any

import torch

from stylegenes.errors import UserError, shown
from stylegenes.interop.records import Record, mapping


def find_network(content: Any, name: str) -> Record:
    """The network `name` of a file's content: a module with its arguments, or the bare state dict of one.

    State dicts go under small letters where whole modules have capitals (g_ema, G_ema); what else the file holds then
    comes as the record's attributes.

    Raises:
        UserError: when there is none; lists those that there are, or says what the file is instead.
    """
    entries = mapping(content)
    networks = {key: value for key, value in entries.items() if isinstance(value, Record) and not value.items}
    if name in networks:
        return networks[name]
    states = {key: _tensors(value) for key, value in entries.items() if _tensors(value)}
    key = next((key for key in (name, name.lower()) if key in states), None)
    if key is not None:
        beside = {other: value for other, value in entries.items() if torch.is_tensor(value)}
        return Record("", {**beside, "_parameters": states[key]})
    there = ", ".join(shown(found, 40) for found in [*networks, *states][:6]) or "none"
    hint = _kind(content)
    raise UserError(f"there is no network {shown(name, 40)!r}; it has: {there}" + (f". {hint}" if hint else ""))


def _tensors(value: Any) -> dict[str, torch.Tensor]:
    return {key: item for key, item in mapping(value).items() if torch.is_tensor(item)}


_BARE = "It is the bare state dict of one network, which does not say with which arguments it was built"
_LUCIDRAINS = (
    "It is a checkpoint of lucidrains' (stylegan2_pytorch or lightweight_gan), whose networks have no counterpart here"
)
_TENSORFLOW = "It is a pickle of the TensorFlow release; convert it with the converter of the official PyTorch one"


def _kind(content: Any) -> str:
    """What a file without the wanted network is, where one can tell; a sentence."""
    entries = mapping(content)
    inside = _tensors(entries.get("GAN")) or _tensors(content)
    if "GAN" in entries or any(re.match(r"(S|G|GE|D)\.(net|blocks|layers|initial)", key) for key in inside):
        return _LUCIDRAINS
    parts = content if isinstance(content, tuple | list) else [content]
    if any(isinstance(part, Record) and "tflib" in part.class_name for part in parts):
        return _TENSORFLOW
    return _BARE if inside else ""
