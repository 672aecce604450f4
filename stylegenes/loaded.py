"""What a model owns, each loaded or computed once when it is first asked for."""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from os import PathLike
from pathlib import Path

import torch
from torch import nn

from stylegenes.analysis.editing import Constraints, Editor, Strength, editor
from stylegenes.analysis.gene_study import GeneStudy
from stylegenes.analysis.statistics import VariantStatistics
from stylegenes.arguments import Codes, Label, as_codes, as_label
from stylegenes.data import Dataset
from stylegenes.drawing import DrawSettings, codes_of_seeds
from stylegenes.errors import UserError, shown
from stylegenes.files import read_record, write_json
from stylegenes.hub import address_of
from stylegenes.metrics import find_classifier, load_classifier, shipped_classifiers
from stylegenes.metrics.reference import open_real
from stylegenes.metrics.sources import OneLabel
from stylegenes.notation import parse_label, parse_labels, parse_noise, parse_psi, psi_text
from stylegenes.perception import AttributeClassifier, scorer_of
from stylegenes.records import Condition
from stylegenes.sheets import Origin, label_text, origin_of
from stylegenes.snapshot import MODELS, Snapshot
from stylegenes.survey import fingerprint
from stylegenes.words import command

log = logging.getLogger(__name__)

VIEW = ("yaw", "pitch", "fov")
"""What says from where a 3D model is seen, in degrees."""
AnyClassifier = str | PathLike[str] | nn.Module


@dataclass(frozen=True)
class Remembered:
    """The classifier that a survey was made with."""

    path: str


