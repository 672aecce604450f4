"""What must hold on every kind of device. `-k cuda` takes what a GPU runs; without one those are skipped."""

import os
from dataclasses import replace

# cuBLAS reads this once; without it its products are not the same bits every time.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import pytest
import torch
from latent_toys import PooledDistance, SignClassifier
from test_every_network import SIZE, W_DIM, Pictures, combinations, config_of, discriminator_spec, synthesis_spec
from tiny_run import TinyData, tiny_config

import stylegenes
from stylegenes import UserError
from stylegenes.devices import exactly, make_deterministic
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.drawing import DrawSettings, draw
from stylegenes.generator import Generator
from stylegenes.inversion.objective import Objective
from stylegenes.inversion.projection import ProjectionSettings, Projector, project
from stylegenes.metrics.frechet import frechet_distance
from stylegenes.metrics.moments import Moments
from stylegenes.records import ImageBatch
from stylegenes.survey import Surveyor, conduct
from stylegenes.synthesis import SYNTHESES
from stylegenes.training import Machine, train
from stylegenes.training.augment import AUGMENTS
from stylegenes.training.augment.draws import AdaDraws
from stylegenes.training.batch import plan_batch
from stylegenes.training.feed import Feed
from stylegenes.training.graphs import CudaEngine, Graphs
from stylegenes.training.machine import make_fabric
from stylegenes.training.players import build_players
from stylegenes.training.resolve import complete_config
from stylegenes.training.state import STATE_FILE, read_state
from stylegenes.training.step import Stepper, StepSettings
from stylegenes.training.sync import Ranks

GENOME = {"name": "genome", "w_dim": W_DIM, "num_genes": 4, "num_variants": 4}
PLAIN = ("augment.pipe=none", "noise=const", "batch.total=16", "regularizers.r1.interval=2")


@pytest.fixture(params=["cpu", "cuda"])
def device(request) -> torch.device:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    return torch.device(request.param)


@pytest.fixture
def deterministic():
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    make_deterministic()
    yield
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = before


def generator(name: str) -> Generator:
    torch.manual_seed(0)
    return Generator.from_spec({"latent": GENOME, "synthesis": synthesis_spec(name)}).eval()


@pytest.mark.parametrize("name", SYNTHESES.names())
def test_a_code_string_is_the_same_picture_everywhere(device, name):
    """To two of 255 levels, in float32; the string is the same to the letter."""
    G = generator(name)
    strings = G.latent.to_strings(G.sample(3, torch.Generator().manual_seed(3)))
    here = [torch.from_numpy(p).int() for p in draw(G, G.latent.from_strings(strings), DrawSettings())]
    G = G.to(device)
    code = G.latent.from_strings(strings)
    assert code.device.type == device.type and G.latent.to_strings(code) == strings
    with exactly():
        there = [torch.from_numpy(p).int() for p in draw(G, code, DrawSettings())]
    assert max((a - b).abs().max().item() for a, b in zip(here, there, strict=True)) <= 2


@pytest.mark.parametrize("name", DISCRIMINATORS.names())
def test_logits_are_the_same_everywhere(device, name):
    D = DISCRIMINATORS.build(discriminator_spec(name)).eval()
    real = ImageBatch(torch.rand(4, 3, SIZE, SIZE) * 2 - 1)
    here = D(D.prepare(real))
    D = D.to(device)
    with exactly():
        there = D(D.prepare(real.to(device))).cpu()
    torch.testing.assert_close(there, here, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("synthesis", "latent", "discriminator"), [c for c in combinations() if c[1] == "genome"])
def test_every_family_trains(device, tmp_path, synthesis, latent, discriminator):
    """As it is trained there: half precision and graphs on CUDA, and steps enough to record and replay."""
    steps = 8 if device.type == "cuda" else 1
    config = config_of(synthesis, latent, discriminator, steps=steps)
    train(config, tmp_path, data=Pictures(), machine=Machine(device.type), quiet=True)
    state = read_state(tmp_path / STATE_FILE)
    assert state.counters.step == steps
    assert all(torch.isfinite(tensor).all() for tensor in state.tensors.values() if tensor.is_floating_point())


