"""A model's survey, its statistics, and the folder where they and their exhibits lie."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError

from stylegenes.analysis.conditional import gene_tables, sample_accepted
from stylegenes.analysis.correlation import Correlation, correlate
from stylegenes.analysis.importance import GeneReport, report_genes
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.statistics import Recorded, VariantStatistics, tally
from stylegenes.analysis.summary import FILE, Summary, summarize
from stylegenes.analysis.wishes import find_attribute, parse_where
from stylegenes.drawing import DrawSettings
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.latents import Genome, genome_of
from stylegenes.perception import AttributeClassifier, PerceptualDistance, reported_distance
from stylegenes.sheets import free_path
from stylegenes.survey import Draws, Survey, SurveyPlan, fingerprint
from stylegenes.words import command, counted

if TYPE_CHECKING:
    from stylegenes.analysis.exhibits import Exhibit
    from stylegenes.analysis.exhibits.report import Study

log = logging.getLogger(__name__)

FILLED_IN, BY_COMMAND = "for a report", "stylegenes "
"""How that begins which made an exhibit that nobody asked for."""
_PICTURES = 2000
"""Drawn for correlations where the draws of a survey are not at hand."""


@dataclass(frozen=True)
class GeneStudy:
    """What is known of a model's genes; everything is read or computed once, when it is first asked for.

    Attributes:
        reference: what a command line to paste calls the model: its folder, or the name of a shipped one.
        title: the name on its card.
        generator: makes the pictures.
        drawing: how it makes them; of a conditional model with one label.
        folder: where survey, statistics and exhibits are written.
        given: folders that may bring a survey or the summary of one along, the first that has one counts.
        find_classifier: loads the classifier that was chosen, or that the survey was made with.
        known_classifiers: names of classifiers that a hint may propose.
    """

    reference: str | Path
    title: str
    generator: Generator
    drawing: DrawSettings
    folder: Path
    given: Sequence[Path]
    find_classifier: Callable[[], AttributeClassifier]
    known_classifiers: Sequence[str] = ()

    @property
    def name(self) -> str:
        """What people call the model."""
        return str(self.reference)

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.generator.device

    @property
    def genome(self) -> Genome:
        """The model's genome.

        Raises:
            UserError: when its latent is continuous.
        """
        return genome_of(self.generator.latent, "work on genes")

    @property
    def survey_folder(self) -> Path:
        """Where the shards are written."""
        return self.folder / "survey"

    @property
    def exhibits(self) -> Path:
        """Where figures and tables lie."""
        return self.folder / "exhibits"

    @cached_property
    def classifier(self) -> AttributeClassifier:
        """The classifier given now, or else the one that the survey was made with.

        Raises:
            UserError: when neither exists.
        """
        return self.find_classifier()

    @cached_property
    def labeler(self) -> CodeLabeler:
        """The generator and its classifier.

        Raises:
            UserError: when the classifier's attributes are not those of the survey.
        """
        if self.is_surveyed and self.classifier.attributes != self.plan.attributes:
            raise UserError(
                f"the survey was classified for other attributes ({', '.join(self.plan.attributes[:5])}, ...) than "
                f"{self.classifier.name} knows ({', '.join(self.classifier.attributes[:5])}, ...)"
            )
        return CodeLabeler(self.generator, self.classifier, self.drawing)

    @cached_property
    def perceptual(self) -> PerceptualDistance:
        """How far two pictures are apart."""
        return reported_distance(self.device)

    @property
    def is_surveyed(self) -> bool:
        """Whether there is a survey, or the summary of one."""
        return self._drawn is not None or self._summed_up is not None

    @property
    def _drawn(self) -> Path | None:
        """The folder with the draws of a survey, finished or not."""
        folders = [self.folder, *self.given]
        return next((folder for folder in folders if (folder / "survey" / "plan.json").is_file()), None)

    @property
    def _summed_up(self) -> Path | None:
        return next((folder / FILE for folder in self.given if (folder / FILE).is_file()), None)

    @cached_property
    def survey(self) -> Survey:
        """The finished shards.

        Raises:
            UserError: when there is no survey, it is of other weights, or it has no finished shard.
        """
        place = self._drawn
        if place is None:
            line = command("survey", self.reference, "--classifier", "PATH")
            known = ", or ".join(["a folder that stylegenes classifier wrote", ", ".join(self.known_classifiers)])
            raise UserError(f"{self.name} has no survey yet; make one with: {line} ({known.removesuffix(', or ')})")
        survey = Survey(place / "survey")
        self._check(survey.plan, survey.folder)
        if not survey.indices():
            raise UserError(
                f"{survey.folder} holds no finished shard yet; go on with: {command('survey', self.reference)}"
            )
        return survey

    @cached_property
    def plan(self) -> SurveyPlan:
        """How the pictures behind the statistics were made and classified."""
        summary = self._summary
        return self.survey.plan if summary is None else summary.plan

    @cached_property
    def statistics(self) -> VariantStatistics:
        """The variant statistics of the survey, summed again only when it has grown; or those of its summary.

        Raises:
            UserError: when the latent is continuous, or there is neither survey nor summary.
        """
        _ = self.genome
        summary = self._summary
        return self._summed("classifier") if summary is None else summary.statistics

    @cached_property
    def realness(self) -> torch.Tensor:
        """Mean discriminator output of every variant, [G, V].

        Raises:
            UserError: when the survey recorded none.
        """
        kept = None if self._summary is None else self._summary.realness
        return (kept or self._summed("discriminator")).mean[..., 0]

    @cached_property
    def report(self) -> GeneReport:
        """Scores, tests and reliabilities."""
        return report_genes(self.statistics)

    def afresh(self) -> GeneStudy:
        """The same study, without what it has read so far."""
        return replace(self)

    def write_summary(self) -> None:
        """Keep the survey's statistics in one small file beside it, which can be handed on without the draws."""
        summarize(self.survey, self._summed("classifier")).save(self.folder / FILE)

    def summary(self) -> Summary:
        """What can be handed on without the draws.

        Raises:
            UserError: when the latent is continuous, or there is neither survey nor summary.
        """
        return self._summary or summarize(self.survey, self.statistics)

    @cached_property
    def shown(self) -> Study:
        """What exhibits are made from.

        Raises:
            UserError: when the model has no survey, or no genome.
        """
        from stylegenes.analysis.exhibits.report import Study

        realness = self.realness if self.plan.discriminator else None
        return Study(self.labeler, self.statistics, self.report, realness, lambda: self.perceptual, self.correlations)

    def place(self, exhibit: Exhibit, made: str, *, fresh: bool = False) -> Path:
        """Where an exhibit goes among the others: over one made by the same or filled in for a report, no other one.

        Args:
            exhibit: what is written.
            made: what makes it.
            fresh: whether it also goes over what another command made; never over anything else.
        """
        over = (FILLED_IN, BY_COMMAND) if fresh else FILLED_IN
        return free_path(self.exhibits / f"{exhibit.words.name}.png", made, (".csv", ".json"), over=over)

    def correlations(self, seed: int) -> list[Correlation]:
        """Of the pictures of the survey, where its draws are here, else of new ones."""
        probability = self.surveyed_by(self.classifier)
        if probability is None:
            codes = self.genome.sample(_PICTURES, torch.Generator().manual_seed(seed))
            probability = self.labeler.probabilities(codes)
        return [correlate(self.title, self.classifier.attributes, probability)]

    def surveyed_by(self, classifier: AttributeClassifier) -> torch.Tensor | None:
        """Probabilities [N, A] of a survey by this very classifier, where its draws are here."""
        draws = self.draws_by(classifier)
        return None if draws is None else draws.probability

    def draws_by(self, classifier: AttributeClassifier) -> Draws | None:
        """The draws of a survey by this very classifier, where they are here and the statistics are theirs."""
        if self._drawn is None or self._summary is not None or self.survey.plan.classifier != classifier.weights_hash:
            return None
        return self.survey.load()

    def chosen(self, names: str | None, most: int) -> list[int]:
        """Columns of the attributes named, with commas between, or of the `most` that single genes move most."""
        if names is None:
            return self.report.strongest(most)
        return [find_attribute(name, self.statistics.attributes) for name in names.split(",")]

    def wished(
        self, where: str, temperature: float, seeds: Sequence[int], drawing: DrawSettings | None = None
    ) -> tuple[torch.Tensor, str]:
        """A genotype for each seed, [len(seeds), G], whose picture should fulfil the wishes; and how sure that is.

        Candidates come from Eq. 6 with shrunk estimates; the classifier accepts them. A seed's genotype depends on
        seed, wishes, temperature, look and survey.

        Args:
            where: wishes like `Smiling=1,Eyeglasses=0`.
            temperature: above 0; lower is more accurate and less varied.
            seeds: one for each genotype.
            drawing: the look that the classifier judges; the study's own where None.

        Raises:
            UserError: when the model has no genome, no survey or no such attribute.
        """
        wishes = parse_where(where, self.statistics.attributes)
        tables = gene_tables(self.report.shrunk.mean, wishes, temperature)
        labeler = replace(self.labeler, drawing=drawing or self.drawing)
        found = sample_accepted(labeler, tables, wishes, [torch.Generator().manual_seed(seed) for seed in seeds])
        fulfilled = torch.stack([wish.likelihood(found.probability) > 0.5 for wish in wishes]).all(dim=0)
        return found.genotype.to(self.device), (
            f"{where} at T = {temperature:g}: {int(fulfilled.sum())} of {len(seeds)} fulfil it by the survey's "
            f"classifier; {counted(found.candidates, 'candidate')} classified, {int((~found.accepted).sum())} kept "
            f"without being accepted; variety of the gene tables {tables.variety:.3f}"
        )

    @cached_property
    def _summary(self) -> Summary | None:
        """The summary that came with the model, as long as it knows more draws than there are here."""
        path, place = self._summed_up, self._drawn
        if path is None:
            return None
        summary, begun = Summary.load(path), None if place is None else Survey(place / "survey")
        if begun is not None and len(begun):
            fewer = summary.statistics.num_draws <= len(begun)
            if fewer or not self._fits(summary.plan) or not _alike(summary.plan, begun.plan):
                return None
            log.warning(
                "the statistics are those of %s, of %s draws, until the survey in %s, which has %s, is finished; go on "
                "with it: %s",
                *(path, f"{summary.statistics.num_draws:,}", begun.folder, f"{len(begun):,}"),
                command("survey", self.reference),
            )
        self._check(summary.plan, path)
        return summary

    def _check(self, plan: SurveyPlan, where: Path) -> None:
        if not self._fits(plan):
            line = command("survey", self.reference)
            raise UserError(f"{where} is a survey of other weights; remove it and run: {line}")

    def _fits(self, plan: SurveyPlan) -> bool:
        return plan.model == fingerprint(self.generator)

    def _summed(self, recorded: Recorded) -> VariantStatistics:
        survey = self.survey
        # With the survey that they sum up, so that they go where it goes when it makes room for another.
        path = survey.folder / f"statistics-{recorded}.safetensors"
        if (found := _kept(path)) is not None and found.num_draws == len(survey):
            return found
        summed = tally(survey, recorded)
        summed.save(path)
        return summed


def _kept(path: Path) -> VariantStatistics | None:
    """Statistics of an earlier call; a damaged file is made anew."""
    try:
        return VariantStatistics.load(path) if path.is_file() else None
    except (SafetensorError, UserError):
        return None


def _alike(one: SurveyPlan, other: SurveyPlan) -> bool:
    """Whether two surveys asked the same of the same pictures' kind: one's statistics can stand for the other's."""
    kinds = [(plan.classifier, plan.attributes, plan.psi, plan.noise, plan.labels) for plan in (one, other)]
    return kinds[0] == kinds[1]
