"""Metrics on a budget during training: `fd_lite0@2k` as a function of a generator."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

from stylegenes.data.protocols import LabeledImages
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.metrics.distribution import DISTRIBUTION_METRICS
from stylegenes.metrics.evaluation import Evaluator, Subject
from stylegenes.perception import EXTRACTORS
from stylegenes.words import counted, did_you_mean

Evaluate = Callable[[Generator], dict[str, float]]
"""From a generator to values by metric name. Leaves the generator and every random state as they were."""

_PATTERN = re.compile(r"(?P<metric>[a-z]+)(?:_(?P<judge>\w+))?@(?P<num>\d+)(?P<kilo>k?)")


def budget(
    text: str, data: LabeledImages, *, batch: int = 32, device: torch.device | str = "cpu", cache: Path | None = None
) -> Evaluate:
    """Read `METRIC[_EXTRACTOR]@NUM` (several with commas: `fd@2k,kid_lite0@2k`) and make it callable.

    Extractor and statistics of the reals are loaded at the first call and kept; all reals are used.

    Args:
        text: metric (fd, kid, pr, dc, outliers), extractor (lite0 by default), and fakes (2000, 2k).
        data: the real pictures.
        batch: fakes at once.
        device: where extractor and generator are.
        cache: folder of statistics of reals, or None.

    Raises:
        UserError: for text that says something else, when it is read.
    """
    evaluates = [_one(part, data, batch, device, cache) for part in read_budgets(text)]

    def evaluate(generator: Generator) -> dict[str, float]:
        return {name: value for one in evaluates for name, value in one(generator).items()}

    return evaluate


def read_budgets(text: str) -> list[MetricBudget]:
    """The parts of a budget, without loading anything.

    Raises:
        UserError: as `budget`.
    """
    return [MetricBudget.read(part.strip()) for part in text.split(",")]


class MetricBudget(NamedTuple):
    """One part of a budget: the metric, the spec of its extractor, and how many fakes."""

    metric: str
    spec: dict[str, str]
    num: int

    @classmethod
    def read(cls, text: str) -> MetricBudget:
        """Read `METRIC[_EXTRACTOR]@NUM`.

        Raises:
            UserError: as `budget`.
        """
        match = _PATTERN.fullmatch(text)
        if match is None or match["metric"] not in DISTRIBUTION_METRICS:
            hint = did_you_mean(text.partition("@")[0], DISTRIBUTION_METRICS, "metrics")
            raise UserError(f"{text!r} is no budget; write METRIC@NUM like fd@2k or fd_lite0@500, or none{hint}")
        spec = EXTRACTORS.check({"name": match["judge"] or "lite0"})
        num = int(match["num"]) * (1000 if match["kilo"] else 1)
        if num < 2:
            raise UserError(f"{text!r} asks for {counted(num, 'fake')}; a distribution needs at least two")
        return cls(match["metric"], spec, num)


def _one(
    part: MetricBudget, data: LabeledImages, batch: int, device: torch.device | str, cache: Path | None
) -> Evaluate:
    metric, spec, num = part
    kept: list[Evaluator] = []

    def evaluate(generator: Generator) -> dict[str, float]:
        if not kept:
            # Building draws initial weights; training must not notice.
            with torch.random.fork_rng(devices=[]):
                extractor = EXTRACTORS.build(spec).eval().to(device)
            kept.append(Evaluator(data, extractor, num=num, batch=batch, device=device, cache=cache))
        training = generator.training
        generator.eval()
        try:
            records = list(kept[0].evaluate(Subject("training", generator), [metric]))
        finally:
            generator.train(training)
        return {record.metric: record.value for record in records if record.value is not None}

    return evaluate
