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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

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
class Rounds:
    """What both processes do, in turns, so that a slow minute hits the prediction and what it is compared with.

    Attributes:
        count: rounds.
        seconds: of the plan's trial in each.
    """

    count: int
    seconds: float = 3.0

    def __call__(self, fabric: Fabric) -> dict[str, list[float]]:
        """Images a second by what they are, predicted or measured, of one process and of two."""
        torch.set_num_threads(1)
        base = replace(recipe("tiny32"), tensorboard=False)
        pair = replace(base, batch=replace(base.batch, total=2 * SHARE))
        lone = replace(base, batch=replace(base.batch, total=SHARE))
        found: dict[str, list[float]] = {name: [] for name in ("gbit", "us", *_NAMES)}
        with _loop(pair, fabric) as two, _loop(lone, make_fabric(Machine("cpu"))) as one:
            for _ in range(self.count):
                link = link_between(two, fabric)
                first = fabric.is_global_zero
                guess = costs(one, Assumptions(seconds=self.seconds)) if first else []
                alone = step_seconds(one) if first else 1.0
                fabric.barrier()
                # Devices do not share cores; these processes do. So each is tried while the other is busy too.
                busy = costs(one, Assumptions(seconds=self.seconds))
                fabric.barrier()
                together = step_seconds(two)
                fabric.barrier()
                said = [
                    predict(one_of, batch=n * SHARE, ranks=n, link=link)
                    for n, one_of in ((1, guess), (2, busy))
                    if one_of
                ]
                rates = [one_of.images_per_second for one_of in said]
                numbers = [link.gbit, link.microseconds, *rates, SHARE / alone, 2 * SHARE / together]
                for name, number in zip(found, numbers, strict=False):
                    found[name].append(number)
        return found


_NAMES = ("predicted 1", "predicted 2", "measured 1", "measured 2")


@contextmanager
def _loop(config: RunConfig, fabric: Fabric) -> Iterator[Loop]:
    """A training of embedded faces in a folder that is thrown away."""
    data = open_dataset("avatars:n=400", resolution=config.data.resolution)
    with tempfile.TemporaryDirectory() as folder:
        place, ranks, wish = Path(folder), Ranks(fabric), threading.Event()
        config = complete_config(config, data, warn=False)
        loop = Loop(open_run(config, place, data, ranks, wish=wish, announce=PhaseLog(place, ranks.rank)))
        try:
            yield loop
        finally:
            loop.feed.close()


def step_seconds(loop: Loop) -> float:
    """Mean duration of a step over all lazy phases, after one that is not counted."""
    real = loop.feed.batch(0)
    loop.stepper.step(real, step=0, epoch=0, stop=False)
    start = time.perf_counter()
    for step in range(STEPS):
        loop.stepper.step(real, step=step, epoch=0, stop=False)
    return (time.perf_counter() - start) / STEPS


def link_between(loop: Loop, fabric: Fabric) -> Link:
    """Speed and latency, from all-reduces of hardly anything and of G's gradients."""
    sizes = (16, sum(parameter.numel() for parameter in loop.players.parameters("G")))
    seconds = []
    for size in sizes:
        flat, times = torch.zeros(size), []
        for _ in range(12):
            fabric.barrier()
            start = time.perf_counter()
            loop.run.ranks.mean(flat)
            times.append(time.perf_counter() - start)
        seconds.append(statistics.median(times))
    stream = max(seconds[1] - seconds[0], 1e-9)
    return Link(sizes[1] * 32 / stream / 1e9, seconds[0] / 2 * 1e6)


def measured(rounds: int) -> list[str]:
    """The prediction, what is measured, and the error: medians over the rounds."""
    found = make_fabric(Machine("cpu", 2)).launch(Rounds(rounds))
    middle = {name: statistics.median(numbers) for name, numbers in found.items()}
    rows = []
    for n in (1, 2):
        said, got = middle[f"predicted {n}"], middle[f"measured {n}"]
        errors = [a / b - 1 for a, b in zip(found[f"predicted {n}"], found[f"measured {n}"], strict=True)]
        spread = f"{min(errors):+.0%} to {max(errors):+.0%}"
        rows.append([f"{n}, batch {n * SHARE}", f"{said:.1f}", f"{got:.1f}", f"{said / got - 1:+.0%}", spread])
    return [
        f"tiny32 on {os.cpu_count()} CPU cores, one thread a process, load {os.getloadavg()[0]:.1f}, {rounds} rounds",
        f"link by gloo: {middle['gbit']:.1f} Gbit/s, {middle['us']:.0f} us a hop",
        "",
        *table(["processes", "predicted images/s", "measured images/s", "error", "over the rounds"], rows),
    ]


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
    sizes = dict[str, tuple[int, int]]()
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