def stepper(device: torch.device, *overrides: str, micro: int | None = None, graphs: bool = False) -> Stepper:
    config = complete_config(tiny_config(*overrides), TinyData(), warn=False)
    plan = plan_batch(replace(config.batch, micro=micro), ranks=1, discriminator=config.model.discriminator)
    settings = StepSettings(plan.total, plan.accumulation, plan.group, config.mixing, config.noise, config.seed)
    fabric = make_fabric(Machine(device.type, precision="32"))
    recorder = Graphs(CudaEngine()) if graphs and device.type == "cuda" else None
    return Stepper(build_players(config, device), Ranks(fabric), settings, graphs=recorder)


def reals(device: torch.device) -> ImageBatch:
    return ImageBatch((TinyData().images(torch.arange(16)).float() / 127.5 - 1).to(device))


def gradients(taken: Stepper, device: torch.device) -> dict[str, torch.Tensor]:
    found = {}
    for phase in taken.players.phases:
        taken.players.optimizers[phase.player].step = lambda: None
        with exactly():
            taken.phase(phase, reals(device), key=(0, 0, phase.name), stop=False)
        named = taken.players.named_parameters(phase.player)
        found |= {f"{phase.name} {name}": p.grad.clone().cpu() for name, p in named}
    return found


def assert_near(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor], share: float) -> None:
    for key, value in a.items():
        assert (value - b[key]).norm() <= share * value.norm() + 1e-5, key


def test_two_micro_batches_are_one_large_one(device):
    penalties = ("regularizers.path_length=none",)
    whole = gradients(stepper(device, *PLAIN, *penalties), device)
    assert_near(whole, gradients(stepper(device, *PLAIN, *penalties, micro=8), device), 1e-3)


def test_gradients_are_those_of_the_cpu(device):
    mixing = ("mixing=0.0", "regularizers.path_length=none")
    there = gradients(stepper(device, *PLAIN, *mixing), device)
    assert_near(gradients(stepper(torch.device("cpu"), *PLAIN, *mixing), torch.device("cpu")), there, 1e-2)


def test_replayed_steps_are_those_without_graphs(device, deterministic):
    """Recorded after three runs; ten steps in which all four phases were replayed, with the same random numbers."""
    often = ("batch.total=16", "regularizers.r1.interval=2", "regularizers.path_length.interval=2", "augment.pipe=none")
    ends = []
    for graphs in (True, False):
        taken = stepper(device, *often, graphs=graphs)
        for step in range(10):
            taken.step(reals(device), step=step)
        if taken.graphs is not None:
            recordings = taken.graphs._recordings
            assert len(recordings) == 4 and all(recording.replay for recording in recordings.values())
        ends.append({name: p.detach().cpu() for name, p in taken.players.G.named_parameters()})
    assert_near(*ends, 1e-3)


def test_graphs_are_recorded_anew_when_all_were_forgotten(device):
    """As after a roll-back: into new memory, since nothing uses the old any more."""
    often = ("batch.total=16", "regularizers.r1.interval=2", "regularizers.path_length.interval=2", "augment.pipe=none")
    taken = stepper(device, *often, graphs=True)
    for _ in range(2):
        taken.forget_graphs()
        for step in range(6):
            results = taken.step(reals(device), step=step)
        assert all(torch.isfinite(result.grad_norm) for result in results)
        if taken.graphs is not None:
            recordings = taken.graphs._recordings
            assert len(recordings) == 4 and all(recording.replay for recording in recordings.values())


def test_a_step_waits_for_nobody(device):
    """Once warm, with every draw, penalty and transform: CUDA itself would complain."""
    taken = stepper(device, "batch.total=16", "augment.pipe.transforms=bgc", graphs=True)
    real = reals(device)
    for step in range(17):
        taken.step(real, step=step)
    if device.type == "cuda":
        torch.cuda.set_sync_debug_mode("error")
    try:
        for step in range(17, 33):
            taken.step(real, step=step)
    finally:
        if device.type == "cuda":
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("pipe", ["ada", "diffaugment"])
def test_pictures_are_augmented_alike(device, pipe):
    """The same draws, decided on the CPU by looking at them and on a device without."""
    given = {"transforms": "bgcfnc", "p": 0.7} if pipe == "ada" else {}
    augment = AUGMENTS.build({"name": pipe, **given})
    images = torch.rand(8, 3, 32, 32) * 2 - 1
    draws = augment.draw(images.shape, torch.Generator().manual_seed(4))
    here = augment.apply_draws(images, draws)
    moved = draws
    if isinstance(draws, AdaDraws):
        values, gates = ({k: v.to(device) for k, v in table.items()} for table in (draws.values, draws.gates))
        moved = AdaDraws(values, gates, None if draws.pixels is None else draws.pixels.to(device))
    with exactly():
        there = augment.to(device).apply_draws(images.to(device), moved).cpu()
    torch.testing.assert_close(there, here, rtol=1e-3, atol=2e-3)


