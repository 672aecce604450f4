"""What the adapter refuses, and that it names it."""

import pytest
import torch

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.interop.stylegan2 import (
    discriminator_from_official,
    discriminator_names,
    discriminator_spec,
    generator_from_official,
    generator_names,
    generator_spec,
)

G_KWARGS = {"z_dim": 8, "c_dim": 3, "w_dim": 8, "img_resolution": 8, "img_channels": 3, "channel_base": 32}
D_KWARGS = {"c_dim": 3, "img_resolution": 8, "img_channels": 3, "channel_base": 32}


def official_generator():
    G = Generator.from_spec(generator_spec(G_KWARGS))
    return {official: G.state_dict()[key] for key, official in generator_names(G).items()}


def test_state_round_trips_under_the_official_names():
    state = official_generator()
    assert {"mapping.fc7.weight", "mapping.embed.bias", "synthesis.b4.const", "synthesis.b8.torgb.weight"} <= set(state)
    loaded = generator_from_official(G_KWARGS, state)
    assert all(torch.equal(loaded.state_dict()[key], state[name]) for key, name in generator_names(loaded).items())


@pytest.mark.parametrize("architecture", ["resnet", "skip", "orig"])
def test_discriminator_names_are_unique(architecture):
    kwargs = {**D_KWARGS, "architecture": architecture}
    D = DISCRIMINATORS.build(discriminator_spec(kwargs))
    names = discriminator_names(D)
    assert len(set(names.values())) == len(names)
    discriminator_from_official(kwargs, {official: D.state_dict()[key] for key, official in names.items()})


def test_missing_and_unexpected_weights_are_listed():
    state = official_generator()
    state["synthesis.b8.extra"] = state.pop("synthesis.b8.conv0.weight")
    with pytest.raises(UserError, match=r"missing: synthesis\.b8\.conv0\.weight; unexpected: synthesis\.b8\.extra"):
        generator_from_official(G_KWARGS, state)


def test_misshapen_weights_are_named():
    state = official_generator()
    state["mapping.w_avg"] = torch.zeros(9)
    with pytest.raises(UserError, match=r"mapping\.w_avg is \[9\], not \[8\]"):
        generator_from_official(G_KWARGS, state)


def test_another_filter_than_described_is_refused():
    state = {**official_generator(), "synthesis.b8.resample_filter": torch.ones(4, 4) / 16}
    with pytest.raises(UserError, match="resample_filter"):
        generator_from_official(G_KWARGS, state)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({**G_KWARGS, "magnitude_ema_beta": 0.99}, "cannot take magnitude_ema_beta"),
        ({**G_KWARGS, "mapping_kwargs": {"depth": 2}}, "mapping_kwargs: cannot take depth"),
        ({"z_dim": 8}, "lack c_dim, w_dim, img_resolution, img_channels"),
    ],
)
def test_unsupported_generator_arguments_are_named(kwargs, message):
    with pytest.raises(UserError, match=message):
        generator_spec(kwargs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone": "x"}, "cannot take backbone"),
        ({"epilogue_kwargs": {"groups": 2}}, "epilogue_kwargs: cannot take groups"),
        ({"block_kwargs": {"activation": "relu"}}, "one activation for all layers"),
    ],
)
def test_unsupported_discriminator_arguments_are_named(changes, message):
    with pytest.raises(UserError, match=message):
        discriminator_spec({**D_KWARGS, **changes})


def test_the_release_that_nests_synthesis_arguments_clamps_only_when_told():
    flat, nested = generator_spec(G_KWARGS), dict(G_KWARGS)
    nested["synthesis_kwargs"] = {"channel_base": nested.pop("channel_base")}
    assert flat["synthesis"]["conv_clamp"] == 256
    assert generator_spec(nested)["synthesis"]["conv_clamp"] is None
