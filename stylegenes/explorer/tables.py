"""The tables of sessions in a file of SQLite, and how much of a session's own file a row of them takes."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from stylegenes.errors import UserError
from stylegenes.explorer.nodes import MOST_NODES, NODES_BYTES
from stylegenes.words import sized

VERSION = 1
NODE_BYTES = """
    400 + length(CAST(json_quote(code) || json_quote(look) || json_quote(operation) || arguments AS BLOB))
    + 20 * (1 + length(parents) - length(replace(parents, ',', '')))
"""
"""What a node takes in a file at most, whatever number it and its parents have there."""
TABLES = """
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY, model TEXT NOT NULL, name TEXT NOT NULL, created TEXT NOT NULL, changed TEXT NOT NULL,
    step INTEGER, UNIQUE (model, name)
);
CREATE TABLE nodes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL REFERENCES sessions (id), code TEXT NOT NULL,
    look TEXT NOT NULL, parents TEXT NOT NULL, operation TEXT NOT NULL, arguments TEXT NOT NULL, created TEXT NOT NULL
);
CREATE INDEX nodes_of_session ON nodes (session);
CREATE TABLE steps (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL REFERENCES sessions (id),
    node INTEGER NOT NULL REFERENCES nodes (id), previous INTEGER REFERENCES steps (id)
);
CREATE INDEX steps_of_session ON steps (session, previous);
CREATE TABLE favorites (node INTEGER PRIMARY KEY REFERENCES nodes (id));
"""


@dataclass(frozen=True)
class Room:
    """What a session holds.

    Attributes:
        nodes: how many.
        size: bytes that they take in the session's file at most.
        last: number of the last of them.
    """

    nodes: int = 0
    size: int = 0
    last: int = 0

    def later(self, db: sqlite3.Connection, session: int) -> Room:
        """The same with the nodes that were added since: nodes are never changed, so that each is looked at once."""
        sums = f"count(*), coalesce(sum({NODE_BYTES}), 0), coalesce(max(id), ?)"
        query = f"SELECT {sums} FROM nodes WHERE session = ? AND id > ?"
        nodes, size, last = db.execute(query, (self.last, session, self.last)).fetchone()
        return Room(self.nodes + nodes, self.size + size, last)

    def check(self) -> None:
        """See that the session's file is one that is taken in again.

        Raises:
            UserError: says that the session is full.
        """
        if self.nodes > MOST_NODES:
            raise UserError(f"a session holds at most {MOST_NODES:,} nodes; begin another one")
        if self.size > NODES_BYTES:
            raise UserError(f"a session's file holds at most {sized(NODES_BYTES)} of nodes; begin another session")
