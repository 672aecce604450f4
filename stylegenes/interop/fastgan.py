"""FastGAN generators from ProjectedGAN's official PyTorch release, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stylegenes.generator import Generator
from stylegenes.interop.names import State, load_named, require, take
from stylegenes.synthesis.fastgan import channels_at

_OWNER = "official FastGAN generator"
_DEFAULTS = {"z_dim": 256, "c_dim": 0, "w_dim": 0, "img_channels": 3, "ngf": 128, "cond": 0, "mapping_kwargs": {}}
_SYNTHESIS = {"lite": False, "num_classes": 1000}
_SPECTRAL = {
    "parametrizations.weight.original": "weight_orig",
    "parametrizations.weight.0.u": "weight_u",
    "parametrizations.weight.0.v": "weight_v",
}
_FIXED = {
    "embed": "embed.weight",
    "start": "init.init.0",
    "start_norm": "init.init.1",
    "to_rgb": "to_big",
    "squeeze": "main.1",
    "excite": "main.3",
}
_NORM = {
    "running_mean": "stored_mean",
    "running_var": "stored_var",
    "scale": "gain",
    "shift": "bias",
}


def generator_spec(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The spec, as `Generator.from_spec` takes it, of an official generator's constructor arguments.

    Raises:
        UserError: for a missing argument, or one that has no counterpart here.
    """
    require(kwargs, "img_resolution", owner=_OWNER)
    given = dict(kwargs)
    resolution, nested = given.pop("img_resolution"), given.pop("synthesis_kwargs", {})
    own = take({key: value for key, value in given.items() if key not in _SYNTHESIS}, _DEFAULTS, owner=_OWNER)
    inner = take(
        {**{key: given[key] for key in _SYNTHESIS if key in given}, **nested}, _SYNTHESIS, owner=f"{_OWNER}, synthesis"
    )
    synthesis = {
        "name": "fastgan",
        "resolution": resolution,
        "w_dim": own["z_dim"],
        "image_channels": own["img_channels"],
        "width": own["ngf"],
        "lite": inner["lite"],
        "label_dim": inner["num_classes"] if own["cond"] else 0,
    }
    return {"latent": {"name": "gaussian", "w_dim": own["z_dim"]}, "synthesis": synthesis}


def arguments_of(state: State, resolution: int) -> dict[str, Any]:
    """The constructor arguments of an official generator, read from its weights.

    Args:
        state: its state dict under the official names.
        resolution: of its pictures in pixels, which the weights do not tell.

    Raises:
        UserError: where the first or the last layer is missing.
    """
    first, last = "synthesis.init.init.0.weight_orig", "synthesis.to_big.weight_orig"
    require(state, first, last, owner=_OWNER)
    z_dim, channels = state[first].shape[:2]
    classes = len(state["synthesis.embed.weight"]) if "synthesis.embed.weight" in state else 0
    full = any(re.match(r"synthesis\.feat_8\.(5|conv2)\.", key) for key in state)
    return {
        "img_resolution": resolution,
        "img_channels": state[last].shape[0],
        "z_dim": z_dim,
        "ngf": channels // (2 * channels_at(4, 1)),
        "cond": int(classes > 0),
        "synthesis_kwargs": {"lite": not full, **({"num_classes": classes} if classes else {})},
    }


def generator_names(generator: Generator, state: State) -> dict[str, str]:
    """For every key of the generator's state dict, the official name of that parameter or buffer in `state`."""
    spec = generator.synthesis.spec
    layout = _Layout(lite=spec["lite"], conditional=bool(spec["label_dim"]), shared_noise=_shares_noise(state))
    return {key: layout.name(key) for key in generator.state_dict()}


def generator_from_official(kwargs: Mapping[str, Any], state: State) -> Generator:
    """An official FastGAN generator in our modules, in training mode as it was built.

    Args:
        kwargs: the official constructor arguments.
        state: its state dict under the official names. Blocks above the resolution, which are built but never run,
            are left out.

    Raises:
        UserError: for arguments without a counterpart, and for missing, unexpected or misshapen weights, by name.
    """
    spec = generator_spec(kwargs)
    used = {key: tensor for key, tensor in state.items() if _resolution(key) <= spec["synthesis"]["resolution"]}
    return load_named(lambda: Generator.from_spec(spec), used, lambda G: generator_names(G, used), owner=_OWNER)


def _resolution(key: str) -> int:
    """The resolution that a block's name tells, 0 for what belongs to none."""
    found = re.match(r"synthesis\.(?:feat|se)_(\d+)\.", key)
    return int(found[1]) if found else 0


def _shares_noise(state: State) -> bool:
    return any(re.search(r"feat_\d+\.noise\.weight", key) for key in state)


class _Layout:
    """How the official network names its layers, which depends on its kind."""

    def __init__(self, *, lite: bool, conditional: bool, shared_noise: bool) -> None:
        self.lite, self.conditional, self.shared_noise = lite, conditional, shared_noise

    def name(self, ours: str) -> str:
        """The official name of one of our parameters or buffers."""
        for pattern, official in _SPECTRAL.items():
            ours = ours.replace(pattern, official)
        ours = ours.removeprefix("synthesis.")
        if found := re.fullmatch(r"blocks\.(\d+)\.convs\.(\d+)\.(\w+)(?:\.(.+))?", ours):
            resolution = 8 << int(found[1])
            return f"synthesis.feat_{resolution}.{self._inside(found[3], int(found[2]), found[4])}"
        if found := re.fullmatch(r"blocks\.(\d+)\.gate\.(\w+)\.(.+)", ours):
            return f"synthesis.se_{8 << int(found[1])}.{_FIXED[found[2]]}.{found[3]}"
        head, _, rest = ours.partition(".")
        return f"synthesis.{_FIXED[head]}" + (f".{rest}" if rest else "")

    def _inside(self, part: str, layer: int, rest: str | None) -> str:
        """The name of one part of a block: numbered in the plain network, by word in the one with labels."""
        if not self.conditional:
            step = 2 if self.lite else 4
            place = {"conv": 1, "noise_strength": 2, "norm": 2 if self.lite else 3}[part] + layer * step
            return f"{place}.{rest or 'weight'}"
        number = "" if self.lite else str(layer + 1)
        if part == "noise_strength":
            return "noise.weight" if self.shared_noise else f"noise{number}.weight"
        if part == "conv":
            return f"conv{number}.{rest}"
        head, _, tail = (rest or "").partition(".")
        return f"bn{number}.{_NORM[head]}" + (f".{tail}" if tail else "")
