"""Populations: repeatable, as near or far as asked, and with locked genes left alone; for both kinds of model."""

import pytest


def dice(client, count=2, seed=3, **more):
    return client.post("/api/v1/dice", json={"count": count, "seed": seed, **more}).json()


def codes(answer):
    return [child["code"] for child in answer["children"]]


def variants(client, code):
    return client.post("/api/v1/genotype", json={"code": code}).json()["variants"]


def test_dice_are_the_seeds_of_the_command_line(either):
    model = either.desk.model
    answer = dice(either, 3, 5)
    assert codes(answer) == model.choose(seeds=[5, 6, 7]).strings
    assert [child["arguments"]["seed"] for child in answer["children"]] == [5, 6, 7]
    free = either.post("/api/v1/dice", json={"count": 1}).json()
    assert codes(dice(either, 1, free["seed"])) == codes(free)


def test_wishes_are_fulfilled_more_often_than_not(genome):
    answer = dice(genome, 8, 0, where="Wearing_Hat=1", temperature=0.4)
    judged = genome.post("/api/v1/judge", json={"codes": codes(answer)}).json()
    column = judged["attributes"].index("Wearing_Hat")
    assert sum(row[column] > 0.5 for row in judged["probabilities"]) >= 6
    assert "candidates" in answer["notes"][0]
    assert genome.post("/api/v1/dice", json={"where": "Wearing_Hat=2"}).status_code == 422


def test_wishes_of_a_model_without_genes_are_refused_in_words(mapping):
    answer = mapping.post("/api/v1/dice", json={"where": "Smiling=1"})
    assert answer.status_code == 422 and "genome" in answer.json()["detail"]


def test_the_same_request_has_the_same_children(either):
    a, b = codes(dice(either))
    for path, asked in (("mutate", {"code": a}), ("breed", {"parents": [a, b]})):
        first = either.post(f"/api/v1/{path}", json={**asked, "seed": 1}).json()
        assert codes(either.post(f"/api/v1/{path}", json={**asked, "seed": 1}).json()) == codes(first)
        assert codes(either.post(f"/api/v1/{path}", json={**asked, "seed": 2}).json()) != codes(first)
        assert first["children"][0]["parents"] == asked.get("parents", [a])


def test_a_wider_rate_makes_children_more_different(either):
    (a,) = codes(dice(either, 1))
    rates = (0.0, 0.05, 0.5)
    asked = [{"code": a, "rate": rate, "count": 6, "seed": 0, "diversity": True} for rate in rates]
    found = [either.post("/api/v1/mutate", json=one).json()["diversity"] for one in asked]
    apart = [one["pictures"] for one in found]
    assert apart[0] == 0 < apart[1] < apart[2]
    assert found[0]["judge"] and found[0]["pairs"] == 15


def test_locked_genes_stay_and_named_ones_cross(genome):
    a, b = codes(dice(genome))
    ours, theirs = variants(genome, a), variants(genome, b)
    mutants = genome.post("/api/v1/mutate", json={"code": a, "rate": 1.0, "locked": [0, 7], "seed": 1}).json()
    for child in codes(mutants):
        now = variants(genome, child)
        assert [i for i in range(32) if now[i] == ours[i]] == [0, 7]
    bred = {"parents": [a, b], "cross": "gene", "genes": [2, 3], "rate": 0, "count": 1, "seed": 1}
    (child,) = codes(genome.post("/api/v1/breed", json=bred).json())
    assert variants(genome, child) == [theirs[i] if i in (2, 3) else ours[i] for i in range(32)]
    assert genome.post("/api/v1/mutate", json={"code": a, "locked": [32]}).status_code == 422


@pytest.mark.parametrize("cross", ["uniform", "block"])
def test_the_share_of_a_parent_is_what_was_asked_for(genome, cross):
    a, b = codes(dice(genome))
    ours, theirs = variants(genome, a), variants(genome, b)
    for share in (0.0, 0.25, 0.75, 1.0):
        asked = {"parents": [a, b], "cross": cross, "share": share, "rate": 0, "count": 48, "seed": 1}
        children = [variants(genome, code) for code in codes(genome.post("/api/v1/breed", json=asked).json())]
        taken = [
            sum(one == b and one != a for one, a, b in zip(child, ours, theirs, strict=True)) for child in children
        ]
        assert abs(sum(taken) / (48 * 32) - share) < 0.06


def test_children_of_styles_and_mixtures_are_drawn_too(either):
    a, b = codes(dice(either))
    middle = either.post("/api/v1/between", json={"start": a, "end": b, "steps": 2}).json()["codes"][1]
    made = either.post("/api/v1/mutate", json={"code": middle, "count": 2, "rate": 0.2, "seed": 0}).json()
    bred = either.post("/api/v1/breed", json={"parents": [middle, b], "count": 2, "seed": 0}).json()
    apart = either.post("/api/v1/diversity", json={"codes": codes(made) + codes(bred)})
    assert apart.status_code == 200 and apart.json()["pictures"] > 0 and apart.json()["genes"] is None
    assert either.post("/api/v1/mutate", json={"code": middle, "locked": [1]}).status_code == 422
    assert either.post("/api/v1/breed", json={"parents": [middle, b], "cross": "block"}).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [{"count": 0}, {"count": 65}, {"rate": 1.5}, {"rate": -0.1}, {"seed": -1}, {"unknown": 1}, {"look": "x"}],
)
def test_what_cannot_be_is_refused_in_a_sentence(either, wrong):
    (a,) = codes(dice(either, 1))
    asked = {"code": a, "diversity": True, **wrong}
    answer = either.post("/api/v1/mutate", json=asked)
    assert answer.status_code == 422 and isinstance(answer.json()["detail"], str)
