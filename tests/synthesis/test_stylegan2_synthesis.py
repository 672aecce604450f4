"""StyleGAN2's synthesis network: shapes, noise, messages, precision and second derivatives."""

import pytest
import torch

from stylegenes.errors import UserError
from stylegenes.records import Noise
from stylegenes.synthesis import SYNTHESES

SPEC = {"name": "stylegan2", "resolution": 16, "w_dim": 12, "channel_base": 128, "channel_max": 16}


def build(**changes):
    network = SYNTHESES.build({**SPEC, **changes})
    for name, parameter in network.named_parameters():
        if name.endswith("noise_strength"):
            torch.nn.init.constant_(parameter, 0.5)
    return network


@pytest.mark.parametrize("architecture", ["skip", "orig", "resnet"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_architecture_makes_pictures(architecture, channels):
    network = build(architecture=architecture, image_channels=channels)
    assert network.num_ws == len(network.layer_resolutions) == 6
    assert network.layer_resolutions == [4, 8, 8, 16, 16, 16]
    image = network(torch.randn(2, 6, 12)).image
    assert image.shape == (2, channels, 16, 16)
    image.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("layer", range(6))
def test_each_style_reaches_the_picture(layer):
    network, ws = build(), torch.randn(1, 6, 12)
    other = ws.clone()
    other[:, layer] = torch.randn(12)
    quiet = Noise("none")
    assert not torch.allclose(network(ws, noise=quiet).image, network(other, noise=quiet).image)


def test_noise_modes():
    network, ws = build(), torch.randn(1, 6, 12).expand(2, -1, -1)

    def draw(noise):
        return network(ws, noise=noise).image.detach()

    const, none, random = draw(Noise("const")), draw(Noise("none")), draw(Noise("random"))
    torch.testing.assert_close(const[0], const[1])
    assert not torch.allclose(const, none) and not torch.allclose(random[0], random[1])
    seeded = [draw(Noise("random", torch.Generator().manual_seed(3))) for _ in range(2)]
    assert torch.equal(*seeded)
    assert torch.equal(draw(Noise("const", max_resolution=2)), none)
    coarse = draw(Noise("const", max_resolution=8))
    assert not torch.allclose(coarse, none) and not torch.allclose(coarse, const)


def test_noise_buffers_are_the_constant_noise():
    network = build()
    assert sorted(tuple(b.shape) for b in network.noise_buffers().values()) == [(4, 4), *[(8, 8)] * 2, *[(16, 16)] * 2]
    ws = torch.randn(1, 6, 12)
    before = network(ws, noise=Noise("const")).image
    for buffer in network.noise_buffers().values():
        buffer.zero_()
    assert torch.equal(network(ws, noise=Noise("const")).image, network(ws, noise=Noise("none")).image)
    assert not torch.equal(before, network(ws, noise=Noise("const")).image)
    assert build(use_noise=False).noise_buffers() == {}


def test_conv_clamp_bounds_every_layer():
    network = build(conv_clamp=0.25)
    seen = []
    for block in network.blocks:
        block.conv1.register_forward_hook(lambda _, __, y: seen.append(y.abs().max().item()))
    network(torch.randn(2, 6, 12) * 5)
    assert max(seen) == pytest.approx(0.25)


def test_second_derivatives_agree_with_differences():
    network = build(resolution=8, channel_base=32, channel_max=4).double()
    ws = torch.randn(1, 4, 12, dtype=torch.float64, requires_grad=True)
    noise = Noise("const")
    assert torch.autograd.gradgradcheck(lambda w: network(w, noise=noise).image.mean(), ws, eps=1e-7, atol=1e-4)


def test_path_length_reaches_every_parameter():
    network = build()
    ws = torch.randn(2, 6, 12, requires_grad=True)
    image = network(ws, noise=Noise("const")).image
    (gradient,) = torch.autograd.grad((image * torch.randn_like(image)).sum(), ws, create_graph=True)
    gradient.square().sum().sqrt().backward()
    weights = {name: p for name, p in network.named_parameters() if name.endswith("weight")}
    assert all(p.grad is not None and p.grad.isfinite().all() for p in weights.values())


def test_bf16_autocast_gives_float32_pictures_close_to_float32():
    network = build(channel_base=512, channel_max=64)
    ws = torch.randn(4, 6, 12)
    exact = network(ws, noise=Noise("const")).image
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = network(ws, noise=Noise("const")).image
    assert rough.dtype == torch.float32
    assert (rough - exact).square().mean().sqrt() < 0.02 * exact.square().mean().sqrt()
    assert not torch.equal(rough, exact)


@pytest.mark.parametrize("shape", [(6, 12), (2, 5, 12), (2, 6, 13), (2, 12)])
def test_wrong_styles_are_refused(shape):
    with pytest.raises(UserError, match=r"needs \[N, 6, 12\]"):
        build()(torch.randn(shape))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolution": 100}, "nearest that fit are 104, 96, 112"),
        ({"architecture": "dense"}, "not one of orig, skip, resnet"),
        ({"channel_base": 8}, "at least 1"),
        ({"activation": "gelu"}, "unknown activation"),
    ],
)
def test_wrong_arguments_are_refused(changes, message):
    with pytest.raises(UserError, match=message):
        build(**changes)(torch.randn(1, 6, 12))
