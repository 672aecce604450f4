"""Tables and verdicts from a folder whose numbers are known."""

import csv
import math
from dataclasses import replace

import pytest
from PIL import Image

from stylegenes.errors import UserError
from stylegenes.metrics import MetricRecord, append_record
from stylegenes.metrics.record import Provenance
from stylegenes.reproduction.attribute_tables import readers
from stylegenes.reproduction.claim_figures import claim_figures
from stylegenes.reproduction.claims import verdicts
from stylegenes.reproduction.report import write_report
from stylegenes.reproduction.results import Results
from stylegenes.reproduction.sampling_tables import at_equal_distance, conditional, pruning
from stylegenes.reproduction.scale import SMALL, scale_called
from stylegenes.reproduction.steps import CONTINUOUS, GENOME, grid_name, measuring_steps, mixing_name, model_name, steps
from stylegenes.reproduction.tables import all_tables
from stylegenes.reproduction.training_tables import ablation, depths, mixing, unconditional
from stylegenes.snapshot import Card, save_snapshot

SCALE = replace(SMALL, genes=(8, 2), variants=(4, 256), pairs=(replace(SMALL.pairs[0], seeds=3),))


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def results(folder):
    return Results(folder, SCALE)


def measured(folder, model, metric, value, **details):
    record = MetricRecord(metric, value, model, "hash", _provenance(), details=details)
    append_record(folder / "measures" / model, record)


def _provenance():
    values = {"judge": "lite0", "judge_weights": "", "preprocessing": "", "psi": 1.0, "seed": 0, "batch": 32}
    return Provenance(**values, settings={})


def rows_of(table, **where):
    columns = list(table.table.columns)
    found = [dict(zip(columns, row, strict=True)) for row in table.table.rows]
    return [row for row in found if all(row[key] == value for key, value in where.items())]


def exhibit(folder, name, rows, seed=0):
    place = folder / "models" / model_name(SCALE.main, GENOME, seed) / "snapshots" / "last"
    if not place.is_dir():
        from stylegenes.generator import Generator

        latent = {"name": "genome", "w_dim": 16, "num_genes": 4, "num_variants": 4}
        synthesis = {"name": "stylegan2", "resolution": 8, "w_dim": 16, "channel_base": 64, "channel_max": 8}
        save_snapshot(place, Generator.from_spec({"latent": latent, "synthesis": synthesis}), Card("toy"))
    path = place / "genes" / "exhibits" / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def verdict(results, letter):
    return next(v for v in verdicts(results) if v.claim.startswith(f"({letter})"))


def test_nothing_measured_is_said_and_written(results):
    assert {v.holds for v in verdicts(results)} == {"not measured"}
    page = write_report(results, [("scale", "small")])
    assert "<b>not measured</b>" in page.read_text() and not any(table.is_measured for table in all_tables(results))


def test_table_1_left_has_means_over_seeds_beside_the_papers_numbers(folder, results):
    short = SCALE.pairs[0]
    for seed, value in enumerate((10.0, 12.0, 14.0)):
        measured(folder, model_name(short, GENOME, seed), "fd_lite0", value)
        measured(folder, model_name(short, CONTINUOUS, seed), "fd_lite0", value + 20)
    row = rows_of(unconditional(results), pair="short", latent=GENOME)[0]
    assert (row["our fd"], row["spread"], row["trainings"]) == (12.0, 2.0, 3)
    assert verdict(results, "a").holds == "undecided", "one of two pairs is measured"
    measured(folder, model_name(SCALE.main, CONTINUOUS), "fd_lite0", 20.0)
    for distance, holds in ((30.0, "undecided"), (20.5, "holds")):
        measured(folder, model_name(SCALE.main, GENOME), "fd_lite0", distance)
        assert verdict(results, "a").holds == holds


def repeated(folder):
    """Two trainings of a genome that hardly differ: their scatter is that of cells with one training."""
    for seed, value in enumerate((10.0, 10.15)):
        measured(folder, model_name(SCALE.pairs[0], GENOME, seed), "fd_lite0", value)


def test_the_ablation_has_the_papers_cells_and_ours(folder, results):
    for genes, variants, value in ((8, 4, 10.0), (2, 4, 30.0), (8, 256, 9.0), (2, 256, 12.0)):
        measured(folder, grid_name(SCALE, genes, variants), "fd_lite0", value)
    both = rows_of(ablation(results), variants=256, genes=2)[0]
    assert (both["paper FID"], both["our fd"]) == (24.72, 12.0)
    assert rows_of(ablation(results), variants=4, genes=2)[0]["paper FID"] is None
    found = verdict(results, "b")
    assert found.holds == "undecided" and "+20.0 at 4 variants, +3.0 at 256 variants" in found.evidence
    repeated(folder)
    found = verdict(results, "b")
    assert found.holds == "holds" and "+20.0 ± 0.3 at 4 variants, +3.0 ± 0.3 at 256 variants" in found.evidence


