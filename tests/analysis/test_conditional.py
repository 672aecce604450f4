import itertools

import pytest
import torch
from scipy.stats import chisquare
from toy_genome import ATTRIBUTES, NUM_VARIANTS, LinearClassifier, effects, toy_generator, truth

from stylegenes.analysis.conditional import gene_tables, sample_accepted, sample_exactly, tables_for
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.shrinkage import shrink
from stylegenes.analysis.statistics import VariantStatistics, tally_draws
from stylegenes.analysis.wishes import parse_where
from stylegenes.errors import UserError


def toy_judge():
    return CodeLabeler(toy_generator(), LinearClassifier(effects()), batch_size=4096)


def wishes(text):
    return parse_where(text, ATTRIBUTES)


def exact_mean():
    return truth(toy_generator(), effects())


def counts(genotype, gene, num_variants=NUM_VARIANTS):
    return torch.bincount(genotype[:, gene], minlength=num_variants).double().numpy()


@pytest.mark.parametrize("text", ["Smiling=1", "Smiling=0", "Young=1"])
def test_single_wishes_draw_from_the_exact_posterior_marginals(text, rng):
    # The posterior by brute force: the uniform prior, kept in proportion to the classifier's probability.
    (wish,) = wishes(text)
    genotype = toy_generator().sample(400_000, rng)
    weight = wish.likelihood(toy_judge().probabilities(genotype))
    drawn = gene_tables(exact_mean(), [wish]).sample(20_000, rng)
    for gene in (0, 2, 5, 7):
        posterior = torch.zeros(NUM_VARIANTS, dtype=torch.float64).index_add(0, genotype[:, gene], weight)
        expected = 20_000 * posterior / posterior.sum()
        assert chisquare(counts(drawn, gene), expected.numpy()).pvalue > 1e-3


def test_a_wrong_sampler_would_be_noticed(rng):
    drawn = gene_tables(exact_mean(), wishes("Smiling=1"), temperature=0.8).sample(20_000, rng)
    expected = gene_tables(exact_mean(), wishes("Smiling=1")).log_probability.exp()[2] * 20_000
    assert chisquare(counts(drawn, 2), expected.numpy()).pvalue < 1e-6


def test_two_wishes_multiply_and_each_may_have_its_temperature():
    tables = gene_tables(exact_mean(), wishes("Smiling=1@0.5,Eyeglasses=0"), temperature=2.0).log_probability.exp()
    mean = exact_mean().double()
    by_hand = mean[:, :, 0] ** 2 * (1 - mean[:, :, 1]) ** 0.5
    assert torch.allclose(tables, by_hand / by_hand.sum(dim=1, keepdim=True))


def test_lower_temperatures_give_more_accuracy_and_less_variety(rng):
    results = [gene_tables(exact_mean(), wishes("Smiling=1"), t) for t in (1.0, 0.5, 0.2)]
    accuracy = [float((toy_judge().probabilities(t.sample(4000, rng))[:, 0] > 0.5).double().mean()) for t in results]
    assert accuracy == sorted(accuracy) and accuracy[-1] > 0.95
    variety = [t.variety for t in results]
    assert variety == sorted(variety, reverse=True)


def test_shrunk_tables_keep_idle_genes_uniform(rng):
    genotype = toy_generator().sample(2000, rng)
    statistics = VariantStatistics.empty(ATTRIBUTES, 9, NUM_VARIANTS)
    tally_draws(statistics, genotype, toy_judge().probabilities(genotype))
    raw, shrunk = (
        tables_for(statistics, wishes("Smiling=1"), 0.1, shrunk=s).log_probability.exp() for s in (False, True)
    )
    idle = [i for i in range(9) if i != 2]
    assert (shrunk[idle] - 1 / NUM_VARIANTS).abs().max() < 1e-9 < (raw[idle] - 1 / NUM_VARIANTS).abs().max()
    assert torch.equal(shrunk, gene_tables(shrink(statistics).mean, wishes("Smiling=1"), 0.1).log_probability.exp())


def small_judge():
    """Four genes of four variants, one attribute that depends on two of them together."""
    effect = torch.zeros(4, 3)
    effect[0, 0], effect[3, 0], effect[1, 1] = 0.25, 0.24, 0.3
    return CodeLabeler(toy_generator(4, 4), LinearClassifier(effect), batch_size=4096), effect


@pytest.mark.parametrize("tempered", [False, True])
def test_exact_sampling_draws_the_joint_posterior(tempered, rng):
    labeler, effect = small_judge()
    wish = wishes("Smiling=1,Eyeglasses=0")
    tables = gene_tables(truth(labeler.generator, effect), wish, temperature=0.5 if tempered else 1.0)
    everything = torch.tensor(list(itertools.product(range(4), repeat=4)))
    p = labeler.probabilities(everything)
    target = p[:, 0] * (1 - p[:, 1]) * (tables.log_ratio(everything).exp() if tempered else 1)
    kept = sample_exactly(labeler, tables, wish, 4000, candidates=200_000, tempered=tempered, generator=rng)
    index = (kept.genotype * torch.tensor([64, 16, 4, 1])).sum(dim=1)
    observed = torch.bincount(index, minlength=256).double()
    expected = 4000 * target / target.sum()
    common = expected >= 5
    assert common.sum() > 100
    pooled_observed = [*observed[common].tolist(), float(observed[~common].sum())]
    pooled_expected = [*expected[common].tolist(), float(expected[~common].sum())]
    assert chisquare(pooled_observed, pooled_expected, sum_check=False).pvalue > 1e-3
    assert torch.equal(kept.probability, labeler.probabilities(kept.genotype))


