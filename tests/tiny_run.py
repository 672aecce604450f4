"""A run so small that a step takes milliseconds, for tests in this process and in others.

As a program it trains: `python tiny_run.py FOLDER [KEY=VALUE ...]`, with `--steps N` to kill itself after N steps.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace

import torch

from stylegenes.data import open_dataset
from stylegenes.data.order import DataOrder, Shuffle
from stylegenes.data.originals import Originals
from stylegenes.errors import UserError
from stylegenes.size import Size
from stylegenes.training import Machine, RunConfig, apply_overrides, train
from stylegenes.training.config import AugmentConfig, BatchConfig, DataConfig, IntervalConfig, ModelConfig


class TinyData:
    """Random pictures in memory, with labels."""

    source, content_hash = "tiny", "tiny-1"
    license = "drawn by chance, CC0"
    originals = Originals({"drawn": 40})
    label_names = ("a", "b", "c")
    label_dim = 3
    channels: int = 3

    def __init__(self, n: int = 40, *, resolution: int | str = 8, channels: int = 3) -> None:
        self.resolution, self.channels = resolution, channels
        rng = torch.Generator().manual_seed(1)
        self._images = torch.randint(256, (n, channels, *Size.of(resolution).hw), generator=rng, dtype=torch.uint8)
        self._labels = torch.eye(3)[torch.randint(3, (n,), generator=rng)]

    def __len__(self) -> int:
        return len(self._images)

    def images(self, indices: torch.Tensor) -> torch.Tensor:
        return self._images[indices]

    def labels(self, indices: torch.Tensor) -> torch.Tensor:
        return self._labels[indices]

    def cameras(self, indices: torch.Tensor) -> None:
        return None

    def order(self, seed: int, mirror: bool, shuffle: Shuffle) -> DataOrder:
        return DataOrder(len(self), seed, mirror)

    def expect(self, wanted: Callable[[], torch.Tensor]) -> None:
        pass


def tiny_config(*overrides: str) -> RunConfig:
    """Every part of a run at work: mixing, lazy penalties of both players, adaptive augmentation, noise."""
    width = {"channel_base": 64, "channel_max": 8}
    config = RunConfig(
        recipe="test",
        data=DataConfig(source="tiny", resolution=8),
        model=ModelConfig(
            latent={"name": "genome", "w_dim": 8, "num_genes": 4, "num_variants": 8},
            synthesis={"name": "stylegan2", "resolution": 8, "w_dim": 8, **width},
            discriminator={"name": "stylegan2", "resolution": 8, **width},
        ),
        regularizers={"r1": {"gamma": 1.0, "interval": 4}, "path_length": {"interval": 4}},
        augment=AugmentConfig(
            pipe={"name": "ada"}, p={"name": "adaptive", "interval": 4, "speed_kimg": 0.5, "initial": 0.1}
        ),
        batch=BatchConfig(total=8),
        intervals=IntervalConfig(tick_seconds=1e9, state_seconds=1e9, snapshot_kimg=0, image_kimg=0, evaluate_kimg=0),
        tensorboard=False,
        kimg=0.08,
    )
    return apply_overrides(replace(config, seed=3), overrides)


def main(folder: str, *arguments: str) -> None:
    """Train in `folder`, on DATA of the environment; FAULT=write:N there kills the process inside its Nth write."""
    source = os.environ.get("DATA")
    data = TinyData() if source is None else open_dataset(source, resolution=8)
    devices = int(os.environ.get("DEVICES", "1"))
    fault = os.environ.get("FAULT", "")
    if fault.startswith("write:"):
        kill_inside_write(int(fault.removeprefix("write:")))
    train(tiny_config(*arguments), folder, data=data, machine=Machine("cpu", devices), quiet=True)


def kill_inside_write(nth: int) -> None:
    """Kill this process when the state's file is half written for the nth time."""
    from stylegenes import sealed

    count, write = 0, sealed.save_file

    def half(tensors: dict, path: os.PathLike, metadata: dict) -> None:
        nonlocal count
        count += 1
        write(tensors, path, metadata=metadata)
        if count == nth:
            os.truncate(path, os.path.getsize(path) // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    sealed.save_file = half


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except UserError as error:
        sys.exit(f"error: {error}")
