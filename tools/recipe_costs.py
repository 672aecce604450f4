"""The table of docs/recipes.md: what every recipe is, and what it costs on one core, by real steps.

    OMP_NUM_THREADS=1 python tools/recipe_costs.py > table.md          or only those named

Processor time is measured, so that a busy machine does not count; what is too large for a core within minutes is listed
without it. Cost is per thousand images at the recipe's own lazy penalties; a total batch of 16 at most is timed.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

from stylegenes.cli.examination import _Noise
from stylegenes.recipes import RECIPES, recipe
from stylegenes.size import Size
from stylegenes.training import Machine, plan

LARGEST = 64
"""Pixels up to which a recipe is timed."""


def main() -> None:
    """Print the table, row by row."""
    plan.time = SimpleNamespace(monotonic=time.process_time)  # type: ignore[assignment]
    tell("| recipe | what | pixels | length | G, D, million parameters | core seconds a kimg | core hours in all |")
    tell("|---|---|---|---|---|---|---|")
    for name in sys.argv[1:] or RECIPES:
        tell(row(name))


def row(name: str) -> str:
    """One line of the table."""
    config = recipe(name)
    size, model = config.data.resolution, config.model
    what = f"{model.latent['name']}, {model.synthesis['name']}, {model.discriminator['name']} discriminator"
    about = f"| {name} | {what} | {size} | {config.kimg:,.0f} kimg |"
    if Size.of(size).longer > LARGEST:
        return f"{about} | | |"
    batch = replace(config.batch, total=min(config.batch.total, 16), micro=None)
    if model.discriminator.get("camera"):
        # Noise has no cameras; telling them to the discriminator costs next to nothing.
        model = replace(model, discriminator={**model.discriminator, "camera": False})
    found = plan.measure(
        replace(config, batch=batch, model=model), _Noise(size, 3), Machine("cpu"), plan.Assumptions(seconds=3.0)
    )
    counts = f"{found.parameters_G / 1e6:.2f}, {found.parameters_D / 1e6:.2f}"
    return f"{about} {counts} | {1000 / found.scaling.images_per_second:.0f} | {found.hours:.1f} |"


def tell(line: str) -> None:
    """A line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
    tell(f"\nPeak memory of all of it: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB.")