def test_effective_sample_size_is_full_for_equal_weights_and_falls_with_the_temperature(rng):
    labeler, effect = small_judge()
    mean, wish = truth(labeler.generator, effect), wishes("Young=1")
    assert sample_exactly(labeler, gene_tables(mean, wish), wish, 5, candidates=500).effective == pytest.approx(500)
    wish = wishes("Smiling=1")
    sizes = [
        sample_exactly(labeler, gene_tables(mean, wish, t), wish, 5, candidates=5000, generator=rng).effective
        for t in (1.0, 0.3, 0.1)
    ]
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < 500 < sizes[0]


def test_sampling_repeats_from_its_seed_and_returns_genotypes():
    tables = gene_tables(exact_mean(), wishes("Young=1"), 0.5)
    first, again = (tables.sample(6, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(first, again) and first.dtype == torch.int64 and first.shape == (6, 9)


def test_wishes_are_read_whatever_the_case():
    a, b = wishes(" smiling = yes , EYEGLASSES=0@0.3 ")
    assert (a.attribute, a.present, a.temperature) == ("Smiling", True, None)
    assert (b.attribute, b.present, b.temperature) == ("Eyeglasses", False, 0.3)
    assert f"{a},{b}" == "Smiling=1,Eyeglasses=0"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Smilling=1", "did you mean 'Smiling'"),
        ("Smiling", "write Name=1"),
        ("Smiling=2", "write Name=1"),
        ("Smiling=1,smiling=0", "wished for twice"),
        ("", "nothing is wished for"),
        ("Smiling=1@0", "positive number"),
        ("Smiling=1@warm", "positive number"),
        ("Hat=1", "attributes: Smiling, Eyeglasses, Young"),
    ],
)
def test_mistakes_in_wishes_are_explained(text, words):
    with pytest.raises(UserError, match=words):
        wishes(text)


@pytest.mark.parametrize("temperature", [0, -1, float("inf"), float("nan")])
def test_temperatures_must_be_positive(temperature):
    with pytest.raises(UserError, match="positive number"):
        gene_tables(exact_mean(), wishes("Smiling=1"), temperature)


def test_keeping_more_than_is_judged_is_refused():
    labeler, effect = small_judge()
    with pytest.raises(UserError, match="keeping 9 of 4"):
        wish = wishes("Smiling=1")
        sample_exactly(labeler, gene_tables(truth(labeler.generator, effect), wish), wish, 9, candidates=4)


def sources(n, first=0):
    return [torch.Generator().manual_seed(first + i) for i in range(n)]


def test_acceptance_draws_the_tables_weighted_by_the_classifier():
    labeler, effect = small_judge()
    wish = wishes("Smiling=1,Eyeglasses=0")
    tables = gene_tables(truth(labeler.generator, effect), wish, temperature=0.7)
    everything = torch.tensor(list(itertools.product(range(4), repeat=4)))
    p = labeler.probabilities(everything)
    target = tables.log_ratio(everything).exp() * p[:, 0] * (1 - p[:, 1])
    drawn = sample_accepted(labeler, tables, wish, sources(4000), tries=100)
    observed = torch.bincount((drawn.genotype * torch.tensor([64, 16, 4, 1])).sum(dim=1), minlength=256).double()
    expected = 4000 * target / target.sum()
    common = expected >= 5
    pooled = [[*x[common].tolist(), float(x[~common].sum())] for x in (observed, expected)]
    assert chisquare(*pooled, sum_check=False).pvalue > 1e-3
    assert drawn.accepted.all() and 4000 < drawn.candidates < 4000 * 6
    assert torch.equal(drawn.probability, labeler.probabilities(drawn.genotype))


def test_an_accepted_genotype_depends_on_its_own_source_alone():
    labeler, effect = small_judge()
    wish = wishes("Smiling=1")
    tables = gene_tables(truth(labeler.generator, effect), wish)
    many = sample_accepted(labeler, tables, wish, sources(9))
    one = sample_accepted(labeler, tables, wish, sources(1, first=5))
    assert torch.equal(many.genotype[5:6], one.genotype)


def test_after_the_last_try_the_likeliest_candidate_is_kept():
    labeler, effect = small_judge()
    labeler.classifier.effect.zero_()
    wish = wishes("Smiling=1,Eyeglasses=1,Young=1")
    tables = gene_tables(truth(labeler.generator, effect), wish)
    drawn = sample_accepted(labeler, tables, wish, sources(400), tries=2)
    assert drawn.accepted.double().mean() == pytest.approx(1 - (7 / 8) ** 2, abs=0.06)
    assert drawn.candidates == pytest.approx(400 + 350, abs=25)
    with pytest.raises(UserError, match="at least one try"):
        sample_accepted(labeler, tables, wish, sources(2), tries=0)
