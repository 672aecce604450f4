"""StyleGAN3's synthesis network: contract, running magnitudes, both execution paths, derivatives, refusals."""

import pytest
import torch

from stylegenes.errors import UserError
from stylegenes.synthesis import SYNTHESES

TINY = {"name": "stylegan3", "resolution": 16, "w_dim": 8, "channel_base": 64, "channel_max": 8, "num_layers": 5}
R = {"conv_kernel": 1, "radial_filters": True}


def _build(**more):
    return SYNTHESES.build({**TINY, **more}).eval()


@pytest.mark.parametrize("more", [{}, R, {"image_channels": 1}, {"resolution": 32}, {"conv_clamp": None}])
def test_contract(more, rng):
    network = _build(**more)
    ws = torch.randn(2, network.num_ws, network.w_dim, generator=rng)
    image = network(ws).image
    assert image.shape == (2, network.image_channels, network.resolution, network.resolution)
    assert image.isfinite().all() and len(network.layer_resolutions) == network.num_ws
    assert network.layer_resolutions == sorted(network.layer_resolutions)
    assert network.layer_resolutions[-1] == network.resolution


@pytest.mark.parametrize("more", [{}, R])
def test_with_and_without_gradient_agree(more, rng):
    """Without a gradient samples go one at a time and are overwritten in between."""
    network = _build(conv_clamp=0.3, **more).double()
    ws = torch.randn(3, network.num_ws, 8, generator=rng, dtype=torch.float64)
    with torch.no_grad():
        quick = network(ws).image
    torch.testing.assert_close(quick, network(ws.requires_grad_()).image.detach(), rtol=0, atol=1e-12)


def test_magnitudes_are_noted_while_training_and_move_when_settled(rng):
    network, ws = _build(), torch.randn(2, 7, 8, generator=rng)

    def magnitudes():
        return torch.stack([layer.magnitude_ema for layer in network.layers])

    network(ws)
    assert torch.equal(network.observed(), torch.ones(6))
    network.train()
    before = network(ws).image
    assert (network.observed() != 1).all() and torch.equal(magnitudes(), torch.ones(6))
    torch.testing.assert_close(network(ws).image, before)
    seen = network.observed()
    network.settle(seen)
    torch.testing.assert_close(magnitudes(), 0.999 + 0.001 * seen)


def test_differentiable_twice(rng):
    network = _build().double()
    ws = torch.randn(1, 7, 8, generator=rng, dtype=torch.float64).requires_grad_()
    direction = torch.randn(1, 7, 8, generator=rng, dtype=torch.float64)

    def penalty(ws):
        score = network(ws).image.square().sum()
        return torch.autograd.grad(score, ws, create_graph=True)[0].square().sum()

    (gradient,) = torch.autograd.grad(penalty(ws), ws)
    numeric = (penalty(ws + 1e-6 * direction) - penalty(ws - 1e-6 * direction)) / 2e-6
    torch.testing.assert_close((gradient * direction).sum(), numeric, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"resolution": 8}, "up to 16 pixels or more; the nearest that fit are 16"),
        ({"num_critical": 5}, "num_layers must exceed num_critical"),
        ({"channel_base": 8}, "without channels"),
    ],
)
def test_refusals(more, message):
    with pytest.raises(UserError, match=message):
        _build(**more)


def test_ws_of_another_shape_are_refused():
    with pytest.raises(UserError, match=r"needs \[N, 7, 8\]"):
        _build()(torch.zeros(1, 6, 8))
