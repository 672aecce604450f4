"""How fast training is on a GPU: whole steps as they are run, beside a textbook and a matrix product on the same card.

python -m benchmarks.gpu --seconds 90                    all of it, in the time there is
python -m benchmarks.gpu --device cpu --only tiny32      a rehearsal

Every configuration is timed as training runs it (half precision, graphs, optimizer, lazy penalties in their share) and
without graphs; what does not fit into the time is left out, and the table says so.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import torch
import torch.nn.functional as F
import tyro
from rich.console import Console
from rich.table import Table

from benchmarks import measure, textbook
from stylegenes.errors import UserError
from stylegenes.ops import fir
from stylegenes.recipes import recipe
from stylegenes.records import ImageBatch, Noise
from stylegenes.size import Size
from stylegenes.training import Machine, RunConfig, apply_overrides
from stylegenes.training.batch import plan_batch
from stylegenes.training.graphs import CudaEngine, Graphs
from stylegenes.training.machine import make_fabric
from stylegenes.training.players import Players, build_players
from stylegenes.training.step import Stepper, StepSettings
from stylegenes.training.sync import Ranks


@dataclass(frozen=True)
class Case:
    """One configuration, with what it is hoped to reach on one H100.

    Attributes:
        recipe: what it derives from.
        settings: what differs.
        batch: images a step.
        goal: images a second.
        textbook: whether the textbook's networks are these.
    """

    recipe: str
    settings: tuple[str, ...]
    batch: int
    goal: float
    textbook: bool = False


def _sizes(resolution: int, base: int, most: int, *, discriminator: bool = True) -> tuple[str, ...]:
    parts = ("synthesis", "discriminator") if discriminator else ("synthesis",)
    sizes = {"channel_base": base, "channel_max": most}
    return tuple(f"model.{part}.{key}={value}" for part in parts for key, value in sizes.items())


PLAIN = ("augment.pipe=none", "mixing=0.9")
CASES = {
    "tiny32": Case("tiny32", (), 256, 15_000),
    "avatars64": Case("avatars64", (), 64, 4_000),
    "stylegan2-64": Case("ffhq256-mapping", (*PLAIN, *_sizes(64, 8192, 256), "data.resolution=64"), 128, 2_500, True),
    "stylegan2-256": Case("ffhq256-mapping", (*PLAIN, *_sizes(256, 16384, 512)), 64, 300, True),
    "stylegan2-1024": Case("ffhq1024", (*PLAIN, "data.resolution=1024"), 16, 40, True),
    "stylegan3-t-256": Case("stylegan3-t-ffhq256", PLAIN, 32, 60),
}
"""Cases in the order in which they are run: what a short slot wants to know comes first."""


@dataclass(frozen=True)
class Args:
    """Time training steps."""

    device: Literal["cuda", "cpu"] = "cuda"
    """where to run"""
    seconds: float = 90.0
    """time for all of it"""
    only: str | None = None
    """cases with commas between; None takes all"""
    batch: int | None = None
    """images a step, in place of each case's own"""
    out: Path = Path("benchmarks/results/gpu.json")
    """where the figures go"""


def config_of(case: Case, batch: int) -> RunConfig:
    """The complete configuration of a case."""
    config = apply_overrides(recipe(case.recipe), [*case.settings, f"batch.total={batch}", "batch.micro=none"])
    size = config.data.resolution
    model = replace(
        config.model,
        synthesis={**config.model.synthesis, "resolution": size},
        discriminator={**config.model.discriminator, "resolution": size},
    )
    return replace(config, model=model)


def stepper_of(config: RunConfig, device: torch.device, *, graphs: bool) -> Stepper:
    """What training would take its steps with."""
    plan = plan_batch(config.batch, ranks=1, discriminator=config.model.discriminator)
    settings = StepSettings(plan.total, plan.accumulation, plan.group, config.mixing, config.noise, config.seed)
    ranks = Ranks(make_fabric(Machine(device.type)))  # type: ignore[arg-type]
    recorder = Graphs(CudaEngine()) if graphs and device.type == "cuda" else None
    return Stepper(build_players(config, device), ranks, settings, graphs=recorder)


def images_a_second(stepper: Stepper, real: ImageBatch, seconds: float) -> float:
    """Whole steps, the lazy phases as often as they happen: every phase timed alone, weighted by its share."""
    device, total = real.image.device, 0.0
    phases = stepper.players.phases
    for phase in phases:
        counter = iter(range(10**9))

        def once(phase: Any = phase, counter: Any = counter) -> None:
            stepper.phase(phase, real, key=(0, next(counter), phase.name), stop=False)

        for _ in range(5):
            once()
        total += statistics.median(timed(once, device, seconds / len(phases))) / phase.interval
    return len(real) / total


def timed(once: Callable[[], None], device: torch.device, seconds: float) -> list[float]:
    """Seconds of a call, in blocks of ten calls that do not wait for one another, three blocks at least."""
    calls = 10 if device.type == "cuda" else 1
    found: list[float] = []
    end = time.perf_counter() + seconds
    while len(found) < 3 or time.perf_counter() < end:
        found.append(measure.once(lambda: [once() for _ in range(calls)], device) / calls)
    return found


