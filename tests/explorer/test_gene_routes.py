"""Single genes over the API: tables are the survey's numbers, swaps are exact, and wrong ones are said."""

import numpy as np
import pytest


@pytest.fixture
def code(genome):
    return genome.post("/api/v1/dice", json={"count": 1, "seed": 3}).json()["children"][0]["code"]


def test_a_genotype_reads_and_spells(genome, code):
    read = genome.post("/api/v1/genotype", json={"code": f"  {code}\n"}).json()
    assert read["code"] == code and len(read["variants"]) == 32
    again = genome.post("/api/v1/genotype", json={"variants": read["variants"]}).json()
    assert again == read
    for wrong in ({}, {"code": code, "variants": [1]}, {"variants": [1, 2]}, {"variants": [999] * 32}, {"code": "abc"}):
        assert genome.post("/api/v1/genotype", json=wrong).status_code == 422


def test_a_swap_changes_one_gene_and_every_variant_is_listed(genome, code):
    before = genome.post("/api/v1/genotype", json={"code": code}).json()["variants"]
    swapped = genome.post("/api/v1/swap", json={"code": code, "gene": 5, "variant": 77}).json()
    after = genome.post("/api/v1/genotype", json={"code": swapped["code"]}).json()["variants"]
    assert [i for i in range(32) if before[i] != after[i]] == [5] and after[5] == 77
    listed = genome.get(f"/api/v1/variants/{code}/5").json()["codes"]
    assert len(listed) == 256 and listed[77] == swapped["code"] and listed[before[5]] == code
    for gene, variant in ((32, 0), (0, 256), (2**52, 0)):
        assert genome.post("/api/v1/swap", json={"code": code, "gene": gene, "variant": variant}).status_code == 422
    assert genome.get(f"/api/v1/variants/{code}~{code}*0.5/5").status_code == 422


def test_the_table_is_the_surveys(genome, genome_model):
    answer = genome.get("/api/v1/genes/smiling")
    table, found = answer.json(), genome_model.statistics
    a = found.attributes.index("Smiling")
    assert table["attribute"] == "Smiling" and table["draws"] == found.num_draws
    row = table["genes"][table["order"][0]]
    gene = row["gene"]
    measured = (found.mean[gene, :, a] - found.overall[a]).numpy()
    assert np.allclose(row["effect"], measured, atol=1e-5)
    assert all(low < effect < high for low, effect, high in zip(row["low"], row["effect"], row["high"], strict=True))
    assert row["count"] == found.seen[gene].long().tolist()
    strongest = [table["genes"][gene]["explained"] for gene in table["order"][: table["acting"]]]
    assert strongest == sorted(strongest, reverse=True) and table["acting"] > 0
    idle = table["genes"][table["order"][-1]]
    assert table["acting"] == 32 or not any(idle["shrunk"])
    tag = answer.headers["etag"]
    assert genome.get("/api/v1/genes/Smiling", headers={"if-none-match": tag}).status_code == 304
    assert genome.get("/api/v1/genes/Smyling").status_code == 404


def test_an_edit_says_requested_achieved_and_side_effects(genome, genome_model, code):
    asked = {"code": code, "wishes": "Eyeglasses=1", "hold": "Young,3", "genes": 3}
    edited = genome.post("/api/v1/edit", json=asked).json()
    rows = {row["name"]: row for row in edited["attributes"]}
    assert rows["Eyeglasses"]["wanted"] and rows["Young"]["held"] and not rows["Male"]["wanted"]
    assert rows["Eyeglasses"]["achieved"] > 0.2 and rows["Eyeglasses"]["requested"] > 0
    before = genome.post("/api/v1/genotype", json={"code": code}).json()["variants"]
    after = genome.post("/api/v1/genotype", json={"code": edited["child"]["code"]}).json()["variants"]
    changed = [i for i in range(32) if before[i] != after[i]]
    assert sorted(edited["genes"]) == changed and 3 not in changed and 1 <= len(changed) <= 3
    judged = genome.post("/api/v1/judge", json={"codes": [code, edited["child"]["code"]]}).json()
    column = judged["attributes"].index("Eyeglasses")
    shown = [row[column] for row in judged["probabilities"]]
    assert np.allclose(shown, [rows["Eyeglasses"]["before"], rows["Eyeglasses"]["after"]], atol=0.03)
    theirs = genome_model.edit("Eyeglasses=1", code=[code], hold="Young,3", genes=3)
    assert theirs.after == edited["child"]["code"]


@pytest.mark.parametrize(
    "wrong",
    [{"wishes": ""}, {"wishes": "Nope=1"}, {"wishes": "Young=1", "hold": "Young"}, {"wishes": "Young=1", "hold": "99"}],
)
def test_edits_that_cannot_be_are_said(genome, code, wrong):
    answer = genome.post("/api/v1/edit", json={"code": code, **wrong})
    assert answer.status_code == 422 and answer.json()["detail"]


def test_continuous_codes_have_no_genes_and_say_so(mapping):
    code = mapping.post("/api/v1/dice", json={"count": 1, "seed": 3}).json()["children"][0]["code"]
    for answer in (
        mapping.post("/api/v1/swap", json={"code": code, "gene": 0, "variant": 0}),
        mapping.get("/api/v1/genes/Smiling"),
        mapping.get(f"/api/v1/variants/{code}/0"),
    ):
        assert answer.status_code == 404 and "continuous" in answer.json()["detail"]
    assert mapping.post("/api/v1/edit", json={"code": code, "wishes": "Smiling=1"}).status_code == 422
    panels = {one["name"]: one for one in mapping.get("/api/v1/info").json()["panels"]}
    assert not panels["genome"]["available"] and panels["genome"]["reason"]
    assert panels["directions"]["available"]
