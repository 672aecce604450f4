import math

import pytest
import torch
from metrics_toys import Squares, toy_generator

from stylegenes.generator import Generator
from stylegenes.latents import Genome, Mapping
from stylegenes.metrics.disentanglement import LINEAR, OneHot, _Standardized, balanced_accuracy, disentanglement
from stylegenes.metrics.labeled_draws import LabeledDraws, draws_pass
from stylegenes.metrics.separability import attribute_entropy, conditional_entropy, linear_separability
from stylegenes.metrics.sources import OneLabel, draws_identity
from stylegenes.perception import ModuleScorer, Scoring
from stylegenes.synthesis import SYNTHESES


def test_a_label_that_is_linear_in_the_latent_scores_one():
    x = torch.randn(4000, 8)
    p = torch.sigmoid(20 * torch.stack([x[:, 0], x[:, 1] - x[:, 2]], dim=1))
    found = linear_separability(x, p, ["a", "b"])
    assert found.score == pytest.approx(1.0, abs=0.05) and not found.failed


def test_independent_labels_score_the_entropy_of_the_labels():
    x, p = torch.randn(8000, 6), torch.rand(8000, 2)
    found = linear_separability(x, p, ["a", "b"])
    assert found.score == pytest.approx(math.exp(sum(a.label_entropy for a in found.attributes)), rel=0.01)
    assert found.score == pytest.approx(4, rel=0.01)


def test_only_the_surest_half_is_kept():
    """Sure labels follow the latent, unsure ones contradict it: only with half the draws is it separable."""
    x = torch.cat([torch.randn(500, 3), torch.randn(500, 3)])
    right = (x[:, 0] > 0).float()
    p = torch.where(torch.arange(1000) < 500, 0.05 + 0.9 * right, 0.6 - 0.2 * right)
    assert attribute_entropy("a", x, p).entropy < 0.05


def test_a_failed_fit_is_reported_and_not_scored():
    x = torch.randn(400, 3)
    p = torch.stack([torch.sigmoid(30 * x[:, 0]), torch.full((400,), 0.1)], dim=1)
    found = linear_separability(x, p, ["shown", "never"])
    assert found.failed == ["never"] and "rarer class" in found.attributes[1].failure
    assert found.score == pytest.approx(1, abs=0.1)
    assert linear_separability(x, p[:, 1:], ["never"]).score is None


def test_a_fit_that_does_not_converge_is_reported(monkeypatch):
    monkeypatch.setattr("stylegenes.metrics.separability.MAX_STEPS", 1)
    x = torch.randn(400, 20)
    found = attribute_entropy("a", x, torch.sigmoid(x[:, 0] + torch.randn(400)))
    assert found.entropy is None and "converge" in found.failure


def test_conditional_entropy_of_known_tables():
    import numpy as np

    y = np.array([0, 0, 1, 1], bool)
    assert conditional_entropy(y, y) == 0
    assert conditional_entropy(np.array([0, 1, 0, 1], bool), y) == pytest.approx(math.log(2))
    x = np.array([0, 0, 0, 0, 1, 1, 1, 1], bool)
    z = np.array([0, 0, 0, 1, 1, 1, 1, 1], bool)
    quarter = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert conditional_entropy(x, z) == pytest.approx(quarter / 2)


def test_disentanglement_reads_what_is_there_and_guesses_the_rest():
    x = torch.randn(6000, 10)
    p = torch.stack([(x[:, 0] > 1).float(), (x[:, 1] * x[:, 2] > 0).float(), torch.rand(6000)], dim=1)
    found = disentanglement(x, p, ["linear", "product", "noise"])
    assert found.accuracy["linear"] > 0.95 and found.accuracy["product"] > 0.85
    assert found.accuracy["noise"] == pytest.approx(0.5, abs=0.07)
    assert found.mean == pytest.approx(sum(found.accuracy.values()) / 3)


def test_a_linear_reader_reads_sums_alone():
    x = torch.randn(6000, 10)
    p = torch.stack([(x[:, 0] > 1).float(), (x[:, 1] * x[:, 2] > 0).float()], dim=1)
    found = disentanglement(x, p, ["linear", "product"], LINEAR)
    assert found.accuracy["linear"] > 0.95 and found.accuracy["product"] == pytest.approx(0.5, abs=0.07)


def test_a_genotype_is_read_variant_by_variant():
    """What one variant of a small bank does on its own, a line through the bank's places cannot say."""
    latent = Genome(6, 3, num_variants=5)
    code = latent.sample(6000)
    assert torch.equal(latent.choices(latent.features(code)), code)
    genes = OneHot(code, 5)
    assert genes.shape == (6000, 15) and torch.equal(genes[torch.tensor([7])].view(3, 5).argmax(1), code[7])
    p = ((code[:, 0] == 2) | (code[:, 0] == 4)).float()[:, None]
    order = torch.arange(5.0)[code]
    read, by_place = (disentanglement(x, p, ["a"], LINEAR).mean for x in (genes, order))
    assert read > 0.99 and by_place < 0.8


def test_a_variant_that_training_never_saw_weighs_no_more_than_any_other():
    genes = OneHot(torch.tensor([[0], [1], [0], [1], [2]]), 3)
    rows = _Standardized.fit(genes, torch.arange(4)).take(torch.tensor([4]))
    assert rows[0, 2] == 1 and rows.abs().max() < 2


def test_rare_classes_weigh_as_much_as_frequent_ones():
    logits, labels = -torch.ones(100, 1), torch.zeros(100, 1)
    labels[:5] = 1
    assert balanced_accuracy(logits, labels).item() == 0.5


def test_an_attribute_too_rare_to_be_scored_is_named():
    x, p = torch.randn(300, 4), torch.stack([torch.rand(300), torch.zeros(300)], dim=1)
    found = disentanglement(x, p, ["a", "never"])
    assert found.failed == ["never"] and list(found.accuracy) == ["a"]
    assert disentanglement(x, p[:, 1:], ["never"]).mean is None


@pytest.mark.parametrize("latent", ["gaussian", "genome", "mapping"])
def test_draws_of_every_latent_carry_z_and_w(latent):
    scorer = ModuleScorer(lambda x: x.mean(dim=(2, 3))[:, :1] * 0.5 + 0.5, Scoring(["Red"], 8))
    generator = toy_generator(latent)
    rows = draws_pass(generator, scorer, 50, batch=16).run()
    draws = LabeledDraws.read(rows, generator.latent.w_dim, scorer.attributes)
    assert {name: tuple(part.shape) for name, part in draws.spaces.items()} == {"z": (50, 4), "w": (50, 4)}
    assert draws.probability.shape == (50, 1) and rows.dtype == torch.float32
    torch.testing.assert_close(
        generator.latent(draws.spaces["z"]) if latent == "mapping" else draws.spaces["z"], draws.spaces["w"]
    )
    assert torch.equal(rows, draws_pass(generator, scorer, 50, batch=16).run())


def test_draws_of_another_label_are_another_pass_whatever_reads_the_label():
    """An interrupted pass is taken up only where it is the same."""
    labels = [OneLabel(torch.eye(2)[i : i + 1], str(i)) for i in (0, 1)]
    r3gan = {"name": "r3gan", **SYNTHESES.get("r3gan").example_spec(16, 4), "label_dim": 2}
    readers = [(Genome(4, 2, num_variants=4), SYNTHESES.build(r3gan)), (Mapping(4, depth=1, label_dim=2), Squares(4))]
    for generator in (Generator(*reader) for reader in readers):
        first, second = (draws_identity(generator, label, num=8, seed=0, batch=4) for label in labels)
        assert generator.label_dim == 2 and first != second
