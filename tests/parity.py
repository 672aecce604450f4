"""Numbers of the official implementations: found beside the checkout or under STYLEGENES_PARITY, else skipped.

Every test that uses them reads all shapes and arguments from the fixture's own config, so that another folder of the
same layout (other seeds, other shapes) runs through the same tests: STYLEGENES_PARITY=/folder pytest tests -k parity
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from stylegenes.records import Condition

_CHECKOUT = Path(__file__).resolve().parents[1]
ROOT = Path(os.environ.get("STYLEGENES_PARITY", _CHECKOUT.parent / "shared" / "parity"))


class Fixture:
    """One folder of recorded inputs, weights and outputs."""

    def __init__(self, folder: Path) -> None:
        self.config = json.loads((folder / "config.json").read_text())
        self.arrays = dict(np.load(folder / "io.npz"))
        weights = folder / "weights.safetensors"
        self.weights = load_file(weights) if weights.exists() else {}

    def kwargs(self, module: str = "model") -> dict:
        """Official constructor arguments of a module."""
        return dict(self.config["modules"][module]["kwargs"])

    def state(self, module: str = "model", dtype: torch.dtype = torch.float64) -> dict[str, torch.Tensor]:
        """Official state dict of a module, floats cast to `dtype`."""
        prefix = self.config["modules"][module]["weight_prefix"]
        found = {k[len(prefix) :]: v for k, v in self.weights.items() if k.startswith(prefix)}
        return {k: v.to(dtype) if v.is_floating_point() else v for k, v in found.items()}

    def has(self, name: str) -> bool:
        return name in self.arrays

    def condition(self, dtype: torch.dtype = torch.float64, name: str = "c") -> Condition:
        """The recorded labels, where there are any."""
        return Condition(label=self.input(name, dtype) if self.has(name) else None)

    def names(self, pattern: str) -> dict[str, re.Match]:
        """Recorded outputs whose whole name matches, in the order of the numbers in their names."""
        found = {name: re.fullmatch(pattern, name) for name, meta in self._outputs.items()}
        matched = {name: match for name, match in found.items() if match}
        return dict(sorted(matched.items(), key=lambda item: [int(part) for part in re.findall(r"\d+", item[0])]))

    def truncation(self, name: str) -> dict:
        """psi and cutoff that the description of an output states, or else its name (ws_psi07)."""
        doc = self.config["arrays"][name].get("doc", "")
        psi, cutoff = re.search(r"psi[ =](-?[\d.]*\d)", doc), re.search(r"cutoff[ =](\d+)", doc)
        said = re.search(r"psi(\d)(\d*)", name)
        value = psi[1] if psi else f"{said[1]}.{said[2] or 0}" if said else "1"
        return {"psi": float(value), "cutoff": int(cutoff[1]) if cutoff else None}

    @property
    def _outputs(self) -> dict[str, dict]:
        return {name: meta for name, meta in self.config["arrays"].items() if meta["kind"] == "output"}

    def input(self, name: str, dtype: torch.dtype = torch.float64) -> torch.Tensor:
        """A recorded array, floats cast to `dtype`."""
        tensor = torch.from_numpy(np.asarray(self.arrays[name]))
        return tensor.to(dtype) if tensor.is_floating_point() else tensor

    def check(self, name: str, actual: torch.Tensor, *, f64: float = 1e-9) -> None:
        """Compare with the recorded output: float64 to `f64` of its rms, float32 to the spread of the official run."""
        meta = self.config["arrays"][name]
        actual = as_recorded(actual.detach(), meta)
        if actual.dtype == torch.float64 and f"{name}__f64" in self.arrays:
            expected = self.input(f"{name}__f64")
            if "f64_index" in meta:
                actual = actual[_parse_index(meta["f64_index"])]
            bound = f64 * max(_rms(meta, expected), 1e-30)
        else:
            expected = self.input(name)
            bound = max(20 * meta.get("f32_vs_f64_max_abs", 0.0), 1e-5 * _rms(meta, expected))
        assert actual.shape == expected.shape, f"{name}: {tuple(actual.shape)} is not {tuple(expected.shape)}"
        error = (actual.double() - expected).abs().max().item() if expected.numel() else 0.0
        assert error <= bound, f"{name}: off by {error:.3g}, allowed {bound:.3g}"


def as_recorded(actual: torch.Tensor, meta: dict) -> torch.Tensor:
    """The part of an array that was kept, as its description says: a strided view, one sample, the first channels."""
    shape, doc = meta["shape"], meta.get("doc", "")
    if list(actual.shape) == shape:
        return actual
    if slices := re.search(r"\[([:\d\s,.-]*:[:\d\s,.-]*)\]", doc):
        actual = actual[_parse_index(slices[1])]
    if sample := re.search(r"\bsample (\d+)", doc):
        actual = actual[int(sample[1]) : int(sample[1]) + 1] if shape[0] == 1 else actual
    if (layer := re.search(r"\blayer (\d+) only", doc)) and actual.ndim == len(shape) + 1:
        actual = actual[:, int(layer[1])]
    if re.search(r"\b(first|channels)\b", doc) and actual.ndim == len(shape):
        actual = actual[tuple(slice(count) for count in shape)]
    return actual


def _rms(meta: dict, expected: torch.Tensor) -> float:
    """The recorded size of the whole array, or that of the part at hand where none was recorded."""
    return meta["rms"] if "rms" in meta else expected.double().square().mean().sqrt().item()


def _parse_index(text: str) -> tuple:
    return tuple(_parse_axis(part.strip()) for part in text.split(","))


def _parse_axis(text: str) -> object:
    if text == "...":
        return ...
    parts = [int(number) if number.strip() else None for number in text.split(":")]
    return slice(*parts) if ":" in text else parts[0]


def fixtures(prefix: str) -> list:
    """Pytest parameters: every recorded folder whose name starts with `prefix`, or one visible skip."""
    found = sorted(p for p in ROOT.glob(f"{prefix}*") if (p / "config.json").exists())
    if not found:
        reason = f"no recorded numbers {prefix}* (STYLEGENES_PARITY names their folder)"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id=f"{prefix}-absent")]
    return [pytest.param(folder, id=folder.name) for folder in found]