def test_the_claim_about_genes_can_fail(folder, results):
    for genes, variants, value in ((8, 4, 30.0), (2, 4, 10.0), (8, 256, 9.0), (2, 256, 8.0)):
        measured(folder, grid_name(SCALE, genes, variants), "fd_lite0", value)
    repeated(folder)
    assert verdict(results, "b").holds == "does not hold"


@pytest.mark.parametrize(("between", "holds"), [(25.0, "holds"), (35.0, "does not hold")])
def test_fewest_genes_must_be_the_worst_of_all_in_most_rows(folder, between, holds):
    scale = replace(SCALE, genes=(8, 4, 2))
    cells = [(8, 4, 10.0), (4, 4, between), (2, 4, 30.0), (8, 256, 9.0), (4, 256, 10.0), (2, 256, 12.0)]
    cells += [(8, 64, 9.0), (4, 64, 20.0), (2, 64, 15.0)]
    for genes, variants, value in cells:
        measured(folder, grid_name(scale, genes, variants), "fd_lite0", value)
    repeated(folder)
    assert verdict(Results(folder, replace(scale, variants=(4, 64, 256))), "b").holds == holds


def test_differences_within_the_seeds_scatter_decide_nothing(folder, results):
    for genes, variants, value in ((8, 4, 10.0), (2, 4, 30.0), (8, 256, 9.0), (2, 256, 12.0)):
        measured(folder, grid_name(SCALE, genes, variants), "fd_lite0", value)
    for seed, value in enumerate((10.0, 30.0, 50.0)):
        measured(folder, model_name(SCALE.pairs[0], GENOME, seed), "fd_lite0", value)
    found = verdict(results, "b")
    assert found.holds == "undecided" and "+20.0 ± 56.6 at 4" in found.evidence


def test_a_cell_with_one_training_has_the_noise_of_all_others(folder, results):
    for genes, variants, value in ((8, 4, 10.0), (2, 4, 30.0), (8, 256, 9.0), (2, 256, 12.0)):
        measured(folder, grid_name(SCALE, genes, variants), "fd_lite0", value)
    for seed, value in enumerate((10.0, 30.0, 50.0)):
        measured(folder, model_name(SCALE.pairs[0], GENOME, seed), "fd_lite0", value)
    seeds = Results(folder, replace(SCALE, grid_seeds=2))
    measured(folder, grid_name(SCALE, 2, 4, 1), "fd_lite0", 40.0)
    pooled = ((2 * 400 + 50) / 3) ** 0.5
    assert f"+25.0 ± {2 * 2**0.5 * pooled:.1f} at 4 variants" in verdict(seeds, "b").evidence


def test_disentanglement_compares_what_both_models_have(folder, results):
    measured(folder, model_name(SCALE.main, GENOME), "disentanglement_w", 0.9, Male=0.9, Bald=0.99)
    measured(folder, model_name(SCALE.main, CONTINUOUS), "disentanglement_w", 0.8, Male=0.895)
    found = verdict(results, "c")
    assert (
        found.holds == "does not hold"
        and "1 attribute, %: genome of 32 x 256, by the paper's reader 90.0; mapping of 2 layers 89.5" in found.evidence
    )
    measured(folder, model_name(SCALE.main, GENOME), "disentanglement_genes", 0.9, Male=0.93)
    measured(folder, model_name(SCALE.main, CONTINUOUS), "disentanglement_linear_w", 0.9, Male=0.91)
    found = verdict(results, "c'")
    assert found.holds == "holds"
    assert "genome of 32 x 256, two hidden layers 93.0; mapping of 2 layers, linear 91.0" in found.evidence
    read = {"latent": GENOME, "read from": "genes", "reader": "two hidden layers"}
    assert rows_of(readers(results), **read)[0]["our mean accuracy, %"] == pytest.approx(93.0)


def trade(rows):
    return [
        {"measure": measure, "method": "paper (Eq. 6)", "setting": f"T = {t:g}", "average": value}
        for t, values in rows.items()
        for measure, value in zip(("accuracy", "second_accuracy", "frechet", "variety"), values, strict=True)
    ]


