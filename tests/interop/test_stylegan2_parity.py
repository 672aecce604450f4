"""StyleGAN2's networks against recorded numbers, through the adapter from the official names."""

import pytest
import torch
from parity import Fixture, fixtures

from stylegenes.generator import Generator
from stylegenes.interop.stylegan2 import discriminator_from_official, discriminator_names, generator_from_official
from stylegenes.records import ImageBatch, Noise

DTYPES = [torch.float64, torch.float32]


@pytest.fixture(params=DTYPES, ids=str)
def dtype(request):
    return request.param


@pytest.mark.parametrize("folder", fixtures("sg2_generator"))
def test_styles(folder, dtype):
    fixture = Fixture(folder)
    G = generator_from_official(fixture.kwargs(), fixture.state(dtype=dtype))
    z, condition = fixture.input("z", dtype), fixture.condition(dtype)
    for name in fixture.names(r"ws_psi(?!\w*after)\w*"):
        fixture.check(name, G.express(z, condition, **fixture.truncation(name)))
    # The description of the picture names the truncation by that of the styles.
    for name in fixture.names(r"img_psi_cut_(const|none)"):
        pictures = G(z, condition, **fixture.truncation("ws_psi_cut"), noise=Noise(name.rpartition("_")[2]))
        fixture.check(name, pictures.image)
    G.latent.track(G.latent(z, condition))
    fixture.check("w_avg_after", G.latent.w_avg)
    for name in fixture.names(r"ws_psi\w*after"):
        fixture.check(name, G.express(z, condition, **fixture.truncation(name)))


@pytest.mark.parametrize("folder", fixtures("sg2_generator"))
def test_pictures_and_features(folder, dtype, monkeypatch):
    fixture = Fixture(folder)
    G = generator_from_official(fixture.kwargs(), fixture.state(dtype=dtype))
    features, colors = record_layers(G, monkeypatch)
    ws = G.express(fixture.input("z", dtype), fixture.condition(dtype))
    image = G.synthesis(ws, noise=Noise("const")).image
    for name in fixture.names(r"img_const(_unfused)?"):
        fixture.check(name, image)
    for name, found in fixture.names(r"(x|rgb)_b(\d+)").items():
        fixture.check(name, (features if found[1] == "x" else colors)[int(found[2])])
    fixture.check("img_none", G.synthesis(ws, noise=Noise("none")).image)
    fixture.check("img_ws_mixed_const", G.synthesis(fixture.input("ws_mixed", dtype), noise=Noise("const")).image)


def record_layers(G: Generator, monkeypatch) -> tuple[dict[int, torch.Tensor], dict[int, torch.Tensor]]:
    """Features and colors of the first picture made, by resolution."""
    features: dict[int, torch.Tensor] = {}
    colors: dict[int, torch.Tensor] = {}
    add = G.synthesis.add_colors

    def keep(*args):
        image = add(*args)
        colors.setdefault(image.shape[-1], image)
        return image

    for block in G.synthesis.blocks:
        block.register_forward_hook(lambda _, __, x: features.update({x.shape[-1]: features.get(x.shape[-1], x)}))
    monkeypatch.setattr(G.synthesis, "add_colors", keep)
    return features, colors


@pytest.mark.parametrize("folder", fixtures("sg2_discriminator"))
def test_discriminator(folder, dtype):
    fixture = Fixture(folder)
    D = discriminator_from_official(fixture.kwargs(), fixture.state(dtype=dtype))
    kept = {}
    D.epilogue.register_forward_hook(lambda _, inputs, __: kept.update(before=inputs[0]))
    D.epilogue.conv.register_forward_hook(lambda _, inputs, __: kept.update(std=inputs[0]))
    image = fixture.input("img", dtype).requires_grad_()
    logits = D(ImageBatch(image, condition=fixture.condition(dtype)))
    fixture.check("logits", logits)
    fixture.check("x_before_epilogue", kept["before"])
    channels = kept["before"].shape[1]
    if fixture.has("mbstd_out_stat"):
        fixture.check("mbstd_out_stat", kept["std"][:, channels:, 0, 0])
    gradient = torch.autograd.grad(logits.sum(), image, create_graph=True)[0]
    fixture.check("grad_img", gradient)
    penalty = gradient.square().sum(dim=(1, 2, 3))
    fixture.check("r1_penalty", penalty)
    penalty.mean().backward()
    fixture.check("r1_param_grad_norms", gradient_norms(D, discriminator_names(D)))


def gradient_norms(module: torch.nn.Module, names: dict[str, str]) -> torch.Tensor:
    """One norm a parameter, in the sorted order of the official names; a parameter without gradient counts zero."""
    parameters = {names[ours]: parameter for ours, parameter in module.named_parameters()}
    norms = [(p.new_zeros(()) if p.grad is None else p.grad.norm()) for _, p in sorted(parameters.items())]
    return torch.stack(norms)