def test_frechet_distances_are_the_same(device):
    rows = [torch.randn(300, 6, generator=torch.Generator().manual_seed(i)) * (1 + i) for i in range(2)]
    found = []
    for place in (torch.device("cpu"), device):
        moments = [Moments.empty(6) for _ in rows]
        for moment, part in zip(moments, rows, strict=True):
            moment.update(part.to(place))
        found.append(frechet_distance(*[moment.gaussian() for moment in moments]))
    assert found[0] == pytest.approx(found[1], rel=1e-9)


def test_a_survey_draws_and_judges_the_same(device, tmp_path):
    found = []
    for place in (torch.device("cpu"), device):
        G = generator("stylegan2").to(place)
        weights = torch.randn(2, 3 * SIZE**2, generator=torch.Generator().manual_seed(5))
        surveyor = Surveyor(G, SignClassifier(weights, sharpness=1.0).to(place), batch_size=16)
        with exactly():
            folder = tmp_path / f"{place}-{len(found)}"
            found.append(conduct(surveyor, folder, surveyor.plan(shard_size=16), num_draws=16).load())
    assert torch.equal(found[0].genotype, found[1].genotype)
    a, b = (draws.probability.float() for draws in found)
    torch.testing.assert_close(a, b, rtol=1e-2, atol=1e-2)


def test_projection_finds_a_picture_again(device):
    G = generator("stylegan2").to(device).requires_grad_(False)
    with exactly():
        targets = G(G.sample(2, torch.Generator().manual_seed(1))).image
        settings = ProjectionSettings(steps=25, learning_rate=0.1)
        found = project(Projector(G, targets, Objective(PooledDistance().to(device)), settings))
        start = project(Projector(G, targets, Objective(PooledDistance().to(device)), replace(settings, steps=1)))
    assert (found.mse < 0.8 * start.mse).all()


def test_a_continued_run_is_the_uninterrupted_one(device, tmp_path, deterministic):
    """Bit for bit, graphs and half precision included; with transforms whose kernels have one order of adding."""
    options = ("augment.pipe.name=diffaugment", "augment.p.name=fixed", "batch.deterministic=true")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder, lengths in ((whole, ("0.08",)), (parts, ("0.04", "0.08"))):
        for kimg in lengths:
            config = tiny_config(*options, f"kimg={kimg}", "batch.graphs=false")
            train(config, folder, data=TinyData(), machine=Machine(device.type), quiet=True)
    a, b = (read_state(folder / STATE_FILE).tensors for folder in (whole, parts))
    assert [key for key in a if not torch.equal(a[key], b[key])] == []


def test_batches_do_not_depend_on_where_pictures_are_kept(device):
    fed = []
    for resident in (True, False):
        feed = Feed(
            TinyData(), total=16, rank=0, ranks=1, mirror=True, labels=True, seed=5, device=device, resident=resident
        )
        fed.append(torch.stack([feed.batch(position).image.clone() for position in (0, 16, 32)]))
        feed.close()
    assert fed[0].device.type == device.type and torch.equal(*fed)


@pytest.mark.parametrize("name", ["meta", None, "gpu", 99, "cuda:99"])
def test_what_is_no_device_here_is_refused_by_load_and_open(name):
    for door in (lambda: stylegenes.load("avatars32", name), lambda: stylegenes.open("avatars32", device=name)):
        with pytest.raises(UserError, match="--device takes"):
            door()


@pytest.mark.parametrize("name", ["auto", torch.device("cpu")])
def test_a_generator_goes_to_any_name_of_a_device(name):
    assert stylegenes.load("avatars32", name).device.type in ("cpu", "cuda", "mps")
