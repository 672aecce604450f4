import numpy as np
import pytest
import scipy.stats
import torch
from toy_genome import ATTRIBUTES, NUM_GENES, NUM_VARIANTS, LinearClassifier, MeanPixel, effects, toy_generator, truth

from stylegenes.analysis.importance import importance
from stylegenes.analysis.inference import (
    StopAtPrecision,
    draws_needed,
    gene_q_values,
    known_to,
    resolution,
    significance,
    split_half_reliability,
)
from stylegenes.analysis.shrinkage import shrink
from stylegenes.analysis.statistics import VariantStatistics, tally, tally_draws
from stylegenes.errors import UserError
from stylegenes.survey import Draws, Surveyor, SurveyPlan, conduct


def drawn(n, seed=0):
    generator = toy_generator()
    genotype = generator.sample(n, torch.Generator().manual_seed(seed))
    return genotype, LinearClassifier(effects())(generator(genotype).image)


def statistics_of(n, seed=0):
    statistics = VariantStatistics.empty(ATTRIBUTES, NUM_GENES, NUM_VARIANTS)
    tally_draws(statistics, *drawn(n, seed))
    return statistics


def error(n, seed=0):
    exact = truth(toy_generator(), effects())
    return float((statistics_of(n, seed).mean - exact).square().mean().sqrt())


def test_sums_agree_with_a_plain_loop():
    genotype, probability = drawn(101)
    statistics = statistics_of(101)
    for i, j, a in [(0, 0, 0), (2, 7, 0), (8, 3, 2)]:
        values = probability[genotype[:, i] == j, a].double()
        assert statistics.seen[i, j] == len(values)
        assert torch.isclose(statistics.mean[i, j, a], values.mean())
        assert torch.isclose(statistics.standard_error[i, j, a], values.std() / len(values) ** 0.5)
    assert torch.allclose(statistics.overall, probability.double().mean(dim=0))
    assert torch.allclose(statistics.spread, probability.double().std(dim=0, correction=0))


def test_estimates_converge_to_the_truth_at_the_monte_carlo_rate():
    few = sum(error(1000, seed) for seed in range(4)) / 4
    many = sum(error(16000, seed) for seed in range(4)) / 4
    assert few / many == pytest.approx(4, rel=0.15)


def test_standard_errors_cover_the_truth():
    statistics = statistics_of(20000)
    z = (statistics.mean - truth(toy_generator(), effects())) / statistics.standard_error
    z = z[statistics.standard_error > 1e-6]  # A gene that rules an attribute alone leaves it no spread.
    assert z.square().mean() == pytest.approx(1, abs=0.25)


def test_shards_sum_to_the_whole(tmp_path):
    networks = Surveyor(toy_generator(), LinearClassifier(effects()), MeanPixel())
    survey = conduct(networks, tmp_path, networks.plan(shard_size=128), num_draws=512)
    summed = VariantStatistics.empty(ATTRIBUTES, NUM_GENES, NUM_VARIANTS)
    for shard in survey.shards():
        part = VariantStatistics.empty(ATTRIBUTES, NUM_GENES, NUM_VARIANTS)
        tally_draws(part, shard.genotype, shard.probability)
        summed = summed + part
    whole = tally(survey)
    assert torch.equal(whole.count, summed.count)
    assert torch.allclose(whole.total, summed.total) and torch.allclose(whole.square, summed.square)
    realness = tally(survey, "discriminator")
    assert realness.attributes == ["realness"] and realness.num_draws == 512


def test_statistics_survive_the_disk(tmp_path):
    statistics = statistics_of(50)
    statistics.save(tmp_path / "s.safetensors")
    again = VariantStatistics.load(tmp_path / "s.safetensors")
    assert again.attributes == ATTRIBUTES and torch.equal(again.square, statistics.square)
    with pytest.raises(UserError, match="no variant statistics"):
        VariantStatistics.load(tmp_path / "absent.safetensors")


def test_other_genomes_do_not_add():
    with pytest.raises(UserError, match="cannot be added"):
        _ = statistics_of(10) + VariantStatistics.empty(ATTRIBUTES, NUM_GENES, 4)


