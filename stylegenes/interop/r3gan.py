"""R3GAN networks from the official PyTorch release, by name."""

from __future__ import annotations

import collections
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from stylegenes.discriminators import DISCRIMINATORS, Discriminator
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.interop.names import State, load_named, require, same_filter, take
from stylegenes.ops.fir import setup_filter

_LISTS = {"WidthPerStage": "widths", "CardinalityPerStage": "groups", "BlocksPerStage": "blocks"}
_DEFAULTS = {
    "ConditionDimension": None,
    "ConditionEmbeddingDimension": 0,
    "KernelSize": 3,
    "ResamplingFilter": (1, 2, 1),
}
_BLOCK = {
    "LinearLayer1.Layer.weight": "widen.weight",
    "LinearLayer2.Layer.weight": "filter.weight",
    "LinearLayer3.Layer.weight": "narrow.weight",
    "NonLinearity1.Bias": "bias0",
    "NonLinearity2.Bias": "bias1",
}
_OURS = {ours: theirs for theirs, ours in _BLOCK.items()}


def _sizes(kwargs: Mapping[str, Any], *, upwards: bool, owner: str) -> dict[str, Any]:
    """The arguments that both networks share, with stages listed from 4 pixels up."""
    require(kwargs, *_LISTS, "ExpansionFactor", owner=owner)
    return {
        **{ours: list(kwargs[theirs])[:: 1 if upwards else -1] for theirs, ours in _LISTS.items()},
        "expansion": kwargs["ExpansionFactor"],
        "resolution": 4 << (len(kwargs["WidthPerStage"]) - 1),
        "resample_filter": _taps(kwargs.get("ResamplingFilter", _DEFAULTS["ResamplingFilter"])),
    }


def _taps(named: Sequence[float]) -> list[float]:
    """The taps that the official networks resample with: those that they name, after one that doubles each pixel."""
    return [a + b for a, b in zip([0, *named], [*named, 0])]


def _optional(kwargs: Mapping[str, Any], known: tuple[str, ...], owner: str) -> dict[str, Any]:
    """The label's arguments, as our constructors take them."""
    rest = {key: value for key, value in kwargs.items() if key not in (*_LISTS, "ExpansionFactor", *known)}
    given = take(rest, _DEFAULTS, owner=owner)
    if given["KernelSize"] != 3:
        raise UserError(f"{owner}: KernelSize {given['KernelSize']} is not supported; only 3 is")
    if not given["ConditionDimension"]:
        return {}
    return {"label_dim": given["ConditionDimension"], "label_embed": given["ConditionEmbeddingDimension"]}


def generator_spec(kwargs: Mapping[str, Any], image_channels: int = 3) -> dict[str, Any]:
    """The spec, as `Generator.from_spec` takes it, of an official generator's constructor arguments.

    Raises:
        UserError: for a missing argument, or one that has no counterpart here.
    """
    owner = "official R3GAN generator"
    require(kwargs, "NoiseDimension", owner=owner)
    w_dim = kwargs["NoiseDimension"]
    sizes = _sizes(kwargs, upwards=True, owner=owner) | _optional(kwargs, ("NoiseDimension",), owner)
    synthesis = {"name": "r3gan", "w_dim": w_dim, "image_channels": image_channels, **sizes}
    return {"latent": {"name": "gaussian", "w_dim": w_dim}, "synthesis": synthesis}


def discriminator_spec(kwargs: Mapping[str, Any], image_channels: int = 3) -> dict[str, Any]:
    """The spec of an official discriminator's constructor arguments; see `generator_spec`."""
    owner = "official R3GAN discriminator"
    sizes = _sizes(kwargs, upwards=False, owner=owner) | _optional(kwargs, (), owner)
    return {"name": "r3gan", "image_channels": image_channels, **sizes}


