"""Heads and feature mixing of projected discriminators against recorded numbers."""

import re

import pytest
import torch
from parity import Fixture, fixtures

from stylegenes.errors import UserError
from stylegenes.interop.projected import head_from_official, heads_from_official, mixing_from_official


@pytest.fixture(params=[torch.float64, torch.float32], ids=str)
def dtype(request):
    return request.param


def maps_of(fixture: Fixture, module: str, dtype: torch.dtype) -> list[torch.Tensor]:
    names = [name for name in fixture.arrays if re.fullmatch(rf"feat_{re.escape(module)}_\d+", name)]
    return [fixture.input(name, dtype) for name in sorted(names, key=lambda name: int(name.rpartition("_")[2]))]


def judge(fixture: Fixture, module: str, dtype: torch.dtype, *, train: bool):
    """The recorded module in the wanted mode, its maps, and its logits in the recorded shape."""
    kwargs, state, maps = fixture.kwargs(module), fixture.state(module, dtype), maps_of(fixture, module, dtype)
    maps[0].requires_grad_()
    label = fixture.condition(dtype, f"c_{module}").label
    if "Multi" in fixture.config["modules"][module]["official_class"]:
        heads = heads_from_official(kwargs, state).train(train)
        return maps, torch.cat([head(x, label).flatten(1) for head, x in zip(heads, maps, strict=False)], dim=1)
    return maps, head_from_official(kwargs, state).train(train)(maps[0], label)


def modules_of(prefix: str) -> list:
    """One parameter a recorded module."""
    found = []
    for parameter in fixtures(prefix):
        folder = parameter.values[0]
        modules = Fixture(folder).config["modules"] if folder else [""]
        found += [pytest.param(folder, m, id=f"{parameter.id}-{m}", marks=parameter.marks) for m in modules]
    return found


@pytest.mark.parametrize(("folder", "module"), modules_of("pg_discriminator"))
def test_logits_of_heads(folder, module, dtype):
    fixture = Fixture(folder)
    maps, logits = judge(fixture, module, dtype, train=False)
    fixture.check(f"logits_eval_{module}", logits)
    (gradient,) = torch.autograd.grad(logits.sum(), maps[0])
    fixture.check(f"grad_eval_{module}_0", gradient)
    _, logits = judge(fixture, module, dtype, train=True)
    fixture.check(f"logits_train_{module}", logits)


@pytest.mark.parametrize(("folder", "module"), modules_of("pg_feature_mixing"))
def test_mixing(folder, module, dtype):
    fixture = Fixture(folder)
    mixing = mixing_from_official(fixture.kwargs(module), fixture.state(module, dtype))
    maps = maps_of(fixture, module, dtype)
    for i, mixed in enumerate(mixing.mix_channels(maps)):
        fixture.check(f"ccm_{module}_{i}", mixed)
    for i, mixed in enumerate(mixing(maps)):
        fixture.check(f"csm_{module}_{i}", mixed)
    assert not list(mixing.parameters())


@pytest.mark.parametrize("folder", fixtures("pg_feature_mixing")[:1])
def test_what_does_not_fit_is_named(folder):
    fixture = Fixture(folder)
    module = next(iter(fixture.config["modules"]))
    kwargs, state = fixture.kwargs(module), fixture.state(module)
    with pytest.raises(UserError, match="proj_type 1"):
        mixing_from_official({**kwargs, "proj_type": 1}, state)
    with pytest.raises(UserError, match="lack in_channels"):
        mixing_from_official({}, state)
    with pytest.raises(UserError, match="lack channels, resolutions"):
        heads_from_official({}, {})
    with pytest.raises(UserError, match="cannot take color"):
        head_from_official({"color": 1}, {})
