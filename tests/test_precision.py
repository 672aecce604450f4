"""What must not be computed in half precision is not: penalties, logits, pictures, sums of metrics."""

import pytest
import torch
from test_every_network import SIZE, W_DIM, Pictures, combinations, config_of, discriminator_spec, synthesis_spec

from stylegenes.devices import exactly, set_exact
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.generator import Generator
from stylegenes.metrics.moments import Moments
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.synthesis import SYNTHESES
from stylegenes.training import Machine, train
from stylegenes.training.regularizers import REGULARIZERS, Fakes, PenaltyInputs, gradient_square, path_lengths
from stylegenes.training.state import STATE_FILE, read_state


@pytest.fixture
def training_precision():
    """Convolutions and products as training has them on a GPU."""
    before = torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
    set_exact(False)
    yield
    torch.backends.cudnn.allow_tf32 = before[0]
    torch.set_float32_matmul_precision(before[1])


def half():
    return torch.autocast("cpu", dtype=torch.bfloat16)


@pytest.mark.parametrize("name", SYNTHESES.names())
def test_pictures_are_float32_under_autocast(name):
    S = SYNTHESES.build(synthesis_spec(name)).eval()
    ws = torch.randn(2, S.num_ws, W_DIM)
    exact = S(ws, Condition(), noise=Noise("const")).image
    with half():
        made = S(ws, Condition(), noise=Noise("const")).image
    assert made.dtype == torch.float32
    assert (made - exact).abs().mean() < 0.05 * exact.abs().mean() + 1e-3


@pytest.mark.parametrize(("synthesis", "latent", "discriminator"), [c for c in combinations() if c[1] == "genome"])
def test_every_family_trains_in_half_precision(tmp_path, synthesis, latent, discriminator):
    config = config_of(synthesis, latent, discriminator, steps=1)
    train(config, tmp_path, data=Pictures(), machine=Machine("cpu", precision="bf16"), quiet=True)
    tensors = read_state(tmp_path / STATE_FILE).tensors
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values() if tensor.is_floating_point())
    assert not [key for key, tensor in tensors.items() if tensor.dtype == torch.bfloat16]


@pytest.mark.parametrize("name", DISCRIMINATORS.names())
def test_logits_are_float32_under_autocast(name):
    D = DISCRIMINATORS.build(discriminator_spec(name)).eval()
    with half():
        logits = D(D.prepare(ImageBatch(torch.randn(4, 3, SIZE, SIZE))))
    assert logits.dtype == torch.float32


def inputs(G, D, real):
    def draw_fakes(shrink=1):
        code = G.sample(len(real) // shrink, torch.Generator().manual_seed(1))
        ws = G.broadcast(G.latent(code))
        return Fakes(ws[:, 0], ws, G.synthesis(ws, noise=Noise("const")))

    return PenaltyInputs(G, D, real, draw_fakes, torch.Generator().manual_seed(2), lambda: draw_fakes().ws)


@pytest.mark.parametrize("name", sorted(REGULARIZERS.names()))
def test_penalties_are_float32_under_autocast(name):
    """And near those of float32: the convolutions are in half precision, the sums are not."""
    latent = {"name": "genome", "w_dim": W_DIM, "num_genes": 4, "num_variants": 4}
    G = Generator.from_spec({"latent": latent, "synthesis": synthesis_spec("stylegan2")})
    if name == "density":
        G = Generator.from_spec({"latent": latent, "synthesis": synthesis_spec("eg3d")})
    D = DISCRIMINATORS.build(discriminator_spec("stylegan2"))
    real = ImageBatch(torch.randn(8, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)))
    penalty = REGULARIZERS.build({"name": name}).penalty
    exact = penalty(inputs(G, D, real))
    with half():
        found = penalty(inputs(G, D, real))
    assert found.dtype == torch.float32 and torch.isfinite(found).all()
    assert (found.mean() - exact.mean()).abs() < 0.1 * exact.mean() + 1e-3


@pytest.mark.parametrize("name", ["noisy_r1", "noisy_r2"])
def test_small_differences_of_logits_are_taken_without_tf32(name, training_precision):
    seen = []

    def critic(batch):
        half = torch.is_autocast_enabled("cpu")
        seen.append((torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision(), half))
        return batch.image.mean(dim=(1, 2, 3))[:, None]

    real = ImageBatch(torch.randn(2, 3, SIZE, SIZE))
    fakes = Fakes(torch.zeros(2, W_DIM), torch.zeros(2, 1, W_DIM), real)
    with half():
        REGULARIZERS.build({"name": name}).penalty(PenaltyInputs(None, critic, real, lambda shrink=1: fakes))
    assert seen == [(False, "highest", False)] * 2
    assert torch.backends.cudnn.allow_tf32, "training goes on as before"


def test_squares_of_gradients_are_summed_in_float32():
    """Even where the gradient itself is in half precision: 10,000 ones summed in bfloat16 would stay at 256."""
    images = torch.ones(1, 1, 100, 100, dtype=torch.bfloat16, requires_grad=True)
    with half():
        assert gradient_square(images.sum(dim=(1, 2, 3))[:, None], images).item() == 10_000
    ws = torch.ones(1, 1, 10_000, dtype=torch.bfloat16, requires_grad=True)
    made = (ws.sum(dim=2, keepdim=True)[..., None]).expand(1, 1, 2, 2)
    with half():
        lengths = path_lengths(made, ws, torch.ones(1, 1, 2, 2, dtype=torch.bfloat16))
    assert lengths.dtype == torch.float32 and lengths.item() == pytest.approx(2 * 100, rel=1e-3)


def test_moments_of_features_are_summed_in_float64():
    rows = torch.randn(64, 5) + 100
    inside, outside = Moments.empty(5), Moments.empty(5)
    with half():
        inside.update(rows)
    outside.update(rows)
    assert inside.outer.dtype == inside.total.dtype == torch.float64
    assert torch.equal(inside.total, outside.total) and torch.equal(inside.outer, outside.outer)


def test_figures_are_made_without_tf32_and_training_goes_on_with_it(training_precision):
    with half(), exactly():
        assert not torch.backends.cudnn.allow_tf32 and torch.get_float32_matmul_precision() == "highest"
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
    assert torch.backends.cudnn.allow_tf32 and torch.get_float32_matmul_precision() == "high"