@pytest.mark.parametrize(("best", "holds"), [(0.96, "holds"), (0.93, "does not hold")])
def test_temperature_needs_ninety_five_per_cent(folder, results, best, holds):
    exhibit(folder, "tradeoff", trade({1: (0.7, 0.6, 11, 0.3), 0.3: (best, 0.9, 28, 0.2)}))
    assert verdict(results, "d").holds == holds
    row = rows_of(conditional(results), setting="T = 1")[0]
    assert (row["paper accuracy, %"], row["our accuracy, %"], row["our fd"]) == (71.01, 70.0, 11.0)


@pytest.mark.parametrize(("light", "heavy", "holds"), [(9.0, 15.0, True), (9.9, 15.0, False), (9.0, 10.1, False)])
def test_pruning_must_leave_the_spread(folder, results, light, heavy, holds):
    curve = {0: 10.0, 8: light, 128: heavy}
    exhibit(
        folder,
        "pruning",
        [{"pruned": n, "fd_lite0_mean": v, "fd_lite0_spread": 0.2, "runs": 3} for n, v in curve.items()],
    )
    assert verdict(results, "e").holds == ("holds" if holds else "does not hold")
    half = rows_of(pruning(results), **{"pruned share": "50.0%"})[0]
    assert (half["paper FID"], half["pruned of ours"], half["our fd"]) == (6.270, 128, heavy)


SEEDED = scale_called("claims")


def test_several_trainings_decide_by_their_own_spread(folder):
    """Of three seeds each: genes by cell, readers and pruning by two standard errors over trainings."""
    results = Results(folder, SEEDED)
    many, few = ((SEEDED.genes[0], 16), (SEEDED.genes[-1], 16))
    assert grid_name(SEEDED, *many) == model_name(SEEDED.main, GENOME)
    assert model_name(SEEDED.pairs[0], GENOME, 2) == model_name(SEEDED.main, GENOME, 2)
    for seed in range(3):
        for (genes, variants), value in ((many, 100.0), (few, 200.0), ((64, 64), 100.0), ((2, 64), 150.0)):
            measured(folder, grid_name(SEEDED, genes, variants, seed), "fd_lite0", value + seed)
        main = model_name(SEEDED.main, GENOME, seed)
        measured(folder, main, "disentanglement_w", 0.9, Male=0.90 + 0.001 * seed)
        for pair, accuracy in ((SEEDED.main, 0.88), (SEEDED.pairs[0], 0.85 + 0.04 * seed)):
            measured(folder, model_name(pair, CONTINUOUS, seed), "disentanglement_w", 0.9, Male=accuracy)
        curve = {0: 100.0 + 9 * seed, 1: 99.0 + 9 * seed, 2: 97.0 + 12 * seed, 8: 120.0 + 9 * seed}
        rows = [{"pruned": n, "fd_lite0_mean": v, "fd_lite0_spread": 5.0, "runs": 3} for n, v in curve.items()]
        exhibit(folder, "pruning-outliers", rows, seed)
    assert verdict(results, "b").holds == "holds" and "+100.0 ± 1.6 at 16 variants" in verdict(results, "b").evidence
    assert rows_of(ablation(results), variants=16, genes=64)[0]["trainings"] == 3
    assert verdict(results, "c").holds == "undecided"
    assert verdict(Results(folder, replace(SEEDED, main=replace(SEEDED.main, seeds=4))), "e'").holds == "undecided"
    assert verdict(results, "e'").holds == "holds" and verdict(results, "e").holds == "not measured"
    assert rows_of(pruning(results), **{"pruned share": "50.0%"})[0]["our fd by outliers"] == pytest.approx(129.0)


def test_every_claim_has_its_picture(folder):
    results = Results(folder, SEEDED)
    assert claim_figures(results) == {}
    for seed in range(3):
        for latent in (GENOME, CONTINUOUS):
            model = model_name(SEEDED.main, latent, seed)
            measured(folder, model, "fd_lite0", 100.0 + seed)
            measured(folder, model, "disentanglement_w", 0.9, Male=0.8)
    for n in (2, 3, 4):
        measured(folder, mixing_name(SEEDED, 0.0), f"fd_lite0_mix{n}", 100.0 + n)
    exhibit(folder, "tradeoff", trade({1: (0.7, 0.6, 10, 0.3), 0.3: (0.9, 0.8, 20, 0.2)}))
    exhibit(folder, "pruning", [{"pruned": n, "fd_lite0_mean": 9.0, "fd_lite0_spread": 0.1, "runs": 3} for n in (0, 1)])
    edit = {"edited": "Male", "absolute_change": 0.5, "mean_change_of_others": 0.1, "flipped": 1, "changed_most": 1}
    exhibit(folder, "edits-checked", [edit])
    (folder / "directions").mkdir()
    (folder / "directions" / "table-l1.csv").write_text("attribute,auc w,auc z,auc spread w\nMale,0.9,0.8,0.01\n")
    figures = claim_figures(results)
    assert list(figures) == list("abcdefgh")
    assert {verdict.letter for verdict in verdicts(results)} == set(figures)
    assert list(figures["a"].axes[0].lines[0].get_xdata()) == [100.0, 101.0, 102.0]


