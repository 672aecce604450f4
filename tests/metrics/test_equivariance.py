"""EQ-T and EQ-R against networks whose equivariance is known."""

import math

import pytest
import torch

from stylegenes.errors import UserError
from stylegenes.metrics.equivariance import (
    Mismatch,
    eq_r,
    eq_t,
    rotation_transform,
    translation_mismatch,
    translation_transform,
)
from stylegenes.synthesis import SYNTHESES

SIZE = 40


def waves(seed, cutoff):
    """An exactly equivariant network: plane waves below `cutoff` cycles a picture, seen through a transform."""
    draw = torch.Generator().manual_seed(seed)
    frequencies = torch.randn(20, 2, generator=draw, dtype=torch.float64)
    frequencies = (
        frequencies / frequencies.norm(dim=1, keepdim=True) * torch.rand(20, 1, generator=draw).double() * cutoff
    )
    phases = torch.rand(20, generator=draw, dtype=torch.float64)
    axis = (torch.arange(SIZE, dtype=torch.float64) + 0.5) / SIZE - 0.5
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    plane = torch.stack([x, y, torch.ones_like(x)], -1)

    def render(transform):
        seen = plane @ transform.T
        return torch.sin(2 * math.pi * (seen[..., :2] @ frequencies.T + phases)).mean(-1)[None, None]

    return render


def still(seed):
    """A network that ignores the transform: its pictures stick to the pixel grid."""
    picture = torch.rand(1, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return lambda transform: picture


def test_a_band_limited_network_is_equivariant(rng):
    renders = [waves(seed, cutoff=SIZE / 8) for seed in range(2)]
    assert eq_t(renders, rng) > 200
    assert eq_r(renders, rng) > 60


def test_a_network_that_sticks_to_the_grid_is_not(rng):
    renders = [still(seed) for seed in range(4)]
    # Independent uniform values differ by 2/3 in the mean square: 10 log10(4 / (2/3)) = 7.8 dB.
    assert eq_t(renders, rng) == pytest.approx(10 * math.log10(4 / (2 / 3)), abs=0.5)
    assert eq_r(renders, rng) < 30


def test_aliasing_lowers_rotation(rng):
    low, high = ([waves(seed, cutoff=SIZE * part) for seed in range(1)] for part in (0.1, 0.5))
    assert eq_r(low, torch.Generator().manual_seed(0)) > eq_r(high, torch.Generator().manual_seed(0))


def test_known_error():
    reference = torch.zeros(1, 1, 8, 8)
    assert translation_mismatch(reference, reference + 0.02, (2, -1)).decibels == pytest.approx(40)
    assert translation_mismatch(reference, reference, (0, 0)).decibels == math.inf
    with pytest.raises(UserError, match="no pixel to compare"):
        _ = Mismatch(0.0, 0.0).decibels


@pytest.mark.parametrize("kind", ["T", "R"])
def test_the_alias_free_network(kind, rng):
    """Even untrained, T moves with its input; R turns with it as well, better than T."""
    spec = {"name": "stylegan3", "resolution": 32, "w_dim": 16, "channel_base": 256, "channel_max": 16, "num_layers": 8}
    spec |= {"conv_kernel": 1, "radial_filters": True} if kind == "R" else {}
    network = SYNTHESES.build(spec).eval()
    ws = torch.randn(1, network.num_ws, 16, generator=rng)

    def render(transform):
        with torch.no_grad(), network.placed(transform):
            return network(ws).image

    amplitude = render(torch.eye(3)).abs().max()

    def scaled(transform):
        return render(transform) / amplitude

    assert eq_t([scaled] * 2, rng) > 40
    assert (eq_r([scaled], rng) > 35) == (kind == "R")
    assert torch.equal(network.input.transform, torch.eye(3))


def test_transforms():
    turn, move = rotation_transform(math.pi / 2), translation_transform(2, 3)
    torch.testing.assert_close(turn @ torch.tensor([1.0, 0, 1]).double(), torch.tensor([0.0, 1, 1]).double())
    torch.testing.assert_close(move @ torch.tensor([0.0, 0, 1]).double(), torch.tensor([2.0, 3, 1]).double())
