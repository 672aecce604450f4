"""Sessions over the API: what is answered can be read again, and what cannot be is said."""

import json

import pytest
import torch

from stylegenes.explorer import tables
from stylegenes.explorer.nodes import NewNode
from stylegenes.styles import write_styles


@pytest.fixture
def code(genome):
    return genome.post("/api/v1/dice", json={"count": 1, "seed": 3}).json()["children"][0]["code"]


def test_a_session_from_beginning_to_export_and_back(genome, code):
    assert genome.post("/api/v1/sessions", json={"name": "my faces"}).status_code == 201
    here = "/api/v1/sessions/my%20faces"
    nodes = [
        {"code": code, "operation": "dice", "arguments": {"seed": 3}},
        {"code": code, "operation": "mutate", "parents": [-1], "look": "psi=0.7"},
    ]
    added = genome.post(f"{here}/nodes", json={"nodes": nodes, "select": 1})
    assert added.status_code == 201
    first, second = added.json()["nodes"]
    assert second["parents"] == [first["id"]] and added.json()["current"] == second["id"]
    assert genome.post(f"{here}/select", json={"node": first["id"]}).json()["current"] == first["id"]
    assert genome.post(f"{here}/undo").json() == {"current": second["id"], "undo": True, "redo": True}
    assert genome.put(f"{here}/favorites/{first['id']}", json={"favorite": True}).json()["favorite"]
    exported = genome.get(f"{here}/export")
    assert "attachment" in exported.headers["content-disposition"]
    back = genome.post("/api/v1/sessions/import", json=exported.json())
    assert back.status_code == 201 and back.json()["name"] == "my faces 2"
    assert [one["code"] for one in back.json()["nodes"]] == [code, code]
    assert back.json()["redo"]
    assert genome.patch(f"{here}", json={"name": "ours"}).json()["name"] == "ours"
    assert {one["name"] for one in genome.get("/api/v1/sessions").json()} >= {"ours", "my faces 2"}


@pytest.mark.parametrize("name", ["a/b", "..", ".", "", " ", "a\u0000b", "x" * 81, "a\\b"])
def test_names_that_no_address_can_hold_are_refused(genome, name):
    assert genome.post("/api/v1/sessions", json={"name": name}).status_code == 422


def test_nodes_that_cannot_be_drawn_are_refused(genome, code):
    genome.post("/api/v1/sessions", json={"name": "strict"})
    here = "/api/v1/sessions/strict/nodes"
    for wrong in ({"code": "x"}, {"code": code, "look": "psi=no"}, {"code": code, "parents": [77]}):
        answer = genome.post(here, json={"nodes": [{"operation": "paste", **wrong}]})
        assert answer.status_code in (404, 422) and answer.json()["detail"]
    raw = '{"nodes": [{"code": "%s", "operation": "x", "arguments": {"a": %s}}]}'
    for value in ("NaN", '"\\ud800"', "[" * 20000 + "]" * 20000, "1" + "0" * 5000):
        answer = genome.post(here, content=raw % (code, value), headers={"content-type": "application/json"})
        assert answer.status_code == 422, value[:20]
    assert genome.get("/api/v1/sessions/strict").json()["nodes"] == []


def test_a_session_of_other_weights_is_not_taken_in(genome, code):
    genome.post("/api/v1/sessions", json={"name": "mine"})
    said = genome.get("/api/v1/sessions/mine/export").json()
    answer = genome.post("/api/v1/sessions/import", json={**said, "model": "0" * 64})
    assert answer.status_code == 422 and "other weights" in answer.json()["detail"]
    assert genome.post("/api/v1/sessions/import", json={**said, "step": 5}).status_code == 422


def test_a_large_session_that_goes_out_comes_in_again(genome):
    (vectors,) = write_styles(torch.randn(1, 8, 128))
    code = "~".join([vectors] + [f"{vectors}@0"] * 16)
    genes = list(range(40))
    nodes = [NewNode(code, "mix", arguments={"number": number, "genes": genes}) for number in range(400)]
    genome.post("/api/v1/sessions", json={"name": "large"})
    genome.desk.store.add("large", nodes, select=0)
    exported = genome.get("/api/v1/sessions/large/export")
    assert len(exported.content) > 32 * 2**20
    kind = {"content-type": "application/json"}
    back = genome.post("/api/v1/sessions/import", content=exported.content, headers=kind)
    assert back.status_code == 201, back.text[:200]
    assert [one["arguments"]["number"] for one in back.json()["nodes"]] == list(range(400))


def test_a_session_is_full_before_its_file_is_too_long(genome, code, monkeypatch):
    monkeypatch.setattr(tables, "NODES_BYTES", 20_000)
    genome.post("/api/v1/sessions", json={"name": "full"})
    node = {"code": code, "operation": "\x01" * 200, "arguments": {"genes": list(range(300))}}
    here = "/api/v1/sessions/full"
    added = [genome.post(f"{here}/nodes", json={"nodes": [node], "select": 0}) for _ in range(20)]
    statuses = [one.status_code for one in added]
    many = statuses.index(422)
    assert statuses == [201] * many + [422] * (20 - many) and many > 3
    assert "at most 19.5 KiB" in added[-1].json()["detail"]
    assert len(genome.get(here).json()["nodes"]) == many
    exported = genome.get(f"{here}/export")
    assert len(json.dumps(exported.json()["nodes"], ensure_ascii=False).encode()) < 20_000
    assert genome.post("/api/v1/sessions/import", json=exported.json()).status_code == 201
    more = exported.json() | {"nodes": exported.json()["nodes"] + [exported.json()["nodes"][0] | {"id": 2**53}]}
    assert genome.post("/api/v1/sessions/import", json=more).status_code == 422
    assert genome.post(f"{here}/select", json={"node": exported.json()["nodes"][0]["id"]}).status_code == 200


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return {"a": value}


def test_arguments_too_deep_to_answer_are_refused_and_leave_no_session_that_cannot_be_opened(genome, code):
    genome.post("/api/v1/sessions", json={"name": "deep"})
    for depth, status in ((20, 201), (40, 422), (300, 422), (900, 422)):
        node = {"code": code, "operation": "dice", "arguments": nested(depth)}
        assert genome.post("/api/v1/sessions/deep/nodes", json={"nodes": [node]}).status_code == status
        file = genome.get("/api/v1/sessions/deep/export").json() | {"name": f"deep {depth}"}
        file["nodes"][0]["arguments"] = nested(depth)
        assert genome.post("/api/v1/sessions/import", json=file).status_code == status
    for one in genome.get("/api/v1/sessions").json():
        assert genome.get(f"/api/v1/sessions/{one['name']}").status_code == 200


def test_the_next_free_name_is_one_that_can_be_imported_again(genome):
    long = "n" * 80
    genome.post("/api/v1/sessions", json={"name": long})
    file = genome.get(f"/api/v1/sessions/{long}/export").json()
    for number in (2, 3):
        name = genome.post("/api/v1/sessions/import", json=file).json()["name"]
        assert len(name) == 80 and name.endswith(f" {number}")
        again = genome.get(f"/api/v1/sessions/{name}/export").json()
        assert genome.post("/api/v1/sessions/import?name=other", json=again).status_code == 201
