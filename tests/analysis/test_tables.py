"""Correlation, evolution, the trade-off table and the ablation grid."""

import pytest
import torch
from toy_genome import ATTRIBUTES, NUM_GENES, NUM_VARIANTS, LinearClassifier, ShowW, effects, toy_generator

from stylegenes.analysis.ablation import ablate
from stylegenes.analysis.correlation import classify_pictures, correlate, difference, mean_difference
from stylegenes.analysis.evolution import Moment, evolution
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.statistics import VariantStatistics, tally_draws
from stylegenes.analysis.tradeoff import Referee, averages, conditional_methods, genome_methods, trade_off
from stylegenes.analysis.wishes import parse_where
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.latents import LATENTS, LatentDistribution


def test_correlations_are_those_of_the_known_effects(rng):
    labeler = CodeLabeler(toy_generator(), LinearClassifier(effects()), batch_size=4096)
    pictures = labeler.pictures(labeler.generator.sample(50_000, rng))
    found = correlate("toy", ATTRIBUTES, classify_pictures(labeler.classifier, pictures.split(4096)))
    e = effects().double()
    scale = e.norm(dim=0)
    assert torch.allclose(found.matrix, e.T @ e / (scale[:, None] * scale), atol=4 * found.noise)
    assert found.matrix[0, 2] == pytest.approx(-0.447, abs=0.02)


def test_differences_of_correlations():
    a = correlate("a", ["x", "y"], torch.tensor([[0.0, 0], [1, 1], [0, 0]]))
    b = correlate("b", ["x", "y"], torch.tensor([[0.0, 1], [1, 0], [0, 1]]))
    assert difference(a, b)[0, 1] == pytest.approx(2) and mean_difference(a, b) == pytest.approx(2)
    constant = correlate("c", ["x", "y"], torch.tensor([[0.5, 1], [0.5, 0]]))
    assert constant.matrix[0, 1] == 0 and torch.isfinite(constant.matrix).all()
    with pytest.raises(UserError, match="different attributes"):
        difference(a, correlate("d", ["x", "z"], torch.rand(3, 2)))
    with pytest.raises(UserError, match="at least two"):
        correlate("e", ["x"], torch.rand(1, 1))


def test_evolution_sees_spread_motion_and_collapse():
    start = torch.randn(2, 32, 4)
    end = start.clone()
    end[0] *= 3
    end[1] = end[1, :1]
    found = evolution([Moment(10, end), Moment(0, start)])
    assert found.kimg == [0, 10]
    assert found.spread[1, 0] / found.spread[0, 0] == pytest.approx(3)
    assert found.nearest[1, 0] / found.nearest[0, 0] == pytest.approx(3, rel=1e-4)
    assert (found.moved[0] == 0).all() and (found.moved[1] > 0).all()
    assert found.effective[1].tolist() == pytest.approx([32, 1]) and found.plane.shape == (2, 2, 32, 2)
    one = evolution([Moment(0, torch.randn(3, 1, 1))])
    assert one.nearest.tolist() == [[0, 0, 0]] and one.plane.shape == (1, 3, 1, 2)


def test_evolution_refuses_what_it_cannot_compare():
    with pytest.raises(UserError, match="at least one snapshot"):
        evolution([])
    with pytest.raises(UserError, match="different shapes"):
        evolution([Moment(0, torch.zeros(2, 3, 4)), Moment(1, torch.zeros(2, 5, 4))])


@pytest.fixture(scope="module")
def trade():
    labeler = CodeLabeler(toy_generator(), LinearClassifier(effects()), batch_size=4096)
    statistics = VariantStatistics.empty(ATTRIBUTES, NUM_GENES, NUM_VARIANTS)
    genotype = labeler.generator.sample(3000, torch.Generator().manual_seed(0))
    tally_draws(statistics, genotype, labeler.probabilities(genotype))
    return labeler, statistics


def referee(labeler):
    second = LinearClassifier(effects()[:, [1, 0, 2]] * 0.9, ["Eyeglasses", "Smiling", "Young"])
    return Referee(
        labeler.classifier,
        second,
        lambda pictures: float(pictures.mean(dim=0).square().sum()),
        lambda a, b: (a - b).square().mean(dim=(1, 2, 3)),
    )


