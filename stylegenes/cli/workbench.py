"""What the verbs about genes share: a model, its survey, its statistics and the place of its exhibits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from stylegenes.analysis.correlation import Correlation, correlate
from stylegenes.analysis.exhibits import Exhibit
from stylegenes.analysis.exhibits.report import Study
from stylegenes.analysis.importance import GeneReport, report_genes
from stylegenes.analysis.judge import Judge
from stylegenes.analysis.statistics import Recorded, VariantStatistics, tally
from stylegenes.analysis.summary import FILE, Summary, summarize
from stylegenes.cli.console import say
from stylegenes.devices import pick_device
from stylegenes.errors import UserError
from stylegenes.files import read_record, write_json
from stylegenes.latents import Genome, genome_of
from stylegenes.metrics import load_classifier, shipped_classifiers
from stylegenes.perception import AttributeClassifier, PerceptualDistance, reported_distance
from stylegenes.snapshot import MODELS, Snapshot, find_snapshot, load_snapshot
from stylegenes.survey import Survey, SurveyPlan, fingerprint
from stylegenes.words import command

_PICTURES = 2000
"""Drawn for correlations where the draws of a survey are not at hand."""


@dataclass(frozen=True)
class _Remembered:
    """The classifier that a survey was made with."""

    path: str


@dataclass(frozen=True)
class Workbench:
    """A snapshot and the folder where its survey, statistics and exhibits lie.

    Attributes:
        path: the snapshot's folder; its subfolder `genes` may bring a summary of a survey along.
        snapshot: loaded.
        folder: where everything about its genes is written: that same `genes`; for a shipped model, which is not ours
            to write into, a folder in the current one.
        classifier_path: the classifier given on the command line, or None for the one that the survey was made with.
    """

    path: Path
    snapshot: Snapshot
    folder: Path
    classifier_path: Path | None

    @property
    def name(self) -> str:
        """What commands call the model: the name of a shipped one, else its folder."""
        return self.path.name if self.path.parent == MODELS else str(self.path)

    @property
    def reference(self) -> str | Path:
        """The same for a command line to paste."""
        return self.path.name if self.path.parent == MODELS else self.path

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.snapshot.generator.device

    @property
    def genome(self) -> Genome:
        """The model's genome.

        Raises:
            UserError: when its latent is continuous.
        """
        return genome_of(self.snapshot.generator.latent, "work on genes")

    @property
    def survey_folder(self) -> Path:
        """Where the shards lie."""
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
        given = self.classifier_path or self._remembered
        if given is None:
            raise UserError(
                f"no attribute classifier is known for {self.name}; the survey, which most work on genes needs, takes "
                f"and remembers it: {command('survey', self.reference, '--classifier', 'PATH')} (or a shipped one: "
                f"{', '.join(shipped_classifiers())})"
            )
        return load_classifier(given, self.device)

    @property
    def _remembered(self) -> str | None:
        notes = (folder / "classifier.json" for folder in (self.folder, self.path / "genes"))
        return next((read_record(note, _Remembered).path for note in notes if note.exists()), None)

    def remember_classifier(self) -> None:
        """Let later verbs find the classifier of this one."""
        given = self.classifier_path
        if given is not None:
            shipped = not given.exists() and str(given) in shipped_classifiers()
            place = str(given if shipped else given.expanduser().resolve())
            write_json(self.folder / "classifier.json", {"path": place})

    @cached_property
    def judge(self) -> Judge:
        """The generator and its classifier.

        Raises:
            UserError: when the classifier's attributes are not those of the survey.
        """
        if self.is_surveyed and self.classifier.attributes != self.plan.attributes:
            raise UserError(
                f"the survey was judged for other attributes ({', '.join(self.plan.attributes[:5])}, ...) than "
                f"{self.classifier.name} knows ({', '.join(self.classifier.attributes[:5])}, ...)"
            )
        return Judge(self.snapshot.generator, self.classifier)

    @cached_property
    def perceptual(self) -> PerceptualDistance:
        """How far two pictures are apart."""
        return reported_distance(self.device)

    @property
    def is_surveyed(self) -> bool:
        """Whether there is a survey, or the summary of one."""
        return self.has_draws or (self.path / "genes" / FILE).is_file()

    @property
    def has_draws(self) -> bool:
        """Whether the draws of a survey are here, finished or not."""
        return (self.survey_folder / "plan.json").is_file()

    @cached_property
    def survey(self) -> Survey:
        """The finished shards.

        Raises:
            UserError: when there is no survey, it is of other weights, or it has no finished shard.
        """
        if not self.has_draws:
            raise UserError(
                f"{self.name} has no survey yet; make one with: "
                f"{command('survey', self.reference, '--classifier', 'PATH')} (a folder of stylegenes classifier, or "
                f"{', '.join(shipped_classifiers())})"
            )
        survey = Survey(self.survey_folder)
        self._check(survey.plan, self.survey_folder)
        if not survey.indices():
            raise UserError(
                f"{self.survey_folder} holds no finished shard yet; go on with: {command('survey', self.reference)}"
            )
        return survey

    @cached_property
    def plan(self) -> SurveyPlan:
        """How the pictures behind the statistics were made and judged."""
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
    def study(self) -> Study:
        """What exhibits are made from.

        Raises:
            UserError: when the model has no survey, or no genome.
        """
        realness = self.realness if self.plan.discriminator else None
        return Study(self.judge, self.statistics, self.report, realness, lambda: self.perceptual, self.correlations)

    def correlations(self, seed: int) -> list[Correlation]:
        """Of the pictures of the survey, where its draws are here, else of new ones."""
        classifier, drawn = self.classifier, self.has_draws
        if drawn and self.survey.plan.classifier == classifier.weights_hash:
            probability = self.survey.load().probability
        else:
            codes = self.genome.sample(_PICTURES, torch.Generator().manual_seed(seed))
            probability = self.judge.probabilities(codes)
        return [correlate(self.snapshot.card.name, classifier.attributes, probability)]

    def write_summary(self) -> None:
        """Keep the survey's statistics in one small file beside it, which can be handed on without the draws."""
        summarize(self.survey, self.statistics).save(self.folder / FILE)

    @cached_property
    def _summary(self) -> Summary | None:
        """The summary that came with the model, where there are no draws."""
        path = self.path / "genes" / FILE
        if self.has_draws or not path.is_file():
            return None
        summary = Summary.load(path)
        self._check(summary.plan, path)
        return summary

    def _check(self, plan: SurveyPlan, where: Path) -> None:
        if plan.model != fingerprint(self.snapshot.generator):
            raise UserError(
                f"{where} is a survey of other weights; remove it, and make one of these: "
                f"{command('survey', self.reference, '--classifier', 'PATH')}"
            )

    @cached_property
    def report(self) -> GeneReport:
        """Scores, tests and reliabilities."""
        return report_genes(self.statistics)

    def _summed(self, recorded: Recorded) -> VariantStatistics:
        # With the survey that they sum up, so that they go where it goes when it makes room for another.
        path = self.survey_folder / f"statistics-{recorded}.safetensors"
        survey = self.survey
        if (found := _kept(path)) is not None and found.num_draws == len(survey):
            return found
        summed = tally(survey, recorded)
        summed.save(path)
        return summed

    def show(self, exhibit: Exhibit, out: Path | None = None) -> Path:
        """Write an exhibit, among the others or as the picture `out`, and say where.

        Raises:
            UserError: when `out` is no .png.
        """
        folder, name = (self.exhibits, None) if out is None else (png_place(out).parent, out.stem)
        picture = exhibit.save(folder, name)
        say(f"{exhibit.words.title}: {picture}, with a table beside it")
        return picture


def png_place(out: Path) -> Path:
    """Where a figure goes.

    Raises:
        UserError: when it does not end in .png.
    """
    if out.suffix.lower() != ".png":
        raise UserError(f"--out {out} must end in .png")
    return out


def _kept(path: Path) -> VariantStatistics | None:
    """Statistics of an earlier call; a damaged file is made anew."""
    try:
        return VariantStatistics.load(path) if path.is_file() else None
    except UserError:
        return None


def open_workbench(snapshot: Path, classifier: Path | None, device: str) -> Workbench:
    """Load a snapshot for work on its genes.

    Raises:
        UserError: for a bad snapshot or device.
    """
    path = find_snapshot(snapshot)
    return bench_for(path, load_snapshot(path, pick_device(device)), classifier)


def bench_for(path: Path, snapshot: Snapshot, classifier: Path | None = None) -> Workbench:
    """The workbench of a loaded snapshot at `path`."""
    shipped = path.parent == MODELS
    # The fingerprint keeps the exhibits of two releases of one model apart.
    place = Path(f"{path.name}-genes-{fingerprint(snapshot.generator)[:8]}") if shipped else path / "genes"
    return Workbench(path, snapshot, place, classifier)
