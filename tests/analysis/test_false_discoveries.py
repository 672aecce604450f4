"""The tests of variants and genes keep their level, and find what is there, at any rate and number of draws."""

import numpy as np
import pytest
import torch
from null_surveys import SHAPES, column, genotypes, judged, table
from scipy import stats

from stylegenes.analysis.exact import Pool, hypergeometric_tail, two_sided
from stylegenes.analysis.inference import (
    false_discovery_rates,
    gene_q_values,
    resolution,
    resolves,
    significance,
)
from stylegenes.analysis.shrinkage import shrink
from stylegenes.analysis.spread_test import most_kurtosis, spread_test

RATES = (0.003, 0.01, 0.05, 0.2, 0.5)
KINDS = ("labels", "sure", "noisy", "skewed", "even")


@pytest.mark.parametrize(("size", "drawn"), [(16, 8), (200, 8), (512, 64), (3000, 1500), (60_000, 240)])
@pytest.mark.parametrize("rate", [0.003, 0.05, 0.5, 0.9])
def test_the_tail_is_the_exact_one_or_a_little_above(size, drawn, rate):
    marked = max(1, round(size * rate))
    hits = np.arange(1.0, min(marked, drawn) + 1)
    exact = stats.hypergeom.sf(hits - 1, size, marked, drawn)
    found = hypergeometric_tail(hits, np.full_like(hits, marked), drawn, size)
    far = (hits > drawn * marked / size) & (exact > 1e-12)
    assert (found[far] >= exact[far] * (1 - 5e-4)).all()  # scipy's own sums are not better
    assert (found[far] <= exact[far] * (1.4 if drawn <= size / 8 else 18)).all()


@pytest.mark.parametrize("rate", RATES)
def test_p_values_of_labels_are_fishers(rate):
    rng = np.random.default_rng(1)
    genotype = genotypes(2000, 3, 20, rng)
    labels = judged("labels", np.full((2000, 1), rate), rng)
    found = significance(table(genotype, labels, 20)).p_value[..., 0].numpy()
    for g, v in np.argwhere(found < 1)[:30]:
        drawn, hits, marked = (genotype[:, g] == v).sum(), labels[genotype[:, g] == v].sum(), labels.sum()
        upper = stats.hypergeom.sf(hits - 1, 2000, marked, drawn)
        lower = stats.hypergeom.cdf(hits, 2000, marked, drawn)
        assert found[g, v] == pytest.approx(min(1, 2 * min(upper, lower)), rel=0.15)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("drawn", [8, 60, 300])
@pytest.mark.parametrize("rate", [0.01, 0.3])
def test_p_values_hold_against_permutations(kind, drawn, rate):
    """Of sums of random subsets a share of at most p has a p-value of p or less."""
    rng = np.random.default_rng(2)
    draws = judged(kind, np.full(600, rate), rng)
    excess = np.array([rng.permutation(draws)[:drawn].sum() for _ in range(4000)]) - drawn * draws.mean()
    ends = (draws.mean() - draws.min(), draws.max() - draws.mean())
    arrays = (np.full(4000, x) for x in (draws.mean(), draws.var(), *ends))
    p = np.nan_to_num(two_sided(excess, np.full(4000, float(drawn)), Pool(600, *arrays)), nan=1.0)
    for level in (0.1, 0.01, 0.002):
        assert (p <= level).sum() <= stats.binom.ppf(1 - 1e-5, 4000, level)


def called_by_chance(kind, shape, draws, surveys, seed, *, uniform=True):
    """How many of `surveys` attributes that nothing acts on have a variant called, and a gene."""
    rng = np.random.default_rng(seed)
    genes, variants = shape
    counts = np.zeros((len(RATES), 2), int)
    genotype = genotypes(draws * variants, genes, variants, rng, uniform=uniform)
    for i, rate in enumerate(RATES):
        statistics = table(genotype, judged(kind, np.full((len(genotype), surveys), rate), rng), variants)
        for a in range(surveys):
            one = column(statistics, a)
            counts[i] += bool(significance(one).significant.any()), bool((gene_q_values(one) <= 0.05).any())
    return counts


