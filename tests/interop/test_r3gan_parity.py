"""R3GAN's networks, losses and gradients against recorded numbers, through the adapter from the official names."""

import pytest
import torch
from parity import Fixture, fixtures

from stylegenes.errors import UserError
from stylegenes.interop.r3gan import (
    arguments_of,
    discriminator_from_official,
    discriminator_names,
    generator_from_official,
    generator_names,
)
from stylegenes.records import ImageBatch
from stylegenes.training.losses import Relativistic
from stylegenes.training.regularizers import gradient_square

DTYPES = [torch.float64, torch.float32]


@pytest.fixture(params=DTYPES, ids=str)
def dtype(request):
    return request.param


def networks(fixture: Fixture, dtype: torch.dtype):
    G = generator_from_official(fixture.kwargs("G"), fixture.state("G", dtype))
    return G, discriminator_from_official(fixture.kwargs("D"), fixture.state("D", dtype))


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
    condition = fixture.condition(dtype)
    fakes = G(fixture.input("z", dtype), condition)
    fixture.check("img", fakes.image)
    for name, found in fixture.names(r"x_G_stage(\d+)").items():
        fixture.check(name, stages[int(found[1])])
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
    condition = fixture.condition(dtype)
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
    with pytest.raises(UserError, match="cannot take Color"):
        generator_from_official({**kwargs, "Color": 1}, state)
    with pytest.raises(UserError, match="KernelSize 5"):
        generator_from_official({**kwargs, "KernelSize": 5}, state)
    with pytest.raises(UserError, match="lack NoiseDimension"):
        generator_from_official({k: v for k, v in kwargs.items() if k != "NoiseDimension"}, state)
    with pytest.raises(UserError, match=r"unexpected: extra"):
        generator_from_official(kwargs, {**state, "extra": torch.zeros(1)})
    kernel = next(key for key in state if key.endswith("Kernel"))
    with pytest.raises(UserError, match="not the filter"):
        generator_from_official(kwargs, {**state, kernel: torch.ones(4, 4)})


@pytest.mark.parametrize("folder", fixtures("r3gan")[:1])
@pytest.mark.parametrize("named", [[1, 2, 1], [1, 4, 6, 4, 1], [1, 1, 3]])
def test_other_filters_are_read_from_the_weights(folder, named):
    """A named filter is widened by one that doubles each pixel: [1, 2, 1] resamples with [1, 3, 3, 1]."""
    fixture = Fixture(folder)
    taps = torch.nn.functional.conv1d(torch.tensor([[named]]).float(), torch.ones(1, 1, 2), padding=1)[0, 0]
    kernel = torch.outer(taps, taps) / taps.sum() ** 2
    state = {key: kernel if key.endswith("Kernel") else tensor for key, tensor in fixture.state("G").items()}
    found = generator_from_official(arguments_of(state), state)
    given = generator_from_official({**fixture.kwargs("G"), "ResamplingFilter": named}, state)
    for G in (found, given):
        filters = [buffer for name, buffer in G.named_buffers() if name.endswith("resample_filter")]
        assert filters and all(torch.allclose(f.float(), kernel, atol=1e-6) for f in filters)
