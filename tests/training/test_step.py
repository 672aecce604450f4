"""One step: what micro-batches, penalties, freezing and running out of memory do to it."""

import copy
from dataclasses import replace

import pytest
import torch
from lightning_fabric import Fabric
from tiny_run import TinyData, tiny_config

from stylegenes.errors import UserError
from stylegenes.records import Condition, ImageBatch
from stylegenes.training.batch import plan_batch
from stylegenes.training.blur import gaussian_blur
from stylegenes.training.config import BatchConfig
from stylegenes.training.draws import Cut
from stylegenes.training.feed import to_float
from stylegenes.training.players import build_phases, build_players, lazy_ratio, make_adam
from stylegenes.training.regularizers import R1, R2, PathLength
from stylegenes.training.resolve import complete_config
from stylegenes.training.step import Stepper, StepSettings
from stylegenes.training.sync import Ranks

PLAIN = ("augment.pipe=none", "noise=const", "regularizers.path_length=none", "batch.total=16")
CPU = torch.device("cpu")


def stepper(*overrides: str, micro: int | None = None, resolution: int = 8) -> Stepper:
    config = complete_config(tiny_config(*overrides), TinyData(resolution=resolution), warn=False)
    plan = plan_batch(replace(config.batch, micro=micro), ranks=1, discriminator=config.model.discriminator)
    settings = StepSettings(plan.total, plan.accumulation, plan.group, config.mixing, config.noise, config.seed)
    labels = TinyData().labels(torch.arange(40)) if config.data.labels else None
    ranks = Ranks(Fabric(accelerator="cpu", devices=1))
    players = build_players(config, CPU)
    return Stepper(players, ranks, settings, pool=Condition(labels))


def reals(n: int = 16, *, resolution: int = 8) -> ImageBatch:
    data, indices = TinyData(resolution=resolution), torch.arange(n)
    return ImageBatch(to_float(data.images(indices), CPU), condition=Condition(label=data.labels(indices)))


def gradients(taken: Stepper, real: ImageBatch | None = None) -> dict[str, torch.Tensor]:
    """Gradients of each phase of step 0, before any parameter moves."""
    found = {}
    for phase in taken.players.phases:
        optimizer = taken.players.optimizers[phase.player]
        optimizer.step = lambda: None
        taken.phase(phase, real or reals(), key=(0, 0, phase.name), stop=False)
        found |= {f"{phase.name} {k}": p.grad.clone() for k, p in taken.players.named_parameters(phase.player)}
    return found


def test_a_batch_that_is_one_group_is_not_cut():
    """By micro-batches, by processes, or when memory runs out: each would compare fewer pictures with one another."""
    whole = ("model.discriminator.mbstd_group_size=none", "batch.total=8")
    with pytest.raises(UserError, match="mbstd_group_size=none compares all images"):
        stepper(*whole, micro=4)
    with pytest.raises(UserError, match="mbstd_group_size=none compares all images"):
        spec = {"name": "stylegan2", "mbstd_group_size": None}
        plan_batch(BatchConfig(total=8), ranks=2, discriminator=spec)
    with pytest.raises(UserError, match="micro-batches of 8, which cannot be halved"):
        stepper(*whole)._halve(8)


@pytest.mark.parametrize("loss", ["nonsaturating", "wasserstein", "hinge", "relativistic"])
def test_micro_batches_give_the_gradients_of_the_large_batch(loss):
    """16 at once, 2 x 8 and 4 x 4: the same groups for the minibatch standard deviation, the same gradients."""
    whole = gradients(stepper(*PLAIN, f"loss.name={loss}"))
    assert any("lazy" in key for key in whole)
    for micro in (8, 4):
        parts = gradients(stepper(*PLAIN, f"loss.name={loss}", micro=micro))
        for key, gradient in whole.items():
            assert torch.allclose(gradient, parts[key], rtol=1e-4, atol=1e-5 * (1 + gradient.abs().max())), key


def test_w_statistics_do_not_depend_on_the_micro_batch():
    mapping = ("model.latent.name=mapping", "model.latent.depth=2")
    averages = []
    for micro in (16, 4):
        taken = stepper(*PLAIN, *mapping, micro=micro)
        gradients(taken)
        averages.append(taken.players.G.latent.w_avg.clone())
    assert averages[0].abs().sum() > 0
    assert torch.allclose(*averages, rtol=1e-5, atol=1e-7)


ALIAS_FREE = (
    "data.resolution=16",
    "model.synthesis.name=stylegan3",
    "model.synthesis.num_layers=4",
    "model.synthesis.margin=2",
    "model.synthesis.channel_base=64",
)


