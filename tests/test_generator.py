import pytest
import torch

from stylegenes.errors import UserError
from stylegenes.generator import Generator, mix
from stylegenes.latents import LATENTS
from stylegenes.records import ImageBatch, Noise
from stylegenes.synthesis import SynthesisNetwork


class Paint(SynthesisNetwork):
    """Shows its ws as a picture: one pixel row a layer."""

    def __init__(self, w_dim=8, num_ws=4):
        super().__init__()
        self.resolution, self.image_channels, self.w_dim, self.num_ws = w_dim, 1, w_dim, num_ws
        self.layer_resolutions = [4, 4, 8, 8]

    def forward(self, ws, condition=None, *, noise=None):
        return ImageBatch(ws[:, None])


def build(name):
    return Generator(
        LATENTS.build({"name": name, "w_dim": 8, **({"num_genes": 4} if name == "genome" else {})}), Paint()
    )


@pytest.mark.parametrize("name", LATENTS.names())
def test_truncation_mixing_and_shapes_work_with_every_latent(name, rng):
    G = build(name)
    a, b = G.sample(3, rng), G.sample(3, rng)
    ws, other = G.express(a), G.express(b)
    assert ws.shape == (3, 4, 8)
    mean = G.latent.mean()
    torch.testing.assert_close(G.express(a, psi=0.0), mean[:, None].expand(3, 4, 8))
    torch.testing.assert_close(G.express(a, psi=-1.0) - mean[:, None], mean[:, None] - ws)
    cut = G.express(a, psi=0.5, cutoff=2)
    assert torch.equal(cut[:, 2:], ws[:, 2:])
    torch.testing.assert_close(cut[:, :2], (ws[:, :2] + mean) / 2)
    mixed = mix(ws, other, torch.tensor([0, 2, 4]))
    assert torch.equal(mixed[0], other[0])
    assert torch.equal(mixed[2], ws[2])
    assert torch.equal(mixed[1], torch.cat([ws[1, :2], other[1, 2:]]))
    assert len(G(a)) == 3


def test_disagreeing_widths_are_refused():
    with pytest.raises(UserError, match="length 16"):
        Generator(LATENTS.build({"name": "gaussian", "w_dim": 16}), Paint())


def test_noise_range():
    noise = Noise("random", min_resolution=8, max_resolution=16)
    assert [noise.mode_at(r) for r in (4, 8, 16, 32)] == ["none", "random", "random", "none"]
    with pytest.raises(UserError, match="unknown; accepted: random, const, none"):
        Noise("loud")
