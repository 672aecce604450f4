"""Looks as text in a picture's address: `plain`, or `psi=0.7:8,noise=none,label=0:1;7:0.5,yaw=10,size=64`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from stylegenes.drawing import DrawSettings
from stylegenes.errors import UserError, shown
from stylegenes.loaded import VIEW, LoadedModel, view_text
from stylegenes.notation import parse_noise, parse_psi
from stylegenes.records import Condition
from stylegenes.sheets import Origin

PLAIN = "plain"
_KEYS = ("psi", "noise", "label", *VIEW, "size")
_LARGEST = 4096


@dataclass(frozen=True)
class Shown:
    """How a code becomes the picture of an address.

    Attributes:
        drawing: truncation, noise and condition.
        size: height in pixels that it is reduced to, or None.
        view: yaw, pitch and fov in degrees, as far as they were given.
    """

    drawing: DrawSettings
    size: int | None = None
    view: Mapping[str, float] = field(default_factory=dict)

    def origin(self, model: LoadedModel) -> Origin:
        """What files say about pictures of this look."""
        return model.origin(self.drawing, view_text(None, self.view))


def read_look(model: LoadedModel, text: str) -> Shown:
    """A look from its text.

    Raises:
        UserError: for a part that cannot be read, or that the model does not take.
    """
    parts = _parts(text)
    psi, cutoff = parse_psi(parts.get("psi", "1"))
    if abs(psi) > 100:
        raise UserError(f"psi is {psi:g}; give at most 100 either way")
    label = _label(model, parts["label"]) if "label" in parts else model.condition.label
    view = {key: _number(parts[key], key) for key in VIEW if key in parts}
    size = None
    if "size" in parts:
        size = int(parts["size"]) if parts["size"].isdecimal() and len(parts["size"]) < 6 else 0
        if not 1 <= size <= _LARGEST:
            raise UserError(f"size is {shown(parts['size'], 20)!r}; give pixels from 1 to {_LARGEST}")
    seen = Condition(label, model.camera(view))
    return Shown(DrawSettings(psi, cutoff, parse_noise(parts.get("noise", "const")), seen), size, view)


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in [] if text == PLAIN else text.split(","):
        key, equals, value = part.partition("=")
        if not equals or key not in _KEYS or key in parts:
            keys = ", ".join(_KEYS)
            raise UserError(f"{shown(part, 40)!r} is no part of a look; each of {keys} stands once, like psi=0.7")
        parts[key] = value
    return parts


def _number(text: str, key: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= 360:
        raise UserError(f"{key} is {shown(text, 20)!r}; give degrees")
    return value


def _label(model: LoadedModel, text: str) -> torch.Tensor:
    """A label [1, L] from `column:value` pairs with semicolons between."""
    label = torch.zeros(1, model.generator.label_dim)
    for part in text.split(";"):
        column, _, value = part.partition(":")
        if not column.isdecimal() or len(column) > 6 or int(column) >= label.shape[1]:
            raise UserError(f"label {shown(text, 40)!r}: this model has {label.shape[1]} columns of labels, from 0 on")
        label[0, int(column)] = _number(value or "1", "label")
    return label.to(model.device)
