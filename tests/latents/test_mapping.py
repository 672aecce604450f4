import pytest
import torch

from stylegenes.errors import UserError
from stylegenes.latents import LATENTS, Gaussian, Mapping
from stylegenes.latents.gaussian import slerp
from stylegenes.records import Condition


@pytest.mark.parametrize("depth", [0, 1, 2, 8])
def test_depths(depth, rng):
    latent = Mapping(16, depth=depth)
    z = latent.sample(5, rng)
    w = latent(z)
    assert w.shape == (5, 16)
    assert sum(1 for _ in latent.parameters()) == 2 * depth
    if depth == 0:
        torch.testing.assert_close(w.square().mean(dim=1), torch.ones(5))


def test_running_mean_follows_the_batches(rng):
    latent = Mapping(4, depth=1, w_avg_beta=0.5)
    batches = [torch.randn(8, 4, generator=rng) for _ in range(3)]
    expected = torch.zeros(4)
    for batch in batches:
        latent.track(batch)
        expected = 0.5 * expected + 0.5 * batch.mean(dim=0)
    torch.testing.assert_close(latent.mean(), expected[None])


def test_label_changes_w_and_is_required(rng):
    latent = Mapping(16, depth=2, label_dim=3)
    z = latent.sample(2, rng)
    one, two = (latent(z, Condition(label=torch.eye(3)[[i, i]])) for i in (0, 1))
    assert not torch.allclose(one, two)
    with pytest.raises(UserError, match="needs a label of length 3"):
        latent(z)
    with pytest.raises(UserError, match=r"\[2, 3\]"):
        latent(z, Condition(label=torch.zeros(2, 4)))


def test_silently_ignored_arguments_are_refused():
    with pytest.raises(UserError, match="depth 0"):
        Mapping(16, depth=0, label_dim=3)
    with pytest.raises(UserError, match="z_dim == w_dim"):
        Mapping(16, 8, depth=0)


@pytest.mark.parametrize("spec", [{"name": "gaussian"}, {"name": "mapping", "depth": 2}])
def test_code_strings_round_trip(spec, rng):
    latent = LATENTS.build({**spec, "w_dim": 12})
    z = latent.sample(3, rng)
    assert torch.equal(latent.from_strings(latent.to_strings(z)), z)
    with pytest.raises(UserError):
        latent.from_strings(["AAAA"])


def test_slerp_keeps_angle_and_ends(rng):
    a, b = torch.randn(6, 9, generator=rng), torch.randn(6, 9, generator=rng)
    torch.testing.assert_close(slerp(a, b, 0.0), a)
    torch.testing.assert_close(slerp(a, b, 1.0), b)
    middle = slerp(a, b, 0.3)
    whole = torch.nn.functional.cosine_similarity(a, b).acos()
    torch.testing.assert_close(
        torch.nn.functional.cosine_similarity(a, middle).acos(), 0.3 * whole, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("size", [2, 3, 16, 512])
def test_slerp_between_opposites_keeps_the_length(size, rng):
    """As psi = -1 makes them; and the way from a code to itself stays there."""
    z = torch.randn(64, size, generator=rng)
    for t in (0.25, 0.5, 0.75):
        between = slerp(z, -z, t)
        assert torch.allclose(between.norm(dim=1), z.norm(dim=1), rtol=1e-4)
        assert torch.allclose(slerp(z, z, t), z, atol=1e-5)
    ends = torch.cat([slerp(z, -z, 0.0) - z, slerp(z, -z, 1.0) + z])
    assert ends.abs().max() < 1e-3


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_strings_of_codes_that_are_no_numbers_are_refused(number):
    latent = Gaussian(3)
    (text,) = latent.to_strings(torch.tensor([[0.0, number, 1.0]]))
    with pytest.raises(UserError, match="no number"):
        latent.from_strings([text])


def test_gaussian_is_the_identity_unless_normalized(rng):
    z = Gaussian(8).sample(3, rng)
    assert torch.equal(Gaussian(8)(z), z)
    torch.testing.assert_close(Gaussian(8, normalize=True)(z).square().mean(dim=1), torch.ones(3))
    with pytest.raises(UserError, match=r"\[N, 8\]"):
        Gaussian(8)(torch.zeros(2, 9))
