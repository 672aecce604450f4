"""StyleGAN2 networks from the official PyTorch releases (StyleGAN2-ADA, StyleGAN3's config stylegan2), by name.

Arguments that concern precision, memory layout or training alone (`num_fp16_res`, `freeze_layers`, ...) are accepted
and change nothing: here precision is the caller's autocast.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from stylegenes.discriminators import DISCRIMINATORS, Discriminator
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.interop.names import State, load_named, require, same_filter, take
from stylegenes.ops.fir import setup_filter

_MAPPING = {
    "num_layers": 8,
    "embed_features": None,
    "layer_features": None,
    "activation": "lrelu",
    "lr_multiplier": 0.01,
    "w_avg_beta": 0.998,
}
_BLOCK = {"activation": "lrelu", "resample_filter": (1, 3, 3, 1), "fp16_channels_last": False, "use_fp16": False}
_SIZES = {"channel_base": 32768, "channel_max": 512, "num_fp16_res": 4, "conv_clamp": 256}
_SYNTHESIS = {**_SIZES, **_BLOCK, "architecture": "skip", "use_noise": True, "fused_modconv_default": True}
_DISCRIMINATOR = {**_SIZES, "c_dim": 0, "img_resolution": 0, "img_channels": 3, "architecture": "resnet"}
_DISCRIMINATOR_PARTS = {"cmap_dim": None, "block_kwargs": {}, "mapping_kwargs": {}, "epilogue_kwargs": {}}
_EPILOGUE = {"mbstd_group_size": 4, "mbstd_num_channels": 1, "activation": "lrelu"}


def generator_spec(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The spec, as `Generator.from_spec` takes it, of an official generator's constructor arguments.

    Args:
        kwargs: z_dim, c_dim, w_dim, img_resolution, img_channels, mapping_kwargs and the synthesis network's own,
            either beside them or under synthesis_kwargs.

    Raises:
        UserError: for a missing argument, or one that has no counterpart here.
    """
    owner = "official generator"
    require(kwargs, "z_dim", "c_dim", "w_dim", "img_resolution", "img_channels", owner=owner)
    given = dict(kwargs)
    z_dim, c_dim, w_dim, resolution, channels = (
        given.pop(key) for key in ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels")
    )
    nested = given.pop("synthesis_kwargs", None)
    # The release that nests these arguments clamps only where it is told to, and its mean of w moves faster.
    decay = _MAPPING if nested is None else {**_MAPPING, "w_avg_beta": 0.995}
    mapping = take(given.pop("mapping_kwargs", {}), decay, owner=f"{owner}, mapping_kwargs")
    defaults = _SYNTHESIS if nested is None else {**_SYNTHESIS, "conv_clamp": None}
    synthesis = take({**given, **(nested or {})}, defaults, owner=owner)
    if mapping["w_avg_beta"] is None:
        raise UserError(f"{owner}: w_avg_beta None (no running mean) is not supported; give a number such as 0.998")
    return {
        "latent": {
            "name": "mapping",
            "w_dim": w_dim,
            "z_dim": z_dim,
            "depth": mapping["num_layers"],
            "label_dim": c_dim,
            "hidden_dim": mapping["layer_features"],
            "embed_dim": mapping["embed_features"],
            "lr_multiplier": mapping["lr_multiplier"],
            "w_avg_beta": mapping["w_avg_beta"],
            "act": mapping["activation"],
        },
        "synthesis": {
            "name": "stylegan2",
            "resolution": resolution,
            "w_dim": w_dim,
            "image_channels": channels,
            "use_noise": synthesis["use_noise"],
            **_shared(synthesis),
        },
    }


