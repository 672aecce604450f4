"""Losses, penalties and their gradients against recorded numbers of the official training loss."""

import pytest
import torch
from parity import Fixture, fixtures

from stylegenes.interop.stylegan2 import (
    discriminator_from_official,
    discriminator_names,
    generator_from_official,
    generator_names,
)
from stylegenes.records import ImageBatch, Noise
from stylegenes.training.draws import Codes, Styles, express
from stylegenes.training.losses import NonSaturating
from stylegenes.training.regularizers import R1, Fakes, PathLength, PenaltyInputs, path_gradients, path_lengths

FOLDERS = fixtures("sg2_losses")


class Case:
    """The players of a fixture, and what its official run drew."""

    def __init__(self, folder, dtype):
        self.fixture = fixture = Fixture(folder)
        self.dtype = dtype
        self.G = generator_from_official(fixture.kwargs("G"), fixture.state("G", dtype)).to(dtype)
        self.D = discriminator_from_official(fixture.kwargs("D"), fixture.state("D", dtype)).to(dtype)
        self.z = fixture.input("z", dtype)
        self.gen_condition = fixture.condition(dtype, "gen_c")
        real = fixture.condition(dtype, "real_c")
        self.real = ImageBatch(fixture.input("real_img", dtype), condition=real)
        self.loss = NonSaturating()

    def draw_fakes(self, shrink=1) -> Fakes:
        codes = Codes(self.z, self.gen_condition)[slice(0, len(self.z) // shrink)]
        styles: Styles = express(self.G, codes)
        return Fakes(styles.w, styles.ws, self.G.synthesis(styles.ws, codes.condition, noise=Noise("const")))

    def inputs(self) -> PenaltyInputs:
        return PenaltyInputs(self.G, self.D, self.real, self.draw_fakes)

    def check_gradients(self, player, name):
        """Gradient norms in the order of the official names, and single gradients by official name."""
        network, names = (self.G, generator_names) if player == "G" else (self.D, discriminator_names)
        official = {names(network)[ours]: parameter for ours, parameter in network.named_parameters()}
        order = self.fixture.config[f"{player}_param_names_sorted"]
        assert sorted(official) == sorted(order)
        gradients = {key: torch.zeros_like(p) if p.grad is None else p.grad for key, p in official.items()}
        self.fixture.check(f"{name}_param_grad_norms", torch.stack([gradients[key].norm() for key in order]))
        spelled = {key.removeprefix("synthesis.").replace(".", "_"): gradient for key, gradient in gradients.items()}
        for array in self.fixture.names(rf"{name}_grad_\w+"):
            gradient = spelled[array.removeprefix(f"{name}_grad_")]
            self.fixture.check(array, gradient.reshape(self.fixture.input(array).shape))


@pytest.fixture(params=[torch.float64, torch.float32], ids=str)
def dtype(request):
    return request.param


@pytest.mark.parametrize("folder", FOLDERS)
def test_generator_loss(folder, dtype):
    case = Case(folder, dtype)
    fakes = case.draw_fakes().batch
    logits = case.D(fakes)
    loss = case.loss.generator(logits)
    loss.mean().backward()
    case.fixture.check("gen_img", fakes.image)
    case.fixture.check("gen_logits", logits)
    case.fixture.check("loss_Gmain_per_sample", loss)
    case.fixture.check("loss_Gmain", loss.mean())
    case.check_gradients("G", "Gmain")


@pytest.mark.parametrize("folder", FOLDERS)
def test_path_length(folder, dtype):
    case = Case(folder, dtype)
    config = case.fixture.config
    penalty = PathLength(config["pl_weight"], decay=config["pl_decay"], batch_shrink=config["pl_batch_shrink"])
    penalty.to(dtype).mean_length.fill_(config["pl_mean_start"])
    noise = case.fixture.input("pl_noise_unscaled", dtype)
    fakes = case.draw_fakes(penalty.batch_shrink)
    case.fixture.check("pl_grads", path_gradients(fakes.batch.image, fakes.ws, noise))
    case.fixture.check("pl_lengths", path_lengths(fakes.batch.image, fakes.ws, noise))
    value = penalty.from_noise(fakes.batch.image, fakes.ws, noise)
    case.fixture.check("pl_penalty", value / penalty.weight)
    case.fixture.check("loss_Gpl", value.mean())
    value.mean().backward()
    case.check_gradients("G", "Gpl")
    penalty.settle(penalty.observed())
    case.fixture.check("pl_mean_after", penalty.mean_length)


@pytest.mark.parametrize("folder", FOLDERS)
def test_discriminator_loss(folder, dtype):
    case = Case(folder, dtype)
    with torch.no_grad():
        fakes = case.draw_fakes().batch
    real, fake = case.D(case.real), case.D(fakes)
    case.fixture.check("real_logits", real)
    case.fixture.check("loss_Dgen", case.loss.on_fake(fake).mean())
    case.fixture.check("loss_Dreal", case.loss.on_real(real).mean())
    loss = case.loss.discriminator(real, fake).mean()
    case.fixture.check("loss_Dmain", loss)
    loss.backward()
    case.check_gradients("D", "Dmain")


@pytest.mark.parametrize("folder", FOLDERS)
def test_r1(folder, dtype):
    case = Case(folder, dtype)
    gamma = case.fixture.config["r1_gamma"]
    penalty = R1(gamma).penalty(case.inputs())
    case.fixture.check("r1_penalty", penalty / (gamma / 2))
    case.fixture.check("loss_Dr1", penalty.mean())
    penalty.mean().backward()
    case.check_gradients("D", "Dr1")
