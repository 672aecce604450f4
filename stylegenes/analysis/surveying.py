"""A survey of a model's genes, made or gone on with, and what it says so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from stylegenes.analysis.gene_study import GeneStudy
from stylegenes.analysis.inference import StopAtPrecision, known_to, resolution, resolves
from stylegenes.discriminators import Discriminator
from stylegenes.errors import UserError
from stylegenes.perception.trust import warn_of_doubts
from stylegenes.progress import OnProgress, silent
from stylegenes.shares import Share
from stylegenes.survey import OnShard, Survey, Surveyor, SurveyPlan, conduct


@dataclass(frozen=True)
class SurveySettings:
    """How much is surveyed.

    Attributes:
        num: pictures wanted, rounded up to whole shards.
        precision: stop earlier, once every variant's probability has a standard error below this.
        seed: of the draws.
        part: which of `num_parts` processes this is.
        num_parts: how many processes share the survey.
        shard: pictures in a shard.
        batch: pictures made at once.
    """

    num: int = 60_000
    precision: float | None = None
    seed: int = 0
    part: int = 0
    num_parts: int = 1
    shard: int = 1024
    batch: int = 32

    def __post_init__(self) -> None:
        if min(self.num, self.shard, self.batch) < 1:
            raise UserError(
                f"--num, --shard and --batch must be positive; got {self.num}, {self.shard} and {self.batch}"
            )


@dataclass(frozen=True)
class Surveyed:
    """A survey after a call.

    Attributes:
        study: the model's genes, with the survey's statistics.
        survey: the draws on disk.
        new: pictures that this call has classified.
    """

    study: GeneStudy
    survey: Survey
    new: int

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row an attribute: its mean, its top gene, and what the survey resolves."""
        statistics, report = self.study.statistics, self.study.report
        finest = resolution(statistics)
        return [
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

    def precision(self, wanted: float) -> str:
        """How often a variant was seen, and how many pictures a standard error of `wanted` takes, in words."""
        statistics = self.study.statistics
        return (
            f"Each variant was seen {statistics.num_draws / statistics.num_variants:.0f} times. 'resolves': the "
            f"difference found in 4 of 5 cases. {known_to(statistics, wanted)}"
        )

    def __repr__(self) -> str:
        return f"{len(self.survey):,} classified pictures in {self.survey.folder}, {self.new:,} of them new"


def survey_genes(
    study: GeneStudy,
    discriminator: Discriminator | None,
    labels: torch.Tensor | None,
    settings: SurveySettings,
    on_progress: OnProgress = silent,
    share: Share | None = None,
) -> Surveyed:
    """Draw and classify until there are enough pictures; finished shards are kept, and the statistics summed up.

    Args:
        study: the model and its classifier.
        discriminator: says how real they look, or None.
        labels: float32 [M, L], which a model with labels draws from.
        settings: how much.
        on_progress: called with `survey`, pictures done and all pictures.
        share: of several processes; the first alone returns.

    Raises:
        UserError: for whatever is wrong with the classifier, the labels or the folder.
    """
    warn_of_doubts(study.classifier, study.classifier.attributes)
    surveyor = Surveyor(study.generator, study.classifier, discriminator, settings.batch, labels)
    plan, folder, share = (
        surveyor.plan(seed=settings.seed, shard_size=settings.shard),
        study.survey_folder,
        share or Share(),
    )
    before = share.agree(len(Survey(folder)) if (folder / "plan.json").is_file() else 0)
    survey = conduct(
        surveyor,
        folder,
        plan,
        num_draws=settings.num,
        part=settings.part,
        num_parts=settings.num_parts,
        share=share,
        on_shard=_stopper(settings, plan),
        on_step=lambda done, total: on_progress("survey", done * plan.shard_size, total * plan.shard_size),
    )
    share.join()
    fresh = study.afresh()
    if plan.num_genes and survey.indices():
        fresh.write_summary()
    return Surveyed(fresh, survey, len(survey) - before)


def _stopper(settings: SurveySettings, plan: SurveyPlan) -> OnShard | None:
    if settings.precision is None:
        return None
    if settings.precision <= 0 or plan.num_genes == 0:
        raise UserError("--precision is a positive standard error of a variant's probability, for models with a genome")
    return StopAtPrecision(plan, settings.precision, num_parts=settings.num_parts)
