"""FastGAN's generator against recorded numbers, through the adapter from the official names."""

import re

import pytest
import torch
from parity import Fixture, fixtures

from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.interop.fastgan import generator_from_official, generator_names
from stylegenes.records import Condition, Noise
from stylegenes.synthesis.fastgan import gated


@pytest.fixture(params=[torch.float64, torch.float32], ids=str)
def dtype(request):
    return request.param


def recorded(fixture: Fixture, dtype: torch.dtype) -> tuple[Generator, torch.Tensor, Condition]:
    """The generator, its input, and the recorded noise in the place of its noise pictures."""
    G = generator_from_official(fixture.kwargs(), fixture.state(dtype=dtype))
    layers = [module for module in G.modules() if hasattr(module, "noise_const")]
    for k, layer in enumerate(layers):
        layer.noise_const = fixture.input(f"noise_{k}", dtype)
    return G, fixture.input("z", dtype), fixture.condition(dtype)


@pytest.mark.parametrize("folder", fixtures("fastgan_generator"))
def test_pictures_and_gradients_in_evaluation(folder, dtype):
    fixture = Fixture(folder)
    G, z, condition = recorded(fixture, dtype)
    before, after = record_maps(G)
    z.requires_grad_()
    image = G.eval()(z, condition, noise=Noise("const")).image
    fixture.check("img_eval", image)
    for name, found in fixture.names(r"feat_(\d+)(_after_se)?").items():
        fixture.check(name, (after if found[2] else before)[int(found[1])])
    cotangent = torch.nn.functional.interpolate(fixture.input("gy", dtype), size=image.shape[-1])
    (gradient,) = torch.autograd.grad((image * cotangent).sum(), z)
    fixture.check("grad_z", gradient)


def record_maps(G: Generator) -> tuple[dict[int, torch.Tensor], dict[int, torch.Tensor]]:
    """Maps by resolution, before and after skip-layer excitation, once a picture is made."""
    before: dict[int, torch.Tensor] = {}
    after: dict[int, torch.Tensor] = {}
    G.synthesis.start_norm.register_forward_hook(lambda _, __, x: before.update({4: gated(x)}))
    for block in G.synthesis.blocks:
        block.convs[-1].register_forward_hook(lambda _, __, x: before.update({x.shape[-1]: x}))
        block.register_forward_hook(lambda _, __, x: after.update({x.shape[-1]: x}))
    return before, after


@pytest.mark.parametrize("folder", fixtures("fastgan_generator"))
def test_one_forward_in_training_moves_the_statistics(folder, dtype):
    fixture = Fixture(folder)
    G, z, condition = recorded(fixture, dtype)
    fixture.check("img_train", G.train()(z, condition, noise=Noise("const")).image)
    state, moved = fixture.state(dtype=dtype), G.state_dict()
    ours = {official: key for key, official in generator_names(G, state).items()}
    found = fixture.names(r"after_\w+?_\d+")
    assert found
    for name in found:
        fixture.check(name, moved[ours[official_name(fixture, name)]])


def official_name(fixture: Fixture, name: str) -> str:
    """The official name that a description states; that of a variance follows from its mean's."""
    described = fixture.config["arrays"][name].get("doc", "")
    if "synthesis." not in described:
        mean = fixture.config["arrays"][name.replace("running_var", "running_mean")]["doc"]
        described = mean.replace("running_mean", "running_var")
    found = re.search(r"synthesis\.[\w.]*\w", described)
    assert found, described
    return found[0]


@pytest.mark.parametrize("folder", fixtures("fastgan_generator")[:1])
def test_what_does_not_fit_is_named(folder):
    fixture = Fixture(folder)
    kwargs, state = fixture.kwargs(), fixture.state()
    with pytest.raises(UserError, match="lack img_resolution"):
        generator_from_official({}, state)
    with pytest.raises(UserError, match="cannot take color"):
        generator_from_official({**kwargs, "color": 1}, state)
    with pytest.raises(UserError, match=r"missing: synthesis\.to_big\.bias"):
        generator_from_official(kwargs, {k: v for k, v in state.items() if k != "synthesis.to_big.bias"})
