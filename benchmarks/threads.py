"""What further threads bring to training on a CPU: real steps, lazy penalties in their share, batches fetched beside.

python -m benchmarks.threads                          # one thread, and one for each core
python -m benchmarks.threads --recipe tiny32 --threads 1 2 4
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

from stylegenes.recipes import RECIPES

CHILD = """
import sys
from stylegenes.data import open_dataset
from stylegenes.recipes import recipe
from stylegenes.training.machine import Machine
from stylegenes.training.plan import Assumptions, measure
data = open_dataset("avatars:n=400", resolution=32)
plan = measure(recipe(sys.argv[1]), data, Machine("cpu"), Assumptions(seconds=float(sys.argv[2])))
print(plan.scaling.images_per_second)
"""


def images_per_second(recipe: str, threads: int, seconds: float) -> float:
    """Of a process with so many threads."""
    command = [sys.executable, "-c", CHILD, recipe, str(seconds)]
    done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": str(threads)}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Measure in turns, so that a slow minute hits all, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="quick32", choices=RECIPES)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    if min(args.threads) < 1:
        parser.error(f"--threads {min(args.threads)} computes nothing; take 1 or more")
    rates = [[images_per_second(args.recipe, n, args.seconds) for n in args.threads] for _ in range(args.rounds)]
    for i, n in enumerate(args.threads):
        ratio = statistics.median(rate[i] / rate[0] for rate in rates)
        print(f"{n} threads: {statistics.median(rate[i] for rate in rates):.0f} images/s, {ratio:.2f} of the first")


if __name__ == "__main__":
    main()
