"""What the verbs about genes share: a model, its survey, its statistics and the place of its exhibits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from matplotlib.figure import Figure
from safetensors import SafetensorError

from stylegenes.analysis.exhibits import Exhibit, Table
from stylegenes.analysis.importance import GeneReport, report_genes
from stylegenes.analysis.judge import Judge
from stylegenes.analysis.statistics import Recorded, VariantStatistics, tally
from stylegenes.cli.console import pick_device, say
from stylegenes.cli.opened import open_perceptual
from stylegenes.errors import UserError
from stylegenes.files import read_json, write_json
from stylegenes.latents import Genome, genome_of
from stylegenes.metrics import load_classifier
from stylegenes.perception import AttributeClassifier, PerceptualDistance
from stylegenes.snapshot import Snapshot, find_snapshot, load_snapshot
from stylegenes.survey import Survey, fingerprint


@dataclass(frozen=True)
class Workbench:
    """A snapshot and the folder `genes` beside its weights, where survey, statistics and exhibits lie.

    Attributes:
        path: the snapshot's folder.
        snapshot: loaded.
        folder: where everything about its genes is kept.
        classifier_path: the classifier given on the command line, or None for the one that the survey was made with.
    """

    path: Path
    snapshot: Snapshot
    folder: Path
    classifier_path: Path | None

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
        note = self.folder / "classifier.json"
        if self.classifier_path is None and not note.is_file():
            raise UserError(
                f"no attribute classifier is known for {self.path}; the survey, which most work on genes needs, "
                f"takes and remembers it: stylegenes survey {self.path} --classifier PATH"
            )
        return load_classifier(self.classifier_path or read_json(note)["path"], self.device)

    def remember_classifier(self) -> None:
        """Let later verbs find the classifier of this one."""
        if self.classifier_path is not None:
            write_json(self.folder / "classifier.json", {"path": str(self.classifier_path.expanduser().resolve())})

    @cached_property
    def judge(self) -> Judge:
        """The generator and its classifier."""
        return Judge(self.snapshot.generator, self.classifier)

    @cached_property
    def perceptual(self) -> PerceptualDistance:
        """How far two pictures are apart."""
        return open_perceptual(self.device)

    @cached_property
    def survey(self) -> Survey:
        """The finished shards.

        Raises:
            UserError: when there is no survey, it is of other weights, or it has no finished shard.
        """
        if not (self.survey_folder / "plan.json").is_file():
            raise UserError(
                f"{self.path} has no survey yet; make one with: stylegenes survey {self.path} --classifier PATH"
            )
        survey = Survey(self.survey_folder)
        if survey.plan.model != fingerprint(self.snapshot.generator):
            raise UserError(f"{self.survey_folder} is a survey of other weights; remove it and run stylegenes survey")
        if not survey.indices():
            raise UserError(f"{self.survey_folder} holds no finished shard yet; run stylegenes survey again")
        return survey

    @cached_property
    def statistics(self) -> VariantStatistics:
        """The variant statistics of the survey, summed again only when it has grown."""
        return self._summed("classifier")

    @cached_property
    def realness(self) -> torch.Tensor:
        """Mean discriminator output of every variant, [G, V]."""
        return self._summed("discriminator").mean[..., 0]

    @cached_property
    def report(self) -> GeneReport:
        """Scores, tests and reliabilities."""
        return report_genes(self.statistics)

    def _summed(self, recorded: Recorded) -> VariantStatistics:
        path = self.folder / f"statistics-{recorded}.safetensors"
        survey = self.survey
        if (found := _kept(path)) is not None and found.num_draws == len(survey):
            return found
        summed = tally(survey, recorded)
        summed.save(path)
        return summed

    def show(self, exhibit: Exhibit, figure: Figure, table: Table) -> None:
        """Write an exhibit and say where."""
        say(f"{exhibit.title}: {exhibit.save(self.exhibits, figure, table)}")


def _kept(path: Path) -> VariantStatistics | None:
    """Statistics of an earlier call; a damaged file is made anew."""
    try:
        return VariantStatistics.load(path) if path.is_file() else None
    except SafetensorError:
        return None


def open_workbench(snapshot: Path, classifier: Path | None, device: str) -> Workbench:
    """Load a snapshot for work on its genes.

    Raises:
        UserError: for a bad snapshot or device.
    """
    path = find_snapshot(snapshot)
    return Workbench(path, load_snapshot(path, pick_device(device)), path / "genes", classifier)
