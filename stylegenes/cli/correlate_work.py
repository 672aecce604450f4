"""The work of `stylegenes correlate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from stylegenes.analysis.correlation import Correlation, correlate, judge_pictures, mean_difference
from stylegenes.analysis.exhibits.models import correlation_exhibit
from stylegenes.cli.console import say, track
from stylegenes.cli.workbench import Workbench, open_workbench
from stylegenes.data import PackedDataset
from stylegenes.generator import Generator
from stylegenes.metrics.reference import open_real
from stylegenes.metrics.sources import GeneratorSource, choose
from stylegenes.snapshot import find_snapshot, load_snapshot
from stylegenes.survey import Survey

if TYPE_CHECKING:
    from stylegenes.cli.correlate import Args


def run(args: Args) -> None:
    """Correlate reals, the model and the other one."""
    bench = open_workbench(args.snapshot, args.classifier, args.device)
    synthesis = bench.snapshot.generator.synthesis
    data = open_real(bench.snapshot.card, args.data, synthesis.resolution, synthesis.image_channels)
    other = None if args.other is None else load_snapshot(args.other, bench.device)
    sets = [of_data(bench, data, args.num, args.seed)]
    if args.other is not None and other is not None:
        sets.append(of_model(bench, other.card.name, other.generator, find_snapshot(args.other), args.num, args.seed))
    own = bench.snapshot
    sets.append(of_model(bench, own.card.name, own.generator, bench.path, args.num, args.seed))
    bench.show(correlation_exhibit(sets, bench.classifier.name))
    for one in sets[1:]:
        say(f"{one.name}: mean absolute difference from the reals {mean_difference(one, sets[0]):.4f}")


def of_data(bench: Workbench, data: PackedDataset, num: int, seed: int) -> Correlation:
    """Correlation over real pictures."""
    source = choose(data, num, seed)
    batches = (source.block(start, min(start + 64, len(source))) for start in range(0, len(source), 64))
    counted = track((batch.to(bench.device) for batch in batches), "real pictures", -(-len(source) // 64))
    return correlate("real", bench.classifier.attributes, judge_pictures(bench.classifier, counted))


def of_model(bench: Workbench, name: str, generator: Generator, path: Path, num: int, seed: int) -> Correlation:
    """Correlation over a model's pictures: those of its survey by the same classifier, or new ones."""
    folder = bench.survey_folder if path == bench.path else path / "genes" / "survey"
    if (folder / "plan.json").is_file() and Survey(folder).plan.classifier == bench.classifier.weights_hash:
        return correlate(name, bench.classifier.attributes, Survey(folder).load().probability)
    source = GeneratorSource(generator, num, seed)
    blocks = (source.block(start, min(start + 32, num)) for start in range(0, num, 32))
    counted = track(blocks, name, -(-num // 32))
    with torch.no_grad():
        return correlate(name, bench.classifier.attributes, judge_pictures(bench.classifier, counted))
