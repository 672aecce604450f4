"""Directions over the API: components at once, attributes after a fit that lets clicks through, and moves."""

import json
import time

import numpy as np
import pytest
import torch

import stylegenes
from stylegenes.analysis.compass import Compass
from stylegenes.errors import UserError
from stylegenes.explorer.directions import Fitting, told


@pytest.fixture
def code(mapping):
    return mapping.post("/api/v1/dice", json={"count": 1, "seed": 3}).json()["children"][0]["code"]


class TwoOf(torch.nn.Module):
    """Two attributes of a classifier: two are fitted sooner than forty."""

    attributes = ("Male", "Long_Hair")

    def __init__(self, whole):
        super().__init__()
        self.whole = whole
        self.columns = [whole.attributes.index(name) for name in self.attributes]

    def forward(self, images):
        return self.whole(images)[:, self.columns]


@pytest.fixture(scope="module")
def fitted(client_of, mapping_model):
    """A client of the mapping model whose directions were fitted from few pictures while somebody clicked."""
    model = stylegenes.open("avatars32-mapping", classifier=TwoOf(mapping_model.classifier), device="cpu")
    client = client_of(model)
    assert client.get("/api/v1/directions").json()["state"] == "none"
    fitting = Fitting(client.desk, samples=800)
    fitting.start()
    fitting.start()
    clicks = 0
    while fitting.state == "fitting" and clicks < 2000:
        assert client.post("/api/v1/dice", json={"count": 1}).status_code == 200
        clicks += 1
    assert clicks > 2 and fitting.state == "ready"
    assert fitting.progress[1] == fitting.progress[2] and fitting.feed.last == ("ready", json.dumps({}))
    found = told(client.desk, fitting)
    assert found.state == "ready" and {one.name for one in found.attributes} == {"Male", "Long_Hair"}
    assert all(one.auc > 0.6 for one in found.attributes)
    return client


def settled(client):
    """What is said of directions when no fit goes on any more."""
    deadline = time.monotonic() + 30
    while (found := client.get("/api/v1/directions").json())["state"] == "fitting" and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def test_a_fit_that_fails_says_so_and_is_tried_again(client_of, mapping_model, monkeypatch, caplog):
    client, errors = client_of(mapping_model), [RuntimeError("of our own"), UserError("of theirs")]

    def fit(self, *args, **more):
        if errors:
            raise errors.pop(0)

    monkeypatch.setattr(Compass, "fit", fit)
    for state, said in (("failed", "its terminal says more"), ("unavailable", "of theirs"), ("ready", "")):
        assert client.post("/api/v1/directions/fit").status_code == 202
        found = settled(client)
        assert found["state"] == state and said in found["reason"] and found["components"]
        with client.stream("GET", "/api/v1/directions/events") as answer:
            lines = [line for line in answer.iter_lines() if line.startswith("event")]
        assert lines == ["event: ready" if state == "ready" else "event: failed"]
    assert [str(record.exc_info[1]) for record in caplog.records] == ["of our own"]


def test_who_listens_to_a_second_fit_hears_nothing_of_the_first(client_of, mapping_model, monkeypatch):
    fitting = Fitting(client_of(mapping_model).desk)
    fitting.feed.put("failed", {"detail": "long ago"})
    monkeypatch.setattr(fitting.desk.worker, "submit", lambda *args, **more: None)
    fitting.start()
    assert fitting.state == "fitting" and fitting.feed.last[0] == "progress"


def test_components_come_at_once_in_order(either):
    found = either.get("/api/v1/directions").json()
    shares = [one["explained"] for one in found["components"]]
    assert [one["name"] for one in found["components"]][:2] == ["pc1", "pc2"]
    assert shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 1
    assert found["state"] in ("none", "ready", "fitting")


def test_a_move_along_a_component_is_undone_by_its_opposite(either):
    (child,) = either.post("/api/v1/dice", json={"count": 1, "seed": 3}).json()["children"]
    move = lambda code, strength: either.post(  # noqa: E731
        "/api/v1/move", json={"code": code, "moves": [{"name": "pc1", "strength": strength, "layers": "coarse"}]}
    ).json()
    there = move(child["code"], 3)
    back = move(there["child"]["code"], -3)
    assert there["child"]["code"].startswith("w.") and there["distance"] > 0
    pictures = either.desk.model.pictures([child["code"], back["child"]["code"]])
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() <= 1
    assert {row["name"] for row in there["attributes"]} >= {"Smiling"}


def test_a_fitted_direction_adds_its_attribute(fitted):
    children = fitted.post("/api/v1/dice", json={"count": 8, "seed": 0}).json()["children"]
    achieved = {-2: [], 2: []}
    for child in children:
        for strength, changes in achieved.items():
            asked = {"code": child["code"], "moves": [{"name": "Long_Hair", "strength": strength}], "hold": ["Male"]}
            rows = {row["name"]: row for row in fitted.post("/api/v1/move", json=asked).json()["attributes"]}
            assert rows["Long_Hair"]["wanted"] and rows["Male"]["held"] and not rows["Male"]["wanted"]
            changes.append(rows["Long_Hair"]["achieved"])
    assert np.mean(achieved[2]) - np.mean(achieved[-2]) > 0.1


@pytest.mark.parametrize(
    "wrong",
    [
        {"moves": []},
        {"moves": [{"name": "nope", "strength": 1}]},
        {"moves": [{"name": "pc1", "strength": 99}]},
        {"moves": [{"name": "pc1", "strength": 1, "layers": "0-99"}]},
        {"moves": [{"name": "pc1", "strength": 1}], "hold": ["Male"]},
    ],
)
def test_moves_that_cannot_be_are_said(mapping, code, wrong):
    answer = mapping.post("/api/v1/move", json={"code": code, **wrong})
    assert answer.status_code == 422 and answer.json()["detail"]
