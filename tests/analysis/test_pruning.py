import pytest
import torch
from toy_genome import LinearClassifier, MeanPixel, ShowW, effects, toy_generator

from stylegenes.analysis.pruning import prune, pruning_curve, usage
from stylegenes.analysis.statistics import tally
from stylegenes.comparisons import outlyingness
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.latents import Gaussian
from stylegenes.survey import Surveyor, conduct


def test_the_least_real_variants_give_way_to_the_most_real(tmp_path):
    networks = Surveyor(toy_generator(), LinearClassifier(effects()), MeanPixel())
    survey = conduct(networks, tmp_path, networks.plan(shard_size=4096), num_draws=4096 * 8)
    realness = tally(survey, "discriminator").mean[..., 0]
    before = networks.generator.latent.variants[..., 0]
    after = prune(networks.generator, realness, 2).latent.variants[..., 0]
    ordered = before.sort(dim=1).values
    expected = torch.cat([ordered[:, 2:], ordered[:, -2:]], dim=1).sort(dim=1).values
    assert torch.equal(after.sort(dim=1).values, expected)
    assert torch.equal(before, toy_generator().latent.variants[..., 0])
    assert ((after != before).sum(dim=1) == 2).all()


def test_the_curve_reports_runs_and_spread():
    generator = toy_generator()
    realness = generator.latent.variants[..., 0]
    seen = []

    def distance(pruned, seed):
        seen.append(seed)
        return float(pruned.latent.variants.mean()) + seed

    points = pruning_curve(generator, realness, [0, 4], distance, runs=3)
    assert seen == [0, 1, 2, 0, 1, 2]
    assert [p.num_pruned for p in points] == [0, 4]
    assert points[0].mean == pytest.approx(1, abs=1e-6) and points[0].spread == pytest.approx(1)
    assert points[1].mean > 1.4 and pruning_curve(generator, realness, [0], distance, runs=1)[0].spread == 0


def test_impossible_pruning_is_refused():
    with pytest.raises(UserError, match="0 to 4 can be replaced"):
        prune(toy_generator(), torch.zeros(9, 8), 5)
    with pytest.raises(UserError, match="pruning needs a genome"):
        prune(Generator(Gaussian(9), ShowW(9)), torch.zeros(9, 8), 1)


def test_usage_counts_what_is_distinct():
    bank = torch.randn(3, 16, 4)
    bank[0, 5] = bank[0, 2]
    bank[0, 9] = bank[0, 2]
    bank[1] = 0.5
    bank[2, 1], bank[2, 3, 0] = 0, float("nan")
    found = usage(bank)
    assert found.duplicate[0].nonzero().flatten().tolist() == [5, 9]
    assert found.duplicate[1].sum() == 15 and found.effective[1] == pytest.approx(1)
    assert found.dead[2].nonzero().flatten().tolist() == [1, 3] and not found.dead[:2].any()
    assert found.collapsed.tolist() == [False, True, False]
    assert found.effective[0] == pytest.approx((16 / 3) ** (3 / 16) * 16 ** (13 / 16))


def test_outlyingness_is_the_distance_to_the_nearest_real_in_logits():
    real, fake = torch.rand(3000, 5), torch.rand(1500, 5)
    real[0], fake[0], fake[1] = 0.25, 0.25, 1.0
    logits = [p.clamp(1e-3, 1 - 1e-3).logit() for p in (fake, real)]
    expected = (logits[0][:, None] - logits[1][None]).norm(dim=2).amin(dim=1)
    found = outlyingness(fake, real)
    assert torch.allclose(found, expected, atol=0.02) and found[0] == pytest.approx(0, abs=1e-3)
    assert found[1] > 5 and outlyingness(torch.full((1, 5), torch.nan), torch.full((1, 5), 0.5)) == 0
