"""Timers that survive a busy machine, the machine's own ceilings, memory, and how results are written."""

from __future__ import annotations

import json
import math
import multiprocessing
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

Work = Callable[[], object]


def rounds(tasks: Mapping[str, Work], count: int, device: torch.device) -> dict[str, list[float]]:
    """Seconds of every task in each of `count` rounds. A round runs all of them, so that a slow minute hits all."""
    for task in tasks.values():
        once(task, device)
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(count):
        for name, task in tasks.items():
            seconds[name].append(once(task, device))
    return seconds


def once(task: Work, device: torch.device) -> float:
    """Seconds of one run."""
    _wait(device)
    start = time.perf_counter()
    task()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def ratio(above: list[float], below: list[float]) -> float:
    """Median over the rounds of `above` / `below`."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def count_flops(task: Work) -> float:
    """Floating point operations of the convolutions and matrix products that `task` runs, filters included."""
    with FlopCounterMode(display=False) as counter:
        task()
    return float(counter.get_total_flops())


def convolution_ceiling(device: torch.device, dtype: torch.dtype) -> tuple[Work, float]:
    """A 3x3 convolution in the middle of the network's sizes, channels last: the work and its operations."""
    batch, channels, size = 8, 256, 32
    x = torch.randn(batch, channels, size, size, device=device, dtype=dtype).to(memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, 3, 3, device=device, dtype=dtype).to(memory_format=torch.channels_last)
    flops = 2.0 * batch * size**2 * channels**2 * 9

    def work() -> None:
        for _ in range(3):
            torch.nn.functional.conv2d(x, weight, padding=1)

    return work, 3 * flops


def product_ceiling(device: torch.device, dtype: torch.dtype, size: int) -> tuple[Work, float]:
    """A square matrix product: the work and its operations."""
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return lambda: a @ b, 2.0 * size**3


def peak_memory(function: Callable[..., None], *args: Any) -> float:
    """Peak resident memory in MB of a fresh process that runs `function(*args)`, above that process at its start."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run_and_report, args=(sender, function, args))
    process.start()
    peak = receiver.recv()
    process.join()
    return peak


def _run_and_report(sender: Any, function: Callable[..., None], args: tuple[Any, ...]) -> None:
    before = _resident("VmRSS")
    function(*args)
    sender.send(_resident("VmHWM") - before)


def _resident(field: str) -> float:
    """Memory of this process in MB, from Linux's own account; not a number elsewhere."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:")), math.nan)


def write(path: Path, result: Mapping[str, Any]) -> None:
    """Write the figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
