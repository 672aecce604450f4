import math

import pytest
import torch
from metrics_toys import Squares, toy_generator

from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.latents import Gaussian, Genome
from stylegenes.metrics.path_length import PathSettings, center_crop, path_length, path_pass, summarize
from stylegenes.perception import PerceptualDistance


class SquaredDistance(PerceptualDistance):
    name, weights_hash = "perceptual_toy", "toy"

    def forward(self, a, b):
        return (a - b).square().sum(dim=(1, 2, 3))


def orthonormal(latent, scale: float = 0.05) -> Generator:
    """Pictures that move as far as w does, times `scale`; in float64, so that a step of 1e-4 keeps its digits."""
    synthesis = Squares(latent.w_dim, num_ws=1)
    synthesis.paint = torch.linalg.qr(torch.randn(192, latent.w_dim, dtype=torch.float64))[0].T * scale
    latent.spec = {"name": "toy"}
    return Generator(latent.double(), synthesis).requires_grad_(False)


class DoubleGaussian(Gaussian):
    def sample(self, n, generator=None):
        return super().sample(n, generator).double()


def measure(generator, num=20_000, **settings):
    return path_length(generator, SquaredDistance(), PathSettings(**settings), num=num, batch=500)


@pytest.mark.parametrize("sampling", ["full", "end"])
def test_lines_in_w_have_the_expected_squared_distance_of_two_draws(sampling):
    """|w2 - w1|^2 has mean 2 w_dim for independent normals."""
    found = measure(orthonormal(DoubleGaussian(6)), space="w", sampling=sampling)
    assert abs(found.mean - 0.05**2 * 2 * 6) < 4 * found.standard_error


@pytest.mark.parametrize("sampling", ["full", "end"])
def test_arcs_in_z_have_the_expected_squared_angle(sampling):
    """In the plane, directions differ by an angle uniform on [0, pi]: mean square pi^2 / 3; radius^2 is w_dim = 2."""
    found = measure(orthonormal(DoubleGaussian(2, normalize=True)), space="z", sampling=sampling)
    assert abs(found.mean - 0.05**2 * 2 * math.pi**2 / 3) < 4 * found.standard_error


@pytest.mark.parametrize("space", ["z", "w"])
def test_a_genome_has_twice_the_variance_of_its_bank(space):
    genome = Genome(6, 3, num_variants=5).double()
    expected = 0.05**2 * 2 * genome.variants.var(dim=1, unbiased=False).sum().item()
    found = measure(orthonormal(genome), space=space)
    assert abs(found.mean - expected) < 4 * found.standard_error


def test_the_step_does_not_matter_where_the_path_is_straight():
    generator = orthonormal(DoubleGaussian(4))
    fine, coarse = (measure(generator, num=500, sampling="end", epsilon=e) for e in (1e-4, 1e-2))
    assert fine.mean == pytest.approx(coarse.mean, rel=1e-6)


def test_nothing_is_rejected_unless_asked_for():
    lengths = torch.arange(1.0, 101.0).double()
    assert summarize(lengths, 0.0).num_kept == 100
    kept = summarize(lengths, 0.1)
    assert kept.num_kept == 80 and kept.mean == pytest.approx(50.5) and kept.num == 100


def test_the_crop_is_the_middle():
    picture = torch.zeros(1, 1, 8, 8)
    picture[..., 2:6, 2:6] = 1
    assert torch.equal(center_crop(picture), torch.ones(1, 1, 4, 4))


def test_the_same_seed_measures_the_same():
    generator = toy_generator("mapping")
    a, b, c = (
        path_length(generator, SquaredDistance(), PathSettings("z"), num=40, seed=s, batch=16) for s in (1, 1, 2)
    )
    assert a == b != c


@pytest.mark.parametrize("space", ["z", "w"])
def test_truncated_pictures_move_less(space):
    """Squared distances shrink by psi squared, where pictures are linear in w."""
    generator, settings = orthonormal(DoubleGaussian(4)), PathSettings(space, "end")
    whole, half = (path_pass(generator, SquaredDistance(), settings, num=200, batch=50, psi=psi) for psi in (1.0, 0.5))
    torch.testing.assert_close(half.run(), whole.run() / 4, rtol=1e-6, atol=0)
    assert half.key() != whole.key()


@pytest.mark.parametrize("settings", [{"space": "q"}, {"sampling": "half"}, {"epsilon": 0.0}, {"reject": 0.5}], ids=str)
def test_wrong_settings_are_refused(settings):
    with pytest.raises(UserError):
        PathSettings(**settings)
