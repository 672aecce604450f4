"""EG3D's networks from the official PyTorch release, by name.

They come with `official=True`: weights trained with the published renderer's planes need the same planes.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, cast

import torch

from stylegenes.cameras import NUMBERS
from stylegenes.discriminators import DISCRIMINATORS, Discriminator, DualDiscriminator
from stylegenes.errors import UserError
from stylegenes.interop import stylegan2
from stylegenes.interop.names import State, load_named, require
from stylegenes.synthesis.eg3d import Decoder, SuperResolution
from stylegenes.synthesis.volume import Optics

_INPUTS = {"2X": (64, (128, 64)), "4X": (128, (128, 64)), "8X": (128, (128, 64)), "8XDC": (128, (256, 128))}
"""Input resolution and channels of the official super-resolution modules, by the end of their names."""


def optics_of(options: Mapping[str, Any]) -> Optics:
    """How the official `rendering_options` sample rays.

    Raises:
        UserError: for an activation of the density that is not known.
    """
    if options.get("clamp_mode", "softplus") != "softplus":
        raise UserError(f"official EG3D renderer: clamp_mode {options['clamp_mode']!r} is not known; softplus is")
    near, far = options["ray_start"], options["ray_end"]
    return Optics(
        samples=options["depth_resolution"],
        importance=options["depth_resolution_importance"],
        near=None if near == "auto" else near,
        far=None if far == "auto" else far,
        box=options["box_warp"],
        disparity=options.get("disparity_space_sampling", False),
        white=options.get("white_back", False),
        official=True,
    )


def decoder_from_official(kwargs: Mapping[str, Any], state: State) -> Decoder:
    """The official decoder in our module; its hidden layer's width is read from the weights.

    Raises:
        UserError: for weights that do not fit, by name.
    """
    owner = "official EG3D decoder"
    require(kwargs, "n_features", "options", owner=owner)
    options = kwargs["options"]
    width = len(state["net.0.bias"]) if "net.0.bias" in state else 64
    build = functools.partial(
        Decoder,
        kwargs["n_features"],
        options["decoder_output_dim"],
        width=width,
        lr_multiplier=options.get("decoder_lr_mul", 1),
    )
    return load_named(build, state, _decoder_names, owner=owner)


def _decoder_names(decoder: Decoder) -> dict[str, str]:
    layers = {"hidden": "net.0", "out": "net.2"}
    return {key: f"{layers[key.split('.')[0]]}.{key.split('.')[1]}" for key in decoder.state_dict()}


def super_resolution_from_official(name: str, kwargs: Mapping[str, Any], state: State) -> SuperResolution:
    """An official super-resolution module in ours.

    Args:
        name: of its class, such as SuperresolutionHybrid8XDC.
        kwargs: channels, img_resolution and what concerns precision.
        state: its state dict under the official names.

    Raises:
        UserError: for another class, and for weights that do not fit, by name.
    """
    owner = f"official {name}"
    require(kwargs, "channels", "img_resolution", owner=owner)
    kind = name.rpartition("Hybrid")[2]
    if kind not in _INPUTS:
        raise UserError(f"{owner} is not known; known: {', '.join(f'SuperresolutionHybrid{key}' for key in _INPUTS)}")
    input_resolution, channels = _INPUTS[kind]
    build = functools.partial(
        SuperResolution,
        kwargs["channels"],
        kwargs["img_resolution"],
        w_dim=_width_of_styles(state),
        input_resolution=input_resolution,
        channels=channels,
    )
    return load_named(build, _without_filters(state), _super_resolution_names, owner=owner)


def _super_resolution_names(module: SuperResolution) -> dict[str, str]:
    return {key: key.replace("to_rgb", "torgb") for key in module.state_dict()}


def _width_of_styles(state: State) -> int:
    found: torch.Tensor | None = state.get("block0.conv0.affine.weight")
    return 512 if found is None else found.shape[1]


def _without_filters(state: State) -> dict[str, torch.Tensor]:
    return {key: tensor for key, tensor in state.items() if not key.endswith("resample_filter")}


def discriminator_from_official(kwargs: Mapping[str, Any], state: State) -> Discriminator:
    """An official dual discriminator in ours.

    Args:
        kwargs: c_dim (25, or 0 for one that is not told the camera) and those of StyleGAN2's discriminator.
        state: its state dict under the official names.

    Raises:
        UserError: for arguments without a counterpart, and for weights that do not fit, by name.
    """
    owner = "official dual discriminator"
    given = {key: value for key, value in kwargs.items() if key not in ("disc_c_noise", "sr_upsample_factor")}
    theirs = stylegan2.discriminator_spec({**given, "img_channels": 2 * given["img_channels"]})
    same = ("resolution", "channel_base", "channel_max", "conv_clamp", "resample_filter", "label_depth")
    if theirs["label_dim"] not in (0, NUMBERS):
        raise UserError(f"{owner}: c_dim is {theirs['label_dim']}; only a camera ({NUMBERS} numbers) or none is known")
    ours = {key: theirs[key] for key in (*same, "mbstd_group_size", "mbstd_num_channels")}
    told = {"camera": bool(theirs["label_dim"]), "image_channels": given["img_channels"]}
    spec = {"name": "dual", **ours, **told}
    # Officially the rendering resolution lies outside of the state.
    weights = {**_without_filters(state), "rendering": torch.tensor(64)}
    return load_named(lambda: DISCRIMINATORS.build(spec), weights, _discriminator_names, owner=owner)


def _discriminator_names(discriminator: Discriminator) -> dict[str, str]:
    network = cast(DualDiscriminator, discriminator).network
    names = {f"network.{ours}": theirs for ours, theirs in stylegan2.discriminator_names(network).items()}
    return {**names, "rendering": "rendering"}
