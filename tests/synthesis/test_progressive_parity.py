"""The layers of the progressive GANs against recorded formulas in double precision."""

import pytest
import torch
from parity import Fixture, fixtures

from stylegenes.generator import Generator
from stylegenes.layers import Linear, minibatch_std, normalize_second_moment
from stylegenes.ops.fir import filter2d, setup_filter
from stylegenes.progressive import ScaledConv, ScaledLinear, activate, double, fade, halve
from stylegenes.synthesis.stylegan1 import Style, instance_norm
from stylegenes.training.losses import NonSaturating, Wasserstein

FOLDERS = fixtures("progan_sg1_formulas")


def check(fixture: Fixture, name: str, actual: torch.Tensor) -> None:
    expected = fixture.input(name)
    assert actual.shape == expected.shape, name
    assert (actual - expected).abs().max() <= 1e-9 * expected.square().mean().sqrt(), name


def conv(fixture: Fixture, **kwargs) -> ScaledConv:
    layer = ScaledConv(*reversed(fixture.input("conv_w").shape[:2]), **kwargs).double()
    layer.weight.data = fixture.input("conv_w")
    for name in ("box", "binomial"):
        setattr(layer, name, setup_filter((1, 1) if name == "box" else (1, 2, 1)).double())
    return layer


@pytest.mark.parametrize("folder", FOLDERS)
def test_fully_connected(folder):
    fixture = Fixture(folder)
    for name in (name.removeprefix("dense_w_") for name in fixture.arrays if name.startswith("dense_w_")):
        gain, multiplier = (float(part.lstrip("glr").replace("_", ".")) for part in name.rsplit("_lr", 1))
        gain = 2**0.5 if abs(gain - 2**0.5) < 1e-3 else gain
        w, b, x = (fixture.input(f"dense_{part}_{name}") for part in "wbx")
        layer = ScaledLinear(w.shape[1], w.shape[0], gain=gain)
        layer.weight.data = w
        check(fixture, f"dense_y_{name}", layer(x) * multiplier + b * multiplier)
        stored = Linear(w.shape[1], w.shape[0], lr_multiplier=multiplier).double()
        stored.weight.data, stored.bias.data = w * gain, b
        check(fixture, f"dense_y_{name}", stored(x))


@pytest.mark.parametrize("folder", FOLDERS)
def test_convolutions_and_resampling(folder):
    fixture = Fixture(folder)
    x, b = fixture.input("x"), fixture.input("conv_b")
    plain = conv(fixture)(x)
    check(fixture, "conv_y", plain + b[:, None, None])
    check(fixture, "conv_lrelu_y", activate(plain, b))
    binomial = setup_filter((1, 2, 1)).double()
    check(fixture, "blur_y", filter2d(x, binomial))
    check(fixture, "up_nearest_y", double(x))
    check(fixture, "up_blur_y", filter2d(double(x), binomial))
    check(fixture, "down_box_y", halve(x))
    check(fixture, "blur_down_y", halve(filter2d(x, binomial)))
    check(fixture, "upconv_y", conv(fixture, up=2)(x))
    check(fixture, "upconv_blur_y", conv(fixture, up=2, blur=True)(x))
    check(fixture, "convdown_y", conv(fixture, down=2)(x))
    check(fixture, "blur_convdown_y", conv(fixture, down=2, blur=True)(x))


@pytest.mark.parametrize("folder", FOLDERS)
def test_normalizations_noise_and_fades(folder):
    fixture = Fixture(folder)
    x = fixture.input("x")
    check(fixture, "pixel_norm_y", normalize_second_moment(x))
    check(fixture, "instance_norm_y", instance_norm(x))
    style = Style(fixture.input("adain_w").shape[1], x.shape[1]).double()
    style.affine.weight.data, style.bias.data = fixture.input("adain_A"), fixture.input("adain_b")
    check(fixture, "adain_style", style.styles(fixture.input("adain_w")))
    check(fixture, "adain_y", style(x, fixture.input("adain_w")))
    check(fixture, "noise_y", x + fixture.input("noise") * fixture.input("noise_weight")[:, None, None])
    for name in (name for name in fixture.arrays if name.startswith("mbstd")):
        group, channels = (int(part[1:]) for part in name.split("_")[1:])
        check(fixture, name, minibatch_std(x, group, channels))
    low, high, alpha = fixture.input("rgb_low"), fixture.input("rgb_high"), fixture.config["params"]["fade_alpha"]
    check(fixture, "fade_y", fade(low, high, alpha))
    check(fixture, "fade_real_y", fade(halve(high), high, alpha))


@pytest.mark.parametrize("folder", FOLDERS)
def test_truncation_and_losses(folder):
    fixture = Fixture(folder)
    ws, params = fixture.input("ws"), fixture.config["params"]
    latent = {"name": "mapping", "w_dim": ws.shape[2], "depth": 1}
    synthesis = {"name": "stylegan1", "resolution": 16, "w_dim": ws.shape[2], "channel_max": 2}
    G = Generator.from_spec({"latent": latent, "synthesis": synthesis}).double()
    G.latent.w_avg.copy_(fixture.input("w_avg"))
    check(fixture, "trunc_y", G.truncate(ws, params["truncation_psi"], params["truncation_cutoff"]))
    fake, real = fixture.input("logit_fake"), fixture.input("logit_real")
    check(fixture, "G_logistic_nonsaturating", NonSaturating().generator(fake).mean())
    check(fixture, "D_logistic", NonSaturating().discriminator(real, fake).mean())
    check(fixture, "G_wgan", Wasserstein().generator(fake).mean())
    slope = fixture.input("mixed_grad_norm").abs()
    check(fixture, "D_wgan_gp", (Wasserstein().discriminator(real, fake) + 10 * (slope - 1).square()).mean())
