"""What docs/reproduction.md says of the papers' claims is what the rules make of the numbers in assets/claims."""

import re
from pathlib import Path
from statistics import fmean, stdev, variance

import pytest

from stylegenes.analysis.editing import METHODS
from stylegenes.csv_tables import read_csv
from stylegenes.reproduction.attribute_tables import READERS, read_sides
from stylegenes.reproduction.claims import verdicts
from stylegenes.reproduction.conduct import StepLedger
from stylegenes.reproduction.results import Results
from stylegenes.reproduction.sampling_tables import pruned_curves
from stylegenes.reproduction.scale import SCALES, scale_called
from stylegenes.reproduction.shared import separabilities, shared_means, shared_names
from stylegenes.reproduction.steps import CONTINUOUS, GENOME, latent_words, mixing_name, model_name, steps
from stylegenes.reproduction.training_tables import depths, scores_of

ROOT = Path(__file__).parents[2]
CLAIMS = scale_called("claims")
PLACE = ROOT / "assets" / "claims"
PAGE = " ".join((ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def results():
    return Results(PLACE, CLAIMS, StepLedger(PLACE, steps(CLAIMS)).done)


def explained(name):
    """The rows of an experiment that explains a verdict."""
    return read_csv(PLACE / "why" / f"{name}.csv").rows


def test_every_verdict_is_told_with_its_evidence(results):
    for verdict in verdicts(results):
        told = f"**{verdict.claim}** *{verdict.holds}*" + (f" {verdict.evidence}." if verdict.evidence else "")
        assert told in PAGE, f"docs/reproduction.md should say: {told}"
        assert f"Rule: {verdict.rule}" in PAGE
        name = verdict.claim.split()[0]
        assert re.search(rf"\| {re.escape(name)} [^|]* \| \*{verdict.holds}\* \|", PAGE), f"{name} in the table"


def test_every_picture_is_there(results):
    named = re.findall(r"\]\(\.\./assets/(claim-\w\.png)\)", PAGE)
    measured = {v.letter for v in verdicts(results) if v.holds != "not measured"}
    assert {f"claim-{letter}.png" for letter in measured} <= set(named)
    assert all((ROOT / "assets" / name).is_file() for name in named)


def test_rare_attributes_are_those_that_edits_by_statistics_miss(results):
    flipped = {
        (method, row["edited"]): round(CLAIMS.edits * float(row["flipped"]))
        for method in METHODS
        for row in results.exhibit(f"edits-{method}")
    }
    assert all(flipped[method, name] == 0 for method in METHODS for name in ("Wide_Eyes", "Receding_Hairline"))
    bald = [flipped[method, "Bald"] for method in ("statistics", "checked")]
    assert "comes about in {} of 24 pictures, and in {} with the classifier looking".format(*bald) in PAGE
    rows = explained("edits-by-frequency")
    for least, said in ((0.02, "91 % of the 33"), (0.05, "96 % of the 25")):
        common = [row for row in rows if min(float(row["share"]), 1 - float(row["share"])) >= least]
        hit = sum(float(row["change"]) > float(row["others"]) for row in common)
        assert said == f"{hit / len(common):.0%} of the {len(common)}".replace("%", " %") and said in PAGE


def test_the_table_of_spaces_is_of_the_means_over_seeds(results):
    main, deep = CLAIMS.main, CLAIMS.pairs[0]
    sides = [(main, GENOME, "w"), *((pair, CONTINUOUS, space) for pair in (main, deep) for space in "wz")]
    read = {(s.pair, s.latent, s.space, s.reader): fmean(v) for s, v in shared_means(read_sides(results)).items()}
    separated = separabilities(
        [
            results.record(model_name(pair, latent, seed), f"separability_{space}")
            for pair, latent, space in sides
            for seed in range(3)
        ]
    )
    for index, (pair, latent, space) in enumerate(sides):
        path = fmean(results.value(model_name(pair, latent, seed), f"ppl_{space}_full") for seed in range(3))
        three = separated[3 * index : 3 * index + 3]
        accuracies = " | ".join(f"{read[pair, latent, space, reader]:.1f} %" for reader in READERS.values())
        cells = f"{path:.1f} | {fmean(three):.1f} ± {stdev(three):.1f} | {accuracies}"
        assert f"| {latent_words(pair, latent)} | {space.upper()} | {cells} |" in PAGE
    assert "over the 21 and 34 attributes" in PAGE
    assert len(shared_names(table for tables in read_sides(results).values() for table in tables)) == 34


def test_the_table_of_scales_is_of_their_trainings():
    for name, scale in SCALES.items():
        trained = [step.trains[1] for step in steps(scale) if step.trains]
        images = sum(trained)
        told = (
            f"{images / 1000:.{1 if images < 100_000 else 0}f} million" if images > 1000 else f"{images:.0f} thousand"
        )
        assert re.search(rf"\| {name} \| [^|]* \| {len(trained)} \| {told}", PAGE), (name, len(trained), told)


def test_mixed_codes_cost_less_than_measures_scatter(results):
    none, much = (results.mixed(mixing_name(CLAIMS, share)) for share in (0.0, 0.9))
    shares = [f"{fd[-1] / fd[0] - 1:.0%}".replace("%", " %") for fd in (none, much)]
    assert "by {} without mixing and by {} with it".format(*shares) in PAGE
    apart = (much[-1] - much[0]) - (none[-1] - none[0])
    repeated = [curve[0][1] for curve in pruned_curves(results, "pruning")]
    assert f"difference of {apart:.1f} is less" in PAGE and apart < min(repeated)
    assert f"({min(repeated):.1f} to {max(repeated):.1f})" in PAGE


def test_the_table_of_depths_is_the_report_s(results):
    measured, styled, traditional = {}, [], []
    for kind, depth, space, *rest in depths(results).table.rows:
        paper_fd, fd, paper_path, path, _, _, paper_separability, separability = rest
        if depth is not None and fd is not None:
            numbers = [_short(n) for n in (paper_path, path, paper_separability, separability)]
            assert (
                f"| {kind} | {depth} | {str(space).upper()} | {paper_fd:.2f} | {fd:.0f} | {' | '.join(numbers)} |"
                in PAGE
            )
            measured[kind, depth, space] = path, separability
            (traditional if kind == "traditional" else styled).append(fd)
    assert len(measured) == 6
    plain = measured["traditional", 0, "z"]
    assert measured["traditional", 8, "w"][1] < plain[1] and measured["traditional", 8, "w"][0] > plain[0]
    assert measured["style-based", 0, "z"] == tuple(map(min, zip(*measured.values(), strict=True)))
    assert all(worse > without for worse, without in zip(measured["traditional", 8, "z"], plain, strict=True))
    least, most = min(traditional) - max(styled), max(traditional) - min(styled)
    assert f"ahead of the traditional one by {least:.0f} to {most:.0f}" in PAGE


def _short(number):
    return f"{number:,.1f}" if number < 100 else f"{number:,.0f}"


def test_what_pruning_does_to_the_population():
    shares = {(row["by"], int(row["pruned"])): row for row in explained("pruned-attributes")}
    for by, word in (("realness", "the discriminator"), ("outliers", "outliers"), ("chance", "chance")):
        row = shares[by, 8]
        cells = [
            f"{float(row[name]):.0%}".replace("%", " %") for name in ("Dark_Skin", "Pale_Skin", "Long_Hair", "Male")
        ]
        assert f"| by {word} | {100 * float(row['mean_shift']):.1f} | {' | '.join(cells)} |" in PAGE


def test_more_draws_tell_more_of_the_genotype():
    rows = explained("draws")
    for row in rows:
        cells = " | ".join(f"{100 * float(row[name]):.1f} %" for name in list(row)[1:])
        assert f"| {int(row['draws']):,} | {cells} |" in PAGE


def test_the_table_of_conditional_generation_is_the_exhibit(results):
    rows = results.exhibit("tradeoff")
    found = {(row["method"], row["setting"], row["measure"]): float(row["average"]) for row in rows}
    for method, setting, _ in (key for key in found if key[2] == "accuracy" and key[0] != "shrunk"):
        own, second, frechet, variety = (
            found[method, setting, measure] for measure in ("accuracy", "second_accuracy", "frechet", "variety")
        )
        accuracies = f"{100 * own:.1f} % | {100 * second:.1f} %"
        assert re.search(rf"\| {accuracies} \| [\d.]* ?\| {frechet:.0f} \| {variety:.3f} \|", PAGE)


def test_what_pruning_costs_is_the_mean_of_three_genomes(results):
    for by, told in (("pruning-chance", "468"), ("pruning-outliers", "584"), ("pruning", "672")):
        curves = pruned_curves(results, by)
        assert f"{fmean(curve[8][0] for curve in curves):.0f}" == told and told in PAGE
        changes = [f"{curve[1][0] - curve[0][0]:+.0f}" for curve in curves]
        assert f"{changes[0]}, {changes[1]} and {changes[2]}" in PAGE


def test_the_distances_over_time_are_those_of_three_seeds_a_side():
    for row in explained("over-time"):
        sides = [[float(row[f"{side} {seed}"]) for seed in range(3)] for side in ("genome", "mapping")]
        cells = " | ".join(f"{fmean(side):.0f} ± {stdev(side):.0f}" for side in sides)
        assert f"| {row['kimg']} | {cells} |" in PAGE


def test_what_is_said_of_wishes_beside_the_table(results):
    colder = {(row["measure"], row["method"], row["setting"]): row for row in explained("colder")}
    paper, accepted = "paper (Eq. 6)", "accepted"
    means = [float(colder["accuracy", *key]["average"]) for key in ((paper, "T = 0.1"), (paper, "T = 0.05"))]
    assert [f"{mean:.0%}" for mean in means] == ["87%", "87%"] and "87 % at T = 0.1 and again at 0.05" in PAGE
    assert f"{float(colder['accuracy', accepted, 'T = 0.1']['average']):.0%}" == "96%" and "96 % at 0.1" in PAGE
    told = next(
        r for r in results.exhibit("tradeoff") if (r["measure"], r["setting"]) == ("accuracy", "labels by frequency")
    )
    second = next(
        r
        for r in results.exhibit("tradeoff")
        if (r["measure"], r["setting"]) == ("second_accuracy", "labels by frequency")
    )
    smiling = f"told to smile, {float(told['Smiling=1']):.0%} do ({float(second['Smiling=1']):.0%} by the second"
    assert smiling.replace("%", " %") in PAGE
    both = f"it has {float(told['average']):.0%} ({float(second['average']):.0%} by the second classifier)"
    assert both.replace("%", " %") in PAGE
    by_second = [float(colder["second_accuracy", accepted, f"T = {t}"]["average"]) for t in (0.1, 0.05)]
    assert [f"{share:.0%}" for share in by_second] == ["91%", "90%"] and "91 % at 0.1 and 90 % at 0.05" in PAGE
    hot, cold = explained("wished-eyeglasses")[:2]
    shares = [f"{float(row[name]):.0%}"[:-1] for row in (cold, hot) for name in ("Eyeglasses", "Sunglasses")]
    said = "glasses are in {} % of 400 pictures and sunglasses in {} %, at T = 1 in {} and {} %".format(*shares)
    assert said in PAGE


def test_how_many_genes_matter():
    rows = [row for row in explained("gene-shares") if row["model"].startswith("main-genome")]
    assert sorted(int(row["genes_for_90_percent"]) for row in rows) == [10, 10, 11]
    usage = [float(row["gene_usage"]) for row in rows]
    assert f"gene usage {min(usage):.2f} to {max(usage):.2f}" in PAGE and "ten or eleven of the 64 hold 90 %" in PAGE


def test_the_grid_is_of_the_cells_that_are_there(results):
    cells = {(genes, variants): results.cell(genes, variants) for genes in (64, 8, 2) for variants in (16, 64, 256)}
    told = {cell: f"{fmean(v):.0f}" + (f" ± {stdev(v):.0f}" if len(v) > 1 else "") for cell, v in cells.items()}
    for variants in (16, 64, 256):
        assert f"| {variants} | {' | '.join(told[genes, variants] for genes in (64, 8, 2))} |" in PAGE
    means = {cell: fmean(found) for cell, found in cells.items()}
    gained = [means[genes, 16] - means[genes, 256] for genes in (64, 8, 2)]
    assert gained == sorted(gained) and gained[1] > 0 > gained[0]
    assert "ahead of 16 with 2 and with 8 genes, most with 2; with 64 they are not" in PAGE
    best = min(means, key=means.__getitem__)
    assert f"of {best[1]} variants, {best[0]} genes end at {means[best]:.0f}, the best of all" in PAGE
    first, second, third = (f"{end:.0f}" for end in cells[8, 64])
    assert f"three trainings ({first}, {second} and {third})" in PAGE and max(cells[8, 64]) < min(cells[64, 64])
    assert "three with 64 variants and two with 16 and 256" in PAGE
    assert [len(cells[8, variants]) for variants in (64, 16, 256)] == [3, 2, 2]
    level = f"8 genes with 64 variants, {told[8, 64]}, is level within its seeds"
    assert level in PAGE and min(cells[8, 64]) < results.frechet(mixing_name(CLAIMS, 0.9)) < max(cells[8, 64])

    apart = {cell: max(found) - min(found) for cell, found in cells.items()}
    assert apart[64, 16] < 7.5 and "the three of 64 x 16 lie within 7" in PAGE
    for genes, variants in ((2, 16), (64, 256)):
        assert f"those of {genes} x {variants} are {apart[genes, variants]:.0f} apart" in PAGE
    mapped = [
        results.frechet(model_name(pair, CONTINUOUS, seed))
        for pair in (CLAIMS.main, CLAIMS.pairs[0])
        for seed in range(3)
    ]
    first, *others = results.cell(64, 256)
    assert first < min(mapped) and max(mapped) < min(others) and "below all six mapping networks" in PAGE
    ends = " and ".join(f"{end:.0f}" for end in others)
    assert f"ended at {first:.0f}" in PAGE and f"two more seeds of it at {ends}, above them all" in PAGE


def test_the_control_of_what_began_on_another_device(results):
    here, there = (float(row["frechet"]) for row in explained("h100-control"))
    assert here == pytest.approx(results.frechet(model_name(CLAIMS.main, GENOME, 0)), abs=0.05)
    assert f"ended at {there:.0f}, where it had ended at {here:.0f} on a CPU alone: {there - here:.0f} more" in PAGE
    genome, deep = scores_of(results, CLAIMS.main, GENOME), scores_of(results, CLAIMS.pairs[0], CONTINUOUS)
    assert there - here > 3 * stdev(genome)

    def behind(scores):
        allowed = 2 * (variance(scores) / len(scores) + variance(deep) / len(deep)) ** 0.5
        return fmean(scores) - fmean(deep), allowed

    told = f"behind eight layers by {behind(genome)[0]:.1f} where {behind(genome)[1]:.1f} are allowed"
    fourth = behind([*genome, there])
    assert told in PAGE and f"it would be {fourth[0]:.1f} where {fourth[1]:.1f} are allowed" in PAGE
    assert fourth[0] > fourth[1]


def test_mixing_makes_a_genome_robust_and_costs_quality(results):
    columns = ("one code", "two", "three", "four")
    rows = [[float(row[codes]) for codes in columns] for row in explained("mixing-of-a-genome")]
    for row, said in zip(rows, ("without mixing", "mixing at 90 %"), strict=True):
        assert f"| {said} | {' | '.join(f'{value:.0f}' for value in row)} |" in PAGE
    without, with_mixing = (row[-1] - row[0] for row in rows)
    assert f"cost {without:.0f} points" in PAGE and f"they cost {with_mixing:.0f}" in PAGE
    mapped, cell = results.frechet(mixing_name(CLAIMS, 0.9)), results.cell(64, 256)
    several = fmean(cell)
    best = (f"{mapped:.0f}", f"{fmean(results.cell(64, 16)):.0f}", f"{several:.0f} ± {stdev(cell):.0f}")
    assert "compares {} with {} at 16 variants and with {} at 256".format(*best) in PAGE and mapped < several
    assert f"ends at {mapped:.0f} and the genome at {rows[1][0]:.0f}" in PAGE


NUMBERS = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?")


@pytest.mark.parametrize("claim", ["(a)", "(b)", "(c)", "(c')", "(d)", "(e)", "(e')", "(f)", "(g)", "(h)"])
def test_each_figure_at_a_glance_is_in_its_section(claim):
    """Rounded there; what a claim says at a glance cannot go stale alone."""
    line = re.search(rf"\| {re.escape(claim)} [^|]* \| [^|]* \| ([^|]*) \|", PAGE)
    section = re.search(rf"## {re.escape(claim[:2])}\) (.*?) ## ", PAGE)
    assert line and section
    there = [float(number.replace(",", "")) for number in NUMBERS.findall(section[1])]
    for said in NUMBERS.findall(line[1]):
        decimals = len(said.partition(".")[2])
        assert float(said.replace(",", "")) in [round(number, decimals) for number in there], said
