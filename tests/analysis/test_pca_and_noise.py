"""Principal components and the noise study: known answers."""

import pytest
import torch
from latent_toys import GAUSSIAN, toy_generator

from stylegenes.analysis.noise_study import noise_study
from stylegenes.analysis.pca import extremes, principal_components
from stylegenes.errors import UserError


@pytest.fixture
def cloud(rng):
    """20,000 points whose variances along three orthogonal axes are 9, 4 and 1, around (1, 2, 3)."""
    axes = torch.linalg.qr(torch.randn(3, 3, generator=rng)).Q
    return torch.randn(20000, 3, generator=rng) * torch.tensor([3.0, 2.0, 1.0]) @ axes + torch.tensor([1.0, 2, 3]), axes


def test_components_and_variances_are_found(cloud):
    points, axes = cloud
    found = principal_components("w", points)
    assert torch.allclose(found.variance, torch.tensor([9.0, 4.0, 1.0]), rtol=0.05)
    assert torch.allclose((found.basis @ axes.T).abs(), torch.eye(3), atol=0.03)
    assert found.explained[-1] == pytest.approx(1.0)
    assert (found.needed(0.5), found.needed(0.9), found.needed(1.0)) == (1, 2, 3)
    assert found.vector(2).norm() == pytest.approx(2.0, rel=0.05)
    assert torch.allclose(found.scores(points).std(dim=0), found.variance.sqrt(), rtol=1e-3)


def test_extremes_are_the_ends_of_a_component(cloud):
    points, _ = cloud
    found = principal_components("w", points)
    ends = extremes(found, points, 1, count=4)
    scores = found.scores(points)[:, 0]
    assert scores[ends.low[0]] == scores.min() and scores[ends.high[0]] == scores.max()
    assert len(ends.low) == len(ends.high) == 4
    with pytest.raises(UserError, match="from 1 to 3"):
        extremes(found, points, 4)


def test_one_sample_has_no_components():
    with pytest.raises(UserError, match="at least two"):
        principal_components("w", torch.zeros(1, 4))


def test_noise_deviation_is_that_of_the_layers_that_get_noise(rng):
    generator = toy_generator(GAUSSIAN, noise_strength=0.1)
    ws = generator.express(generator.sample(2, rng))
    effects = {effect.case.name: effect for effect in noise_study(generator, ws, random=rng, draws=200)}
    level = {name: float(effect.deviation.mean()) for name, effect in effects.items()}
    assert level["none"] == 0
    assert level["coarse"] == pytest.approx(0.1, rel=0.1)
    assert level["fine"] == pytest.approx(0.1, rel=0.1)
    assert level["all"] == pytest.approx(0.1 * 2**0.5, rel=0.1)
    coarse = effects["coarse"].deviation
    assert torch.allclose(coarse[:, ::2, ::2], coarse[:, 1::2, 1::2], atol=1e-6)
    assert effects["all"].examples.shape == (2, 3, 8, 8)


def test_a_noise_study_needs_two_draws(rng):
    generator = toy_generator(GAUSSIAN)
    with pytest.raises(UserError, match="at least two draws"):
        noise_study(generator, generator.express(generator.sample(1, rng)), random=rng, draws=1)
