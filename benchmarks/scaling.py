"""Predicted against measured: training by two processes; and the tables of docs/scaling.md.

python -m benchmarks.scaling                 # one and two processes of this machine, in turns
python -m benchmarks.scaling --tables        # what the page shows; nothing is measured
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from stylegenes.data import open_dataset
from stylegenes.recipes import recipe
from stylegenes.training.config import RunConfig
from stylegenes.training.loop import Loop
from stylegenes.training.machine import Machine, make_fabric
from stylegenes.training.phases import PhaseLog
from stylegenes.training.plan import Assumptions, costs
from stylegenes.training.players import build_players
from stylegenes.training.resolve import complete_config
from stylegenes.training.run import open_run
from stylegenes.training.scaling import BETWEEN_NODES, WITHIN_NODE, Link, PhaseCost, Scaling, from_rate, predict
from stylegenes.training.sync import Ranks

logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
STEPS = 16
"""As many as the longest interval of a lazy phase: every phase is there as often as in a long run."""
GPUS, NODE = (1, 8, 64, 512), 8
RATE, SHARE, KIMG, PRICE = 80.0, 8, 25_000.0, 2.5
FORWARD = 400.0
"""Assumed: images a second of one device, in training and in a survey; images of a device in a step; price an hour."""
SLOW = Link(10.0, 50.0)


@dataclass(frozen=True)
class Task:
    """Steps of one process of several; picklable.

    Attributes:
        config: with the batch of all processes.
        data: what is learned.
        do: what is made of the loop, for the first process's answer.
    """

    config: RunConfig
    data: str
    do: Callable[[Loop, Fabric], Any]

    def __call__(self, fabric: Fabric) -> Any:
        """Build the networks and do it."""
        torch.set_num_threads(1)
        data = open_dataset(self.data, resolution=self.config.data.resolution)
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            config = complete_config(self.config, data, warn=False)
            ranks, wish = Ranks(fabric), threading.Event()
            loop = Loop(open_run(config, place, data, ranks, wish=wish, announce=PhaseLog(place, ranks.rank)))
            try:
                return self.do(loop, fabric)
            finally:
                loop.feed.close()


def step_seconds(loop: Loop, fabric: Fabric) -> float:
    """Mean duration of a step over all lazy phases, after two that are not counted."""
    real = loop.feed.batch(0)
    for step in (0, STEPS):
        loop.stepper.step(real, step=step, epoch=0, stop=False)
    fabric.barrier()
    start = time.perf_counter()
    for step in range(STEPS):
        loop.stepper.step(real, step=step, epoch=0, stop=False)
    fabric.barrier()
    return (time.perf_counter() - start) / STEPS


def phase_costs(loop: Loop, fabric: Fabric) -> list[PhaseCost]:
    """What the plan measures: every phase alone."""
    return costs(loop, Assumptions(seconds=6.0))


def link_between(loop: Loop, fabric: Fabric) -> list[float]:
    """Speed in Gbit/s and latency in microseconds, from all-reduces of hardly anything and of G's gradients."""
    sizes = (16, sum(parameter.numel() for parameter in loop.players.parameters("G")))
    seconds = []
    for size in sizes:
        flat = torch.zeros(size)
        times = []
        for _ in range(12):
            fabric.barrier()
            start = time.perf_counter()
            loop.run.ranks.mean(flat)
            times.append(time.perf_counter() - start)
        seconds.append(statistics.median(times))
    stream = max(seconds[1] - seconds[0], 1e-9)
    return [sizes[1] * 32 / stream / 1e9, seconds[0] / 2 * 1e6]


