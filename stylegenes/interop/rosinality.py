"""StyleGAN2 networks from rosinality's PyTorch implementation (.pt files of g, d and g_ema), by name.

The file holds weights alone, so the sizes are read from them. Its equalized layers store raw weights as the official
ones do; kernels of its resampling layers are stored four times as large where they are for doubling.
"""

from __future__ import annotations

import re
from typing import Any

import torch

from stylegenes.discriminators import DISCRIMINATORS, Discriminator
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.interop.names import State, load_named, require, same_filter
from stylegenes.ops.fir import setup_filter

_OWNER = "rosinality's StyleGAN2"
_MEAN_CODES = 10_000
_DOUBLING = ("upsample.kernel", "conv.blur.kernel")


def generator_from_rosinality(state: State, w_avg: torch.Tensor | None) -> Generator:
    """A generator in our modules.

    Args:
        state: its state dict.
        w_avg: mean of w, [w_dim] or [1, w_dim], for truncation; None takes that of ten thousand codes of a fixed seed.

    Raises:
        UserError: for missing, unexpected or misshapen weights, by name.
    """
    spec, own = _generator_spec(state), _squeezed(state)
    own |= _drawn_noise(own, spec["synthesis"]["resolution"])
    own["w_avg"] = torch.zeros(spec["latent"]["w_dim"]) if w_avg is None else w_avg.flatten()
    generator = load_named(lambda: Generator.from_spec(spec), own, generator_names, owner=_OWNER).eval()
    if w_avg is None:
        with torch.no_grad():
            codes = generator.sample(_MEAN_CODES, torch.Generator().manual_seed(0))
            generator.get_submodule("latent").get_buffer("w_avg").copy_(generator.latent(codes).mean(dim=0))
    return generator


def discriminator_from_rosinality(state: State) -> Discriminator:
    """A discriminator in our modules; see `generator_from_rosinality`."""
    first, last = "convs.0.0.weight", "final_conv.0.weight"
    require(state, first, last, owner=_OWNER)
    blocks = {key.split(".")[1] for key in state if re.match(r"convs\.\d+\.conv1\.", key)}
    resolution = 4 << len(blocks)
    spec = {
        "name": "stylegan2",
        "resolution": resolution,
        "image_channels": state[first].shape[1],
        "channel_base": state[first].shape[0] * resolution,
        "channel_max": state[last].shape[0],
        "resample_filter": _taps(state),
    }
    return load_named(lambda: DISCRIMINATORS.build(spec), _squeezed(state), discriminator_names, owner=_OWNER)


def _generator_spec(state: State) -> dict[str, Any]:
    require(state, "input.input", "conv1.conv.weight", "to_rgb1.conv.weight", "style.1.weight", owner=_OWNER)
    doublings = len({key.split(".")[1] for key in state if key.startswith("to_rgbs.")})
    resolution = 4 << doublings
    last = f"convs.{2 * doublings - 1}" if doublings else "conv1"
    widest, channels = state["input.input"].shape[1], state[f"{last}.conv.weight"].shape[1]
    w_dim, z_dim = state["style.1.weight"].shape
    depth = len([key for key in state if re.fullmatch(r"style\.\d+\.weight", key)])
    latent = {"name": "mapping", "w_dim": w_dim, "z_dim": z_dim, "depth": depth}
    synthesis = {
        "name": "stylegan2",
        "resolution": resolution,
        "w_dim": w_dim,
        "image_channels": state["to_rgb1.conv.weight"].shape[1],
        "channel_base": channels * resolution,
        "channel_max": widest,
        "resample_filter": _taps(state),
    }
    return {"latent": latent, "synthesis": synthesis}


def _taps(state: State) -> list[float]:
    """The one filter of all resampling layers, as the taps that its rows and columns have.

    Raises:
        UserError: where there is more than one, or one that is not made of taps.
    """
    kernels = {key: kernel for key, kernel in state.items() if key.endswith(".kernel")}
    if not kernels:
        return [1, 3, 3, 1]
    rows = next(iter(kernels.values())).float().sum(dim=0)
    taps = (rows / rows.abs().max().clamp(min=1e-12) * 3).tolist()
    taps = [round(tap) if abs(tap - round(tap)) < 1e-4 else tap for tap in taps]
    for key, kernel in kernels.items():
        if not same_filter(kernel, setup_filter(taps, gain=4 if key.endswith(_DOUBLING) else 1)):
            raise UserError(f"{_OWNER}: {key} is not the filter of the other layers")
    return taps