def arguments_of(state: State) -> dict[str, Any]:
    """The constructor arguments of an official generator or discriminator, read from its weights.

    Raises:
        UserError: where there are no residual blocks.
    """
    widths: dict[int, torch.Size] = {}
    inside: dict[int, torch.Size] = {}
    blocks: collections.Counter[int] = collections.Counter()
    for key, tensor in state.items():
        if found := re.fullmatch(r"MainLayers\.(\d+)\.Layers\.\d+\.LinearLayer([12])\.Layer\.weight", key):
            stage = int(found[1])
            (widths if found[2] == "1" else inside)[stage] = tensor.shape
            blocks[stage] += found[2] == "1"
    if not widths or widths.keys() != inside.keys():
        raise UserError("official R3GAN network: the weights hold no residual blocks")
    stages = sorted(widths)
    arguments = {
        "WidthPerStage": [widths[i][1] for i in stages],
        "CardinalityPerStage": [inside[i][0] // inside[i][1] for i in stages],
        "BlocksPerStage": [blocks[i] for i in stages],
        "ExpansionFactor": widths[stages[0]][0] // widths[stages[0]][1],
    }
    embed = state.get("EmbeddingLayer.weight")
    if embed is not None:
        arguments |= {"ConditionEmbeddingDimension": embed.shape[0], "ConditionDimension": embed.shape[1]}
    basis = state.get("MainLayers.0.Layers.0.LinearLayer.weight")
    if "AggregationLayer.Layer.weight" in state and basis is not None:
        arguments["NoiseDimension"] = basis.shape[1] - arguments.get("ConditionEmbeddingDimension", 0)
    return arguments | _filter_of(state)


def _filter_of(state: State) -> dict[str, Any]:
    """The resampling filter that the weights hold, where it is another than the default."""
    kernel = next((tensor for key, tensor in state.items() if key.endswith(".Kernel")), None)
    if kernel is None or same_filter(kernel, setup_filter(_taps(_DEFAULTS["ResamplingFilter"]))):
        return {}
    # Each tap is the sum of two neighbors of the named filter, so that these follow one after the other.
    rows, named = kernel.float().sum(dim=0).tolist(), [0.0]
    for tap in rows[:-1]:
        named.append(tap - named[-1])
    return {"ResamplingFilter": named[1:]}


def generator_names(generator: Generator) -> dict[str, str]:
    """For every key of the generator's state dict, the official name of that parameter."""

    def name(ours: str) -> str:
        ours = ours.removeprefix("synthesis.")
        fixed = {"to_rgb.weight": "AggregationLayer.Layer.weight", "embed.weight": "EmbeddingLayer.weight"}
        if found := re.fullmatch(r"stages\.(\d+)\.blocks\.(\d+)\.(.+)", ours):
            return f"MainLayers.{found[1]}.Layers.{int(found[2]) + 1}.{_OURS[found[3]]}"
        if found := re.fullmatch(r"stages\.(\d+)\.start\.(.+)", ours):
            parts = {
                "basis": "Basis",
                "linear.weight": "LinearLayer.weight",
                "project.weight": "LinearLayer.Layer.weight",
            }
            return f"MainLayers.{found[1]}.Layers.0.{parts[found[2]]}"
        return fixed[ours]

    return {key: name(key) for key in generator.state_dict()}


def discriminator_names(discriminator: Discriminator) -> dict[str, str]:
    """For every key of the discriminator's state dict, the official name of that parameter."""
    depth = list(discriminator.spec["blocks"])[::-1]
    last = f"MainLayers.{len(depth) - 1}.Layers.{depth[-1]}"
    fixed = {
        "from_rgb.weight": "ExtractionLayer.Layer.weight",
        "embed.weight": "EmbeddingLayer.weight",
        "readout.basis.weight": f"{last}.Basis.weight",
        "readout.linear.weight": f"{last}.LinearLayer.weight",
    }

    def name(ours: str) -> str:
        if found := re.fullmatch(r"blocks\.(\d+)\.(\d+)\.(.+)", ours):
            part = "LinearLayer.Layer.weight" if found[3] == "project.weight" else _OURS[found[3]]
            return f"MainLayers.{found[1]}.Layers.{found[2]}.{part}"
        return fixed[ours]

    return {key: name(key) for key in discriminator.state_dict()}


def generator_from_official(kwargs: Mapping[str, Any], state: State) -> Generator:
    """An official R3GAN generator in our modules.

    Args:
        kwargs: the official constructor arguments.
        state: its state dict under the official names.

    Raises:
        UserError: for arguments without a counterpart, and for missing, unexpected or misshapen weights, by name.
    """
    channels = _channels(state, "AggregationLayer.Layer.weight", 0)
    spec = generator_spec(kwargs, channels)
    weights = _without_filters(state, spec["synthesis"]["resample_filter"])
    return load_named(lambda: Generator.from_spec(spec), weights, generator_names, owner="official R3GAN generator")


def discriminator_from_official(kwargs: Mapping[str, Any], state: State) -> Discriminator:
    """An official R3GAN discriminator in our modules; see `generator_from_official`."""
    channels = _channels(state, "ExtractionLayer.Layer.weight", 1)
    spec = discriminator_spec(kwargs, channels)
    weights = _without_filters(state, spec["resample_filter"])
    names: Callable[[Discriminator], dict[str, str]] = discriminator_names
    return load_named(lambda: DISCRIMINATORS.build(spec), weights, names, owner="official R3GAN discriminator")


def _channels(state: State, key: str, dim: int) -> int:
    """Color channels, which the official arguments do not name."""
    return state[key].shape[dim] if key in state else 3


def _without_filters(state: State, taps: Sequence[float]) -> dict[str, torch.Tensor]:
    """The state without its resampling filters, once they are seen to be the ones that `taps` describe."""
    expected = setup_filter(taps)
    for key, tensor in state.items():
        if not key.endswith(".Kernel"):
            continue
        if not same_filter(tensor, expected):
            raise UserError(f"{key} is not the filter {list(taps)} that the arguments describe")
    return {key: tensor for key, tensor in state.items() if not key.endswith(".Kernel")}
