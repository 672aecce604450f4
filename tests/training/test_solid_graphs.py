"""EG3D's phases: replayed to the same bits, recorded anew at another resolution, and waiting for no device."""

import copy
import logging
from dataclasses import replace

import pytest
import torch
from lightning_fabric import Fabric
from test_graphs import Again
from test_no_waiting import every_phase, far  # noqa: F401
from test_three_dimensions import CPU, SIZE, Seen, config, synthesis_spec

from stylegenes.records import Condition, ImageBatch
from stylegenes.training.batch import plan_batch
from stylegenes.training.config import ModelConfig, RunConfig
from stylegenes.training.feed import pool_of, to_float
from stylegenes.training.graphs import WARM_UP, Graphs
from stylegenes.training.players import build_players
from stylegenes.training.resolve import complete_config
from stylegenes.training.step import Stepper, StepSettings
from stylegenes.training.sync import Ranks

MAPPING = {"name": "mapping", "w_dim": 8, "depth": 1, "camera": True}


def judge(**changes) -> dict:
    return {**config().model.discriminator, **changes}


def settings_of(
    latent: dict | None = None, synthesis: dict | None = None, discriminator: dict | None = None, **changes
):
    base = config(blur=None, rendering=None, **changes)
    model = base.model
    model = ModelConfig(latent or model.latent, synthesis or model.synthesis, discriminator or model.discriminator)
    return replace(base, model=model)


SETTINGS: dict[str, RunConfig] = {
    "genome": settings_of(),
    "mapping": settings_of(latent=MAPPING),
    "rays in parts": settings_of(synthesis=synthesis_spec(most_points=200)),
    "one pass, disparity": settings_of(synthesis=synthesis_spec(importance=0, near=2.0, far=3.4, disparity=True)),
    "official": settings_of(synthesis=synthesis_spec(official=True)),
    "classic resizing": settings_of(discriminator=judge(resizing="classic")),
    "mixed resizing": settings_of(discriminator=judge(resizing=0.3)),
    "no cameras told": settings_of(latent={**MAPPING, "camera": False}, discriminator=judge(camera=False)),
}


def cases(*quick: str) -> list:
    """Every setting; those that are not quick ones are tried where there is time."""
    return [pytest.param(name, marks=() if name in quick else pytest.mark.slow) for name in SETTINGS]


@pytest.mark.parametrize("name", cases("rays in parts", "official", "mixed resizing"))
def test_no_setting_waits(name, far):  # noqa: F811
    assert set(every_phase(SETTINGS[name], Seen())) == {"D main", "D lazy", "G main", "G lazy"}


def stepper(settings: RunConfig, graphs: Graphs | None) -> Stepper:
    data = Seen()
    settings = complete_config(settings, data, warn=False)
    plan = plan_batch(settings.batch, ranks=1, discriminator=settings.model.discriminator)
    how = StepSettings(plan.total, plan.accumulation, plan.group, settings.mixing, settings.noise, settings.seed)
    players = build_players(settings, CPU)
    pool = pool_of(data, players.G.synthesis, labels=False, mirror=True, seed=0)
    return Stepper(players, Ranks(Fabric(accelerator="cpu", devices=1)), how, pool=pool, graphs=graphs)


def trained(settings: RunConfig, graphs: Graphs | None, sizes: list[int]):
    """Everything that training changed after steps at the given rendering resolutions, and what each phase told."""
    taken, data, indices = stepper(settings, graphs), Seen(), torch.arange(4)
    real = ImageBatch(to_float(data.images(indices), CPU), condition=Condition(camera=data.cameras(indices)))
    told = []
    for step, size in enumerate(sizes):
        taken.players.render_at(size)
        told += [result.flat() for result in taken.step(real, step=step)]
    return told, copy.deepcopy({name: module.state_dict() for name, module in taken.players.modules().items()})


@pytest.mark.parametrize("name", cases("rays in parts"))
def test_replayed_phases_give_the_same_bits(name, caplog):
    sizes = [SIZE // 2] * (WARM_UP + 3) + [SIZE // 4] * (WARM_UP + 2)
    settings = replace(SETTINGS[name], regularizers={"r1": {"gamma": 1.0, "interval": 1}, "density": {"interval": 1}})
    with caplog.at_level(logging.WARNING):
        engine = Again()
        ours, theirs = trained(settings, Graphs(engine), sizes), trained(settings, None, sizes)
    assert "cannot be recorded" not in caplog.text
    assert engine.captured == 2 * len(stepper(settings, None).players.phases), "once for each rendering resolution"
    assert all(torch.equal(a, b) for a, b in zip(ours[0], theirs[0], strict=True))
    for module, state in ours[1].items():
        assert [key for key in state if not torch.equal(state[key], theirs[1][module][key])] == []


def test_parts_of_rays_ask_no_device_for_its_state(monkeypatch):
    """Which waits for it, and is not allowed while a graph is recorded."""
    from stylegenes.synthesis import volume

    asked = []
    genuine = volume.checkpoint
    monkeypatch.setattr(volume, "checkpoint", lambda *a, **k: asked.append(k) or genuine(*a, **k))
    taken = stepper(SETTINGS["rays in parts"], None)
    ws = taken.players.G.express(taken.players.G.sample(1))
    taken.players.G.synthesis(ws).image.sum().backward()
    assert len(asked) > 1 and all(k["preserve_rng_state"] is False for k in asked)
