"""Sessions: nodes are only added, undo moves a pointer, and a killed process loses nothing that it answered."""

import json
import os
import signal
import subprocess
import sys

import pytest

from stylegenes.errors import UserError
from stylegenes.explorer.nodes import NewNode, Node, Taken, Unknown
from stylegenes.explorer.store import SessionStore
from stylegenes.explorer.tables import NODE_BYTES


@pytest.fixture
def store(tmp_path):
    return SessionStore(tmp_path / "s.sqlite", "weights")


def node(code, *parents):
    return NewNode(code, "dice", parents=parents, arguments={"seed": 3, "locked": [1]})


def test_nodes_keep_their_order_parents_and_arguments(store):
    store.create("faces")
    first = store.add("faces", [node("a"), node("b"), node("c", -1, -2)], select=2)
    assert [one.code for one in first] == ["a", "b", "c"]
    assert first[2].parents == [first[0].id, first[1].id]
    later = store.add("faces", [node("d", first[2].id)])
    assert [one.code for one in later] == ["d"]
    kept = store.nodes("faces")
    assert [one.code for one in kept] == ["a", "b", "c", "d"]
    assert kept[3].parents == [first[2].id] and kept[0].arguments == {"seed": 3, "locked": [1]}
    assert store.pointer("faces").current == first[2].id


def test_undo_moves_a_pointer_and_deletes_nothing(store):
    store.create("s")
    a, b, c = store.add("s", [node("a"), node("b"), node("c")])
    with pytest.raises(Taken, match="undo"):
        store.undo("s")
    for one in (a, b, c):
        store.select("s", one.id)
    assert store.undo("s").current == b.id
    assert store.undo("s").current == a.id
    there = store.redo("s")
    assert (there.current, there.undo, there.redo) == (b.id, True, True)
    store.undo("s")
    # Another way from here: redo follows the newest one, and all nodes are still there.
    store.select("s", c.id)
    store.undo("s")
    assert store.redo("s").current == c.id
    with pytest.raises(Taken, match="redo"):
        store.redo("s")
    for _ in range(2):
        last = store.undo("s")
    assert (last.current, last.undo, last.redo) == (None, False, True)
    assert [one.code for one in store.nodes("s")] == ["a", "b", "c"]


def test_what_does_not_exist_is_refused_and_changes_nothing(store):
    store.create("s")
    for wrong in ([node("a"), node("b", 99)], [node("a", -1)], [node("a"), node("b", -3)]):
        with pytest.raises(Unknown):
            store.add("s", wrong)
    assert store.nodes("s") == []
    store.create("other")
    (theirs,) = store.add("other", [node("x")])
    for call in (lambda: store.select("s", theirs.id), lambda: store.favor("s", theirs.id, True)):
        with pytest.raises(Unknown, match="no node"):
            call()
    with pytest.raises(Unknown, match="no session"):
        store.nodes("nope")
    with pytest.raises(Taken, match="already"):
        store.rename("s", "other")


def test_an_export_comes_back_the_same_under_a_free_name(store, tmp_path):
    store.create("s")
    a, _ = store.add("s", [node("a"), node("b", -1)], select=1)
    store.favor("s", a.id, True)
    store.select("s", a.id)
    store.undo("s")
    said = store.export("s")
    steps = [(one["id"], one["node"], one["previous"]) for one in said["steps"]]
    assert store.load("s", store.nodes("s"), steps, said["step"]) == "s 2"
    again = store.export("s 2")
    strip = lambda nodes: [(n["code"], n["operation"], n["arguments"], n["created"], n["favorite"]) for n in nodes]  # noqa: E731
    assert strip(again["nodes"]) == strip(said["nodes"])
    assert store.nodes("s 2")[1].parents == [store.nodes("s 2")[0].id]
    assert store.pointer("s 2").current == store.nodes("s 2")[1].id
    assert store.redo("s 2").current == store.nodes("s 2")[0].id
    with pytest.raises(UserError, match="none of those"):
        store.load("bad", store.nodes("s")[1:], [], None)
    assert "bad" not in [one.name for one in store.sessions()]


