"""No step makes the processor wait for the device, and none mixes devices: rehearsed without one.

Tensors on the device "meta" have shapes and no values. Whoever looks at a value, copies from one memory to another or
mixes both in one operation fails here as it would wait, or fail, on a GPU.
"""

import contextlib
from dataclasses import replace

import pytest
import torch
from test_every_network import Pictures, combinations, config_of
from tiny_run import TinyData, tiny_config
from torch.utils._python_dispatch import TorchDispatchMode

from stylegenes.records import ImageBatch
from stylegenes.training import step as step_module
from stylegenes.training.batch import plan_batch
from stylegenes.training.blur import gaussian_blur
from stylegenes.training.feed import pool_of
from stylegenes.training.players import build_players
from stylegenes.training.resolve import complete_config
from stylegenes.training.step import Stepper, StepSettings
from stylegenes.training.sync import average_gradients

META = torch.device("meta")


class FarRanks:
    """One process whose device is far away."""

    rank, count, first, device = 0, 1, True, META

    class fabric:
        autocast = contextlib.nullcontext


class Watching(TorchDispatchMode):
    """Refuses whatever would wait for a device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if torch.Tag.nondeterministic_seeded in func.tags:
            kwargs["device"] = META  # where a generator of the device would draw
        given = [a for a in args if isinstance(a, torch.Tensor) and a.numel()]
        drawings = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape} & set(func.tags)
        if func._overloadpacket is torch.ops.aten.index:
            masks = [i for i in args[1] if i is not None and (i.dtype == torch.bool or i.device != META)]
            drawings = drawings if masks else set()
        assert not (drawings and any(a.device == META for a in given)), f"{func} looks at values"
        target = kwargs.get("device") or (given[0].device if given else META)
        if given and func._overloadpacket in (torch.ops.aten._to_copy, torch.ops.aten.copy_):
            assert all(a.device.type == target.type for a in given), f"{func} copies between devices"
        return func(*args, **kwargs)


@pytest.fixture
def far(monkeypatch):
    """Lets "meta" pass for a device, which torch's autocast does not know, and the CPU draw for it."""
    enabled, autocast, rng_for = torch.is_autocast_enabled, torch.autocast, step_module.rng_for
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda kind="cpu": kind != "meta" and enabled(kind))
    monkeypatch.setattr(
        torch, "autocast", lambda kind, **kw: contextlib.nullcontext() if kind == "meta" else autocast(kind, **kw)
    )
    monkeypatch.setattr(step_module, "rng_for", lambda *key, device="cpu": rng_for(*key))


def every_phase(config, data) -> list[str]:
    """Take every phase of a step up to the optimizer."""
    config = complete_config(config, data, warn=False)
    plan = plan_batch(config.batch, ranks=1, discriminator=config.model.discriminator)
    settings = StepSettings(plan.total, plan.accumulation, plan.group, config.mixing, config.noise, config.seed)
    players = build_players(config, META)
    pool = pool_of(data, players.G.synthesis, labels=config.data.labels, mirror=False, seed=0)
    stepper = Stepper(players, FarRanks(), settings, pool=pool)
    told = pool.map(lambda rows: torch.empty(plan.total, rows.shape[1], device=META))
    real = ImageBatch(torch.empty(plan.total, 3, data.resolution, data.resolution, device=META), condition=told)
    for phase in players.phases:
        key = (0, 0, phase.name)
        inputs = stepper._inputs(real, key, False)
        with Watching():
            statistics = stepper._gather(phase, inputs, key)
            averages = average_gradients(stepper.ranks, players.parameters(phase.player), statistics)
            stepper._settle(phase, stepper._empty_tally(phase).read(averages.extras))
        assert any(p.grad is not None for p in players.parameters(phase.player))
    return [phase.name for phase in players.phases]


@pytest.mark.parametrize(("synthesis", "latent", "discriminator"), [c for c in combinations() if c[1] == "genome"])
def test_no_family_waits(far, synthesis, latent, discriminator):
    config = replace(config_of(synthesis, latent, discriminator, steps=1), growth=None)
    assert "G lazy" in every_phase(config, Pictures())


SETTINGS = {
    "ada, every transform": ("augment.pipe.transforms=bgcfnc",),
    "ada, colors only": ("augment.pipe.transforms=color",),
    "diffaugment": ("augment.pipe.name=diffaugment", "augment.p.name=fixed"),
    "penalties at fakes": ("regularizers.r2.interval=4", "regularizers.wgan_gp.interval=1"),
    "penalties by noise": (
        "regularizers.r1=none",
        "regularizers.noisy_r1.interval=4",
        "regularizers.noisy_r2.interval=4",
    ),
    "relativistic": ("loss.name=relativistic",),
    "labels": ("data.labels=true", "model.latent.name=mapping", "model.latent.depth=2"),
    "micro-batches": ("batch.total=16", "batch.micro=4"),
}


@pytest.mark.parametrize("overrides", SETTINGS.values(), ids=SETTINGS)
def test_no_setting_waits(far, overrides):
    assert len(every_phase(tiny_config(*overrides, "data.resolution=32"), TinyData(resolution=32))) == 4


def test_blurring_waits_for_nobody():
    image = torch.empty(4, 3, 8, 8, device=META)
    with Watching():
        assert gaussian_blur(image, 1.0).shape == image.shape


@pytest.mark.parametrize(
    ("waits", "complaint"),
    [
        (lambda x: x.sum().item(), "looks at values"),
        (lambda x: x.nonzero(), "looks at values"),
        (lambda x: x.to(META), None),
        (lambda x: torch.ones(3).to(META), "copies between devices"),
        (lambda x: x + torch.ones(3), "Expected|device|meta"),
    ],
)
def test_whoever_waits_is_caught(waits, complaint):
    x = torch.ones(3, device=META)
    if complaint is None:
        with Watching():
            waits(x)
        return
    with Watching(), pytest.raises((AssertionError, RuntimeError), match=complaint):
        waits(x)