@pytest.mark.parametrize("accumulation", [2, 4])
def test_magnitudes_and_gradients_of_stylegan3_do_not_depend_on_the_micro_batch(accumulation):
    """What a layer scales its input by is settled once a step, from the mean over all micro-batches."""
    found, running = [], []
    for micro in (16, 16 // accumulation):
        taken = stepper(*PLAIN, *ALIAS_FREE, micro=micro, resolution=16)
        found.append(gradients(taken, reals(resolution=16)))
        running.append(torch.stack([layer.magnitude_ema for layer in taken.players.G.synthesis.layers]))
    assert (running[0] - 1).abs().min() > 0
    torch.testing.assert_close(running[0] - 1, running[1] - 1, rtol=1e-4, atol=1e-7)
    for key, gradient in found[0].items():
        assert torch.allclose(gradient, found[1][key], rtol=1e-4, atol=1e-5 * (1 + gradient.abs().max())), key


def test_path_length_reaches_a_generator_without_trained_latent():
    """A plain Gaussian gives ws no gradient path; the penalty then makes ws a leaf."""
    taken = stepper("model.latent.name=gaussian", "augment.pipe=none", "batch.total=16")
    found = gradients(taken)
    lazy = [value for key, value in found.items() if key.startswith("G lazy")]
    assert lazy and any(value.abs().sum() > 0 for value in lazy)
    assert taken.players.regularizers["path_length"].mean_length > 0


def test_class_conditional_players_see_labels():
    taken = stepper("data.labels=true", "model.latent.name=mapping", "model.latent.depth=2", "batch.total=16")
    before = copy.deepcopy(taken.players.G.latent.embed.weight)
    for step in range(3):
        taken.step(reals(), step=step)
    assert not torch.equal(before, taken.players.G.latent.embed.weight)
    assert taken.players.D.label_dim == 3


def test_a_genome_takes_no_labels():
    with pytest.raises(UserError, match="class-conditional"):
        complete_config(tiny_config("data.labels=true"), TinyData())


@pytest.mark.parametrize("stages", [0, 1])
def test_frozen_stages_do_not_move(stages):
    taken = stepper(f"freeze_d={stages}", "batch.total=16")
    before = copy.deepcopy(taken.players.D)
    for step in range(4):
        taken.step(reals(), step=step)
    frozen = [torch.equal(a, b) for a, b in zip(before.parameters(), taken.players.D.parameters(), strict=True)]
    kept = {id(p) for stage in taken.players.D.stages()[:stages] for p in stage.parameters()}
    assert [id(p) in kept for p in taken.players.D.parameters()] == frozen
    assert sum(frozen) == len(kept)


def test_freezing_everything_is_refused():
    with pytest.raises(UserError, match="stages, take fewer"):
        stepper("freeze_d=9")


def test_running_out_of_memory_halves_the_micro_batch(monkeypatch, caplog):
    """The step is repeated in smaller pieces and gives what it would have given."""
    expected = gradients(stepper(*PLAIN))
    taken = stepper(*PLAIN)
    forward = taken.players.D.forward

    def small_only(batch):
        if len(batch) > 4:
            raise torch.OutOfMemoryError("pretended")
        return forward(batch)

    monkeypatch.setattr(taken.players.D, "forward", small_only)
    found = gradients(taken)
    assert taken.micro == 4
    assert "micro-batch 16 -> 8" in caplog.text and "micro-batch 8 -> 4" in caplog.text
    for key, gradient in expected.items():
        assert torch.allclose(gradient, found[key], rtol=1e-4, atol=1e-5 * (1 + gradient.abs().max())), key
    monkeypatch.setattr(taken.players.D, "forward", lambda batch: (_ for _ in ()).throw(torch.OutOfMemoryError()))
    with pytest.raises(UserError, match="cannot be halved"):
        taken.step(reals(), step=0)


def test_lazy_penalties_correct_adam():
    phases = build_phases({"r1": R1(interval=16), "path_length": PathLength(interval=4)})
    assert [phase.name for phase in phases] == ["D main", "D lazy", "G main", "G lazy"]
    assert lazy_ratio(phases, "D") == 16 / 17 and lazy_ratio(phases, "G") == 4 / 5
    config = tiny_config().optimizer.D
    group = make_adam([torch.nn.Parameter(torch.zeros(1))], config, 16 / 17).param_groups[0]
    assert group["lr"] == pytest.approx(0.002 * 16 / 17)
    assert group["betas"] == (0.0, pytest.approx(0.99 ** (16 / 17)))
    assert all(type(beta) is float for beta in group["betas"])


def test_penalties_of_one_player_share_an_interval():
    with pytest.raises(UserError, match="r1 16, r2 8"):
        build_phases({"r1": R1(interval=16), "r2": R2(interval=8)})


def test_cuts_keep_the_strided_groups():
    """Group g of the whole batch is made of samples equal to g modulo the number of groups, however it is cut."""
    n, group = 32, 4
    wanted = {frozenset(range(g, n, n // group)) for g in range(n // group)}
    for ranks, accumulation in ((1, 1), (1, 4), (2, 2), (4, 2)):
        found = set()
        for rank in range(ranks):
            for cut in Cut(rank, ranks).split(accumulation):
                micro = list(range(n))[cut.slice]
                found |= {frozenset(micro[g :: len(micro) // group]) for g in range(len(micro) // group)}
        assert found == wanted


def test_the_discriminator_sees_everything_blurred():
    """Nothing but blurred pictures reaches it, fakes first and then reals."""
    seen = []
    taken = stepper(*PLAIN)
    taken.players.D.register_forward_pre_hook(lambda _, batch: seen.append(batch[0].image.detach()))
    taken.players.blur = 1.0
    taken.phase(taken.players.phases[0], reals(), key=(0,), stop=False)
    assert len(seen) == 2 and torch.equal(seen[1], gaussian_blur(reals().image, 1.0))


def test_penalties_are_scaled():
    """Twice the scale of the penalties, twice the gradient of a phase that holds nothing else."""
    plain, scaled = stepper(*PLAIN), stepper(*PLAIN)
    scaled.players.penalty_scale = 2.0
    once, twice = gradients(plain), gradients(scaled)
    lazy = [key for key in once if key.startswith("D lazy")]
    assert lazy and all(torch.allclose(2 * once[key], twice[key], rtol=1e-4, atol=1e-6) for key in lazy)
    main = [key for key in once if key.startswith("D main")]
    assert all(torch.equal(once[key], twice[key]) for key in main)