def test_sessions_of_other_weights_are_out_of_sight(store, tmp_path):
    store.create("s")
    other = SessionStore(tmp_path / "s.sqlite", "others")
    assert other.sessions() == []
    other.create("s")
    assert [one.name for one in store.sessions()] == ["s"]


@pytest.mark.parametrize("content", [b"hello" * 1000, None])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    path = tmp_path / "x.sqlite"
    if content is None:
        import sqlite3

        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE mine (x)")
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match="--sessions"):
        SessionStore(path, "weights")
    with pytest.raises(UserError, match="--sessions"):
        SessionStore(tmp_path / "no" / "folder" / "x.sqlite", "weights")


WRITER = """
import sys
from pathlib import Path
from stylegenes.explorer.nodes import NewNode
from stylegenes.explorer.store import SessionStore
store = SessionStore(Path(sys.argv[1]), "weights")
store.create("s")
for number in range(100000):
    store.add("s", [NewNode(f"code{number}", "dice")], select=0)
    print(number, flush=True)
"""


def test_kill_9_loses_no_answered_node(tmp_path):
    path = tmp_path / "k.sqlite"
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    answered = [int(process.stdout.readline()) for _ in range(60)]
    os.kill(process.pid, signal.SIGKILL)
    answered += [int(line) for line in process.stdout.read().splitlines() if line]
    process.wait()
    store = SessionStore(path, "weights")
    kept = [one.code for one in store.nodes("s")]
    assert kept[: len(answered)] == [f"code{number}" for number in answered]
    assert store.pointer("s").current == store.nodes("s")[-1].id


NASTY = [
    NewNode("a", "dice"),
    NewNode("w." + "A" * 5000, 'quotes " and \\ and \x01\x1f\n', "psi=1\t"),
    NewNode("ä", "\U0001f600" * 200, arguments={"a": {"b": [[1, 2.5, None, True], "ü\u2028\x7f"]}}),
    NewNode("b", "mix", parents=[-1, -2, -3] * 300),
    NewNode("c", "mix", parents=[-4]),
]


def test_a_node_takes_no_more_in_a_file_than_is_reckoned_whatever_its_number(store):
    def sizes(name):
        query = f"SELECT {NODE_BYTES} FROM nodes WHERE session = (SELECT id FROM sessions WHERE name = ?) ORDER BY id"
        return [size for (size,) in store._db.execute(query, (name,))]

    store.create("s")
    store.add("s", NASTY)
    for node, size in zip(store.nodes("s"), sizes("s"), strict=True):
        written = vars(node) | {"id": 2**53, "parents": [2**53] * len(node.parents), "created": "\x01" * 40}
        length = len(json.dumps(written, ensure_ascii=False).encode())
        assert length <= size <= 2 * length + 500
    store._db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'nodes'", (2**52,))
    told = store.export("s")
    other = store.load("other", [Node(**one) for one in told["nodes"]], [], None)
    assert store.nodes(other)[0].id > 2**52 and sizes(other) == sizes("s")


def test_a_file_holds_the_newest_steps(store, monkeypatch):
    monkeypatch.setattr("stylegenes.explorer.store.FILE_STEPS", 3)
    store.create("s")
    nodes = store.add("s", [node(name) for name in "abcde"])
    for one in nodes:
        store.select("s", one.id)
    told = store.export("s")
    assert [one["node"] for one in told["steps"]] == [one.id for one in nodes[2:]]
    assert [one["previous"] for one in told["steps"]] == [None, told["steps"][0]["id"], told["steps"][1]["id"]]
    steps = [(one["id"], one["node"], one["previous"]) for one in told["steps"]]
    other = store.load("other", [Node(**one) for one in told["nodes"]], steps, told["step"])
    assert [store.undo(other).current and True for _ in range(3)] == [True, True, None]
    for _ in range(4):
        store.undo("s")
    assert store.export("s")["step"] is None
