"""What is left of a pickle's objects: names, and records of state that do nothing. And what a file may cost to read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from stylegenes.errors import UserError

STEPS, MOST_STEPS, BYTES_PER_STEP = 1_000_000, 4_000_000, 8
"""Instructions that a small file may take, any file may, and the bytes that allow another one.

A network of 1,200 modules takes 0.8 million; its weights take far more than eight bytes for each.
"""
_SLACK = 1 << 20
_NODES, _PATH_LENGTH = 5_000, 300


@dataclass(frozen=True)
class Name:
    """The name of a class or function: not what it names."""

    full: str

    @property
    def like_a_class(self) -> bool:
        """Whether it is spelled as classes are."""
        return re.search(r"\._*[A-Z]\w*\Z", self.full) is not None


@dataclass(eq=False)
class Record:
    """What a pickle says about one object, which is never made.

    Attributes:
        class_name: the class it had.
        attributes: its attributes by name.
        items: its items, where it was a kind of dictionary.
    """

    class_name: str
    attributes: dict[Any, Any] = field(default_factory=dict)
    items: dict[Any, Any] = field(default_factory=dict)

    def attribute(self, name: str) -> Any:
        """A constructor argument or, failing that, an attribute of that name; None where it has neither."""
        return self.kwargs().get(name, self.attributes.get(name))

    def kwargs(self, *positional: str) -> dict[str, Any]:
        """The constructor arguments it was made with; `positional` names those given by position."""
        args = self.attributes.get("_init_args", ())
        given = dict(zip(positional, args if isinstance(args, tuple | list) else ()))
        return {**given, **mapping(self.attributes.get("_init_kwargs"))}

    def children(self) -> dict[str, Record]:
        """The modules in it, by name."""
        return {key: child for key, child in mapping(self.attributes.get("_modules")).items() if _is_record(child)}

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Parameters and buffers of it and of the modules in it, by dotted name.

        Raises:
            UserError: when modules contain each other, or are too many.
        """
        state: dict[str, torch.Tensor] = {}
        waiting: list[tuple[str, Record]] = [("", self)]
        visited = 0
        while waiting:
            prefix, module = waiting.pop()
            visited += 1
            if visited > _NODES or len(prefix) > _PATH_LENGTH:
                raise UserError(f"its modules contain each other, or are more than {_NODES}")
            for kind in ("_parameters", "_buffers"):
                own = mapping(module.attributes.get(kind))
                state |= {prefix + key: value.detach() for key, value in own.items() if torch.is_tensor(value)}
            waiting += [(f"{prefix}{key}.", child) for key, child in reversed(module.children().items())]
        return state


def _is_record(value: object) -> bool:
    return isinstance(value, Record)


def mapping(value: object) -> dict[str, Any]:
    """What a dictionary, or a record of a kind of dictionary, holds under names; empty for anything else."""
    found = value.items if isinstance(value, Record) else value
    return {key: item for key, item in found.items() if isinstance(key, str)} if isinstance(found, Mapping) else {}


@dataclass
class Allowance:
    """What a file may still cost.

    Attributes:
        held: bytes that may still be copied out of it.
        steps: instructions that it may still take.
    """

    held: int
    steps: int

    @classmethod
    def of(cls, size: int) -> Allowance:
        """That of a file of `size` bytes: twice its content and 1 MiB, and the instructions for it."""
        return cls(held=2 * size + _SLACK, steps=min(STEPS + size // BYTES_PER_STEP, MOST_STEPS))

    def spend(self, steps: int) -> None:
        """Count instructions."""
        self.steps -= steps
        if self.steps < 0:
            raise UserError("it takes more steps to read than any network")

    def hold(self, count: int) -> None:
        """Count bytes."""
        self.held -= count
        if self.held < 0:
            raise UserError("it unfolds to more data than the file holds")
