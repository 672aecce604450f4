"""Heads and mixing of projected discriminators from the official PyTorch release, by name.

The trunk is another network than the official one's, so whole discriminators do not carry over; their parts do.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, cast

from torch import nn

from stylegenes.discriminators.projected import Head, Mixing
from stylegenes.errors import UserError
from stylegenes.interop.names import State, load_named, require, take

_MULTI = {"num_discs": 1, "proj_type": 2, "cond": 0, "separable": False, "patch": False, "c_dim": 0, "ndf": None}
_SINGLE = {"nc": None, "ndf": None, "start_sz": 256, "end_sz": 8, "head": None, "separable": False, "patch": False}
_LABEL = {"c_dim": 1000, "cmap_dim": 64, "embedding_dim": 128}
_WEIGHT = {
    "parametrizations.weight.original": "weight_orig",
    "parametrizations.weight.0.u": "weight_u",
    "parametrizations.weight.0.v": "weight_v",
}


def heads_from_official(kwargs: Mapping[str, Any], state: State) -> nn.ModuleList:
    """The heads of an official multi-scale discriminator.

    Args:
        kwargs: its constructor arguments: channels and resolutions of the maps, num_discs, separable, patch. The
            arguments that it does not hand on to its heads (c_dim, ndf) change nothing here either.
        state: its state dict under the official names.

    Raises:
        UserError: for arguments without a counterpart, and for missing, unexpected or misshapen weights, by name.
    """
    owner = "official multi-scale discriminator"
    require(kwargs, "channels", "resolutions", owner=owner)
    rest = {key: value for key, value in kwargs.items() if key not in ("channels", "resolutions")}
    given = take(rest, _MULTI, owner=owner)
    maps = list(zip(kwargs["channels"], kwargs["resolutions"], strict=True))[: given["num_discs"]]
    shape = {"separable": given["separable"], "patch": given["patch"]}
    if given["cond"]:
        # It hands no sizes of the label on to its heads, so that they have their own defaults.
        shape |= {"label_dim": _LABEL["c_dim"], "label_map": _LABEL["cmap_dim"], "label_embed": _LABEL["embedding_dim"]}

    def build() -> nn.ModuleList:
        return nn.ModuleList(Head(channels, size=size, **shape) for channels, size in maps)

    return load_named(build, state, _heads_names, owner=owner)


def head_from_official(kwargs: Mapping[str, Any], state: State) -> Head:
    """One official head; it has a label where its weights do. See `heads_from_official`."""
    owner = "official head"
    conditional = "cls.weight_orig" in state
    given = take(kwargs, {**_SINGLE, **(_LABEL if conditional else {})}, owner=owner)
    build = functools.partial(
        Head,
        given["nc"],
        size=given["start_sz"],
        end=given["end_sz"],
        width=given["ndf"],
        separable=given["separable"],
        patch=given["patch"],
        picture=bool(given["head"]),
        label_dim=given["c_dim"] if conditional else 0,
        label_map=given["cmap_dim"] if conditional else 0,
        label_embed=given["embedding_dim"] if conditional else 0,
    )
    return load_named(build, state, head_names, owner=owner)


def _heads_names(heads: nn.ModuleList) -> dict[str, str]:
    return {
        f"{i}.{ours}": f"mini_discs.{i}.{name}"
        for i, head in enumerate(heads)
        for ours, name in head_names(cast(Head, head)).items()
    }


def head_names(head: Head) -> dict[str, str]:
    """For every key of the head's state dict, the official name."""
    first = 0 if head.stem is None else 2
    fixed = {
        "embed": "embed.weight",
        "project": "embed_proj.0",
        "stem": "main.0",
        "out": f"main.{first + len(head.blocks)}",
    }
    fixed |= {} if head.project is None else {"out": "cls"}

    def name(ours: str) -> str:
        for pattern, official in _WEIGHT.items():
            ours = ours.replace(pattern, official)
        ours = ours.replace("stem.conv", "stem")
        if found := re.fullmatch(r"blocks\.(\d+)\.(point\.)?(\w+)\.(.+)", ours):
            patch = any(f"blocks.{found[1]}.point" in key for key in head.state_dict())
            return f"main.{first + int(found[1])}.{_inside(found[3], bool(found[2]), patch, separable)}.{found[4]}"
        head_part, _, rest = ours.partition(".")
        return fixed[head_part] + (f".{rest}" if rest else "")

    separable = any(".depthwise." in key for key in head.state_dict())
    return {key: name(key) for key in head.state_dict()}


def _inside(part: str, point: bool, patch: bool, separable: bool) -> str:
    """The name of a layer inside an official block; a 1x1 block holds the block that it follows."""
    if point:
        return {"conv": "main.1", "norm": "main.2"}[part]
    conv = "main.0.pointwise" if separable else "main.0"
    plain = {"conv": conv, "depthwise": "main.0.depthwise", "norm": "main.1"}[part]
    return f"main.0.{plain}" if patch else plain


def mixing_from_official(kwargs: Mapping[str, Any], state: State) -> Mixing:
    """The random mixing of an official projection network.

    Args:
        kwargs: in_channels of the maps, cout, expand and proj_type, of which only the one that mixes scales as well
            (2) is supported.
        state: its state dict under the official names, without the backbone.

    Raises:
        UserError: for arguments without a counterpart, and for missing, unexpected or misshapen weights, by name.
    """
    owner = "official feature mixing"
    require(kwargs, "in_channels", owner=owner)
    rest = {key: value for key, value in kwargs.items() if key != "in_channels"}
    given = take(rest, {"cout": 64, "expand": True, "proj_type": 2}, owner=owner)
    if given["proj_type"] != 2:
        raise UserError(f"{owner}: proj_type {given['proj_type']} is not supported; only 2 (both mixings) is")
    build = functools.partial(Mixing, kwargs["in_channels"], channels=given["cout"], expand=given["expand"])
    return load_named(build, state, _mixing_names, owner=owner)


def _mixing_names(mixing: Mixing) -> dict[str, str]:
    places = {"across": "scratch.layer{}_ccm.{}", "scales": "scratch.layer{}_csm.out_conv.{}"}
    parts = {key: key.split(".") for key in mixing.state_dict()}
    return {key: places[kind].format(level, what) for key, (kind, level, what) in parts.items()}
