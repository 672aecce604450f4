"""Losses, running average, schedules: numbers against formulas."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stylegenes.errors import UserError
from stylegenes.records import ImageBatch
from stylegenes.training.ema import ema_beta, make_ema, update_ema
from stylegenes.training.losses import LOSSES
from stylegenes.training.regularizers import R1, R2, Fakes, GradientPenalty, NoisyR1, NoisyR2, PenaltyInputs
from stylegenes.training.schedules import AdaptiveAugmentation, Progress, Ramp


@pytest.mark.parametrize(
    ("name", "generator", "discriminator"),
    [
        ("nonsaturating", math.log1p(math.exp(-0.5)), math.log1p(math.exp(-2)) + math.log1p(math.exp(0.5))),
        ("wasserstein", -0.5, 0.5 - 2 + 0.001 * 4),
        ("hinge", -0.5, 0 + 1.5),
        ("relativistic", math.log1p(math.exp(1.5)), math.log1p(math.exp(-1.5))),
    ],
)
def test_losses(name, generator, discriminator):
    loss = LOSSES.build({"name": name})
    real, fake = torch.tensor([[2.0]]), torch.tensor([[0.5]])
    assert loss.generator(fake, real).item() == pytest.approx(generator, rel=1e-6)
    assert loss.discriminator(real, fake).item() == pytest.approx(discriminator, rel=1e-6)


class Plane(torch.nn.Module):
    """A discriminator whose gradient is known: D(x) = slope * sum(x)."""

    def forward(self, batch):
        return 3.0 * batch.image.sum(dim=(1, 2, 3))[:, None]


def inputs():
    images = torch.rand(5, 2, 4, 4)
    batch = ImageBatch(images)
    return PenaltyInputs(
        None, Plane(), batch, lambda shrink=1: Fakes(None, None, batch), torch.Generator().manual_seed(0)
    )


def test_gradient_penalties_of_a_plane():
    square = 9.0 * 2 * 4 * 4
    assert torch.allclose(R1(2.0).penalty(inputs()), torch.full((5,), square))
    assert torch.allclose(R2(1.0).penalty(inputs()), torch.full((5,), square / 2))
    assert torch.allclose(GradientPenalty(10.0).penalty(inputs()), torch.full((5,), 10 * (square**0.5 - 1) ** 2))


class Curved(torch.nn.Module):
    """A smooth discriminator of two logits behind an augmentation that multiplies every picture by a random number."""

    def __init__(self, rng):
        super().__init__()
        self.rng, self.weight = rng, torch.randn(32, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def forward(self, batch):
        scale = torch.rand(len(batch), 1, generator=self.rng, dtype=torch.float64) + 0.5
        return torch.tanh(batch.image.flatten(1) * scale) @ self.weight


@pytest.mark.parametrize(("exact", "noisy"), [(R1, NoisyR1), (R2, NoisyR2)])
def test_penalties_by_noise_are_the_gradient_penalties_on_average(exact, noisy):
    """Over many draws of the noise, at the same augmentation."""
    n, rng = 20_000, torch.Generator().manual_seed(0)
    picture = torch.randn(1, 2, 4, 4, dtype=torch.float64, generator=rng) * 0.5
    batch = ImageBatch(picture.expand(n, -1, -1, -1))
    critic = Curved(torch.Generator().manual_seed(3))
    many = PenaltyInputs(None, critic, batch, lambda shrink=1: Fakes(None, None, batch), critic.rng)
    found = noisy(3.0, sigma=1e-4).penalty(many)
    expected = exact(3.0).penalty(many)
    assert found.shape == (n,)
    assert found.mean().item() == pytest.approx(expected.mean().item(), rel=4 * (2 / n) ** 0.5 + 0.01)


def test_a_penalty_by_noise_refuses_a_noise_of_nothing():
    with pytest.raises(UserError, match="sigma > 0"):
        NoisyR1(1.0, sigma=0.0)


@given(st.integers(1, 64), st.floats(100, 1e5))
def test_half_of_the_average_is_left_after_the_half_life(batch, half_life):
    beta = ema_beta(batch, images=10**9, half_life=half_life, rampup=0.05)
    assert beta ** (half_life / batch) == pytest.approx(0.5)


def test_a_young_average_forgets_quickly():
    assert ema_beta(32, images=0, half_life=1e4, rampup=0.05) < 1e-6
    assert ema_beta(32, images=3200, half_life=1e4, rampup=0.05) == pytest.approx(0.5 ** (32 / 160))


def test_average_moves_parameters_and_copies_buffers():
    model = torch.nn.BatchNorm1d(3)
    average = make_ema(model)
    with torch.no_grad():
        model.weight.fill_(3)
        model.running_mean.fill_(7)
    update_ema(average, model, 0.75)
    assert torch.allclose(average.weight, torch.full((3,), 0.75 * 1 + 0.25 * 3))
    assert torch.equal(average.running_mean, model.running_mean)
    assert not average.weight.requires_grad


def progress(real_sign, current, images=0):
    return Progress(images=images, batch=32, step=0, real_sign=real_sign, current=current)


def test_augmentation_goes_from_nothing_to_all_in_its_speed():
    schedule = AdaptiveAugmentation(interval=4, speed_kimg=500)
    p, images = 0.0, 0
    while p < 1:
        p = schedule.value(progress(0.9, p))
        images += 32 * 4
    assert images == pytest.approx(500_000, rel=1e-3)
    assert schedule.value(progress(0.2, 0.5)) < 0.5
    assert schedule.value(progress(0.2, 0.0)) == 0 and schedule.value(progress(0.6, 0.3)) == 0.3


def test_ramp():
    ramp = Ramp(1.0, 0.0, start_kimg=10, end_kimg=20)
    assert [ramp.value(progress(0, 0, images)) for images in (0, 10_000, 15_000, 99_000)] == [1, 1, 0.5, 0]
    with pytest.raises(UserError, match="end_kimg > start_kimg"):
        Ramp(1.0, 0.0, start_kimg=10, end_kimg=10)