def test_methods_are_compared_at_equal_distance(folder, results):
    exhibit(folder, "tradeoff", trade({1: (0.7, 0.6, 10, 0.3), 0.3: (0.9, 0.8, 20, 0.2)}))
    other = [{**row, "method": "accepted"} for row in trade({1: (0.7, 0.7, 10, 0.3), 0.3: (0.9, 0.9, 30, 0.2)})]
    exhibit(folder, "tradeoff", trade({1: (0.7, 0.6, 10, 0.3), 0.3: (0.9, 0.8, 20, 0.2)}) + other)
    row = rows_of(at_equal_distance(results), fd=20)[0]
    assert (row["our paper (Eq. 6)"], row["our accepted"]) == pytest.approx((80.0, 80.0))
    assert not rows_of(at_equal_distance(results), fd=30)


def test_a_conditional_model_is_compared_at_its_own_distances(folder, results):
    """Two ways to draw labels have nothing between them, and distances are not rounded away from their curves."""
    labels = [("labels at random", 0.5, 30.4), ("labels by frequency", 0.6, 14.4)]
    rows = [
        {"measure": measure, "method": "conditional model", "setting": setting, "average": value}
        for setting, accuracy, distance in labels
        for measure, value in (("second_accuracy", accuracy), ("frechet", distance))
    ]
    exhibit(folder, "tradeoff", trade({1: (0.7, 0.6, 10, 0.3), 0.3: (0.9, 0.8, 20, 0.2)}) + rows)
    table = at_equal_distance(results)
    assert [row["fd"] for row in rows_of(table)] == [14.4]
    row = rows_of(table)[0]
    assert (row["our paper (Eq. 6)"], row["our conditional model"]) == pytest.approx((68.8, 60.0))
    _, dots = claim_figures(results)["d"].axes[0].lines
    assert dots.get_linewidth() == 0 and len(dots.get_xdata()) == 2


def test_edits_are_judged_by_attribute(folder, results):
    rows = [
        {"edited": f"a{i}", "absolute_change": 0.5, "mean_change_of_others": 0.6 if i < 2 else 0.1, "flipped": 1,
         "changed_most": 1}
        for i in range(10)
    ]  # fmt: skip
    exhibit(folder, "edits-statistics", rows)
    assert verdict(results, "f").holds == "does not hold" and "80%" in verdict(results, "f").evidence


def test_mixing_compares_growth(folder, results):
    for share, values in ((0.0, (10, 20, 30, 40)), (0.9, (12, 14, 15, 16))):
        measured(folder, mixing_name(SCALE, share), "fd_lite0", float(values[0]))
        for n in (2, 3, 4):
            measured(folder, mixing_name(SCALE, share), f"fd_lite0_mix{n}", float(values[n - 1]))
        assert verdict(results, "h").holds == ("holds" if share else "not measured")
    assert rows_of(mixing(results), mixing="0%")[0]["our fd, 4 mixed"] == 40.0


def test_numbers_of_another_budget_are_not_shown(folder):
    main = model_name(SCALE.main, GENOME)
    measured(folder, main, "fd_lite0", 500.0)
    measured(folder, main, "fd_lite0_mix2", 600.0)
    measured(folder, main, "disentanglement_w", 0.9)
    exhibit(folder, "pruning", [{"pruned": 0, "fd_lite0_mean": 1.0, "fd_lite0_spread": 0.1}])
    stale = Results(folder, SCALE, frozenset())
    assert stale.frechet(main) is stale.frechet(main, 2) is stale.value(main, "disentanglement_w") is None
    assert stale.exhibit("pruning") is None
    done = Results(folder, SCALE, frozenset({f"fd-{main}", f"mix-{main}", f"separability-{main}", "prune"}))
    assert (done.frechet(main), done.frechet(main, 2), done.value(main, "disentanglement_w")) == (500.0, 600.0, 0.9)
    assert done.exhibit("pruning")


