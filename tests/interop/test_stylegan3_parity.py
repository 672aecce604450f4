"""StyleGAN3's generator, T and R, against recorded numbers, through the adapter from the official names."""

import pytest
import torch
from parity import Fixture, fixtures

from stylegenes.errors import UserError
from stylegenes.interop.stylegan3 import generator_from_official, generator_spec

FOLDERS = fixtures("sg3_")


@pytest.fixture(params=[torch.float64, torch.float32], ids=str)
def dtype(request):
    return request.param


def _rms(x: torch.Tensor) -> torch.Tensor:
    return x.square().mean().sqrt()


@pytest.mark.parametrize("folder", FOLDERS)
def test_geometry_of_layers(folder):
    fixture = Fixture(folder)
    G = generator_from_official(fixture.kwargs(), fixture.state())
    for layer, expected in zip(G.synthesis.layers, fixture.config["layers"], strict=True):
        assert (layer.up, layer.down) == (expected["up_factor"], expected["down_factor"])
        assert list(layer.padding) == expected["padding"]
        assert list(layer.weight.shape[:2]) == [expected["out_channels"], expected["in_channels"]]


@pytest.mark.parametrize("folder", FOLDERS)
def test_styles(folder, dtype):
    fixture = Fixture(folder)
    G = generator_from_official(fixture.kwargs(), fixture.state(dtype=dtype))
    z, condition = fixture.input("z", dtype), fixture.condition(dtype)
    for name in fixture.names(r"ws_psi\w*?(?<!_after)"):
        fixture.check(name, G.express(z, condition, **fixture.truncation(name)))
    G.latent.track(G.latent(z, condition))
    fixture.check("w_avg_after", G.latent.w_avg)


@pytest.mark.parametrize("folder", FOLDERS)
@torch.no_grad()
def test_pictures_and_features(folder, dtype):
    fixture = Fixture(folder)
    G = generator_from_official(fixture.kwargs(), fixture.state(dtype=dtype))
    outputs = []
    for module in (G.synthesis.input, *G.synthesis.layers):
        module.register_forward_hook(lambda _, __, x: outputs.append(x))
    ws = G.express(fixture.input("z", dtype), fixture.condition(dtype))
    fixture.check("img", G.synthesis(ws).image)
    inputs, layers = outputs[0], outputs[1:]
    fixture.check("layer_rms", torch.stack([_rms(x) for x in layers]))
    for name, found in fixture.names(r"x_(?:L(\d+)|input)").items():
        fixture.check(name, inputs if found[1] is None else layers[int(found[1])])
    fixture.check("img_ws_mixed", G.synthesis(fixture.input("ws_mixed", dtype)).image)
    G.synthesis.input.transform.copy_(fixture.input("transform", dtype))
    fixture.check("img_transformed", G.synthesis(ws).image)


@pytest.mark.parametrize("folder", FOLDERS)
def test_training_forward_and_gradient(folder, dtype):
    """Officially a training forward moves each magnitude before it uses it; the gradient is taken afterwards."""
    fixture = Fixture(folder)
    G = generator_from_official(fixture.kwargs(), fixture.state(dtype=dtype))
    ws = G.express(fixture.input("z", dtype), fixture.condition(dtype)).detach()

    def move(layer, arguments):
        layer.observe(arguments[0])
        layer.settle(layer.magnitude)

    hooks = [layer.register_forward_pre_hook(move) for layer in G.synthesis.layers]
    n = fixture.arrays["img_update_emas"].shape[0]
    fixture.check("img_update_emas", G.synthesis(ws).image[:n])
    for hook in hooks:
        hook.remove()
    fixture.check("magnitude_ema_after", torch.stack([layer.magnitude_ema for layer in G.synthesis.layers]))
    cotangent = fixture.input("gy", dtype)
    ws = ws[: len(cotangent)].requires_grad_()
    image = G.synthesis(ws).image
    score = (image * torch.nn.functional.interpolate(cotangent, size=image.shape[-2:])).sum()
    fixture.check("grad_ws", torch.autograd.grad(score, ws)[0])


@pytest.mark.parametrize("folder", FOLDERS[:1])
def test_foreign_filters_are_refused(folder):
    fixture = Fixture(folder)
    state = fixture.state()
    key = next(key for key in state if key.endswith("up_filter"))
    with pytest.raises(UserError, match="not the low-pass filter"):
        generator_from_official(fixture.kwargs(), {**state, key: state[key] * 2})
    with pytest.raises(UserError, match="cannot take noise_mode"):
        generator_spec({**fixture.kwargs(), "noise_mode": "const"})
