"""Metrics that `stylegenes train` hands to training: small ones during the run, a large one at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stylegenes.errors import UserError

if TYPE_CHECKING:
    from stylegenes.data.protocols import LabeledImages
    from stylegenes.generator import Generator
    from stylegenes.training import Machine, RunConfig, RunResult

END_ON_GPU, END_ELSEWHERE = 50_000, 10_000
"""Fakes of the evaluation at the end of a run."""


@dataclass
class RunEvaluation:
    """A budget that every process can be sent: the extractor is opened at the first call, and data not accepted yet.

    Attributes:
        text: the budget, as `metrics.budget` reads it.
        config: of the run, which names the data.
    """

    text: str
    config: RunConfig
    _data: LabeledImages | None = field(default=None, repr=False)
    _evaluate: Any = field(default=None, repr=False)

    def __call__(self, generator: Generator) -> dict[str, float]:
        """Values by metric name."""
        if self._evaluate is None:
            self._evaluate = _open(self.text, self.data, generator.device)
        return self._evaluate(generator)

    @property
    def data(self) -> LabeledImages:
        """The pictures as the run opened them: cut or framed alike, with the same labels."""
        if self._data is None:
            self._data = self.config.data.open()
        return self._data

    def accept(self, data: LabeledImages) -> None:
        """See that the data has enough pictures, before a run is spent on it.

        Raises:
            UserError: when it has too few pictures for a metric of the budget.
        """
        from stylegenes.metrics.budget import read_budgets
        from stylegenes.metrics.distribution import need_enough

        for part in read_budgets(self.text):
            try:
                need_enough(part.metric, data.source, len(data), part.num)
            except UserError as error:
                raise UserError(f"{error}; to train without it add --metrics none") from error
        self._data = data


def run_evaluation(text: str, config: RunConfig) -> RunEvaluation | None:
    """Read the budget of a run, or None where it says `none`.

    Raises:
        UserError: for a budget that cannot be read, before anything is trained.
    """
    from stylegenes.metrics.budget import read_budgets

    if text == "none":
        return None
    read_budgets(text)
    return RunEvaluation(text, config)


def evaluate_finished(evaluation: RunEvaluation, result: RunResult, machine: Machine) -> None:
    """Evaluate a finished run with many fakes, once; the records go into its folder."""
    from stylegenes.cli import evaluate
    from stylegenes.cli.console import say
    from stylegenes.devices import pick_device
    from stylegenes.metrics.budget import read_budgets

    metric, extractor, _ = read_budgets(evaluation.text)[0]
    num = END_ON_GPU if machine.device_type == "cuda" else END_ELSEWHERE
    if _is_measured(result, metric):
        return
    say(f"measuring the finished run with {num:,} pictures; Ctrl-C skips it")
    args = evaluate.Args(str(result.snapshot), metrics=metric, num=num, extractor=extractor["name"], out=result.folder)
    subject = evaluate.open_subject(str(result.snapshot), None, pick_device(args.device))
    evaluate.measure(args, subject, evaluation.data)


def _is_measured(result: RunResult, metric: str) -> bool:
    """Whether this very generator has a record already."""
    from stylegenes.metrics import read_records
    from stylegenes.snapshot import load_snapshot
    from stylegenes.survey import fingerprint

    records = [record for file in result.folder.glob(f"metric-{metric}*.jsonl") for record in read_records(file)]
    own = fingerprint(load_snapshot(result.snapshot).generator) if records else ""
    return any(record.subject_hash == own for record in records)


def _open(text: str, data: LabeledImages, device: Any) -> Any:
    from stylegenes.caches import usable_cache
    from stylegenes.metrics import budget

    return budget(text, data, device=device, cache=usable_cache("statistics"))