@pytest.mark.parametrize("uniform", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("shape", "draws"), [(SHAPES[0], 8), (SHAPES[1], 240), (SHAPES[2], 30), (SHAPES[3], 10)])
def test_chance_calls_nothing_in_19_of_20_surveys(kind, shape, draws, uniform):
    surveys = 10
    counts = called_by_chance(kind, shape, draws, surveys, 3, uniform=uniform)
    assert (counts.sum(axis=0) <= stats.binom.ppf(0.9999, surveys * len(RATES), 0.05)).all(), counts


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("draws", [8, 30, 100, 240])
def test_chance_calls_nothing_in_19_of_20_surveys_of_any_size(kind, shape, draws):
    surveys = 100
    counts = sum(called_by_chance(kind, shape, draws, surveys, s, uniform=s == 0) for s in range(2))
    assert (counts <= stats.binom.ppf(0.9999, 2 * surveys, 0.05)).all(), counts


def test_shuffled_pictures_leave_no_calls():
    """40 attributes of a survey in which genes act, then the same pictures against other genotypes."""
    rng = np.random.default_rng(4)
    genotype = genotypes(2048, 16, 32, rng)
    rate = np.tile(np.geomspace(0.003, 0.5, 40), (2048, 1))
    rate[genotype[:, 3] < 4] = 0.7
    probability = judged("sure", rate, rng)
    assert significance(table(genotype, probability, 32)).significant.any(dim=2).sum() >= 4
    calls = [int(significance(table(genotype, rng.permutation(probability), 32)).significant.sum()) for _ in range(10)]
    assert sum(count > 0 for count in calls) <= 3 and sum(calls) <= 5


