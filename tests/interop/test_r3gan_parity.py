"""R3GAN's networks, losses and gradients against recorded numbers, through the adapter from the official names."""

import pytest
import torch
from parity import Fixture, fixtures

from stylegenes.errors import UserError
from stylegenes.interop.r3gan import (
    discriminator_from_official,
    discriminator_names,
    generator_from_official,
    generator_names,
)
from stylegenes.records import Condition, ImageBatch
from stylegenes.training.losses import Relativistic
from stylegenes.training.regularizers import gradient_square

DTYPES = [torch.float64, torch.float32]


@pytest.fixture(params=DTYPES, ids=str)
def dtype(request):
    return request.param


def networks(fixture: Fixture, dtype: torch.dtype):
    G = generator_from_official(fixture.kwargs("G"), fixture.state("G", dtype))
    return G, discriminator_from_official(fixture.kwargs("D"), fixture.state("D", dtype))


def condition_of(fixture: Fixture, dtype: torch.dtype) -> Condition:
    return Condition(label=fixture.input("c", dtype) if fixture.has("c") else None)


def gradient_norms(fixture: Fixture, module, names: dict[str, str], player: str) -> torch.Tensor:
    gradients = {names[key]: parameter.grad for key, parameter in module.named_parameters()}
    return torch.stack([gradients[name].norm() for name in fixture.config[f"{player}_param_names_sorted"]])


@pytest.mark.parametrize("folder", fixtures("r3gan"))
def test_pictures_stages_and_generator_gradients(folder, dtype):
    fixture = Fixture(folder)
    G, D = networks(fixture, dtype)
    stages = []
    for stage in G.synthesis.stages:
        stage.register_forward_hook(lambda _, __, x: stages.append(x))
    condition = condition_of(fixture, dtype)
    fakes = G(fixture.input("z", dtype), condition)
    fixture.check("img", fakes.image)
    for i, features in enumerate(stages):
        fixture.check(f"x_G_stage{i}", features[:1, :6])
    real = ImageBatch(fixture.input("real_img", dtype), condition=condition)
    fake_logits, real_logits = D(fakes), D(real)
    fixture.check("logits_fake", fake_logits[:, 0])
    fixture.check("logits_real", real_logits[:, 0])
    loss = Relativistic().generator(fake_logits, real_logits)
    fixture.check("loss_G_per_sample", loss[:, 0])
    fixture.check("loss_G", loss.mean())
    loss.mean().backward()
    fixture.check("G_param_grad_norms", gradient_norms(fixture, G, generator_names(G), "G"))


@pytest.mark.parametrize("folder", fixtures("r3gan"))
def test_penalties_and_discriminator_gradients(folder, dtype):
    fixture = Fixture(folder)
    G, D = networks(fixture, dtype)
    condition = condition_of(fixture, dtype)
    image = fixture.input("real_img", dtype).requires_grad_()
    real = ImageBatch(image, condition=condition)
    fake = G(fixture.input("z", dtype), condition).detach()
    fake.image.requires_grad_()
    real_logits, fake_logits = D(real), D(fake)
    (gradient,) = torch.autograd.grad(real_logits.sum(), image, retain_graph=True)
    fixture.check("grad_real_img", gradient)
    r1, r2 = gradient_square(real_logits, image), gradient_square(fake_logits, fake.image)
    fixture.check("r1_penalty", r1)
    fixture.check("r2_penalty", r2)
    adversarial = Relativistic().discriminator(real_logits, fake_logits)[:, 0]
    fixture.check("loss_D_adv", adversarial.mean())
    loss = (adversarial + fixture.config["gamma"] / 2 * (r1 + r2)).mean()
    fixture.check("loss_D", loss)
    loss.backward()
    fixture.check("D_param_grad_norms", gradient_norms(fixture, D, discriminator_names(D), "D"))


@pytest.mark.parametrize("folder", fixtures("r3gan")[:1])
def test_what_does_not_fit_is_named(folder):
    fixture = Fixture(folder)
    kwargs, state = fixture.kwargs("G"), fixture.state("G")
    with pytest.raises(UserError, match="cannot take Colour"):
        generator_from_official({**kwargs, "Colour": 1}, state)
    with pytest.raises(UserError, match="KernelSize 5"):
        generator_from_official({**kwargs, "KernelSize": 5}, state)
    with pytest.raises(UserError, match="lack NoiseDimension"):
        generator_from_official({k: v for k, v in kwargs.items() if k != "NoiseDimension"}, state)
    with pytest.raises(UserError, match=r"unexpected: extra"):
        generator_from_official(kwargs, {**state, "extra": torch.zeros(1)})
    kernel = next(key for key in state if key.endswith("Kernel"))
    with pytest.raises(UserError, match="not the filter"):
        generator_from_official(kwargs, {**state, kernel: torch.ones(4, 4)})