class LoadedModel:
    """A loaded snapshot, its label, classifier, survey and statistics.

    Args:
        path: the snapshot's folder.
        snapshot: loaded.
        label: what a conditional model draws: a column's number, names as `--label` takes them, or [L] numbers.
        classifier: of attributes: a shipped one's name, a path, or any torch module; otherwise the survey's.

    Raises:
        UserError: for a label that the model does not take.
    """

    def __init__(
        self, path: Path, snapshot: Snapshot, label: Label | None = None, classifier: AnyClassifier | None = None
    ) -> None:
        self.path, self.snapshot = path, snapshot
        self.generator, self.card = snapshot.generator, snapshot.card
        self._given = classifier
        self._label = None if label is None else as_label(label, self.generator.label_dim, self.card)

    @property
    def reference(self) -> str | Path:
        """What commands call the model: the name of a shipped one, its address on the hub, else its folder."""
        address = address_of(self.path)
        if address is not None:
            return str(address)
        return self.path.name if self.path.parent == MODELS else self.path

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.generator.device

    @cached_property
    def weights(self) -> str:
        """Fingerprint of the generator's weights."""
        return fingerprint(self.generator)

    @property
    def label_names(self) -> Sequence[str]:
        """Names of the label's columns."""
        return self.card.data.label_names if self.card.data else ()

    @property
    def has_label(self) -> bool:
        """Whether a label was given."""
        return self._label is not None

    @property
    def condition(self) -> Condition:
        """The label [1, L] of this model, which an unconditional one has none of.

        Raises:
            UserError: when the model is conditional and no label was given.
        """
        label = self._label
        if label is None and self.generator.label_dim:
            label = parse_label(None, self.generator.label_dim, self.card.data)
        return Condition(label=None if label is None else label.to(self.device))

    @property
    def told(self) -> OneLabel | None:
        """The label that was given, as metrics take it."""
        return None if self._label is None else OneLabel(self._label, label_text(self._label[0], self.label_names))

    @cached_property
    def classifier(self) -> AttributeClassifier:
        """The attribute classifier that was given, or that the survey was made with.

        Raises:
            UserError: when there is none.
        """
        given = self._given if self._given is not None else self.remembered
        if given is None:
            line = command("survey", self.reference, "--classifier", "PATH")
            raise UserError(
                f"no attribute classifier is known for {self.reference}; the survey, which most work on genes needs, "
                f"takes and remembers it: {line} (or a shipped one: {', '.join(shipped_classifiers())})"
            )
        return self.judge(given)

    def judge(self, given: AnyClassifier) -> AttributeClassifier:
        """An attribute classifier of the model's pictures: a shipped one's name, a path, or any torch module.

        Raises:
            UserError: when there is none, or a module does not say what its outputs are.
        """
        if not isinstance(given, nn.Module):
            return load_classifier(str(given), self.device)
        hashed = fingerprint(given)
        return scorer_of(given.to(self.device), self.generator.synthesis.resolution, hashed)

    @cached_property
    def study(self) -> GeneStudy:
        """Survey, statistics and exhibits, and where they lie.

        That is `genes` in the snapshot; for a model of the package or of the hub's cache, which is not ours to write
        into, a folder in the current one. What holds for one label lies in a folder of its own, and where nothing was
        surveyed under that label the statistics over all labels count.
        """
        # The fingerprint keeps the exhibits of two releases of one model apart.
        address = address_of(self.path)
        name = self.path.name if address is None else address.repo.replace("/", "-")
        foreign = self.path.parent == MODELS or address is not None
        folder = Path(f"{name}-genes-{self.weights[:8]}") if foreign else self.path / "genes"
        given = [folder, self.path / "genes"]
        drawing = DrawSettings()
        if self._label is not None:
            drawing = DrawSettings(condition=self.condition)
            folder = folder / _folder_name(label_text(self._label[0], self.label_names))
            given = [folder, *given]
        known = shipped_classifiers()
        return GeneStudy(
            self.reference, self.card.name, self.generator, drawing, folder, given, lambda: self.classifier, known
        )

    @property
    def statistics(self) -> VariantStatistics:
        """The variant statistics of the survey, or of the summary that came with the model."""
        return self.study.statistics

    @property
    def plain_drawing(self) -> DrawSettings:
        """Stored noise, no truncation, the label."""
        return DrawSettings(condition=self.condition)

    @property
    def shown_origin(self) -> Origin:
        """What exhibits say about their pictures: of a conditional model without a label no more than its name."""
        known = self.has_label or not self.generator.label_dim
        return self.origin() if known else Origin(self.card.name, self.weights)

    def origin(self, drawing: DrawSettings | None = None, more: Mapping[str, str] | None = None) -> Origin:
        """What files say about pictures that were drawn with these settings, or plainly."""
        return origin_of(self.card.name, self.weights, drawing or self.plain_drawing, self.label_names, more)

    def foreign(self, recorded: Origin | None) -> str:
        """What to say where other weights drew the codes of a file; "" where these did, or it is not known."""
        return (recorded and recorded.warning(self.card.name, self.weights)) or ""

    def drawing(
        self,
        recorded: Origin | None,
        psi: float | str | None,
        noise: str | None,
        view: Mapping[str, float] | None = None,
    ) -> tuple[DrawSettings, list[str]]:
        """How to draw: as it was asked, else as the file of the codes says, else plainly; and what to say about it.

        Args:
            recorded: what the file of the codes says, or None.
            psi: truncation, 0.7, or "0.7:8" for the 8 leading layers; None was not asked for.
            noise: `const`, `random` or `none`; None was not asked for.
            view: yaw, pitch and fov in degrees, for a 3D model; None or empty was not asked for.
        """
        used = []
        value, mode = psi, noise
        if recorded is not None and psi is None and recorded.psi != "1":
            value, used = recorded.psi, [f"psi {recorded.psi}"]
        if recorded is not None and noise is None and recorded.noise != "const":
            mode, used = recorded.noise, [*used, f"noise {recorded.noise}"]
        condition = self._label
        if recorded is not None and recorded.labels and condition is None and self.generator.label_dim:
            condition = parse_labels(recorded.labels, self.generator.label_dim, self.card.data)
            used.append(f"label {', '.join(recorded.labels)}")
        shown = self.condition if condition is None else Condition(label=condition.to(self.device))
        kept = (
            {key: float(recorded.more[key.capitalize()]) for key in VIEW if key.capitalize() in recorded.more}
            if (recorded is not None and not view)
            else {}
        )
        used += [f"{key} {angle:g}" for key, angle in kept.items()]
        camera = self.camera(view or kept)
        shown = Condition(shown.label, camera)
        number, cutoff = parse_psi("1" if value is None else psi_text(value))
        layers = self.generator.synthesis.num_ws
        if psi is not None and cutoff is not None and cutoff > layers:
            raise UserError(f"psi {psi} names {cutoff} leading layers; this model has {layers}")
        drawing = DrawSettings(number, cutoff, parse_noise(mode or "const"), shown)
        return drawing, [f"drawn as the file says: {', '.join(used)}"] if used else []

    def camera(self, view: Mapping[str, float]) -> torch.Tensor | None:
        """The camera [1, 25] of a view by yaw, pitch and fov in degrees; None where nothing of it is given.

        Raises:
            UserError: for a model that is flat, or what is no view.
        """
        if not view:
            return None
        if not isinstance(view, Mapping) or set(view) - set(VIEW):
            raise UserError(f"a view is {', '.join(VIEW)} by name, in degrees; got {shown(repr(view))}")
        if not all(isinstance(angle, Real) for angle in view.values()):
            raise UserError(f"the angles of a view are numbers of degrees; got {shown(repr(view))}")
        return self.generator.synthesis.camera_at(view.get("yaw", 0.0), view.get("pitch", 0.0), view.get("fov"))

    def genotype(self, code: Codes | None, seed: int) -> torch.Tensor:
        """The genotype [G] of a code, or of a seed.

        Raises:
            UserError: when the latent is continuous, or the code is another model's.
        """
        genome = self.study.genome
        _ = self.condition
        if code is None:
            return codes_of_seeds(self.generator, [seed])[0].cpu()
        return genome.from_strings(self.taken(code)[:1])[0].cpu()

    def taken(self, codes: Codes, *, many: bool = False) -> list[str]:
        """Code strings for work that draws plainly, one or `many`; what it does not take of a file is logged.

        Raises:
            UserError: as `as_codes`.
        """
        found = as_codes(self.generator, codes)
        origin = found.origin or Origin("")
        left = [foreign] if (foreign := self.foreign(found.origin)) else []
        if (origin.psi, origin.noise) != ("1", "const"):
            left.append(
                f"the file's psi {origin.psi} and noise {origin.noise} are not taken: genes are worked on plainly"
            )
        if len(found.codes) > 1 and not many:
            left.append(f"the first of {len(found.codes)} codes is taken")
        for sentence in left:
            log.warning("%s", sentence)
        return found.codes

    def editor(self, genes: int, rank: float, hold: Constraints, method: str) -> Editor:
        """A function that edits genotypes; see `analysis.editing.editor`.

        `genes` may change for each wish, by `rank` (0 to 1) along their ordered variants; `hold` is left alone, and
        `method` is `checked` or `statistics`.
        """
        return editor(self.study.labeler, self.study.report, Strength(genes, rank), hold, method)

    def real(self, data: str | PathLike[str] | Dataset | None = None) -> Dataset:
        """Real pictures: the data given, by name or opened in the model's size, or those that it was trained on.

        Raises:
            UserError: when neither is known.
        """
        synthesis = self.generator.synthesis
        if isinstance(data, Dataset):
            return data
        return open_real(self.card, None if data is None else str(data), synthesis.resolution, synthesis.image_channels)

    def survey_labels(self, source: str | None) -> torch.Tensor | None:
        """The rows [M, L] that a survey of this model draws from: its label, the data's, or all classes alike.

        Raises:
            UserError: for labels that the model does not take.
        """
        dim = self.generator.label_dim
        if not dim:
            if source is not None:
                raise UserError(f"--labels {source}: this model takes no labels")
            return None
        if self._label is not None:
            if source is not None:
                raise UserError(f"--label and --labels {source}: give one label, or a source of many")
            return self._label
        if source == "uniform":
            return torch.eye(dim)
        data = self.real(source)
        if data.label_dim != dim:
            raise UserError(
                f"{data.source} has {data.label_dim} labels, the model takes {dim}; give its own data with --labels, "
                "or --labels uniform"
            )
        return data.labels(range(len(data)))

    @property
    def remembered(self) -> str | None:
        """Name or path of the classifier that the survey was made with, where it is known."""
        notes = [folder / "classifier.json" for folder in self.study.given]
        found = [(note, read_record(note, Remembered).path) for note in notes if note.exists()]
        # Of a stranger's note only names are taken: it must not lead to a file of this machine.
        downloaded = self.path if address_of(self.path) is not None else None
        return next((at for note, at in found if downloaded not in note.parents or at in shipped_classifiers()), None)

    def remember_classifier(self) -> None:
        """Let later work on this model find the classifier that was given, where it can be found again."""
        if self._given is None or isinstance(self._given, nn.Module):
            return
        given = find_classifier(Path(self._given))
        shipped = given.parent == MODELS
        place = str(address_of(given) or (given.name if shipped else given.resolve()))
        write_json(self.study.folder / "classifier.json", {"path": place})


def view_text(recorded: Origin | None, view: Mapping[str, float] | None) -> dict[str, str]:
    """A view as a file says it: the one given, else the recorded one."""
    if view:
        return {key.capitalize(): f"{value:g}" for key, value in view.items()}
    more = {} if recorded is None else recorded.more
    return {key.capitalize(): more[key.capitalize()] for key in VIEW if key.capitalize() in more}


def _folder_name(label: str) -> str:
    """A folder for a label; what a file name cannot hold is told apart by a check sum."""
    plain = re.sub(r"[^\w.=,+-]", "_", label)[:60]
    return f"label-{plain}" if plain == label else f"label-{plain}-{zlib.crc32(label.encode()):08x}"