def textbook_rate(players: Players, real: torch.Tensor, seconds: float) -> float:
    """Images a second of the two main phases as a textbook writes them, on the same weights in the same precision."""
    G, D, device = players.G, players.D, real.device
    half = torch.autocast("cuda", dtype=torch.bfloat16) if device.type == "cuda" else nullcontext()

    def step() -> None:
        with half:
            D.requires_grad_(False)
            G.requires_grad_(True)
            ws = G.express(G.sample(len(real)))
            F.softplus(
                -textbook.discriminator_forward(D, textbook.generator_forward(G.synthesis, ws))
            ).mean().backward()
            D.requires_grad_(True)
            with torch.no_grad():
                fake = textbook.generator_forward(G.synthesis, G.express(G.sample(len(real))))
            loss = F.softplus(textbook.discriminator_forward(D, fake)).mean()
            (loss + F.softplus(-textbook.discriminator_forward(D, real)).mean()).backward()

    for _ in range(2):
        step()
    return len(real) / statistics.median(timed(step, device, seconds))


def forward_fraction(stepper: Stepper, batch: int, seconds: float, product: float) -> float:
    """Operations a second of the generator's forward as a share of `product`, those of a large matrix product."""
    G, device = stepper.players.ema, stepper.ranks.device

    def forward() -> None:
        with torch.no_grad(), stepper.ranks.fabric.autocast():
            G.synthesis(G.express(G.sample(batch)), noise=Noise("const"))

    # Filters that are part of weights there multiply more, which is not what is asked for.
    with mock.patch.object(fir, "avoids_groups", lambda x: False):
        flops = measure.count_flops(forward)
    return flops / statistics.median(timed(forward, device, seconds)) / product


def product_rate(device: torch.device) -> float:
    """Operations a second of a large matrix product in half precision."""
    dtype, size = (torch.bfloat16, 8192) if device.type == "cuda" else (torch.float32, 512)
    work, flops = measure.product_ceiling(device, dtype, size)
    return flops / statistics.median([measure.once(work, device) for _ in range(8)][3:])


def take_figures(found: dict[str, Any], case: Case, args: Args, seconds: float, product: float) -> None:
    """Put all figures of one case into `found`, in about `seconds` besides what building and recording take."""
    device, batch = torch.device(args.device), args.batch or case.batch
    config = config_of(case, batch)
    size = Size.of(config.data.resolution).hw
    real = ImageBatch(torch.rand(batch, 3, *size, device=device) * 2 - 1)
    found |= {"batch": batch, "goal, images/s": case.goal}
    share = seconds / 4
    stepper = stepper_of(config, device, graphs=True)
    found["images/s"] = images_a_second(stepper, real, share)
    found["of the goal"] = found["images/s"] / case.goal
    found["generator forward, of the product"] = forward_fraction(stepper, batch, share / 2, product)
    if device.type == "cuda":
        found["peak memory, GiB"] = torch.cuda.max_memory_allocated() / 2**30
        stepper.forget_graphs()
        stepper.graphs = None
        torch.cuda.empty_cache()
        found["images/s without graphs"] = images_a_second(stepper, real, share)
    if case.textbook:
        found["textbook, images/s"] = textbook_rate(stepper.players, real.image, share)
        found["times the textbook"] = found["images/s"] / found["textbook, images/s"]


def main(args: Args) -> None:
    """Measure as many cases as the time allows, print a table, write the JSON."""
    wanted = args.only.split(",") if args.only else list(CASES)
    if unknown := [name for name in wanted if name not in CASES]:
        raise SystemExit(f"--only {unknown[0]} is no case; there are {', '.join(CASES)}")
    began, device = time.perf_counter(), torch.device(args.device)
    cuda = device.type == "cuda"
    card = torch.cuda.get_device_name() if cuda else "CPU"
    make_fabric(Machine(device.type))  # type: ignore[arg-type]
    product = product_rate(device)
    result: dict[str, Any] = {"machine": card, "torch": torch.__version__, "product, TFLOP/s": product / 1e12}
    table = Table("", *wanted, title=f"{card}, torch {torch.__version__}, product {product / 1e12:.1f} TFLOP/s")
    for i, name in enumerate(wanted):
        left = args.seconds - (time.perf_counter() - began)
        if left < 4:
            result[name] = {"left out": "no time was left"}
            continue
        if cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        result[name] = {}
        try:
            # Half of a case's time goes into building, choosing kernels and recording.
            take_figures(result[name], CASES[name], args, left / (len(wanted) - i) / 2, product)
        except (RuntimeError, UserError) as error:
            # What was measured before stands; a smaller card has no memory for some of it.
            result[name]["failed"] = (str(error).splitlines() or [type(error).__name__])[0]
        # Written at once: whoever ends this early keeps what was measured.
        measure.write(args.out, result)
    keys = list(dict.fromkeys(key for name in wanted for key in result[name]))
    for key in keys:
        cells = [result[name].get(key, "") for name in wanted]
        table.add_row(key, *[cell if isinstance(cell, str) else f"{cell:.3g}" for cell in cells])
    Console(width=160).print(table)
    measure.write(args.out, result)


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