def _squeezed(state: State) -> dict[str, torch.Tensor]:
    """The state without kernels, and without the axes of one element that our parameters lack."""
    kept = {key: tensor for key, tensor in state.items() if not key.endswith(".kernel")}
    for key, tensor in kept.items():
        leading = {5: 1, 4: 1 if key == "input.input" else 0}.get(tensor.ndim, 0)
        if re.fullmatch(r"to_rgb.*\.bias", key) and tensor.ndim == 4:
            kept[key] = tensor.flatten()
        elif key.startswith("noises.") and tensor.shape[:2] == (1, 1):
            kept[key] = tensor[0, 0]
        elif key.endswith("noise.weight") and tensor.numel() == 1:
            kept[key] = tensor.reshape(())
        elif leading and tensor.shape[0] == 1:
            kept[key] = tensor[0]
    return kept


def _drawn_noise(state: State, resolution: int) -> dict[str, torch.Tensor]:
    """Noise pictures of a fixed seed for files from before they were stored."""
    if any(key.startswith("noises.") for key in state):
        return {}
    draws, sizes = torch.Generator().manual_seed(0), [4]
    while sizes[-1] < resolution:
        sizes += [sizes[-1] * 2] * 2
    return {f"noises.noise_{i}": torch.randn(size, size, generator=draws) for i, size in enumerate(sizes)}


_INSIDE = {
    "affine": "conv.modulation",
    "weight": "conv.weight",
    "noise_strength": "noise.weight",
}


def generator_names(generator: Generator) -> dict[str, str]:
    """For every key of the generator's state dict, its name there; the mean of w is called `w_avg`."""

    def name(ours: str) -> str:
        if found := re.fullmatch(r"latent\.layers\.(\d+)\.(\w+)", ours):
            return f"style.{int(found[1]) + 1}.{found[2]}"
        found = re.fullmatch(r"synthesis\.blocks\.(\d+)\.(\w+)(?:\.(.+))?", ours)
        if found is None:
            return ours.removeprefix("latent.")
        return _place(int(found[1]), found[2], found[3] or "")

    return {key: name(key) for key in generator.state_dict()}


def _place(block: int, layer: str, part: str) -> str:
    if layer == "const":
        return "input.input"
    index = 2 * block - (2 if layer == "conv0" else 1)
    if part == "noise_const":
        return f"noises.noise_{index + 1}"
    rgb = layer == "to_rgb"
    place = (f"to_rgbs.{block - 1}" if rgb else f"convs.{index}") if block else ("to_rgb1" if rgb else "conv1")
    head, _, rest = part.partition(".")
    inside = {**_INSIDE, "bias": "bias" if rgb else "activate.bias"}[head]
    return f"{place}.{inside}" + (f".{rest}" if rest else "")


_FINAL = {"conv.weight": "final_conv.0.weight", "conv.bias": "final_conv.1.bias", "fc": "final_linear.0"}
_BLOCK = {
    "conv0.weight": "conv1.0.weight",
    "conv0.bias": "conv1.1.bias",
    "conv1.weight": "conv2.1.weight",
    "conv1.bias": "conv2.2.bias",
    "skip.weight": "skip.1.weight",
}


def discriminator_names(discriminator: Discriminator) -> dict[str, str]:
    """For every key of the discriminator's state dict, its name there."""

    def name(ours: str) -> str:
        if found := re.fullmatch(r"blocks\.(\d+)\.(.+)", ours):
            return f"convs.{int(found[1]) + 1}.{_BLOCK[found[2]]}"
        if ours.startswith("from_rgb"):
            return "convs.0.0.weight" if ours.endswith("weight") else "convs.0.1.bias"
        ours = ours.removeprefix("epilogue.")
        layer, _, part = ours.partition(".")
        return _FINAL.get(ours) or f"{_FINAL.get(layer, 'final_linear.1')}.{part}"

    return {key: name(key) for key in discriminator.state_dict()}
