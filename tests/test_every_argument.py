"""Whatever a registered class is asked to be built with, it is refused in words or it works.

There is no list to maintain: every argument of every registered latent, network, loss, penalty, schedule and
augmentation is tried with values that make no sense, alone and in pairs.
"""

import random

import pytest
import torch

from stylegenes import bounds
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError
from stylegenes.latents import LATENTS
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.synthesis import SYNTHESES
from stylegenes.training.augment import AUGMENTS
from stylegenes.training.losses import LOSSES
from stylegenes.training.regularizers import REGULARIZERS
from stylegenes.training.schedules import SCHEDULES, Progress

SIZE, W_DIM = 16, 8
REGISTRIES = [LATENTS, SYNTHESES, DISCRIMINATORS, LOSSES, REGULARIZERS, SCHEDULES, AUGMENTS]
VALUES = [
    None, True, False, "", "x", "lrelu", "linear", "skip", "orig", "resnet", "a,b", "1",
    -1, 0, 1, 2, 3, 4, 5, 7, 8, 13, 64, 1000, 65536, 10**9, -(10**9), 10**30,
    0.0, 0.5, -0.5, 1.0, 1.5, 1e-30, 1e30, -1e300, float("nan"), float("inf"),
    [], [0], [1], [0, 0], [1, -1], [1, 3, 3, 1], [0.5, float("nan")], [2, 2, 2], [8, 8, 8], [0, 0, 0], ["x"], [[1]],
    [[8, 1.0]], [[8, 1], [16, 2]], [[1, 2], [3]], [None], [1] * 100, [1e30] * 4,
    {}, {"x": 1}, {"b": 1.0}, {"blit": 0.5}, {"name": "fixed"},
]  # fmt: skip


def base_spec(registry, name) -> dict:
    """Small, and with everything that has no default."""
    offered = {"adaptive": {}, "by_resolution": {"values": [[8, 1.0]]}, "cosine": {"start": 1, "end": 0}}
    offered["ramp"] = offered["cosine"]
    cls = registry.get(name)
    if registry is SYNTHESES:
        return cls.example_spec(SIZE, W_DIM)
    if registry is DISCRIMINATORS:
        return {**cls.example_spec(SIZE), **({"pretrained": False} if name == "projected" else {})}
    if registry is LATENTS:
        return {"w_dim": W_DIM}
    return offered.get(name, {})


def uses(registry, built) -> None:
    """The thing at work, once; small networks only."""
    torch.manual_seed(0)
    if registry is LATENTS:
        w = built(built.sample(2), condition(built, 2))
        assert w.shape == (2, built.w_dim) and torch.isfinite(w).all()
    elif registry is SYNTHESES:
        if max(built.resolution, getattr(built, "rendering_resolution", 0)) > 64:
            return
        made = built(torch.randn(2, built.num_ws, built.w_dim), condition(built, 2), noise=Noise("const"))
        assert made.image.shape == (2, built.image_channels, built.resolution, built.resolution)
        assert torch.isfinite(made.image).all()
    elif registry is DISCRIMINATORS:
        if max(built.resolution, getattr(built, "rendering_resolution", 0)) > 64:
            return
        image = torch.randn(4, built.image_channels, built.resolution, built.resolution)
        logits = built(built.prepare(ImageBatch(image, condition=condition(built, 4))))
        assert logits.shape[0] == 4 and torch.isfinite(logits).all()
    elif registry is LOSSES:
        logits = torch.randn(4, 1)
        for loss in (built.discriminator(logits, logits), built.generator(logits, logits)):
            assert torch.isfinite(loss).all()
    elif registry is REGULARIZERS:
        assert 5 % built.interval >= 0 and 4 // built.batch_shrink >= 0
    elif registry is SCHEDULES:
        for images in (0, 1, 1000, 10**7):
            value = built.value(Progress(images, 8, images // 8, 0.3, 0.5))
            assert value == value and abs(value) < float("inf") and (images // 8) % built.interval >= 0
    else:
        images = built(torch.rand(4, 3, SIZE, SIZE) * 2 - 1)
        assert images.shape == (4, 3, SIZE, SIZE) and torch.isfinite(images).all()


def condition(module, n: int) -> Condition:
    labels = torch.ones(n, module.label_dim) / module.label_dim if module.label_dim else None
    camera = torch.cat([torch.eye(4).flatten(), torch.eye(3).flatten()]).expand(n, -1)
    return Condition(label=labels, camera=camera)


def tries(number: int, seed: int):
    """Every argument with some values, most of them of its own type, then pairs of arguments."""
    rng = random.Random(seed)
    cases = [(registry, name) for registry in REGISTRIES for name in registry.names() if registry.parameters(name)]
    for index in range(number):
        registry, name = cases[index % len(cases)]
        accepted = list(registry.parameters(name))
        chosen = rng.sample(accepted, min(len(accepted), rng.choice([1, 1, 2])))
        yield registry, name, {key: rng.choice(values_for(registry, name, key, rng.random() < 0.8)) for key in chosen}


def values_for(registry, name: str, key: str, of_its_type: bool) -> list:
    fitting = [value for value in VALUES if not of_its_type or passes(registry, name, {key: value})]
    return fitting or VALUES


def passes(registry, name: str, change: dict) -> bool:
    try:
        registry.check({**base_spec(registry, name), "name": name, **change})
    except UserError:
        return False
    return True


def check(registry, name: str, change: dict) -> bool:
    """Whether it was built; anything but a refusal in words is an error."""
    spec = {**base_spec(registry, name), "name": name, **change}
    try:
        built = registry.build(spec)
    except UserError as error:
        assert len(str(error)) < 1500 and str(error).isprintable(), (spec, str(error))
        return False
    try:
        uses(registry, built)
    except UserError:
        pass
    except Exception as error:
        raise AssertionError(f"{registry.kind} {spec} is built and does not work") from error
    return True


@pytest.mark.parametrize(("number", "seed"), [(400, 1), pytest.param(3000, 2, marks=pytest.mark.slow)])
def test_every_argument_is_refused_or_works(monkeypatch, number, seed):
    monkeypatch.setattr(bounds, "free_memory", lambda: 200 * 2**20)
    built = sum(check(*case) for case in tries(number, seed))
    assert 0.05 * number < built < 0.8 * number


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"mbstd_group_size": 0}, "mbstd_group_size"), ({"resample_filter": 3}, "resample_filter"),
        ({"resample_filter": [0, 0]}, "filter"), ({"channel_max": "8"}, "not a whole number"),
        ({"channel_base": 10**9}, "at most"), ({"conv_clamp": float("nan")}, "conv_clamp"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_argument(spec, message):
    with pytest.raises(UserError, match=message):
        DISCRIMINATORS.build({"name": "stylegan2", "resolution": 8, **spec})


def test_a_network_larger_than_the_memory_is_refused_before_it_is_made(monkeypatch):
    for spec in (
        {"w_dim": 2**20, "num_genes": 2**10, "num_variants": 2**20},
        {"w_dim": 1024, "num_genes": 64, "num_variants": 2**16},
    ):
        monkeypatch.setattr(bounds, "free_memory", lambda: 2**26)
        with pytest.raises(UserError, match="needs more memory than there is"):
            LATENTS.build({"name": "genome", **spec})
