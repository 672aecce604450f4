"""EG3D's networks from the official PyTorch release, by name.

The parts come with `official=True`, which repeats the published renderer. A whole generator keeps only what its weights
were trained with, the published planes: its samples are even, so that a code and a camera always make the same picture.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch

from stylegenes.cameras import NUMBERS
from stylegenes.discriminators import DISCRIMINATORS, Discriminator, DualDiscriminator
from stylegenes.errors import UserError, shown
from stylegenes.generator import Generator
from stylegenes.interop import stylegan2
from stylegenes.interop.names import State, load_named, require
from stylegenes.synthesis.eg3d import Decoder, SuperResolution
from stylegenes.synthesis.volume import Optics

_INPUTS = {
    "2X": (64, (128, 64)),
    "4X": (128, (128, 64)),
    "8X": (128, (128, 64)),
    "8XDC": (128, (256, 128)),
    "Deepfp32": (128, (128, 64)),
}
"""Input resolution and channels of the official super-resolution modules, by the end of their names."""
_HALF_CLAMP = 256.0
"""Bound of super-resolution where it is said to run in half precision."""
_SEEN = 0.63
"""Share of the box's width at the origin that the published sets' cameras see; files do not tell the angle of view."""


@dataclass(frozen=True)
class Sizes:
    """What a generator's weights tell and its arguments do not.

    Attributes:
        resolution: height and width of a plane.
        channels: features of a plane.
        width: hidden units of the decoder.
        features: features of a point.
    """

    resolution: int = 256
    channels: int = 32
    width: int = 64
    features: int = 32

    @classmethod
    def of(cls, state: State) -> Sizes:
        """From the weights, as far as they are there."""
        blocks = (re.fullmatch(r"backbone\.synthesis\.b(\d{1,4})\..+", key) for key in state)
        hidden, out = state.get("decoder.net.0.weight"), state.get("decoder.net.2.weight")
        if hidden is None or out is None or hidden.ndim != 2 or out.ndim != 2:
            return cls()
        resolution = max((int(match[1]) for match in blocks if match), default=256)
        return cls(resolution, hidden.shape[1], hidden.shape[0], out.shape[0] - 1)


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
    return {key: _decoder_name(key) for key in decoder.state_dict()}


def _decoder_name(key: str) -> str:
    return key.replace("hidden", "net.0").replace("out", "net.2")


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
    input_resolution, channels = _input_of(name)
    build = functools.partial(
        SuperResolution,
        kwargs["channels"],
        kwargs["img_resolution"],
        w_dim=_width_of_styles(state),
        input_resolution=input_resolution,
        channels=channels,
        conv_clamp=_clamp_of(kwargs),
    )
    return load_named(build, _without_filters(state), _super_resolution_names, owner=owner)


def _input_of(name: str) -> tuple[int, tuple[int, int]]:
    """Input resolution and channels of the super-resolution module of that name, with or without its package."""
    kind = name.rpartition("Hybrid")[2]
    if kind not in _INPUTS:
        known = ", ".join(f"SuperresolutionHybrid{key}" for key in _INPUTS)
        raise UserError(f"official super-resolution {shown(name, 60)} is not known; known: {known}")
    return _INPUTS[kind]


def _clamp_of(kwargs: Mapping[str, Any]) -> float | None:
    return _HALF_CLAMP if kwargs.get("sr_num_fp16_res", 0) else None


def _super_resolution_names(module: SuperResolution) -> dict[str, str]:
    return {key: key.replace("to_rgb", "torgb") for key in module.state_dict()}


def _width_of_styles(state: State) -> int:
    found: torch.Tensor | None = state.get("block0.conv0.affine.weight")
    return 512 if found is None else found.shape[1]


def _without_filters(state: State) -> dict[str, torch.Tensor]:
    return {key: tensor for key, tensor in state.items() if not key.endswith("resample_filter")}


def generator_spec(kwargs: Mapping[str, Any], options: Mapping[str, Any], sizes: Sizes | None = None) -> dict[str, Any]:
    """The spec, as `Generator.from_spec` takes it, of an official TriPlaneGenerator.

    Args:
        kwargs: its constructor arguments, those of StyleGAN2's generator and of super-resolution.
        options: its `rendering_kwargs`.
        sizes: of planes and decoder; None takes the published ones.

    Raises:
        UserError: for what is missing, or has no counterpart here.
    """
    owner = "official EG3D generator"
    require(options, "depth_resolution", "depth_resolution_importance", "box_warp", "ray_start", "ray_end", owner=owner)
    require(options, "superresolution_module", owner=owner)
    require(kwargs, "c_dim", "img_channels", "img_resolution", owner=owner)
    c_dim = kwargs["c_dim"]
    if c_dim not in (0, NUMBERS):
        raise UserError(f"{owner}: c_dim is {c_dim}; only a camera ({NUMBERS} numbers) or none is known")
    sizes = sizes or Sizes()
    given = {key: value for key, value in kwargs.items() if key not in _ABOVE}
    planes = {"c_dim": 0, "img_resolution": sizes.resolution, "img_channels": 3 * sizes.channels}
    theirs = stylegan2.generator_spec({**given, **planes})
    plain = {"architecture": "skip", "activation": "lrelu", "resample_filter": [1, 3, 3, 1], "use_noise": True}
    for name, usual in plain.items():
        if theirs["synthesis"][name] != usual:
            raise UserError(f"{owner}: {name} is {theirs['synthesis'][name]!r}; only {usual!r} is known")
    # Where the latent is told zeros, its embedding is its bias alone.
    told = 0.0 if options.get("c_gen_conditioning_zero", False) else float(options.get("c_scale", 0))
    camera = {"camera": True, "camera_scale": told} if c_dim else {}
    return {
        "latent": {**{key: value for key, value in theirs["latent"].items() if key != "label_dim"}, **camera},
        "synthesis": {
            "name": "eg3d",
            "resolution": kwargs["img_resolution"],
            "w_dim": theirs["synthesis"]["w_dim"],
            "image_channels": kwargs["img_channels"],
            "plane_resolution": sizes.resolution,
            "plane_channels": sizes.channels,
            **{key: theirs["synthesis"][key] for key in ("channel_base", "channel_max", "conv_clamp")},
            "decoder_width": sizes.width,
            "decoder_features": sizes.features,
            **_super_spec(kwargs, options),
            **_optics_spec(options),
            **_view_spec(options),
        },
    }


_ABOVE = ("sr_num_fp16_res", "sr_kwargs", "rendering_kwargs")
"""Arguments that are not the planes' network's."""


def _super_spec(kwargs: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    input_resolution, channels = _input_of(options["superresolution_module"])
    noise = options.get("superresolution_noise_mode", "none") != "none"
    clamp = _clamp_of(kwargs)
    return {
        "super_input": input_resolution,
        "super_channels": list(channels),
        "super_noise": noise,
        "super_clamp": clamp,
    }


def _optics_spec(options: Mapping[str, Any]) -> dict[str, Any]:
    optics = optics_of(options)
    same = ("samples", "importance", "near", "far", "box", "disparity", "white")
    return {**{name: getattr(optics, name) for name in same}, "third_plane": "zx"}


def _view_spec(options: Mapping[str, Any]) -> dict[str, Any]:
    """The front view that pictures are shown from."""
    radius = options.get("avg_camera_radius", 2.7)
    fov = 2 * math.degrees(math.atan(_SEEN * options["box_warp"] / 2 / radius))
    return {"radius": radius, "pivot": list(options.get("avg_camera_pivot", (0, 0, 0))), "fov": round(fov, 2)}


def generator_from_official(
    kwargs: Mapping[str, Any], options: Mapping[str, Any], state: State, *, rendering_resolution: int = 64
) -> Generator:
    """An official TriPlaneGenerator in our modules, in eval mode.

    Args:
        kwargs: its constructor arguments.
        options: its `rendering_kwargs`.
        state: its state dict under the official names.
        rendering_resolution: height and width of the pictures that it renders.

    Raises:
        UserError: for what has no counterpart here, and for weights that do not fit, by name.
    """
    owner = "official EG3D generator"
    spec = generator_spec(kwargs, options, Sizes.of(state))
    with torch.device("meta"):
        views = Generator.from_spec(spec).synthesis.state_dict()["views"]
    weights = {**_without_filters(state), "rendering": torch.tensor(rendering_resolution), "views": views}
    # The decoder's learning rate is a factor on its stored weights; ours is one.
    factor = options.get("decoder_lr_mul", 1)
    weights |= {key: tensor * factor for key, tensor in weights.items() if key.startswith("decoder.")}
    return load_named(lambda: Generator.from_spec(spec), weights, generator_names, owner=owner).eval()


def generator_names(generator: Generator) -> dict[str, str]:
    """For every key of the generator's state dict, the official name of that parameter or buffer."""
    return {key: _generator_name(key) for key in generator.state_dict()}


