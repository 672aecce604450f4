"""The work of `stylegenes survey`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from stylegenes.analysis.inference import StopAtPrecision, known_to, resolution, resolves
from stylegenes.cli.console import progress, say, show_table
from stylegenes.cli.workbench import Workbench, open_workbench
from stylegenes.errors import UserError
from stylegenes.metrics.reference import open_real
from stylegenes.perception.trust import warn_of_doubts
from stylegenes.survey import Draws, OnShard, Survey, Surveyor, SurveyPlan, conduct
from stylegenes.words import command

if TYPE_CHECKING:
    from stylegenes.cli.survey import Args


def run(args: Args) -> None:
    """Draw, judge and sum up."""
    part, num_parts = _parse_part(args.part)
    if min(args.num, args.shard, args.batch) < 1:
        raise UserError(f"--num, --shard and --batch must be positive; got {args.num}, {args.shard} and {args.batch}")
    bench = open_workbench(args.snapshot, args.classifier, args.device)
    warn_of_doubts(bench.classifier, bench.classifier.attributes)
    labels = _labels(bench, args.labels)
    surveyor = Surveyor(bench.snapshot.generator, bench.classifier, bench.snapshot.discriminator, args.batch, labels)
    plan = surveyor.plan(seed=args.seed, shard_size=args.shard)
    stop = _stopper(args.precision, plan, num_parts)
    start, before = time.monotonic(), _drawn(bench)
    with progress("survey") as bar:
        mine = -(-args.num // (plan.shard_size * num_parts)) * plan.shard_size

        def on_shard(index: int, draws: Draws) -> bool:
            nonlocal seen
            seen += len(draws)
            bar(min(seen, mine), mine)
            return stop(index, draws)

        seen = 0
        survey = conduct(
            surveyor,
            bench.survey_folder,
            plan,
            num_draws=args.num,
            part=part,
            num_parts=num_parts,
            on_shard=on_shard,
        )
    bench.remember_classifier()
    new, seconds = len(survey) - before, time.monotonic() - start
    speed = f", {new:,} of them new at {new / seconds:.1f} a second" if new else ""
    say(f"{len(survey):,} judged pictures in {bench.survey_folder}{speed}")
    _summarize(bench, survey, args.precision)


def _summarize(bench: Workbench, survey: Survey, precision: float | None) -> None:
    if survey.plan.num_genes == 0:
        say("The latent is continuous: no genes to report on; stylegenes correlate and directions can use the survey.")
        return
    statistics, report = bench.statistics, bench.report
    finest = resolution(statistics)
    rows = [
        {
            "attribute": name,
            "mean": float(statistics.overall[a]),
            "top gene": " ".join(map(str, report.acting(a)[:1])) or "none shown",
            "explains": float(report.explained[:, a].max()),
            "reliability": float(report.reliability[report.top(a, 1)[0], a]),
            "noise share": float(report.shrunk.noise_share[a]),
            "resolves": resolves(finest.single[a]),
        }
        for a, name in enumerate(statistics.attributes)
    ]
    show_table(rows, f"{survey.plan.num_genes} genes x {survey.plan.num_variants} variants")
    say(
        f"Each variant was seen {statistics.num_draws / statistics.num_variants:.0f} times. 'resolves': the difference "
        f"found in 4 of 5 cases. {known_to(statistics, precision or 0.01)}"
    )
    bench.write_summary()
    say(f"next: {command('stats', bench.reference)}")


def _stopper(precision: float | None, plan: SurveyPlan, num_parts: int) -> OnShard:
    if precision is None:
        return lambda index, draws: False
    if precision <= 0 or plan.num_genes == 0:
        raise UserError("--precision is a positive standard error of a variant's probability, for models with a genome")
    return StopAtPrecision(plan, precision, num_parts=num_parts)


def _labels(bench: Workbench, source: str | None) -> torch.Tensor | None:
    """The rows [M, L] that a model with labels draws from."""
    generator = bench.snapshot.generator
    if not generator.label_dim:
        if source is not None:
            raise UserError(f"--labels {source}: this model takes no labels")
        return None
    if source == "uniform":
        return torch.eye(generator.label_dim)
    data = open_real(bench.snapshot.card, source, generator.synthesis.resolution, generator.synthesis.image_channels)
    if data.label_dim != generator.label_dim:
        raise UserError(
            f"{data.source} has {data.label_dim} labels, the model takes {generator.label_dim}; give its own data with "
            "--labels, or --labels uniform"
        )
    return data.labels(range(len(data)))


def _drawn(bench: Workbench) -> int:
    return len(Survey(bench.survey_folder)) if bench.has_draws else 0


def _parse_part(text: str) -> tuple[int, int]:
    first, slash, second = text.partition("/")
    if not (slash and first.isdecimal() and second.isdecimal() and int(second) > int(first)):
        raise UserError(f"--part {text!r} is not a part like 0/4, 1/4, 2/4 or 3/4")
    return int(first), int(second)
