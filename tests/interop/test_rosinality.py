"""Checkpoints of rosinality's StyleGAN2 against a small implementation from the formulas, one sample at a time."""

import argparse
import itertools
import math

import pytest
import torch
import torch.nn.functional as F

from stylegenes.cli.main import run
from stylegenes.errors import UserError
from stylegenes.interop.official import import_weights
from stylegenes.records import ImageBatch, Noise
from stylegenes.snapshot import load_snapshot

W, DEPTH = 6, 3


def kernel_of(taps, gain=1.0):
    outer = torch.outer(torch.tensor(taps), torch.tensor(taps)).float()
    return outer / outer.sum() * gain


def generator_state(rng, *, channels=(5, 5, 4), taps=(1, 3, 3, 1), image_channels=3, noises=True):
    """Random weights under the names and in the shapes of the file; pictures of 4 << (len(channels) - 1) pixels."""

    def draw(*shape):
        return torch.randn(*shape, generator=rng)

    state = {f"style.{i + 1}.{part}": draw(*s) * 100 for i in range(DEPTH) for part, s in (("weight", (W, W)),)}
    state |= {f"style.{i + 1}.bias": draw(W) for i in range(DEPTH)}
    state["input.input"] = draw(1, channels[0], 4, 4)

    def conv(name, wide_in, wide_out, up):
        state[f"{name}.conv.weight"] = draw(1, wide_out, wide_in, 3, 3)
        state[f"{name}.conv.modulation.weight"], state[f"{name}.conv.modulation.bias"] = draw(wide_in, W), draw(wide_in)
        state[f"{name}.noise.weight"], state[f"{name}.activate.bias"] = draw(1), draw(wide_out)
        if up:
            state[f"{name}.conv.blur.kernel"] = kernel_of(taps, 4)

    def rgb(name, wide, up):
        state[f"{name}.conv.weight"] = draw(1, image_channels, wide, 1, 1)
        state[f"{name}.conv.modulation.weight"], state[f"{name}.conv.modulation.bias"] = draw(wide, W), draw(wide)
        state[f"{name}.bias"] = draw(1, image_channels, 1, 1)
        if up:
            state[f"{name}.upsample.kernel"] = kernel_of(taps, 4)

    conv("conv1", channels[0], channels[0], False)
    rgb("to_rgb1", channels[0], False)
    for i in range(1, len(channels)):
        conv(f"convs.{2 * i - 2}", channels[i - 1], channels[i], True)
        conv(f"convs.{2 * i - 1}", channels[i], channels[i], False)
        rgb(f"to_rgbs.{i - 1}", channels[i], True)
    for i in range(2 * len(channels) - 1 if noises else 0):
        state[f"noises.noise_{i}"] = draw(1, 1, 4 << (i + 1) // 2, 4 << (i + 1) // 2)
    return state


def filtered(x, kernel, left, right):
    """True convolution with one kernel for every channel of x [C, H, W]."""
    padded = F.pad(x[:, None], (left, right, left, right))
    return F.conv2d(padded, kernel.flip(0, 1)[None, None].to(x))[:, 0]


def stuffed(x):
    out = x.new_zeros(x.shape[0], 2 * x.shape[1], 2 * x.shape[2])
    out[:, ::2, ::2] = x
    return out


def map_code(state, z):
    x = z / (z.square().mean() + 1e-8).sqrt()
    for i in range(DEPTH):
        weight, bias = state[f"style.{i + 1}.weight"], state[f"style.{i + 1}.bias"]
        x = F.leaky_relu(weight @ x * 0.01 / math.sqrt(W) + bias * 0.01, 0.2) * 2**0.5
    return x


def modulated(state, name, x, w, *, demodulate, up=False):
    weight = state[f"{name}.conv.weight"][0]
    style = state[f"{name}.conv.modulation.weight"] @ w / math.sqrt(W) + state[f"{name}.conv.modulation.bias"]
    weight = weight * style[None, :, None, None] / math.sqrt(weight[0].numel())
    if demodulate:
        weight = weight / (weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
    if not up:
        return F.conv2d(x[None], weight, padding=weight.shape[-1] // 2)[0]
    kernel = state[f"{name}.conv.blur.kernel"]
    extra = len(kernel) - 4
    x = F.conv_transpose2d(x[None], weight.transpose(0, 1), stride=2)[0]
    return filtered(x, kernel, (extra + 1) // 2 + 1, extra // 2 + 1)


def styled(state, name, x, w, noise, up=False):
    x = modulated(state, name, x, w, demodulate=True, up=up) + state[f"{name}.noise.weight"] * noise[0]
    return F.leaky_relu(x + state[f"{name}.activate.bias"][:, None, None], 0.2) * 2**0.5


def colors(state, name, x, w, before=None):
    x = modulated(state, name, x, w, demodulate=False) + state[f"{name}.bias"][0]
    if before is None:
        return x
    kernel = state[f"{name}.upsample.kernel"]
    extra = len(kernel) - 2
    return x + filtered(stuffed(before), kernel, (extra + 1) // 2 + 1, extra // 2)[:, : x.shape[1], : x.shape[2]]


def picture(state, w):
    x = styled(state, "conv1", state["input.input"][0], w, state["noises.noise_0"][0])
    image = colors(state, "to_rgb1", x, w)
    for i in range(sum(key.startswith("to_rgbs") and key.endswith("conv.weight") for key in state)):
        x = styled(state, f"convs.{2 * i}", x, w, state[f"noises.noise_{2 * i + 1}"][0], up=True)
        x = styled(state, f"convs.{2 * i + 1}", x, w, state[f"noises.noise_{2 * i + 2}"][0])
        image = colors(state, f"to_rgbs.{i}", x, w, image)
    return image


def discriminator_state(rng, channels=(4, 5, 5), taps=(1, 3, 3, 1)):
    def draw(*shape):
        return torch.randn(*shape, generator=rng)

    state = {"convs.0.0.weight": draw(channels[0], 3, 1, 1), "convs.0.1.bias": draw(channels[0])}
    for i, (wide, out) in enumerate(itertools.pairwise(channels), 1):
        state |= {f"convs.{i}.conv1.0.weight": draw(wide, wide, 3, 3), f"convs.{i}.conv1.1.bias": draw(wide)}
        state |= {f"convs.{i}.conv2.1.weight": draw(out, wide, 3, 3), f"convs.{i}.conv2.2.bias": draw(out)}
        state[f"convs.{i}.skip.1.weight"] = draw(out, wide, 1, 1)
        state |= {f"convs.{i}.{part}.0.kernel": kernel_of(taps) for part in ("conv2", "skip")}
    last = channels[-1]
    state |= {"final_conv.0.weight": draw(last, last + 1, 3, 3), "final_conv.1.bias": draw(last)}
    state |= {"final_linear.0.weight": draw(last, last * 16), "final_linear.0.bias": draw(last)}
    return {**state, "final_linear.1.weight": draw(1, last), "final_linear.1.bias": draw(1)}


def judged(state, image):
    """The logit of one picture alone, whose spread within the batch is zero up to its offset."""

    def conv(x, name, pad=0, down=None):
        weight = state[f"{name}.weight"]
        if down is not None:
            total = len(state[down]) - 2 + weight.shape[-1] - 1
            x = filtered(x, state[down], (total + 1) // 2, total // 2)
        return F.conv2d(x[None], weight / math.sqrt(weight[0].numel()), padding=pad, stride=1 if down is None else 2)[0]

    def act(x, bias):
        return F.leaky_relu(x + bias.reshape(-1, *[1] * (x.ndim - 1)), 0.2) * 2**0.5

    x = act(conv(image, "convs.0.0"), state["convs.0.1.bias"])
    for i in range(1, 1 + sum(key.endswith("skip.1.weight") for key in state)):
        y = act(conv(x, f"convs.{i}.conv1.0", pad=1), state[f"convs.{i}.conv1.1.bias"])
        y = act(conv(y, f"convs.{i}.conv2.1", down=f"convs.{i}.conv2.0.kernel"), state[f"convs.{i}.conv2.2.bias"])
        x = (y + conv(x, f"convs.{i}.skip.1", down=f"convs.{i}.skip.0.kernel")) / 2**0.5
    x = torch.cat([x, torch.full((1, 4, 4), 1e-4)])
    x = act(conv(x, "final_conv.0", pad=1), state["final_conv.1.bias"]).flatten()
    x = act(state["final_linear.0.weight"] @ x / math.sqrt(x.numel()), state["final_linear.0.bias"])
    return state["final_linear.1.weight"] @ x / math.sqrt(x.numel()) + state["final_linear.1.bias"]


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "shape",
    [{}, {"channels": (4, 3), "image_channels": 1}, {"taps": (1, 2, 3, 5)}, {"channels": (4, 4, 4, 3)}],
    ids=str,
)
def test_the_same_pictures(shape, zipped, rng, tmp_path):
    state = generator_state(rng, **shape)
    mean = torch.randn(W, generator=rng)
    content = {"g_ema": state, "latent_avg": mean, "args": argparse.Namespace(size=16, mixing=0.9), "g_optim": {}}
    torch.save(content, tmp_path / "net.pt", _use_new_zipfile_serialization=zipped)
    G = import_weights(tmp_path / "net.pt").generator
    z = G.sample(3, rng)
    expected = torch.stack([picture(state, map_code(state, one)) for one in z])
    torch.testing.assert_close(G(z, noise=Noise("const")).image, expected, rtol=1e-4, atol=1e-4)
    ws = G.express(z, psi=0.5)[:, 0]
    torch.testing.assert_close(ws, torch.stack([mean + 0.5 * (map_code(state, one) - mean) for one in z]))


@pytest.mark.parametrize("shape", [{}, {"channels": (3, 5), "taps": (1, 2, 3, 5)}], ids=str)
def test_the_same_logits(shape, rng, tmp_path):
    state = discriminator_state(rng, **shape)
    torch.save({"g_ema": generator_state(rng), "d": state}, tmp_path / "net.pt")
    D = import_weights(tmp_path / "net.pt", discriminator=True).discriminator
    assert D is not None
    image = torch.randn(1, 3, D.resolution, D.resolution, generator=rng)
    torch.testing.assert_close(D(ImageBatch(image))[0], judged(state, image[0]), rtol=1e-4, atol=1e-4)


def test_what_the_file_lacks_is_made_the_same_way_each_time(rng, tmp_path):
    """Files of its training hold no mean of w; old ones hold no noise pictures either."""
    torch.save({"g_ema": generator_state(rng, noises=False)}, tmp_path / "net.pt")
    torch.manual_seed(1)
    first = import_weights(tmp_path / "net.pt").generator
    torch.manual_seed(2)
    second = import_weights(tmp_path / "net.pt").generator
    assert all(torch.equal(tensor, second.state_dict()[key]) for key, tensor in first.state_dict().items())
    w = first.latent(first.sample(20_000, rng))
    assert ((w.mean(dim=0) - first.latent.mean()[0]).abs() < 0.05 * w.std(dim=0)).all()


def test_through_the_command(rng, tmp_path, capsys):
    torch.save({"g_ema": generator_state(rng), "g": generator_state(rng)}, tmp_path / "net.pt")
    assert run(["import", str(tmp_path / "net.pt"), str(tmp_path / "out"), "--network", "g"]) == 0
    assert "stylegan2, 16 pixels" in capsys.readouterr().out
    assert load_snapshot(tmp_path / "out").generator.latent.spec["depth"] == DEPTH


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"GAN": {"S.net.0.weight": torch.ones(2)}, "version": "1.8"}, "lucidrains"),
        ({"GAN": {"G.layers.0.weight": torch.ones(2)}}, "lucidrains"),
        ({"synthesis.b4.const": torch.ones(2)}, "bare state dict"),
        ({"state_dict": {"layer.weight": torch.ones(2)}}, "it has: state_dict"),
        ({"g_ema": {"layer.weight": torch.ones(2)}}, "of no family"),
    ],
)
def test_other_checkpoints_are_told_what_they_are(content, said, tmp_path):
    torch.save(content, tmp_path / "net.pt")
    with pytest.raises(UserError, match=said) as refused:
        import_weights(tmp_path / "net.pt")
    assert "net.pt" in str(refused.value) and "weights_only" not in str(refused.value)


def test_filters_that_differ_are_refused(rng, tmp_path):
    state = generator_state(rng)
    state["to_rgbs.1.upsample.kernel"] = kernel_of((1, 2, 1, 1), 4)
    torch.save({"g_ema": state}, tmp_path / "net.pt")
    with pytest.raises(UserError, match="not the filter of the other layers"):
        import_weights(tmp_path / "net.pt")