@pytest.mark.parametrize("kind", ["labels", "sure", "noisy"])
@pytest.mark.parametrize(("rate", "draws"), [(0.003, 60), (0.05, 120), (0.3, 240)])
def test_planted_effects_are_found_and_others_are_not(kind, rate, draws):
    """Twice the resolved difference, at two variants of each of two genes."""
    rng, idle = np.random.default_rng(5), [0, 1, 3, 4, 6, 7]
    found, false, genes = [], [], []
    for _ in range(12):
        genotype = genotypes(draws * 64, 8, 64, rng)
        rates = np.full((len(genotype), 1), rate)
        finest = resolution(table(genotype, judged(kind, rates, rng), 64)).family.item()
        rates[np.isin(genotype[:, [2, 5]], (7, 8)).any(axis=1)] = rate + 2 * finest
        statistics = table(genotype, judged(kind, rates, rng), 64)
        called = significance(statistics).significant[..., 0].numpy()
        # Other variants of the two genes do lie below the average draw and may be called; those of idle genes may not.
        found.append(called[[2, 5], 7:9].sum())
        false.append(called[idle].sum())
        genes.append((gene_q_values(statistics)[:, 0] <= 0.05).numpy())
    assert np.mean(found) > 0.8 * 4, found
    share = np.array(false) / np.maximum(np.add(false, found), 1)
    assert share.mean() < 0.05 + 3 * share.std() / len(share) ** 0.5 + 0.01, false
    assert np.mean(genes, axis=0)[[2, 5]].min() >= 0.9 and np.mean(genes, axis=0)[idle].mean() < 0.06


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rate", [0.05, 0.4])
def test_the_spread_of_a_gene_has_the_moments_of_its_permutations(kind, rate):
    """Mean: the degrees of freedom. Variance: at most what is assumed, and for labels exactly that."""
    rng = np.random.default_rng(12)
    draws, rows, seen = judged(kind, np.full(400, rate), rng), [], np.bincount(np.arange(400) % 23 // 2, minlength=12)
    for _ in range(4000):
        sums = np.bincount(np.arange(400) % 23 // 2, rng.permutation(draws), minlength=12)
        rows.append(((sums - seen * draws.mean()) ** 2 / seen).sum() / draws.var() * 399 / 400)
    ends = (draws.mean() - draws.min(), draws.max() - draws.mean())
    pool = Pool(400, *(np.array([x]) for x in (draws.mean(), draws.var(), *ends)))
    assert np.mean(rows) == pytest.approx(11, rel=0.03)
    fourth = ((draws - draws.mean()) ** 4).mean() / draws.var() ** 2
    assert most_kurtosis(pool)[0] >= fourth * (1 - 1e-9)
    if kind == "labels":
        assert most_kurtosis(pool)[0] == pytest.approx(fourth)
    median = spread_test(np.full((1, 1), np.median(rows)), seen[None], pool)
    if median.holds.all():
        assert median.p_value[0, 0] == pytest.approx(0.5, abs=0.03)
        top = spread_test(np.full((1, 1), np.quantile(rows, 0.99)), seen[None], pool)
        assert 0.005 < top.p_value[0, 0] < 0.03


def test_permutations_would_find_hardly_more_genes():
    """Diffuse effects of an attribute of 30 % at 30 draws a variant, against the permutation test itself."""
    rng = np.random.default_rng(13)
    genotype = genotypes(30 * 64, 4, 64, rng)
    rates = np.clip(0.3 + rng.normal(0, 0.045, 64)[genotype[:, 1]][:, None] + np.zeros(40), 0, 1)
    probability = judged("sure", rates, rng)
    statistics = table(genotype, probability, 64)
    ours = sum(float(gene_q_values(column(statistics, a))[1]) <= 0.04 for a in range(40))
    one_hot = np.eye(64)[genotype[:, 1]]
    seen = one_hot.sum(axis=0)[:, None]

    def spread(x):
        return ((one_hot.T @ (x - x.mean(axis=0))) ** 2 / seen).sum(axis=0)

    chance = np.stack([spread(rng.permutation(probability)) for _ in range(400)])
    by_permutation = (chance >= spread(probability)).mean(axis=0) <= 0.01
    assert 10 < by_permutation.sum() < 35 and 0.6 * by_permutation.sum() < ours <= by_permutation.sum()


def test_small_effects_of_all_variants_together_show_the_gene():
    rng = np.random.default_rng(6)
    genotype = genotypes(100 * 128, 8, 128, rng)
    strength = rng.normal(0, 0.05, 128)
    rates = np.full((len(genotype), 4), 0.3) + strength[genotype[:, 1]][:, None]
    statistics = table(genotype, judged("noisy", rates, rng), 128)
    q = gene_q_values(statistics)
    assert (q[1] < 0.01).all() and (q[[0, 2, 3, 4, 5, 6, 7]] > 0.05).double().mean() > 0.9
    assert (shrink(statistics).effect_variance[1] > 0).all()


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("draws", [40, 240])
def test_what_is_resolved_is_found_in_four_of_five_cases(rate, draws):
    rng = np.random.default_rng(7)
    genotype = genotypes(draws * 32, 4, 32, rng)
    finest = resolution(table(genotype, judged("labels", np.full((len(genotype), 1), rate), rng), 32))
    rates = np.full((len(genotype), 60), rate)
    rates[genotype[:, 2] == 7] = rate + finest.family.item()
    found = significance(table(genotype, judged("labels", rates, rng), 32)).p_value[2, 7]
    assert 0.62 <= (found <= 0.05 / 128).double().mean() <= 0.97


def test_eight_pictures_prove_little():
    """One or two hits of a rare attribute among eight draws are chance, not seventeen standard errors."""
    rng = np.random.default_rng(8)
    genotype = genotypes(2048, 32, 256, rng)
    statistics = table(genotype, judged("sure", np.full((2048, 20), 0.003), rng), 256)
    found = significance(statistics)
    assert not found.significant.any() and found.z.abs().max() < 6.5 and found.q_value.min() > 0.05


def test_too_few_draws_say_so():
    rng = np.random.default_rng(9)
    genotype = genotypes(8 * 256, 32, 256, rng)
    few = resolution(table(genotype, judged("labels", np.full((2048, 1), 0.5), rng), 256))
    assert resolves(few.family[0]) == "too few draws to say" and resolves(few.single[0]) > 0.3
    rare = resolution(table(genotype, judged("labels", np.full((2048, 1), 0.003), rng), 256))
    assert 0.2 < resolves(rare.family[0]) < 0.9


def test_attributes_without_calls_do_not_borrow_from_the_others():
    """In each of 30 families nothing is there; in 10 more everything is."""
    rng = np.random.default_rng(10)
    p = rng.random((500, 40))
    p[:, 30:] = 1e-9
    called = false_discovery_rates(torch.from_numpy(p)) <= 0.05
    assert called[:, 30:].all() and called[:, :30].sum() <= 3
    none = [bool((false_discovery_rates(torch.from_numpy(rng.random((500, 40)))) <= 0.05).any()) for _ in range(100)]
    assert sum(none) <= 13
    one = torch.from_numpy(rng.random((60, 1)) ** 4)
    expected = stats.false_discovery_control(one[:, 0].numpy())
    np.testing.assert_allclose(false_discovery_rates(one)[:, 0], expected)


def test_an_attribute_that_never_varies_has_no_findings():
    rng = np.random.default_rng(11)
    genotype = genotypes(512, 4, 16, rng)
    constant = np.repeat([[0.0, 1.0, 0.3]], 512, axis=0)
    statistics = table(genotype, constant, 16)
    assert (significance(statistics).p_value == 1).all() and (gene_q_values(statistics) == 1).all()
    assert (shrink(statistics).mean - statistics.overall).abs().max() < 1e-9
