"""What sessions are made of: nodes, where a session stands, and what can be wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stylegenes.errors import UserError

LONGEST_NAME = 80
"""Letters of a session's name."""
MOST_NODES, NODES_BYTES = 200_000, 128 * 2**20
"""Of one session: their number, and what they take in its file, so that it can be taken in again."""
FILE_STEPS = 100_000
"""Of a session, the newest, go into its file."""


class Unknown(UserError):
    """There is no such session or node."""


class Taken(UserError):
    """A name is taken, or there is nothing to undo."""


@dataclass(frozen=True)
class NewNode:
    """What is added; a negative parent -1, -2, ... is the first, second, ... node of the same call."""

    code: str
    operation: str
    look: str = "plain"
    parents: Sequence[int] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Node:
    """A picture that was made, and how."""

    id: int
    code: str
    look: str
    parents: list[int]
    operation: str
    arguments: dict[str, Any]
    created: str
    favorite: bool


@dataclass(frozen=True)
class Pointer:
    """Where a session stands.

    Attributes:
        current: the node that is shown, or None at the beginning.
        undo: whether there is something to undo.
        redo: whether there is something to redo.
    """

    current: int | None
    undo: bool
    redo: bool


@dataclass(frozen=True)
class Listed:
    """A session in the list of all."""

    name: str
    model: str
    nodes: int
    changed: str
