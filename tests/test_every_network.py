"""Every registered network, with a genome and with a mapping network, through training and all that follows it.

There is no list to maintain: what is registered is tried, from the small examples that the classes themselves offer.
"""

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from latent_toys import PooledDistance, SignClassifier
from tiny_run import TinyData, tiny_config

from stylegenes.analysis.editing import Strength, edit, redraw
from stylegenes.analysis.importance import report_genes
from stylegenes.analysis.moves import measure_move, move
from stylegenes.analysis.noise_study import noise_study
from stylegenes.analysis.statistics import tally
from stylegenes.analysis.wishes import parse_where
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.drawing import DrawSettings, draw
from stylegenes.errors import UserError
from stylegenes.generator import Generator, mix
from stylegenes.latents import LATENTS as LATENT_REGISTRY
from stylegenes.metrics.path_length import PathSettings, path_length
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.snapshot import Snapshot, load_snapshot
from stylegenes.survey import Survey, Surveyor, conduct
from stylegenes.synthesis import SYNTHESES
from stylegenes.training import Machine, train
from stylegenes.training.config import AugmentConfig, ModelConfig, RunConfig
from stylegenes.training.state import STATE_FILE, read_state

SIZE, W_DIM, BATCH = 16, 8, 4
LATENTS = {
    "genome": {"name": "genome", "w_dim": W_DIM, "num_genes": 4, "num_variants": 4},
    "mapping": {"name": "mapping", "w_dim": W_DIM, "depth": 1},
}
SYNTHESIS_NAMES, DISCRIMINATOR_NAMES = SYNTHESES.names(), DISCRIMINATORS.names()


class Pictures(TinyData):
    """Random pictures of the size that every network can make."""

    source, content_hash, resolution, label_dim, label_names = "tiny", "tiny-16", SIZE, 0, ()

    def __init__(self, n: int = 12) -> None:
        rng = torch.Generator().manual_seed(1)
        self._images = torch.randint(256, (n, 3, SIZE, SIZE), generator=rng, dtype=torch.uint8)
        self._labels = torch.zeros(n, 0)


def synthesis_spec(name: str) -> dict:
    return {"name": name, **SYNTHESES.get(name).example_spec(SIZE, W_DIM)}


def discriminator_spec(name: str) -> dict:
    return {"name": name, **DISCRIMINATORS.get(name).example_spec(SIZE)}


@pytest.mark.parametrize(
    "network",
    [
        *(pytest.param((SYNTHESES, synthesis_spec(name)), id=name) for name in SYNTHESIS_NAMES),
        *(pytest.param((DISCRIMINATORS, discriminator_spec(name)), id=f"D-{name}") for name in DISCRIMINATOR_NAMES),
        *(pytest.param((LATENT_REGISTRY, spec), id=f"latent-{name}") for name, spec in LATENTS.items()),
    ],
)
def test_the_printed_form_tells_every_shape(network):
    """Of parameters that are a network's own; those of torch's layers tell theirs in torch's way."""
    registry, spec = network
    built = registry.build(spec)
    own = [module for module in built.modules() if type(module).__module__.startswith("stylegenes.")]
    assert built in own
    for module in own:
        for name, tensor in module.named_parameters(recurse=False):
            assert f"{name}={list(tensor.shape)}" in repr(module)


def config_of(synthesis: str, latent: str, discriminator: str, steps: int) -> RunConfig:
    """A few steps with penalties of both players."""
    growing = SYNTHESES.get(synthesis).grows and DISCRIMINATORS.get(discriminator).grows
    base = tiny_config("regularizers.r1.interval=1", "regularizers.path_length.interval=2")
    model = ModelConfig(LATENTS[latent], synthesis_spec(synthesis), discriminator_spec(discriminator))
    return replace(
        base,
        data=replace(base.data, resolution=SIZE),
        model=model,
        batch=replace(base.batch, total=BATCH),
        augment=AugmentConfig(),
        growth={"name": "progressive", "start": 8, "hold_kimg": 0.0, "fade_kimg": 0.016} if growing else None,
        kimg=BATCH * steps / 1000,
    )


def run(folder: Path, config: RunConfig) -> None:
    train(config, folder, data=Pictures(), machine=Machine("cpu"), quiet=True)