def test_a_survey_without_realness_says_so(tmp_path):
    networks = Surveyor(toy_generator(), LinearClassifier(effects()))
    survey = conduct(networks, tmp_path, networks.plan(shard_size=16), num_draws=16)
    with pytest.raises(UserError, match="recorded no realness"):
        tally(survey, "discriminator")


def test_variants_never_drawn_take_the_overall_mean():
    statistics = statistics_of(3)
    absent = statistics.seen == 0
    assert absent.any() and torch.isfinite(statistics.mean).all()
    assert torch.allclose(statistics.mean[absent], statistics.overall.expand(int(absent.sum()), -1))
    assert torch.isinf(statistics.standard_error[absent]).all()


def test_false_discoveries_stay_below_their_rate():
    false_calls = calls = 0
    idle = (effects() == 0)[:, None, :].expand(-1, NUM_VARIANTS, -1)
    for seed in range(30):
        called = significance(statistics_of(2000, seed), fdr=0.2).significant
        false_calls, calls = false_calls + int((called & idle).sum()), calls + int(called.sum())
    assert calls > 500 and false_calls / calls < 0.2


def test_true_genes_are_found_and_idle_ones_are_not():
    q = gene_q_values(statistics_of(5000))
    acts = effects() != 0
    assert (q[acts] < 1e-6).all()
    assert (q[~acts] > 0.01).all()


def test_importance_ranks_the_true_genes_first():
    scores = importance(statistics_of(5000).mean)
    assert scores[:, 0].argmax() == 2 and scores[:, 1].argmax() == 5
    assert set(scores[:, 2].topk(2).indices.tolist()) == {2, 7} and scores[:, 2].argmax() == 7


def test_reliability_is_high_where_genes_act_and_noise_elsewhere():
    reliability = split_half_reliability(statistics_of(5000))
    acts = effects() != 0
    assert (reliability[acts] > 0.9).all()
    assert reliability[~acts].abs().mean() < 0.6


def test_shrinkage_leaves_idle_genes_uniform_and_comes_nearer_to_the_truth():
    exact = truth(toy_generator(), effects())
    statistics = statistics_of(400)
    shrunk = shrink(statistics)
    moved = (shrunk.mean - statistics.overall).abs().amax(dim=1)[effects() == 0]
    assert (moved == 0).double().mean() > 0.9 and moved.square().mean().sqrt() < 0.02
    assert (shrunk.mean - exact).square().mean() < 0.6 * (statistics.mean - exact).square().mean()
    assert (shrink(statistics_of(100_000)).mean - exact).abs().max() < 0.01


def test_resolution_shrinks_with_the_root_of_the_draws_and_is_what_is_found():
    small, large = resolution(statistics_of(1000)), resolution(statistics_of(4000))
    assert torch.allclose(small.single / large.single, torch.full((3,), 2.0, dtype=torch.float64), rtol=0.1)
    assert (small.family > small.single).all()


def test_a_survey_stops_once_every_variant_is_known_to_the_precision(tmp_path):
    networks = Surveyor(toy_generator(), LinearClassifier(effects()))
    plan = networks.plan(shard_size=256)
    stop = StopAtPrecision(plan, 0.015)
    survey = conduct(networks, tmp_path, plan, num_draws=10**6, on_shard=stop)
    statistics = tally(survey)
    assert 256 < len(survey) < 10**4 and stop.reached
    assert statistics.careful_error.max() <= 0.015 < 1.2 * statistics.careful_error.max()
    assert 0.9 * len(survey) < draws_needed(statistics, 0.015) <= len(survey)
    assert known_to(statistics, 0.015).startswith("Every variant is known") and "Not every" in known_to(
        statistics, 0.01
    )


