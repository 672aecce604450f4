"""`/sessions`: named sessions with their family tree, undo and redo, favorites, export and import."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Response

from stylegenes.errors import UserError
from stylegenes.explorer.answers import problems
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.nodes import NewNode, Node
from stylegenes.explorer.schemas import (
    AddedNodes,
    ExportedSession,
    FavoriteQuestion,
    ListedSession,
    NameQuestion,
    NodesQuestion,
    PointerAnswer,
    SelectQuestion,
    Session,
    SessionName,
    SessionNode,
)
from stylegenes.explorer.store import SessionStore
from stylegenes.styles import check_texts

Name = Annotated[str, Path(min_length=1, max_length=200)]
NodeId = Annotated[int, Path(ge=0, le=2**53)]


def session_routes(desk: Desk) -> APIRouter:
    """Sessions; an answer means that it is on disk."""
    router = APIRouter(prefix="/sessions", tags=["sessions"], responses=problems(404, 409))

    @router.get("")
    def sessions() -> list[ListedSession]:
        """The sessions of this model, the one changed last first."""
        return [ListedSession(**asdict(one)) for one in _store(desk).sessions()]

    @router.post("", status_code=201)
    def begin(asked: NameQuestion) -> Session:
        """Begin a session."""
        _store(desk).create(asked.name)
        return _session(desk, asked.name)

    @router.post("/import", status_code=201)
    def take_in(asked: ExportedSession, name: SessionName | None = None) -> Session:
        """Take in an exported session; where its name is taken it gets the next free one."""
        return _session(desk, _load(desk, asked, name or asked.name))

    @router.get("/{name}")
    def session(name: Name) -> Session:
        """A session with all its nodes."""
        return _session(desk, name)

    @router.patch("/{name}")
    def rename(name: Name, asked: NameQuestion) -> Session:
        """Give a session another name."""
        _store(desk).rename(name, asked.name)
        return _session(desk, asked.name)

    @router.post("/{name}/nodes", status_code=201)
    def add(name: Name, asked: NodesQuestion) -> AddedNodes:
        """Add nodes and go to one of them."""
        if asked.select is not None and asked.select >= len(asked.nodes):
            raise UserError(f"select is {asked.select}; {len(asked.nodes)} nodes were given, from 0 on")
        for node in asked.nodes:
            _check(desk, node.code, node.look)
        nodes = [NewNode(one.code, one.operation, one.look, one.parents, one.arguments) for one in asked.nodes]
        store = _store(desk)
        added = store.add(name, nodes, asked.select)
        return AddedNodes(nodes=[_told(node) for node in added[: len(nodes)]], **asdict(store.pointer(name)))

    @router.post("/{name}/select")
    def select(name: Name, asked: SelectQuestion) -> PointerAnswer:
        """Go to a node; undo takes that back."""
        return PointerAnswer(**asdict(_store(desk).select(name, asked.node)))

    @router.post("/{name}/undo")
    def undo(name: Name) -> PointerAnswer:
        """Go a step back; nothing is deleted."""
        return PointerAnswer(**asdict(_store(desk).undo(name)))

    @router.post("/{name}/redo")
    def redo(name: Name) -> PointerAnswer:
        """Take back the last undo."""
        return PointerAnswer(**asdict(_store(desk).redo(name)))

    @router.put("/{name}/favorites/{node}")
    def favor(name: Name, node: NodeId, asked: FavoriteQuestion) -> SessionNode:
        """Mark a node as a favorite, or no longer."""
        return _told(_store(desk).favor(name, node, asked.favorite))

    @router.get("/{name}/export", response_model=ExportedSession)
    def export(name: Name) -> Response:
        """The whole session as a JSON file."""
        text = _written(_store(desk).export(name))
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}.json"}
        return Response(text, media_type="application/json", headers=headers)

    return router


def _store(desk: Desk) -> SessionStore:
    _ = desk.opened
    assert desk.store is not None
    return desk.store


def _session(desk: Desk, name: str) -> Session:
    store = _store(desk)
    nodes, pointer = [_told(node) for node in store.nodes(name)], asdict(store.pointer(name))
    return Session(name=name, model=store.model, nodes=nodes, **pointer)


def _written(session: dict[str, Any]) -> str:
    """A session as JSON with a line for each node and step: more white space could make it too long to be taken in."""
    lists = {name: session[name] for name in ("nodes", "steps")}
    about = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in session.items() if name not in lists]
    for name, rows in lists.items():
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        about.append(f"{json.dumps(name)}: [\n{lines}\n]")
    return "{\n" + ",\n".join(about) + "\n}\n"


def _told(node: Node) -> SessionNode:
    return SessionNode(**vars(node))


def _check(desk: Desk, code: str, look: str) -> None:
    check_texts(desk.opened.generator, [code])
    desk.look(look)


def _load(desk: Desk, asked: ExportedSession, name: str) -> str:
    store = _store(desk)
    if asked.model != store.model:
        raise UserError(f"this session belongs to other weights ({asked.model[:16]}) than those explored here")
    for node in asked.nodes:
        _check(desk, node.code, node.look)
    nodes = [Node(**_fields(node)) for node in asked.nodes]
    return store.load(name, nodes, [(one.id, one.node, one.previous) for one in asked.steps], asked.step)


def _fields(node: SessionNode) -> dict[str, Any]:
    return {name: getattr(node, name) for name in SessionNode.model_fields}