def test_the_trade_off_shows_what_temperature_and_judging_buy(trade):
    labeler, statistics = trade
    sets = [parse_where(text, ATTRIBUTES) for text in ("Smiling=1", "Smiling=0", "Smiling=1,Young=1")]
    outcomes = list(trade_off(genome_methods(labeler, statistics, [1.0, 0.2]), sets, referee(labeler), 2000))
    assert len(outcomes) == 18
    table = {(a.method, a.setting): a for a in averages(outcomes)}
    paper, cold = table["paper (Eq. 6)", "T = 1"], table["paper (Eq. 6)", "T = 0.2"]
    assert cold.accuracy > paper.accuracy + 0.1 and cold.variety < paper.variety and cold.frechet > paper.frechet
    assert table["accepted", "T = 1"].accuracy > table["shrunk", "T = 1"].accuracy + 0.1
    assert table["shrunk", "T = 0.2"].variety > cold.variety
    assert all(a.second_accuracy == pytest.approx(a.accuracy, abs=0.05) for a in table.values())
    assert paper.accuracy == pytest.approx(sum(o.accuracy for o in paper.outcomes) / 3)


class LabelIsPicture(LatentDistribution):
    """A conditional latent whose w repeats its label, for a generator that does just what it is told."""

    def __init__(self):
        super().__init__()
        self.w_dim, self.label_dim = 9, 3
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def sample(self, n, generator=None):
        return torch.randn(n, 9, generator=generator)

    def forward(self, code, condition=None):
        label = self.check_label(condition, len(code)) * 2 - 1
        w = torch.zeros(len(code), 9)
        w[:, 2], w[:, 5], w[:, 7] = label[:, 0], label[:, 1], label[:, 2]
        return w

    def mean(self, condition=None):
        return torch.zeros(1, 9)

    def interpolate(self, start, end, t):
        return start

    def to_strings(self, code):
        return []

    def from_strings(self, strings):
        return torch.zeros(0, 9)


def test_the_conditional_baseline_sets_the_wish_and_draws_the_rest():
    assert LATENTS.names()
    generator = Generator(LabelIsPicture(), ShowW(9))
    labels = torch.tensor([[1.0, 0, 0], [1, 0, 0], [0, 1, 1], [0, 1, 1]])
    at_random, by_frequency = conditional_methods(generator, labels, ATTRIBUTES)
    wishes = parse_where("Smiling=1", ATTRIBUTES)
    drawn = at_random.draw(wishes, 400, torch.Generator().manual_seed(0)).flatten(1)
    assert (drawn[:, 2] == 1).all() and drawn[:, 5].mean().abs() < 0.2
    drawn = by_frequency.draw(wishes, 400, torch.Generator().manual_seed(0)).flatten(1)
    assert (drawn[:, 2] == 1).all() and (drawn[:, 5] == -1).all()
    with pytest.raises(UserError, match="no picture of the data fulfils"):
        by_frequency.draw(parse_where("Smiling=1,Young=1", ATTRIBUTES), 4, torch.Generator())
    with pytest.raises(UserError, match="takes 3 labels, the data has 1"):
        conditional_methods(generator, labels[:, :1], ["Smiling"])


def test_the_grid_goes_on_where_it_was_and_retries_failures(tmp_path):
    calls = []

    def train(genes, variants, folder):
        calls.append((genes, variants))
        assert folder.is_dir()
        if (genes, variants) == (4, 8) and len(calls) < 5:
            raise UserError("diverged")
        if len(calls) == 4:
            raise KeyboardInterrupt
        return genes / variants

    with pytest.raises(KeyboardInterrupt):
        ablate(tmp_path, [2, 4], [8, 16], train, w_dim=8)
    cells = ablate(tmp_path, [2, 4], [8, 16], train, w_dim=8)
    assert calls == [(2, 8), (4, 8), (2, 16), (4, 16), (4, 8), (4, 16)]
    assert [(c.num_genes, c.num_variants, c.score) for c in cells] == [
        (2, 8, 0.25),
        (4, 8, 0.5),
        (2, 16, 0.125),
        (4, 16, 0.25),
    ]


def test_a_failed_cell_is_reported_not_scored(tmp_path):
    def train(genes, variants, folder):
        raise UserError("diverged at once")

    (cell,) = ablate(tmp_path, [2], [4], train, w_dim=4)
    assert cell.score is None and cell.note == "diverged at once"
    with pytest.raises(UserError, match="does not split into 3"):
        ablate(tmp_path, [2, 3], [4], train, w_dim=4)