def combinations() -> list:
    """Every synthesis network and every discriminator at least once with each latent."""
    count = max(len(SYNTHESIS_NAMES), len(DISCRIMINATOR_NAMES))
    return [
        (SYNTHESIS_NAMES[i % len(SYNTHESIS_NAMES)], latent, DISCRIMINATOR_NAMES[i % len(DISCRIMINATOR_NAMES)])
        for i in range(count)
        for latent in LATENTS
    ]


@pytest.mark.parametrize(("synthesis", "latent", "discriminator"), combinations())
def test_from_training_to_editing(tmp_path, synthesis, latent, discriminator):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(whole, config_of(synthesis, latent, discriminator, steps=2))
    for steps in (1, 2):
        run(parts, config_of(synthesis, latent, discriminator, steps=steps))
    assert_same_state(whole, parts)
    snapshot = load_snapshot(parts)
    samples_mixes_and_truncates(snapshot.generator)
    is_measured(snapshot.generator)
    is_analyzed_and_edited(snapshot, tmp_path / "survey")


def assert_same_state(a: Path, b: Path) -> None:
    """One sitting of two steps and two of one step hold the same run, bit for bit; and something was learned."""
    whole, parts = read_state(a / STATE_FILE).tensors, read_state(b / STATE_FILE).tensors
    assert whole.keys() == parts.keys()
    assert [key for key in whole if not torch.equal(whole[key], parts[key])] == []
    assert all(torch.isfinite(tensor).all() for tensor in whole.values() if tensor.is_floating_point())
    moments = [value.abs().sum() for key, value in whole.items() if key.startswith(("adam_G.exp_avg.", "adam_D.exp"))]
    assert sum(bool(moment > 0) for moment in moments) > len(moments) / 2


