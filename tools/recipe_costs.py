"""The tables of docs/recipes.md: what every recipe is, and what it costs on one core, by real steps.

    OMP_NUM_THREADS=1 python tools/recipe_costs.py > table.md          or only those named
    OMP_NUM_THREADS=1 python tools/recipe_costs.py --once 4 ffhq256    one step of 4 images, without one to warm up

Processor time is measured, so that a busy machine does not count; what is too large for a core within minutes is listed
without it unless `--once` asks. Cost is per thousand images at the recipe's own lazy penalties, fully grown; a total
batch of 16 at most is timed. Memory is the process's peak, so name one recipe where it matters.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

from stylegenes.cli.examination import _Noise
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.recipes import RECIPES, recipe
from stylegenes.size import Size
from stylegenes.training import Machine, plan

LARGEST = 64
"""Pixels up to which a recipe is timed."""


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="recipes (default: all)")
    parser.add_argument("--once", type=int, metavar="IMAGES", help="time one step of so many images, of any size")
    asked = parser.parse_args()
    plan.time = SimpleNamespace(monotonic=time.process_time)  # type: ignore[assignment]
    if asked.once:
        plan._time = _once
    tell("| recipe | what | pixels | length | G, D, million parameters | core seconds a kimg | core hours in all |")
    tell("|---|---|---|---|---|---|---|")
    for name in asked.names or RECIPES:
        tell(row(name, asked.once))


def row(name: str, once: int | None = None) -> str:
    """One line of the table."""
    config = recipe(name)
    size, model = config.data.resolution, config.model
    what = f"{model.latent['name']}, {model.synthesis['name']}, {model.discriminator['name']} discriminator"
    about = f"| {name} | {what} | {size} | {config.kimg:,.0f} kimg |"
    if Size.of(size).longer > LARGEST and not once:
        return f"{about} | | |"
    batch = replace(config.batch, total=once or min(config.batch.total, 16), micro=once)
    judge = dict(model.discriminator)
    if judge.get("camera"):
        # Noise has no cameras; telling them to the discriminator costs next to nothing.
        judge["camera"] = False
    if once and "mbstd_group_size" in DISCRIMINATORS.parameters(judge["name"]):
        judge["mbstd_group_size"] = min(once, 4)
    found = plan.measure(
        replace(config, batch=batch, model=replace(model, discriminator=judge)),
        _Noise(size, 3),
        Machine("cpu"),
        plan.Assumptions(seconds=3.0),
    )
    counts = f"{found.parameters_G / 1e6:.2f}, {found.parameters_D / 1e6:.2f}"
    return f"{about} {counts} | {1000 / found.scaling.images_per_second:.0f} | {found.hours:.1f} |"


def _once(call: Callable[[], None], device: object, seconds: float) -> float:
    """In place of `plan._time`, for steps of minutes."""
    began = time.process_time()
    call()
    return time.process_time() - began


def tell(line: str) -> None:
    """A line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
    tell(f"\nPeak memory of all of it: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB.")