def measured(rounds: int) -> list[str]:
    """Both sides in turns, so that a slow minute hits both, and what the prediction misses by."""
    base = recipe("tiny32")
    base = replace(base, tensorboard=False, batch=replace(base.batch, total=16))
    half = replace(base, batch=replace(base.batch, total=8))
    data, one, two = "avatars:n=400", Machine("cpu"), Machine("cpu", 2)

    def run(machine: Machine, config: RunConfig, do: Callable[[Loop, Fabric], Any]) -> Any:
        return make_fabric(machine).launch(Task(config, data, do))

    alone, pair, predicted, lone = [], [], [], []
    for _ in range(rounds):
        phases = run(one, half, phase_costs)
        link = Link(*run(two, base, link_between))
        alone.append(predict(phases, batch=8, ranks=1, link=link))
        lone.append(run(one, half, step_seconds))
        predicted.append(predict(phases, batch=16, ranks=2, link=link))
        pair.append(run(two, base, step_seconds))
    load = os.getloadavg()[0]
    lines = [f"tiny32 on {os.cpu_count()} CPU cores, one thread a process, load {load:.1f}, {rounds} rounds in turns",
             f"link measured: {link.gbit:.1f} Gbit/s, {link.microseconds:.0f} us a hop", ""]  # fmt: skip
    rows = []
    for name, guess, seconds, batch in (
        ("1 process, batch 8", alone, lone, 8),
        ("2 processes, batch 16", predicted, pair, 16),
    ):
        said = statistics.median(one.images_per_second for one in guess)
        found = statistics.median(batch / one for one in seconds)
        rows.append([name, f"{said:.1f}", f"{found:.1f}", f"{said / found - 1:+.1%}"])
    return lines + table(["", "predicted images/s", "measured images/s", "error"], rows)


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A table in Markdown."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def phases_of(name: str) -> list[PhaseCost]:
    """The phases of a recipe, without seconds."""
    config = recipe(name)
    with torch.device("meta"):
        players = build_players(config, torch.device("meta"))
    numbers = {player: sum(p.numel() for p in players.parameters(player)) for player in ("G", "D")}
    return [PhaseCost(phase.name, numbers[phase.player], phase.interval, 0.0) for phase in players.phases]


def scaled(phases: list[PhaseCost], gpus: int, link: Link | None = None) -> Scaling:
    """So many devices with the same share each."""
    usual = WITHIN_NODE if gpus <= NODE else BETWEEN_NODES
    return predict(from_rate(phases, RATE, SHARE), batch=SHARE * gpus, ranks=gpus, link=link or usual)


def speed_table(phases: list[PhaseCost]) -> list[str]:
    """Speed, time and cost by devices."""
    rows = []
    for gpus in GPUS:
        usual, slow = scaled(phases, gpus), scaled(phases, gpus, SLOW)
        rows.append([
            str(gpus), f"{usual.batch:,}", f"{1e3 * usual.exchange:.1f}", f"{usual.efficiency:.1%}",
            f"{usual.images_per_second:,.0f}", f"{usual.hours(KIMG):,.1f}", f"{usual.cost(KIMG, PRICE):,.0f}",
            f"{usual.images_per_second * 256 * 256 * 3 / 1e6:,.0f}", f"{slow.efficiency:.1%}",
        ])  # fmt: skip
    return table(["GPUs", "batch", "exchange, ms a step", "efficiency", "images/s", "hours", "cost", "pictures, MB/s",
                  "efficiency at 10 Gbit/s"], rows)  # fmt: skip


def state_table(sizes: dict[str, tuple[int, int]]) -> list[str]:
    """What a checkpoint takes, whatever the number of images and devices."""
    rows = []
    for name, (G, D) in sizes.items():
        size = 4 * (4 * G + 3 * D)
        rows.append([name, f"{G:,}", f"{D:,}", f"{size / 2**20:,.0f}", f"{size / 1e9:.1f}", f"{size / 2e8:.1f}"])
    return table(["recipe", "G", "D", "state, MiB", "seconds at 1 GB/s", "at 200 MB/s"], rows)


def billion_table() -> list[str]:
    """What a billion pictures of 256 px, and a survey of a billion draws, take."""
    pictures, attributes, genes, shard = 10**9, 40, 64, 1024
    draws = pictures * (genes + 2 * attributes)
    rows = [
        ["pictures, packed", f"{pictures * 256 * 256 * 3 / 1e12:,.0f} TB"],
        ["order of an epoch in each process", f"{pictures * 17 / 1e9:,.0f} GB"],
        ["files of a survey, 1,024 draws each", f"{-(-pictures // shard):,}"],
        ["files of a survey with --shard 65536", f"{-(-pictures // 65536):,}"],
        ["a survey's draws on disk", f"{draws / 1e9:,.0f} GB"],
        *([f"hours of a survey on {gpus} GPUs", f"{pictures / FORWARD / gpus / 3600:,.1f}"] for gpus in GPUS),
    ]
    return table(["", "takes"], rows)


def tables() -> dict[str, list[str]]:
    """The tables of docs/scaling.md by the name of their place."""
    names = ("ffhq256", "ffhq1024")
    every = {name: phases_of(name) for name in names}
    sizes = {}
    for name, phases in every.items():
        numbers = {phase.name: phase.gradients for phase in phases}
        sizes[name] = numbers["G main"], numbers["D main"]
    return {"speed": speed_table(every["ffhq256"]), "state": state_table(sizes), "billion": billion_table()}


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", action="store_true", help="the tables of docs/scaling.md")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    lines = [line for found in tables().values() for line in (*found, "")] if args.tables else measured(args.rounds)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