def samples_mixes_and_truncates(G: Generator) -> None:
    code = G.sample(3, torch.Generator().manual_seed(0))
    first, again = (torch.cat([torch.from_numpy(p) for p in draw(G, code, DrawSettings())]) for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(G.latent.from_strings(G.latent.to_strings(code)), code)
    mean = G(code, psi=0.0, noise=Noise("const")).image
    torch.testing.assert_close(mean[0], mean[1], rtol=1e-4, atol=1e-4)
    ws = G.express(code)
    last = G.synthesis.num_ws - 1
    mixed = mix(ws, ws.roll(1, 0), max(last, 1))
    assert G.synthesis(mixed, noise=Noise("none")).image.shape == (3, 3, SIZE, SIZE)


def is_measured(G: Generator) -> None:
    found = path_length(G, PooledDistance(), PathSettings(space="w", epsilon=1e-2), num=4, batch=4)
    assert found.mean >= 0 and found.num == 4


def is_analyzed_and_edited(snapshot: Snapshot, folder: Path) -> None:
    G = snapshot.generator
    classifier = SignClassifier(torch.randn(2, 3 * SIZE**2, generator=torch.Generator().manual_seed(5)), sharpness=1.0)
    surveyor = Surveyor(G, classifier, snapshot.discriminator, batch_size=16)
    survey = conduct(surveyor, folder, surveyor.plan(shard_size=16), num_draws=16)
    assert survey.load().probability.shape == (16, 2)
    ws = G.express(G.sample(2))
    effect = measure_move(G, classifier, ws, move(ws, torch.ones(W_DIM), 2.0), perceptual=PooledDistance())
    assert effect.distance > 0
    if G.synthesis.noise_buffers():
        assert len(noise_study(G, ws, random=torch.Generator().manual_seed(0), draws=2)) > 2
    if G.latent.num_genes:
        genes_are_edited(G, survey)


def genes_are_edited(G: Generator, survey: Survey) -> None:
    report = report_genes(tally(survey))
    genotype = G.sample(1)[0]
    made = edit(report, genotype, parse_where("sign_0=1", ["sign_0", "sign_1"]), Strength(2))
    assert len(made.genes) <= 2
    strip = redraw(genotype, 1, G.latent.num_variants, G.latent.num_variants)
    pictures = G(strip, noise=Noise("const")).image
    assert (pictures[0] - pictures[1]).abs().max() > 0


GROWING = [[name for name in registry.names() if registry.get(name).grows] for registry in (SYNTHESES, DISCRIMINATORS)]


@pytest.mark.parametrize("synthesis", GROWING[0])
def test_growing_networks_resume_in_the_middle_of_a_fade(tmp_path, synthesis):
    """Half a resolution has faded in after one step; it is saved, and goes on."""
    for discriminator in GROWING[1]:
        whole, parts = tmp_path / discriminator / "whole", tmp_path / discriminator / "parts"
        run(whole, config_of(synthesis, "genome", discriminator, steps=3))
        for steps in (2, 3):
            run(parts, config_of(synthesis, "genome", discriminator, steps=steps))
        assert_same_state(whole, parts)
        tensors = read_state(parts / STATE_FILE).tensors
        assert {f"{tensors[f'{key}.growth.level'].item():.2f}" for key in ("G.synthesis", "ema.synthesis", "D")} == {
            "3.50"
        }


def test_networks_that_do_not_grow_are_not_grown(tmp_path):
    still = next(name for name in SYNTHESIS_NAMES if name not in GROWING[0])
    config = replace(config_of(still, "genome", GROWING[1][0], steps=1), growth={"name": "progressive"})
    with pytest.raises(UserError, match=rf"name={still} does not grow"):
        run(tmp_path, config)


@pytest.mark.parametrize("name", DISCRIMINATOR_NAMES)
def test_discriminators_follow_their_contract(name):
    D = DISCRIMINATORS.build(discriminator_spec(name)).eval()
    batch = D.prepare(ImageBatch(torch.randn(4, 3, SIZE, SIZE)))
    logits = D(batch)
    assert logits.ndim == 2 and len(logits) == 4 and logits.dtype == torch.float32
    held = {id(p) for stage in D.stages() for p in stage.parameters()}
    assert held == {id(p) for p in D.parameters()}
    assert torch.equal(copy.deepcopy(D)(batch), logits)
    with pytest.raises(UserError, match="pictures have shape"):
        D(ImageBatch(torch.randn(4, 3, SIZE, SIZE // 2)))


@pytest.mark.parametrize("name", DISCRIMINATOR_NAMES)
def test_discriminators_read_their_label(name):
    D = DISCRIMINATORS.build({**discriminator_spec(name), "label_dim": 3}).eval()
    image, labels = torch.randn(4, 3, SIZE, SIZE), torch.eye(3)
    logits = [D(ImageBatch(image, condition=Condition(label=row.expand(4, 3)))) for row in labels]
    assert (logits[0] - logits[1]).abs().max() > 0
    with pytest.raises(UserError, match="needs a label"):
        D(ImageBatch(image))


READING = [name for name in SYNTHESIS_NAMES if "label_dim" in SYNTHESES.parameters(name)]


class Labeled(Pictures):
    """The same pictures in three classes."""

    content_hash, label_dim, label_names = "tiny-16-3", 3, ("a", "b", "c")

    def __init__(self) -> None:
        super().__init__()
        self._labels = torch.eye(3).repeat(4, 1)


@pytest.mark.parametrize("name", READING)
def test_a_genome_leaves_labels_to_networks_that_read_them(tmp_path, name):
    config = config_of(name, "genome", "progan", steps=1)
    config = replace(config, data=replace(config.data, labels=True))
    train(config, tmp_path, data=Labeled(), machine=Machine("cpu"), quiet=True)
    G = load_snapshot(tmp_path).generator
    assert G.label_dim == 3 and G.latent.label_dim == 0
    code = G.sample(1)
    pictures = [G(code, Condition(label=row[None]), noise=Noise("const")).image for row in torch.eye(3)]
    assert (pictures[0] - pictures[1]).abs().max() > 0
    with pytest.raises(UserError, match="needs a label of length 3"):
        G(code)


@pytest.mark.parametrize("name", SYNTHESIS_NAMES)
def test_synthesis_networks_follow_their_contract(name):
    S = SYNTHESES.build(synthesis_spec(name)).eval()
    assert len(S.layer_resolutions) == S.num_ws >= 1
    ws = torch.randn(2, S.num_ws, W_DIM, requires_grad=True)
    made = S(ws, Condition(), noise=Noise("const"))
    assert made.image.shape == (2, 3, SIZE, SIZE) and made.image.dtype == torch.float32
    (gradient,) = torch.autograd.grad(made.image.square().sum(), ws)
    # A first layer whose affine map starts at zero is allowed to ignore its w.
    assert (gradient.abs().amax(dim=(0, 2)) > 0).float().mean() > 0.75, "w moves the picture"
    assert torch.equal(copy.deepcopy(S)(ws, noise=Noise("const")).image, made.image)
    with pytest.raises(UserError, match="ws has shape"):
        S(ws[..., 1:])
