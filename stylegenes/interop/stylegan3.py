"""StyleGAN3 generators from the official PyTorch release, by name.

Arguments that concern precision or training alone (`num_fp16_res`, `use_fp16`, ...) are accepted and change nothing:
here precision is the caller's autocast.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.interop.names import State, load_named, require, same_filter, take

_OWNER = "official StyleGAN3 generator"
_MAPPING = {"num_layers": 2, "lr_multiplier": 0.01, "w_avg_beta": 0.998}
_RENAMED = {
    "margin_size": "margin",
    "filter_size": "filter_taps",
    "lrelu_upsampling": "oversampling",
    "use_radial_filters": "radial_filters",
    "magnitude_ema_beta": "magnitude_beta",
}
_SYNTHESIS = {
    "channel_base": 32768,
    "channel_max": 512,
    "num_layers": 14,
    "num_critical": 2,
    "first_cutoff": 2,
    "first_stopband": 2**2.1,
    "last_stopband_rel": 2**0.3,
    "margin_size": 10,
    "output_scale": 0.25,
    "conv_kernel": 3,
    "filter_size": 6,
    "lrelu_upsampling": 2,
    "use_radial_filters": False,
    "conv_clamp": 256,
    "magnitude_ema_beta": 0.999,
}
_FILTERS = ("up_filter", "down_filter")
_IGNORED = {"num_fp16_res": 4, "use_fp16": False}


def generator_spec(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The spec, as `Generator.from_spec` takes it, of an official generator's constructor arguments.

    Args:
        kwargs: z_dim, c_dim, w_dim, img_resolution, img_channels, mapping_kwargs and the synthesis network's own.

    Raises:
        UserError: for a missing argument, or one that has no counterpart here.
    """
    require(kwargs, "z_dim", "c_dim", "w_dim", "img_resolution", "img_channels", owner=_OWNER)
    given = dict(kwargs)
    z_dim, c_dim, w_dim, resolution, channels = (
        given.pop(key) for key in ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels")
    )
    mapping = take(given.pop("mapping_kwargs", {}), _MAPPING, owner=f"{_OWNER}, mapping_kwargs")
    synthesis = take(given, {**_SYNTHESIS, **_IGNORED}, owner=_OWNER)
    return {
        "latent": {
            "name": "mapping",
            "w_dim": w_dim,
            "z_dim": z_dim,
            "depth": mapping["num_layers"],
            "label_dim": c_dim,
            "lr_multiplier": mapping["lr_multiplier"],
            "w_avg_beta": mapping["w_avg_beta"],
        },
        "synthesis": {
            "name": "stylegan3",
            "resolution": resolution,
            "w_dim": w_dim,
            "image_channels": channels,
            **{_RENAMED.get(key, key): synthesis[key] for key in _SYNTHESIS},
        },
    }


def generator_names(generator: Generator, state: State) -> dict[str, str]:
    """For every key of the generator's state dict, the official name of that parameter or buffer in `state`.

    Official layers carry their size and channels in their names, so these are read from the state itself.
    """
    layers = {found[1]: found[0] for key in state if (found := re.match(r"synthesis\.L(\d+)_\d+_\d+", key))}
    names = {}
    for ours in generator.state_dict():
        name = re.sub(r"^latent\.layers\.(\d+)", r"mapping.fc\1", ours)
        name = re.sub(r"^latent\.", "mapping.", name)
        names[ours] = re.sub(r"^synthesis\.layers\.(\d+)", lambda match: layers.get(match[1], match[0]), name)
    return names


def generator_from_official(kwargs: Mapping[str, Any], state: State) -> Generator:
    """An official StyleGAN3 generator, T or R, in our modules.

    Args:
        kwargs: the official constructor arguments.
        state: its state dict under the official names.

    Raises:
        UserError: for arguments without a counterpart, and for missing, unexpected or misshapen weights, by name.
    """
    spec = generator_spec(kwargs)
    weights = {key: tensor for key, tensor in state.items() if not key.endswith(_FILTERS)}
    generator = load_named(
        lambda: Generator.from_spec(spec), weights, lambda G: generator_names(G, state), owner=_OWNER
    )
    _check_filters(generator, state)
    return generator.eval()


def _check_filters(generator: Generator, state: State) -> None:
    """Refuse low-pass filters that are not the ones that we design."""
    names = generator_names(generator, state)
    for key, buffer in generator.synthesis.named_buffers():
        if not key.endswith(_FILTERS):
            continue
        owner, kind = f"synthesis.{key}".rsplit(".", 1)
        foreign = names[f"{owner}.weight"].removesuffix("weight") + kind
        found = state.get(foreign)
        if found is not None and not same_filter(found, buffer):
            raise UserError(f"{foreign} is not the low-pass filter that the arguments describe")