def _generator_name(key: str) -> str:
    room, _, rest = key.partition(".")
    part, _, inner = rest.partition(".")
    if room == "latent":
        return f"backbone.{stylegan2.generator_name(key)}"
    if part == "backbone":
        return f"backbone.{stylegan2.generator_name(f'synthesis.{inner}')}"
    if part == "decoder":
        return f"decoder.{_decoder_name(inner)}"
    return f"superresolution.{inner.replace('to_rgb', 'torgb')}" if part == "super_resolution" else part


def discriminator_from_official(kwargs: Mapping[str, Any], state: State) -> Discriminator:
    """An official dual discriminator in ours.

    Args:
        kwargs: c_dim (25, or 0 for one that is not told the camera) and those of StyleGAN2's discriminator.
        state: its state dict under the official names.

    Raises:
        UserError: for arguments without a counterpart, and for weights that do not fit, by name.
    """
    owner = "official dual discriminator"
    require(kwargs, "c_dim", "img_channels", owner=owner)
    # Noise on cameras is a setting of training here.
    given = {key: value for key, value in kwargs.items() if key != "disc_c_noise"}
    theirs = stylegan2.discriminator_spec({**given, "img_channels": 2 * given["img_channels"]})
    if theirs["label_dim"] not in (0, NUMBERS):
        raise UserError(f"{owner}: c_dim is {theirs['label_dim']}; only a camera ({NUMBERS} numbers) or none is known")
    same = {key: value for key, value in theirs.items() if key not in ("name", "label_dim", "image_channels")}
    told = {"camera": bool(theirs["label_dim"]), "image_channels": given["img_channels"]}
    spec = {"name": "dual", **same, **told}
    # Officially the rendering resolution lies outside of the state.
    weights = {**_without_filters(state), "rendering": torch.tensor(64)}
    return load_named(lambda: DISCRIMINATORS.build(spec), weights, _discriminator_names, owner=owner)


def _discriminator_names(discriminator: Discriminator) -> dict[str, str]:
    network = cast(DualDiscriminator, discriminator).network
    names = {f"network.{ours}": theirs for ours, theirs in stylegan2.discriminator_names(network).items()}
    return {**names, "rendering": "rendering"}