@pytest.mark.parametrize("rate", [0.003, 0.05, 0.5])
@pytest.mark.parametrize("uniform", [True, False])
@pytest.mark.parametrize("precision", [0.02, 0.04])
def test_what_is_known_to_a_precision_is_that_near_to_the_truth(rate, uniform, precision):
    """Rare attributes too, whose variants may show none of it by chance; the truth is the rate everywhere."""
    plan = SurveyPlan("m", "c", "", [f"a{i}" for i in range(20)], 3, 8)
    stop, rng, shards = StopAtPrecision(plan, precision), np.random.default_rng(1), 0
    frequency = np.full(8, 1 / 8) if uniform else np.array([0.02, 0.08, *[0.15] * 6])
    while not stop(0, one_shard(rng, frequency, rate)):
        shards += 1
    error = stop.statistics.mean - rate
    assert stop.statistics.careful_error.max() <= precision
    assert error.square().mean(dim=(0, 2)).sqrt().max() <= 1.15 * precision
    least = rate * (1 - rate) / precision**2 / frequency.min()
    assert least / 1.3 - 256 < stop.statistics.num_draws < 1.6 * least + 2 / precision / frequency.min() + 512


def one_shard(rng, frequency, rate):
    labels = torch.from_numpy(rng.random((256, 20)) < rate).half()
    return Draws(torch.from_numpy(rng.choice(8, (256, 3), p=frequency)), labels, torch.zeros(256, 0))


def test_a_variant_that_never_shows_a_label_is_not_known_exactly():
    """Zero of 100: the standard error is not 0 but that of the posterior, one in a hundred."""
    statistics = VariantStatistics.empty(["Rare"], 1, 2)
    labels = torch.zeros(200, 1)
    labels[1::20] = 1  # Ten, all at variant 1.
    tally_draws(statistics, torch.arange(200)[:, None] % 2, labels)
    assert statistics.standard_error[0, 0, 0] == 0
    assert statistics.careful_error[0, 0, 0] == pytest.approx(scipy.stats.beta(1, 101).std())
    assert statistics.careful_error[0, 1, 0] == pytest.approx(scipy.stats.beta(11, 91).std())


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("draws", [0, 1, 1000])
def test_what_never_varied_is_known_as_well_as_laplaces_rule_says(value, draws):
    statistics = VariantStatistics.empty(["constant", "common"], 2, 4)
    genotype = torch.zeros(draws, 2, dtype=torch.int64)
    tally_draws(statistics, genotype, torch.tensor([[value, 0.5]]).repeat(draws, 1))
    error = statistics.careful_error
    assert torch.isfinite(error).all()
    low, high, n = min(value, 0.0), max(value, 1.0), draws + 2
    mean = (draws * value + low + high) / n
    variance = (draws * value**2 + low**2 + high**2) / n - mean**2
    assert torch.allclose(error[:, 0, 0], torch.tensor((variance / (n + 1)) ** 0.5).double(), atol=1e-6)
    assert (error[:, 1:] > 0.28).all(), "a variant that was never drawn is not known"
    assert "Not every variant" in known_to(statistics, 0.01)


def test_processes_that_share_a_survey_stop_together():
    plan = SurveyPlan("m", "c", "", [f"a{i}" for i in range(20)], 3, 8)
    drawn = []
    for parts in (1, 4):
        stop, rng = StopAtPrecision(plan, 0.02, num_parts=parts), np.random.default_rng(2)
        while not stop(0, one_shard(rng, np.full(8, 1 / 8), 0.3)):
            pass
        drawn.append(parts * stop.statistics.num_draws)
    # A part by itself sees a rarer rarest variant, and so goes on a little longer.
    assert drawn[0] <= drawn[1] <= 1.4 * drawn[0]


@pytest.mark.parametrize("num", range(7))
def test_surveys_of_hardly_any_draws_call_nothing(num):
    found = VariantStatistics.empty(["a"], 3, 4)
    if num:
        rng = torch.Generator().manual_seed(num)
        genotype = torch.randint(4, (num, 3), generator=rng).to(torch.uint8)
        tally_draws(found, genotype, torch.rand(num, 1, generator=rng).half())
    assert not significance(found).significant.any()
    q_value = gene_q_values(found)
    assert q_value.isfinite().all() and not (q_value <= 0.05).any()
