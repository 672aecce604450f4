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
from stylegenes.ops.fir import setup_filter

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


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_named(value):
    state = official_generator()
    state["synthesis.b4.const"][0, 0, 0] = value
    with pytest.raises(UserError, match=r"no numbers .*: synthesis\.b4\.const"):
        generator_from_official(G_KWARGS, state)


def test_another_filter_than_described_is_refused():
    state = {**official_generator(), "synthesis.b8.resample_filter": torch.ones(4, 4) / 16}
    with pytest.raises(UserError, match="resample_filter"):
        generator_from_official(G_KWARGS, state)


def as_stored(state, names, taps):
    """Filters as the official layers store them: those that resample the given one, all others the default."""
    return {**state, **{f"{name}.resample_filter": setup_filter(t) for name, t in names(taps).items()}}


def of_generator(taps):
    return {"synthesis.b4": taps, "synthesis.b4.conv1": TAPS, "synthesis.b8": taps} | {
        "synthesis.b8.conv0": taps,
        "synthesis.b8.conv1": TAPS,
    }


def of_discriminator(taps):
    kept = {"b8.fromrgb": TAPS, "b8.conv0": TAPS, "b4.conv": TAPS}
    return {**kept, "b8": taps, "b8.conv1": taps, "b8.skip": taps}


TAPS = [1, 3, 3, 1]
FILTERS = [[1, 3, 3, 1], [1, 2, 1], [1, 2, 3, 4, 5], [1, 4, 6, 9, 9, 6, 4, 1], [[1, 2], [3, 4]], None]


@pytest.mark.parametrize("taps", FILTERS, ids=str)
def test_only_layers_that_resample_carry_the_filter(taps):
    G = generator_from_official(
        {**G_KWARGS, "resample_filter": taps}, as_stored(official_generator(), of_generator, taps)
    )
    assert torch.equal(G.synthesis.blocks[1].conv0.resample_filter, setup_filter(taps))
    kwargs = {**D_KWARGS, "block_kwargs": {"resample_filter": taps}}
    D = DISCRIMINATORS.build(discriminator_spec(kwargs))
    state = {official: D.state_dict()[key] for key, official in discriminator_names(D).items()}
    judge = discriminator_from_official(kwargs, as_stored(state, of_discriminator, taps))
    assert torch.equal(judge.blocks[0].skip.resample_filter, setup_filter(taps))


@pytest.mark.parametrize("layer", ["synthesis.b8.conv0", "synthesis.b8"])
def test_a_filter_that_is_used_must_be_the_described_one(layer):
    state = as_stored(official_generator(), of_generator, [1, 2, 1])
    state[f"{layer}.resample_filter"] = setup_filter([1, 3, 3, 1])
    with pytest.raises(UserError, match=f"{layer}.resample_filter is not the filter"):
        generator_from_official({**G_KWARGS, "resample_filter": [1, 2, 1]}, state)


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
    assert flat["latent"]["w_avg_beta"] == 0.998 and generator_spec(nested)["latent"]["w_avg_beta"] == 0.995
    assert generator_spec(nested)["synthesis"]["conv_clamp"] is None
