"""One call for an evaluation: extractor, distance, cache and size are chosen, and the records come as one result."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from stylegenes.caches import usable_cache
from stylegenes.data.protocols import LabeledImages, LabelSource
from stylegenes.errors import UserError
from stylegenes.metrics.evaluation import Evaluator, Subject
from stylegenes.metrics.latent_metrics import LATENT_METRICS
from stylegenes.metrics.record import MetricRecord
from stylegenes.perception import DISTANCES, EXTRACTORS, AttributeClassifier
from stylegenes.progress import OnProgress, silent
from stylegenes.shares import Share

NUM_ON_GPU, NUM_ELSEWHERE = 50_000, 2_000
COLUMNS = ("metric", "value", "floor (reals, halves)", "")


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Records of one evaluation; prints, and shows itself in a notebook, as a table."""

    records: list[MetricRecord]

    def __getitem__(self, metric: str) -> float:
        """The value of a metric by the name in its record, `fd_lite0`.

        Raises:
            UserError: when it was not measured, or could not be.
        """
        found = {record.metric: record.value for record in self.records}
        value = found.get(metric)
        if value is None:
            raise UserError(f"there is no value of {metric!r}; measured: {', '.join(found)}")
        return value

    def _repr_html_(self) -> str:
        rows = [COLUMNS, *map(row_of, self.records)]
        cells = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows]
        return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"

    def __repr__(self) -> str:
        return "\n".join("  ".join(filter(None, row_of(record))) for record in self.records)


def row_of(record: MetricRecord) -> tuple[str, str, str, str]:
    """Metric, value with its spread, floor, remarks; the record has them in full."""
    value = "none" if record.value is None else f"{record.value:.5g}"
    spread = "" if record.spread is None else f" ± {record.spread:.2g}"
    floor = "" if record.floor is None else f"{record.floor.value:.5g} (n = {record.floor.num})"
    return record.metric, value + spread, floor, textwrap.shorten(record.failure, 60, placeholder=" ...")


def metric_names(text: str) -> list[str]:
    """`fd,kid` as names, each once."""
    return list(dict.fromkeys(metric.strip() for metric in text.split(",")))


def evaluate(
    subject: Subject,
    data: LabeledImages,
    metrics: Sequence[str],
    *,
    device: torch.device,
    extractor: str = "lite0",
    classifier: AttributeClassifier | None = None,
    num: int | None = None,
    psi: float = 1.0,
    seed: int = 0,
    batch: int = 32,
    work: Path | None = None,
    share: Share | None = None,
    labels: LabelSource | None = None,
    on_progress: OnProgress = silent,
) -> Iterator[MetricRecord]:
    """The records of `metrics`, each as soon as it is there.

    Args:
        subject: a generator, on `device`, or pictures.
        data: the reals.
        metrics: names of metrics.
        device: where the networks are.
        extractor: the frozen network that results are named after.
        classifier: for separability and disentanglement.
        num: fakes, pairs or draws; 50,000 on a GPU and 2,000 elsewhere where nothing is given.
        psi: truncation of the fakes.
        seed: of all draws.
        batch: pictures at once; the draws depend on it.
        work: folder where passes keep their state until the evaluation has ended, or None.
        share: this process's part.
        labels: what a conditional model is told, or None for the labels of random reals.
        on_progress: called with what is done, how many of it, and of how many.

    Raises:
        UserError: for an unknown metric or extractor, or one that needs what is not there.
    """
    network = EXTRACTORS.build({"name": extractor}).eval().to(device)
    wanted = [LATENT_METRICS[name] for name in metrics if name in LATENT_METRICS]
    near = any(metric.needs_distance for metric in wanted)
    evaluator = Evaluator(
        data,
        network,
        distance=DISTANCES.build({"name": network.distance}).eval().to(device) if near else None,
        classifier=classifier,
        num=num if num is not None else NUM_ON_GPU if device.type == "cuda" else NUM_ELSEWHERE,
        seed=seed,
        psi=psi,
        batch=batch,
        device=device,
        cache=usable_cache("statistics"),
        work=work,
        share=share or Share(),
        labels=labels,
        on_progress=on_progress,
    )
    return evaluator.evaluate(subject, list(metrics))
