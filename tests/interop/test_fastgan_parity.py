"""FastGAN's generator against recorded numbers, through the adapter from the official names."""

import re

import pytest
import torch
from parity import Fixture, fixtures

from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.interop.fastgan import generator_from_official
from stylegenes.records import Condition, Noise


@pytest.fixture(params=[torch.float64, torch.float32], ids=str)
def dtype(request):
    return request.param


def recorded(fixture: Fixture, dtype: torch.dtype) -> tuple[Generator, torch.Tensor, Condition]:
    """The generator, its input, and the recorded noise in the place of its noise pictures."""
    G = generator_from_official(fixture.kwargs(), fixture.state(dtype=dtype))
    layers = [module for module in G.modules() if hasattr(module, "noise_const")]
    for k, layer in enumerate(layers):
        layer.noise_const = fixture.input(f"noise_{k}", dtype)
    condition = Condition(label=fixture.input("c", dtype) if fixture.has("c") else None)
    return G, fixture.input("z", dtype), condition


@pytest.mark.parametrize("folder", fixtures("fastgan_generator"))
def test_pictures_and_gradients_in_evaluation(folder, dtype):
    fixture = Fixture(folder)
    G, z, condition = recorded(fixture, dtype)
    features = {}
    for block in G.synthesis.blocks:
        block.register_forward_hook(lambda _, __, x: features.update({x.shape[-1]: x}))
    z.requires_grad_()
    image = G.eval()(z, condition, noise=Noise("const")).image
    fixture.check("img_eval", image)
    for name in ("feat_8", "feat_64_after_se"):
        fixture.check(name, features[int(re.search(r"\d+", name)[0])][:1, :8])
    cotangent = torch.nn.functional.interpolate(fixture.input("gy", dtype), size=image.shape[-1])
    (gradient,) = torch.autograd.grad((image * cotangent).sum(), z)
    fixture.check("grad_z", gradient)


@pytest.mark.parametrize("folder", fixtures("fastgan_generator"))
def test_one_forward_in_training_moves_the_statistics(folder, dtype):
    fixture = Fixture(folder)
    G, z, condition = recorded(fixture, dtype)
    image = G.train()(z, condition, noise=Noise("const")).image
    fixture.check("img_train", image[:, :, ::2, 1::2])
    S = G.synthesis
    fixture.check("after_u_0", S.start.parametrizations.weight[0].u)
    fixture.check("after_u_1", S.blocks[0].convs[0].conv.parametrizations.weight[0].u)
    fixture.check("after_running_mean_0", S.start_norm.running_mean)
    fixture.check("after_running_var_0", S.start_norm.running_var)


@pytest.mark.parametrize("folder", fixtures("fastgan_generator")[:1])
def test_what_does_not_fit_is_named(folder):
    fixture = Fixture(folder)
    kwargs, state = fixture.kwargs(), fixture.state()
    with pytest.raises(UserError, match="lack img_resolution"):
        generator_from_official({}, state)
    with pytest.raises(UserError, match="cannot take colour"):
        generator_from_official({**kwargs, "colour": 1}, state)
    with pytest.raises(UserError, match=r"missing: synthesis\.to_big\.bias"):
        generator_from_official(kwargs, {k: v for k, v in state.items() if k != "synthesis.to_big.bias"})
