"""which attributes go together, in real pictures and in models

Examples:
  stylegenes correlate runs/genome --data photos --other runs/mapping   real, genome, mapping, and the differences
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from stylegenes.analysis.correlation import Correlation
    from stylegenes.data import PackedDataset
    from stylegenes.model import Model
    from stylegenes.perception import AttributeClassifier


@dataclass(frozen=True)
class Args:
    """Which attributes go together, in real pictures and in models."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    other: Path | None = None
    """another model, for example one with a mapping network"""
    data: str | None = None
    """real pictures; otherwise those that the model was trained on"""
    num: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 10_000
    """pictures of each; a finished survey gives all it has"""
    seed: int = 0
    """of the draws"""
    classifier: Path | None = None
    """attribute classifier; otherwise the one of the survey"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Classify, correlate, draw.

    Raises:
        UserError: when no classifier or data is known.
    """
    from stylegenes.analysis.correlation import mean_difference
    from stylegenes.analysis.exhibits.models import correlation_exhibit
    from stylegenes.cli.console import say
    from stylegenes.cli.places import show_exhibit
    from stylegenes.model import open_model

    model = open_model(args.snapshot, label=args.label, classifier=args.classifier, device=args.device)
    data, classifier = model.real(args.data), model.classifier
    models = [model] if args.other is None else [open_model(args.other, device=args.device), model]
    sets = [_of_data(model, data, args.num, args.seed)]
    sets += [_of_model(one, classifier, args.num, args.seed) for one in models]
    show_exhibit(args, model, correlation_exhibit(sets, classifier.name))
    for one in sets[1:]:
        say(f"{one.name}: mean absolute difference from the reals {mean_difference(one, sets[0]):.4f}")


def _of_data(model: Model, data: PackedDataset, num: int, seed: int) -> Correlation:
    """Correlation over real pictures."""
    from stylegenes.analysis.correlation import classify_pictures, correlate
    from stylegenes.cli.console import track
    from stylegenes.metrics.sources import choose

    source = choose(data, num, seed)
    batches = (source.block(start, min(start + 64, len(source))) for start in range(0, len(source), 64))
    counted = track((batch.to(model.device) for batch in batches), "real pictures", -(-len(source) // 64))
    return correlate("real", model.classifier.attributes, classify_pictures(model.classifier, counted))


def _of_model(model: Model, classifier: AttributeClassifier, num: int, seed: int) -> Correlation:
    """Correlation over a model's pictures: those of its survey by the same classifier, or new ones."""
    import torch

    from stylegenes.analysis.correlation import classify_pictures, correlate
    from stylegenes.cli.console import track
    from stylegenes.metrics.sources import GeneratorSource

    surveyed = model.study.surveyed_by(classifier)
    if surveyed is not None:
        return correlate(model.card.name, classifier.attributes, surveyed)
    source = GeneratorSource(model.generator, num, seed)
    blocks = (source.block(start, min(start + 32, num)) for start in range(0, num, 32))
    with torch.no_grad():
        counted = track(blocks, model.card.name, -(-num // 32))
        return correlate(model.card.name, classifier.attributes, classify_pictures(classifier, counted))