def test_every_number_of_a_scale_has_a_step_that_makes_it():
    names = {step.name for step in steps(SMALL)}
    main, mixed = model_name(SMALL.main, GENOME), mixing_name(SMALL, 0.5)
    wanted = [(main, m) for m in ("fd", "ppl_w_full", "separability_w", "disentanglement_w")]
    wanted += [(mixed, m) for m in ("fd", "fd_lite0_mix3", "ppl_w_end")]
    for model, metric in wanted:
        assert names.intersection(measuring_steps(model, metric)), (model, metric)
    assert names >= {"tradeoff", "prune", "correlate", "edits-statistics", "edits-checked", "directions"}


def test_the_report_shows_what_is_measured(folder, results):
    measured(folder, grid_name(SCALE, 8, 4), "fd_lite0", 123.4)
    page = write_report(results, [("scale", "small")]).read_text()
    assert "123.4" in page and "24.72" in page and page.count("<section") == 1
    text = (folder / "report.md").read_text()
    assert "| 4 | 8 |  | 123.4 |" in text
    assert Image.open(folder / "exhibits" / "table1-right.png").width > 400
    assert page.count('<img src="data:image/png;base64,') == 1
    assert Image.open(folder / "claims" / "claim-b.png").width > 400
    (folder / "claims" / "claim-b.png").write_bytes(b"mine")
    write_report(results, [])
    assert (folder / "claims" / "claim-b.png").read_bytes() == b"mine"


def test_scores_are_compared_over_the_attributes_of_all(folder):
    """A sum over more attributes is another sum: separability, and means of readers, are over those of all models."""
    results = Results(folder, SEEDED)
    genome, mapping = (model_name(SEEDED.main, latent) for latent in (GENOME, CONTINUOUS))
    entropies = {genome: {"Male": 0.5, "Bald": 2.0}, mapping: {"Male": 0.7, "Bald": None}}
    for model, found in entropies.items():
        details = {name: {"name": name, "entropy": value} for name, value in found.items()}
        measured(folder, model, "separability_w", 9.9, **details)
    measured(folder, genome, "disentanglement_w", 0.7, Male=0.8, Bald=0.6)
    measured(folder, mapping, "disentanglement_w", 0.9, Male=0.9)
    scores = {row["generator"]: row["our separability"] for row in rows_of(depths(results)) if row["depth"] is None}
    assert scores["main genome"] == pytest.approx(math.exp(0.5))
    read = {
        row["latent"]: row["our mean accuracy, %"] for row in rows_of(readers(results)) if row["our mean accuracy, %"]
    }
    assert read == pytest.approx({GENOME: 80.0, CONTINUOUS: 90.0})


def test_the_columns_of_the_picture_of_genes_are_in_order(folder):
    results = Results(folder, SEEDED)
    for genes, variants, value in ((64, 16, 9.0), (2, 16, 9.0), (64, 64, 9.0), (8, 64, 9.0), (2, 64, 9.0)):
        measured(folder, grid_name(SEEDED, genes, variants), "fd_lite0", value)
    axes = claim_figures(results)["b"].axes[0]
    assert [axes.convert_xunits(name) for name in ("2", "8", "64")] == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("pruning", {"pruned": 0, "other": 1}),
        ("pruning-chance", {"pruned": 0, "fd_lite0_mean": 9.0, "fd_lite0_spread": ""}),
        ("tradeoff", {"measure": "accuracy", "method": "paper", "setting": "T = 1", "mean": 0.5}),
        ("edits-checked", {"edited": "Male", "absolute_change": 0.5}),
    ],
)
def test_a_damaged_exhibit_is_named(folder, results, name, row):
    exhibit(folder, name, [row])
    with pytest.raises(UserError, match=rf"{name}\.csv has no rows, or no number"):
        results.exhibit(name)


def test_a_claim_s_picture_goes_with_its_numbers(folder, results):
    exhibit(folder, "edits-checked", [{"edited": "Male", "absolute_change": 0.5, "mean_change_of_others": 0.1,
                                       "flipped": 1, "changed_most": 1}])  # fmt: skip
    write_report(results, [])
    assert (folder / "claims" / "claim-f.png").is_file()
    (folder / "claims" / "mine.txt").touch()
    write_report(Results(folder, SCALE, frozenset()), [])
    assert [path.name for path in (folder / "claims").iterdir()] == ["mine.txt"]
