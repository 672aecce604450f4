"""How well a model takes pictures in: the targets of inversion, for any snapshot.

    python -m benchmarks.inversion runs/0001                                 # own samples and held-out avatars
    python -m benchmarks.inversion runs/0001 --data photos --count 4 --steps 200

Prints and writes, with the perceptual distance between two random samples as the unit of length:

- own samples: distance of each to its projection; the target is under 0.1 of a random pair.
- held-out pictures: distance to their projections in W and W+, and what the model thinks of them.
- a genome: what plain quantization loses, by distance; what codebook inversion wins back (the target is at most half of
  the quantized error) and how far random pictures drift (the target is under 0.1 of a random pair).
- any other latent: the same two numbers of pivotal tuning.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import write
from stylegenes.data import open_dataset
from stylegenes.inversion.calibration import calibrate
from stylegenes.inversion.codebook import invert_into_codebook
from stylegenes.inversion.objective import Objective
from stylegenes.inversion.pivotal import tune_around_pivots
from stylegenes.inversion.projection import ProjectionSettings, Projector, project
from stylegenes.inversion.quantize import best_quantization, compare_quantizations
from stylegenes.inversion.tuning import Tuned, TuningSettings
from stylegenes.perception import PerceptualLite0
from stylegenes.snapshot import load_snapshot


def main() -> None:
    args = parse()
    device = torch.device(args.device)
    snapshot = load_snapshot(args.snapshot, device)
    generator = snapshot.generator
    synthesis = generator.synthesis
    data = open_dataset(args.data, resolution=synthesis.resolution)
    targets = data.images(range(args.count)).to(device).float() / 127.5 - 1
    objective = Objective(PerceptualLite0().eval().requires_grad_(False).to(device))
    settings = ProjectionSettings(steps=args.steps)
    result: dict[str, Any] = {"model": snapshot.card.name, "data": data.source, **vars(args)}

    start = time.perf_counter()
    own = calibrate(generator, objective, settings, n=max(3, args.count))
    unit = own.pair_perceptual
    result["seconds an own sample"] = (time.perf_counter() - start) / len(own.perceptual)
    show(result, "two random samples apart", unit)
    show(result, "own samples to their projections, of a random pair", float(own.perceptual.mean()) / unit, below=0.1)

    w = project(Projector(generator, targets, objective, settings))
    plus = project(Projector(generator, targets, objective, replace(settings, space="w+")))
    verdicts = own.verdicts(w)
    show(result, "held-out to W, of a random pair", float(w.perceptual.mean()) / unit)
    show(result, "held-out to W+, of a random pair", float(plus.perceptual.mean()) / unit)
    result["verdicts"] = {verdict: verdicts.count(verdict) for verdict in ("own", "near", "outside")}
    print(f"  {'verdicts in W':<58} {result['verdicts']}")

    tuning = TuningSettings(steps=args.tuning_steps)
    if generator.latent.num_genes:
        table = compare_quantizations(generator, w.ws, targets, objective)
        for row in table:
            show(result, f"quantized by {row.distance}, of a random pair", float(row.perceptual.mean()) / unit)
        best = best_quantization(table, objective)
        tuned = invert_into_codebook(generator, best.genotypes, targets, objective, tuning)
        report(result, "codebook inversion", tuned, ratio_below=0.5)
    else:
        report(result, "pivotal tuning", tune_around_pivots(generator, w.ws, targets, objective, tuning), None)
    result["snapshot"] = str(args.snapshot)
    result["out"] = str(args.out)
    write(args.out, result)
    print(f"written to {args.out}")


def report(result: dict[str, Any], name: str, tuned: Tuned, ratio_below: float | None) -> None:
    """What tuning won on the targets and moved elsewhere."""
    perceptual = float(tuned.after.perceptual.mean() / tuned.before.perceptual.mean())
    mse = float(tuned.after.mse.mean() / tuned.before.mse.mean())
    show(result, f"{name}, perceptual error after / before", perceptual, below=ratio_below)
    show(result, f"{name}, squared error after / before", mse, below=ratio_below)
    show(result, f"{name}, drift of random pictures, of a random pair", tuned.drift.ratio, below=0.1)


def show(result: dict[str, Any], name: str, value: float, below: float | None = None) -> None:
    """Print and keep one figure, and whether it reaches its target."""
    verdict = "" if below is None else f"   target < {below:g}: {'reached' if value < below else 'MISSED'}"
    print(f"  {name:<58} {value:.4f}{verdict}", flush=True)
    result[name] = value


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapshot", type=Path, help="snapshot folder, run folder or name of a shipped model")
    parser.add_argument("--data", default="avatars:n=64,seed=987654", help="held-out pictures; avatars of a fresh seed")
    parser.add_argument("--count", type=int, default=8, help="targets, and own samples")
    parser.add_argument("--steps", type=int, default=400, help="of the projection")
    parser.add_argument("--tuning-steps", type=int, default=300, help="of the tuning")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/inversion.json"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
