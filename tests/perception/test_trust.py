"""A classifier that cannot tell an attribute says so wherever work is about to rely on it."""

import json
import logging
import shutil

import pytest
import torch
from toy_genome import ATTRIBUTES, NUM_GENES, NUM_VARIANTS, LinearClassifier, effects, toy_generator

from stylegenes.analysis.conditional import sample_accepted, sample_exactly, tables_for
from stylegenes.analysis.editing import METHODS, Constraints, Strength, editor
from stylegenes.analysis.exhibits.edits import traversal_exhibit
from stylegenes.analysis.importance import report_genes
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.statistics import VariantStatistics, tally_draws
from stylegenes.analysis.wishes import parse_where
from stylegenes.cli.main import run
from stylegenes.metrics import load_classifier
from stylegenes.perception import trust
from stylegenes.snapshot import MODELS


@pytest.fixture(autouse=True)
def said(caplog):
    """The warnings, none of which were given before."""
    trust._warn.cache_clear()
    with caplog.at_level(logging.WARNING):
        yield caplog


@pytest.fixture(scope="module")
def bench():
    """A judge that tells Eyeglasses by chance and was never tested on Young; statistics; a report."""
    classifier = LinearClassifier(effects())
    classifier.tested = {"Smiling": 0.98, "Eyeglasses": 0.49, "Young": None}
    labeler = CodeLabeler(toy_generator(), classifier)
    statistics = VariantStatistics.empty(ATTRIBUTES, NUM_GENES, NUM_VARIANTS)
    genotype = labeler.generator.sample(4000, torch.Generator().manual_seed(0))
    tally_draws(statistics, genotype, labeler.probabilities(genotype))
    return labeler, statistics, report_genes(statistics)


@pytest.mark.parametrize(
    ("auc", "reason"),
    [(0.49, "AUC 0.49"), (0.699, "AUC 0.70"), (0.7, ""), (0.99, ""), (None, "never tested"), (float("nan"), "AUC nan")],
)
def test_doubts_begin_below_the_line(auc, reason):
    classifier = LinearClassifier(effects())
    classifier.tested = {"Smiling": auc}
    found = trust.doubts(classifier, ["Smiling", "Young", "Smiling"])
    assert len(found) == bool(reason) and reason in " ".join(found)


def sources(n):
    return [torch.Generator().manual_seed(seed) for seed in range(n)]


WORK = {
    "accept": lambda j, s, r, w: sample_accepted(j, tables_for(s, w, 1.0), w, sources(2)),
    "exact": lambda j, s, r, w: sample_exactly(j, tables_for(s, w, 1.0), w, 2, candidates=8),
    "traverse": lambda j, s, r, w: traversal_exhibit(j, r, torch.zeros(NUM_GENES, dtype=torch.int64), 2, w[0]),
} | {
    method: lambda j, s, r, w, method=method: editor(j, r, Strength(), method=method)(
        torch.zeros(NUM_GENES, dtype=torch.int64), w
    )
    for method in METHODS
}


@pytest.mark.parametrize("work", WORK)
def test_whatever_relies_on_a_poor_attribute_warns_once(bench, said, work):
    labeler, statistics, report = bench
    WORK[work](labeler, statistics, report, parse_where("Smiling=1", ATTRIBUTES))
    assert not said.records
    for _ in range(2):
        WORK[work](labeler, statistics, report, parse_where("Eyeglasses=1", ATTRIBUTES))
    assert [record.getMessage().count("Eyeglasses (AUC 0.49)") for record in said.records] == [1]


def test_what_is_held_is_relied_on_too(bench, said):
    labeler, _, report = bench
    make = editor(labeler, report, Strength(), Constraints(attributes=[2]))
    make(torch.zeros(NUM_GENES, dtype=torch.int64), parse_where("Smiling=1", ATTRIBUTES))
    assert "Young (never tested" in said.text


def with_report(tmp_path, change):
    folder = shutil.copytree(MODELS / "avatars32-judge", tmp_path / "judge")
    report = json.loads((folder / "report.json").read_text())
    change(report)
    (folder / "report.json").write_text(json.dumps(report))
    return folder


def test_edit_warns_of_a_judge_that_failed_its_test(tmp_path, said, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labeler = with_report(
        tmp_path, lambda r: next(a for a in r["attributes"] if a["name"] == "Hoodie").update(auc=0.49)
    )
    arguments = ["edit", "avatars32", "--seed", "3", "--classifier", str(labeler), "--method", "statistics", "--set"]
    assert run([*arguments, "Smiling=1"]) == 0 and not said.records
    assert run([*arguments, "Hoodie=1"]) == 0
    assert "Hoodie (AUC 0.49)" in said.text


@pytest.mark.parametrize("shape", [[], "x", {"attributes": 3}, {"attributes": [3, {"name": "Bald", "auc": "good"}]}])
def test_a_report_of_another_shape_is_no_test(tmp_path, shape):
    folder = shutil.copytree(MODELS / "avatars32-judge", tmp_path / "judge")
    (folder / "report.json").write_text(json.dumps(shape))
    assert load_classifier(folder).tested == {}
    (folder / "report.json").unlink()
    assert load_classifier(folder).tested == {}


def test_the_shipped_judges_were_tested():
    tested = load_classifier("avatars32-judge").tested
    assert len(tested) == 40 and min(auc for auc in tested.values() if auc is not None) > 0.7
