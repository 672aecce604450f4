"""Sessions on disk: nodes and steps are only ever added, undo moves a pointer, and what was answered is kept.

SQLite in WAL mode with full synchronization: a call returns when its transaction is on the disk, so that neither a
killed process nor a power cut takes back what somebody was told.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stylegenes.errors import UserError, shown
from stylegenes.explorer.nodes import FILE_STEPS, LONGEST_NAME, Listed, NewNode, Node, Pointer, Taken, Unknown
from stylegenes.explorer.tables import TABLES, VERSION, Room


class SessionStore:
    """The sessions of one model in a file that may hold others'.

    Args:
        path: the SQLite file; it is made where it is missing.
        model: fingerprint of the weights.

    Raises:
        UserError: when the file is none of ours, or cannot be written.
    """

    def __init__(self, path: Path, model: str) -> None:
        self.path, self.model = path, model
        self._lock = threading.Lock()
        self._rooms: dict[int, Room] = {}
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._prepare()
        except sqlite3.Error as error:
            raise UserError(
                f"{path} cannot be used for sessions ({error}); give another file with --sessions, or remove it"
            ) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def sessions(self) -> list[Listed]:
        """The sessions of this model, the one changed last first."""
        query = (
            "SELECT name, model, (SELECT count(*) FROM nodes WHERE session = sessions.id), changed "
            "FROM sessions WHERE model = ? ORDER BY changed DESC, id DESC"
        )
        with self._lock:
            return [Listed(*row) for row in self._db.execute(query, (self.model,))]

    def create(self, name: str) -> None:
        """Begin a session.

        Raises:
            Taken: when there is one of that name.
        """
        with self._change() as db:
            self._create(db, name)

    def rename(self, name: str, new: str) -> None:
        """Give a session another name.

        Raises:
            Unknown: when there is none.
            Taken: when the new name is another's.
        """
        with self._change() as db:
            session = self._session(db, name)
            self._check_free(db, new, session)
            db.execute("UPDATE sessions SET name = ?, changed = ? WHERE id = ?", (new, _now(), session))

    def nodes(self, name: str) -> list[Node]:
        """All nodes of a session, in the order in which they were added.

        Raises:
            Unknown: when there is no such session.
        """
        with self._lock:
            return self._nodes(self._db, self._session(self._db, name))

    def pointer(self, name: str) -> Pointer:
        """Where a session stands.

        Raises:
            Unknown: when there is no such session.
        """
        with self._lock:
            return self._pointer(self._db, self._session(self._db, name))

    def add(self, name: str, nodes: Sequence[NewNode], select: int | None = None) -> list[Node]:
        """Add nodes and, with `select`, go to one of them.

        Args:
            name: of the session.
            nodes: in an order in which parents come before children.
            select: index of the one to go to.

        Raises:
            Unknown: for a session, or a parent, that does not exist.
            UserError: when the session is full.
        """
        with self._change() as db:
            session = self._session(db, name)
            ids = self._add(db, session, nodes)
            if select is not None:
                self._go(db, session, ids[select])
            self._touch(db, session)
            return self._nodes(db, session, min(ids, default=0))

    def select(self, name: str, node: int) -> Pointer:
        """Go to a node; undo takes that back.

        Raises:
            Unknown: for a session or node that does not exist.
        """
        with self._change() as db:
            session = self._session(db, name)
            self._check_node(db, session, node)
            self._go(db, session, node)
            self._touch(db, session)
            return self._pointer(db, session)

    def undo(self, name: str) -> Pointer:
        """Go a step back.

        Raises:
            Unknown: when there is no such session.
            Taken: when there is nothing to undo.
        """
        with self._change() as db:
            session = self._session(db, name)
            row = db.execute(
                "SELECT previous FROM steps WHERE id = (SELECT step FROM sessions WHERE id = ?)", (session,)
            ).fetchone()
            if row is None:
                raise Taken("there is nothing to undo")
            db.execute("UPDATE sessions SET step = ? WHERE id = ?", (row[0], session))
            return self._pointer(db, session)

    def redo(self, name: str) -> Pointer:
        """Take back the last undo.

        Raises:
            Unknown: when there is no such session.
            Taken: when there is nothing to redo.
        """
        with self._change() as db:
            session = self._session(db, name)
            step = self._next(db, session)
            if step is None:
                raise Taken("there is nothing to redo")
            db.execute("UPDATE sessions SET step = ? WHERE id = ?", (step, session))
            return self._pointer(db, session)

    def favor(self, name: str, node: int, favorite: bool) -> Node:
        """Mark a node as a favorite, or no longer.

        Raises:
            Unknown: for a session or node that does not exist.
        """
        with self._change() as db:
            session = self._session(db, name)
            self._check_node(db, session, node)
            change = (
                "INSERT OR IGNORE INTO favorites VALUES (?)" if favorite else "DELETE FROM favorites WHERE node = ?"
            )
            db.execute(change, (node,))
            return self._nodes(db, session, node)[0]

    def export(self, name: str) -> dict[str, Any]:
        """A session as JSON-ready data that `load` takes: all its nodes, and the newest of its steps.

        Raises:
            Unknown: when there is no such session.
        """
        with self._lock:
            session = self._session(self._db, name)
            steps = self._told_steps(session)
            nodes = [vars(node) for node in self._nodes(self._db, session)]
        about = {"format": "stylegenes-session", "version": VERSION, "name": name, "model": self.model}
        return {**about, "nodes": nodes, **steps}

    def load(
        self, name: str, nodes: Sequence[Node], steps: Sequence[tuple[int, int, int | None]], step: int | None
    ) -> str:
        """Take in an exported session under its name, or the next free one. Returns the name.

        Args:
            name: what it is to be called.
            nodes: parents before children.
            steps: id, node and previous step of each; earlier ones first.
            step: where it stands.

        Raises:
            UserError: for parents, nodes or steps that are not among those given before them, or too many of them.
        """
        with self._change() as db:
            free = name
            for number in range(2, 10_000):
                if self._find(db, free) is None:
                    break
                free = f"{name[: LONGEST_NAME - 1 - len(str(number))]} {number}"
            session = self._create(db, free)
            known: dict[int, int] = {}
            for node in nodes:
                parents = [_mapped(known, parent, "node") for parent in node.parents]
                new = NewNode(node.code, node.operation, node.look, parents, node.arguments)
                known[node.id] = self._insert(db, session, new, node.created)
                if node.favorite:
                    db.execute("INSERT INTO favorites VALUES (?)", (known[node.id],))
            Room().later(db, session).check()
            went: dict[int, int] = {}
            for one, node, previous in steps:
                before = None if previous is None else _mapped(went, previous, "step")
                cursor = db.execute(
                    "INSERT INTO steps (session, node, previous) VALUES (?, ?, ?)",
                    (session, _mapped(known, node, "node"), before),
                )
                went[one] = cursor.lastrowid or 0
            here = None if step is None else _mapped(went, step, "step")
            db.execute("UPDATE sessions SET step = ? WHERE id = ?", (here, session))
            return free

    def _prepare(self) -> None:
        with self._change() as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            if version == VERSION and {"sessions", "nodes", "steps", "favorites"} <= set(tables):
                return
            if tables or version:
                raise UserError(f"{self.path} is a database of something else; give another file with --sessions")
            for statement in TABLES.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is on disk afterwards, or nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _find(self, db: sqlite3.Connection, name: str) -> int | None:
        row = db.execute("SELECT id FROM sessions WHERE model = ? AND name = ?", (self.model, name)).fetchone()
        return None if row is None else row[0]

    def _session(self, db: sqlite3.Connection, name: str) -> int:
        found = self._find(db, name)
        if found is None:
            raise Unknown(f"there is no session {shown(name)!r}")
        return found

    def _check_free(self, db: sqlite3.Connection, name: str, own: int | None = None) -> None:
        if self._find(db, name) not in (None, own):
            raise Taken(f"there is a session {shown(name)!r} already; give another name")

    def _create(self, db: sqlite3.Connection, name: str) -> int:
        self._check_free(db, name)
        row = (self.model, name, _now(), _now())
        return (
            db.execute("INSERT INTO sessions (model, name, created, changed) VALUES (?, ?, ?, ?)", row).lastrowid or 0
        )

    def _add(self, db: sqlite3.Connection, session: int, nodes: Sequence[NewNode]) -> list[int]:
        self._rooms[session] = room = self._rooms.get(session, Room()).later(db, session)
        ids: list[int] = []
        for node in nodes:
            parents = [self._parent(db, session, ids, parent) for parent in node.parents]
            ids.append(
                self._insert(db, session, NewNode(node.code, node.operation, node.look, parents, node.arguments))
            )
        room.later(db, session).check()
        return ids

    def _told_steps(self, session: int) -> dict[str, Any]:
        """The newest steps as a file has them, and where among them the session stands."""
        query = "SELECT id, node, previous FROM steps WHERE session = ? ORDER BY id DESC LIMIT ?"
        rows = self._db.execute(query, (session, FILE_STEPS)).fetchall()[::-1]
        known = {None, *(step for step, _, _ in rows)}
        (here,) = self._db.execute("SELECT step FROM sessions WHERE id = ?", (session,)).fetchone()
        steps = [{"id": one, "node": node, "previous": last if last in known else None} for one, node, last in rows]
        return {"steps": steps, "step": here if here in known else None}

    def _parent(self, db: sqlite3.Connection, session: int, ids: Sequence[int], parent: int) -> int:
        if parent < 0:
            if -parent > len(ids):
                raise Unknown(f"parent {parent} is none of the nodes given before")
            return ids[-parent - 1]
        self._check_node(db, session, parent)
        return parent

    def _insert(self, db: sqlite3.Connection, session: int, node: NewNode, created: str | None = None) -> int:
        row = (
            session,
            node.code,
            node.look,
            json.dumps(list(node.parents)),
            node.operation,
            json.dumps(dict(node.arguments)),
            created or _now(),
        )
        columns = "session, code, look, parents, operation, arguments, created"
        return db.execute(f"INSERT INTO nodes ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", row).lastrowid or 0

    def _check_node(self, db: sqlite3.Connection, session: int, node: int) -> None:
        if db.execute("SELECT 1 FROM nodes WHERE session = ? AND id = ?", (session, node)).fetchone() is None:
            raise Unknown(f"there is no node {node} in this session")

    def _go(self, db: sqlite3.Connection, session: int, node: int) -> None:
        (step,) = db.execute("SELECT step FROM sessions WHERE id = ?", (session,)).fetchone()
        cursor = db.execute("INSERT INTO steps (session, node, previous) VALUES (?, ?, ?)", (session, node, step))
        db.execute("UPDATE sessions SET step = ? WHERE id = ?", (cursor.lastrowid, session))

    def _touch(self, db: sqlite3.Connection, session: int) -> None:
        db.execute("UPDATE sessions SET changed = ? WHERE id = ?", (_now(), session))

    def _next(self, db: sqlite3.Connection, session: int) -> int | None:
        """The latest step that was made from the present one."""
        query = "SELECT max(id) FROM steps WHERE session = ? AND previous IS (SELECT step FROM sessions WHERE id = ?)"
        return db.execute(query, (session, session)).fetchone()[0]

    def _pointer(self, db: sqlite3.Connection, session: int) -> Pointer:
        query = "SELECT node FROM steps WHERE id = (SELECT step FROM sessions WHERE id = ?)"
        row = db.execute(query, (session,)).fetchone()
        return Pointer(None if row is None else row[0], row is not None, self._next(db, session) is not None)

    def _nodes(self, db: sqlite3.Connection, session: int, first: int = 0) -> list[Node]:
        query = (
            "SELECT id, code, look, parents, operation, arguments, created, "
            "EXISTS (SELECT 1 FROM favorites WHERE node = nodes.id) "
            "FROM nodes WHERE session = ? AND id >= ? ORDER BY id"
        )
        rows = db.execute(query, (session, first))
        return [Node(i, c, k, json.loads(p), o, json.loads(a), t, bool(f)) for i, c, k, p, o, a, t, f in rows]


def _mapped(known: Mapping[int, int], number: int, what: str) -> int:
    if number not in known:
        raise UserError(f"{what} {number} is none of those given before it")
    return known[number]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