def discriminator_spec(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The spec of an official discriminator's constructor arguments.

    Args:
        kwargs: c_dim, img_resolution, img_channels, channel_base, channel_max, conv_clamp, architecture, cmap_dim,
            block_kwargs, mapping_kwargs, epilogue_kwargs.

    Raises:
        UserError: for a missing argument, or one that has no counterpart here.
    """
    owner = "official discriminator"
    require(kwargs, "c_dim", "img_resolution", "img_channels", owner=owner)
    given = take(kwargs, {**_DISCRIMINATOR, **_DISCRIMINATOR_PARTS}, owner=owner)
    block = take(given["block_kwargs"], {**_BLOCK, "freeze_layers": 0}, owner=f"{owner}, block_kwargs")
    epilogue = take(given["epilogue_kwargs"], _EPILOGUE, owner=f"{owner}, epilogue_kwargs")
    accepted = {key: value for key, value in _MAPPING.items() if key != "w_avg_beta"}
    mapping = take(given["mapping_kwargs"], accepted, owner=f"{owner}, mapping_kwargs")
    if block["activation"] != epilogue["activation"]:
        raise UserError(
            f"{owner}: one activation for all layers, not {block['activation']!r} in block_kwargs and "
            f"{epilogue['activation']!r} in epilogue_kwargs"
        )
    return {
        "name": "stylegan2",
        "resolution": given["img_resolution"],
        "label_dim": given["c_dim"],
        "image_channels": given["img_channels"],
        **_shared({**given, **block}),
        "mbstd_group_size": epilogue["mbstd_group_size"],
        "mbstd_num_channels": epilogue["mbstd_num_channels"],
        "label_features": given["cmap_dim"],
        "label_depth": mapping["num_layers"],
        "label_embed": mapping["embed_features"],
        "label_hidden": mapping["layer_features"],
        "label_activation": mapping["activation"],
        "label_lr_multiplier": mapping["lr_multiplier"],
    }


def _shared(given: Mapping[str, Any]) -> dict[str, Any]:
    same = ("channel_base", "channel_max", "architecture", "activation", "conv_clamp")
    taps = [1] if given["resample_filter"] is None else list(given["resample_filter"])
    return {**{key: given[key] for key in same}, "resample_filter": taps}


_RENAMES = (
    (r"\blatent\.layers\.(\d+)", r"mapping.fc\1"),
    (r"\blabel_mapping\.layers\.(\d+)", r"mapping.fc\1"),
    (r"\b(latent|label_mapping)\b", "mapping"),
    (r"\bto_rgb\b", "torgb"),
    (r"\bepilogue\b", "b4"),
)


_RESAMPLING = r"(synthesis\.b\d+\.(conv0\.|skip\.)?|b\d+\.(conv1\.|skip\.)?)resample_filter"
"""Filters that are used: of a generator's doubling layers, of a discriminator's halving ones, and of pictures."""


def _official_name(ours: str) -> str:
    for pattern, replacement in _RENAMES:
        ours = re.sub(pattern, replacement, ours)
    return ours


def generator_name(ours: str) -> str:
    """The official name of a parameter or buffer of a generator, from ours."""
    return _official_name(re.sub(r"\bblocks\.(\d+)", lambda match: f"b{4 << int(match[1])}", ours))


def generator_names(generator: Generator) -> dict[str, str]:
    """For every key of the generator's state dict, the official name of that parameter or buffer."""
    return {key: generator_name(key) for key in generator.state_dict()}


def discriminator_names(discriminator: Discriminator) -> dict[str, str]:
    """For every key of the discriminator's state dict, the official name of that parameter."""

    def block(match: re.Match[str]) -> str:
        colors = ".fromrgb" if match[1] == "from_rgb" else ""
        return f"b{discriminator.size.longer >> int(match[2])}{colors}"

    pattern = r"\b(blocks|from_rgb)\.(\d+)"
    return {key: _official_name(re.sub(pattern, block, key)) for key in discriminator.state_dict()}


def generator_from_official(kwargs: Mapping[str, Any], state: State) -> Generator:
    """An official StyleGAN2 generator in our modules.

    Args:
        kwargs: the official constructor arguments.
        state: its state dict under the official names.

    Raises:
        UserError: for arguments without a counterpart, and for missing, unexpected or misshapen weights, by name.
    """
    spec = generator_spec(kwargs)
    weights = _without_filters(state, spec["synthesis"]["resample_filter"])
    generator = load_named(lambda: Generator.from_spec(spec), weights, generator_names, owner="official generator")
    return generator.eval().requires_grad_(True)


def discriminator_from_official(kwargs: Mapping[str, Any], state: State) -> Discriminator:
    """An official StyleGAN2 discriminator in our modules; see `generator_from_official`."""
    spec = discriminator_spec(kwargs)
    weights = _without_filters(state, spec["resample_filter"])
    names: Callable[[Discriminator], dict[str, str]] = discriminator_names
    return load_named(lambda: DISCRIMINATORS.build(spec), weights, names, owner="official discriminator")


def _without_filters(state: State, taps: Sequence[float]) -> dict[str, torch.Tensor]:
    """The state without its filters, once those of layers that resample are seen to be what `taps` describe.

    Every official layer stores a filter, but those that do not resample store the default one and never use it.
    """
    expected = setup_filter(taps)
    for key, tensor in state.items():
        if re.fullmatch(_RESAMPLING, key) and not same_filter(tensor, expected):
            raise UserError(f"{key} is not the filter that the arguments describe (resample_filter {list(taps)})")
    return {key: tensor for key, tensor in state.items() if not key.endswith("resample_filter")}
