"""A model to work with: whatever is asked of it; commands, notebooks and pages are its callers.

model = stylegenes.open("avatars32")
model.sample(16).save("faces.png")
model.edit("Eyeglasses=1", seed=3)
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, cast

import numpy as np
import torch

from stylegenes.analyses import Analyses
from stylegenes.analysis.wishes import Wished, parse_where, wish_text
from stylegenes.arguments import Codes, Label, Seeds, as_seeds
from stylegenes.devices import Device, pick_device
from stylegenes.drawing import codes_of_seeds
from stylegenes.errors import only_one
from stylegenes.latents import genome_of
from stylegenes.loaded import AnyClassifier
from stylegenes.notation import parse_hold, parse_seeds
from stylegenes.progress import OnProgress, silent
from stylegenes.snapshot import find_snapshot, load_snapshot, place_for_snapshot, save_snapshot
from stylegenes.words import joined

if TYPE_CHECKING:
    from stylegenes.analysis.breeding import Fitness
    from stylegenes.analysis.outcomes import Bred, EditedPicture, Importance
    from stylegenes.analysis.surveying import Surveyed, SurveySettings
    from stylegenes.data import Dataset
    from stylegenes.data.decode import Fit
    from stylegenes.interop.exporting import Given
    from stylegenes.inversion.inversion import Inversion, InversionSettings
    from stylegenes.inversion.photos import Photos
    from stylegenes.inversion.posing import GivenCameras
    from stylegenes.metrics.evaluating import Evaluation
    from stylegenes.shares import Share


def open_model(
    name: str | PathLike[str],
    *,
    label: Label | None = None,
    classifier: AnyClassifier | None = None,
    device: Device = "auto",
) -> Model:
    """Load a model to work with.

    Args:
        name: a snapshot folder, a run folder (its newest snapshot), a shipped model's name, or `hf://owner/name`.
        label: what a conditional model draws: a column's number, names like `Smiling,Male=0.5`, or L numbers.
        classifier: of attributes: a shipped one's name, a path, or any torch module; otherwise the survey's.
        device: `auto` takes the fastest there is.

    Raises:
        UserError: for a bad snapshot, label or device.
    """
    path = find_snapshot(name)
    return Model(path, load_snapshot(path, pick_device(device)), label, classifier)


class Model(Analyses):
    """A generator with all that is known of it, and what can be done with it.

    Everything is loaded or computed once, when it is first asked for. Pictures are drawn one by one, so that a code has
    the very same pixels whoever asks for it. Nothing here knows of threads or of the command line.
    """

    def __repr__(self) -> str:
        latent, synthesis = self.generator.latent.spec["name"], self.generator.synthesis
        return f"{self.card.name}: {synthesis.spec['name']} of {synthesis.resolution} px by {latent}, on {self.device}"

    def survey(
        self,
        settings: SurveySettings | None = None,
        *,
        labels: str | None = None,
        on_progress: OnProgress = silent,
        share: Share | None = None,
    ) -> Surveyed:
        """Draw and classify many pictures, or go on with it: what all work on genes needs, once.

        Args:
            settings: how many, and how.
            labels: for a conditional model without a label: data to draw labels from, or `uniform`.
            on_progress: called with what is done, how much of it, and of how much.
            share: of several processes, see `sharing.share_out`; the first alone returns.

        Raises:
            UserError: without a classifier, or when the folder holds another survey.
        """
        from stylegenes.analysis.surveying import SurveySettings, survey_genes

        rows, settings = self.survey_labels(labels), settings or SurveySettings()
        found = survey_genes(self.study, self.snapshot.discriminator, rows, settings, on_progress, share)
        self.remember_classifier()
        self.__dict__["study"] = found.study
        return found

    def importance(self) -> Importance:
        """Which genes matter for which attribute.

        Raises:
            UserError: without a genome or a survey.
        """
        from stylegenes.analysis.outcomes import importance_of

        return importance_of(self.study)

    def edit(
        self,
        wishes: Wished,
        *,
        seed: int | None = None,
        code: Codes | None = None,
        genes: int = 4,
        rank: float = 1.0,
        hold: str | Sequence[str | int] = "",
        method: str = "checked",
    ) -> EditedPicture:
        """Change attributes of one picture by its genes, and say what else changed.

        Args:
            wishes: like `Smiling=1,Hat=0`, or `{"Smiling": 1, "Hat": 0}`.
            seed: of the picture; 0 where neither it nor a code is given.
            code: the picture's genotype.
            genes: genes that may change for each attribute.
            rank: how far along the ordered variants, from 0 to 1.
            hold: attributes and numbers of genes to leave alone, like `Young,3,20-25` or `["Young", 3]`.
            method: `checked` looks at each exchange, `statistics` goes by the survey alone.

        Raises:
            UserError: for unknown attributes or genes, without a genome or a survey.
        """
        from stylegenes.analysis.outcomes import edit_picture

        only_one("which picture to edit", seed=seed, code=code)
        names = self.study.statistics.attributes
        make = self.editor(genes, rank, parse_hold(hold, names), method)
        return edit_picture(
            self.study,
            self.origin(),
            self.genotype(code, 0 if seed is None else seed),
            parse_where(wish_text(wishes), names),
            make,
        )

    def breed(
        self,
        parents: Codes | Seeds | None = None,
        *,
        count: int | None = None,
        cross: str = "uniform",
        mutation: float = 0.02,
        generations: int = 0,
        fitness: Wished | Fitness | None = None,
        seed: int = 0,
    ) -> Bred:
        """Children of two parents, or generations under selection.

        Args:
            parents: seeds like `3,8` or [3, 8], or codes of two, or of any number of founders; else they are drawn.
            count: children (12), or individuals of a generation (32).
            cross: `uniform`, `block`, or the genes that come from the second parent, like `0-7,12`.
            mutation: chance of every gene to mutate.
            generations: of selection.
            fitness: what is selected for: wishes like `Smiling=1,Hat=0`, or a function from genotypes [n, G] to numbers
                [n], more of which is fitter.
            seed: of all chance.

        Raises:
            UserError: for parents that cannot be read, without a genome, or without a classifier to select by.
        """
        from stylegenes.analysis.outcomes import Breeding, breed

        cross = joined("genes", cross)
        genes = parse_seeds(cross, "genes") if re.match(r"\s*\d", cross) else None
        goal = fitness if fitness is None or callable(fitness) else wish_text(fitness)
        way = Breeding(cross if genes is None else "uniform", genes, mutation, count, generations, goal, seed)
        founders = None if parents is None else self._founders(parents)
        return breed(self.study, self.origin(), founders, way)

    def _founders(self, parents: Codes | Seeds) -> torch.Tensor:
        numbers = isinstance(parents, str) and all(p.strip().replace("-", "").isdecimal() for p in parents.split(","))
        if numbers or (isinstance(parents, Sequence | np.ndarray | torch.Tensor) and _are_numbers(parents)):
            return codes_of_seeds(self.generator, as_seeds(cast(Seeds, parents))).cpu()
        return self.generator.latent.from_strings(self.taken(cast(Codes, parents), many=True)).cpu()

    def invert(
        self,
        photos: str | PathLike[str] | Sequence[str | PathLike[str]] | Photos,
        settings: InversionSettings | None = None,
        *,
        fit: Fit = "crop",
        cameras: GivenCameras | None = None,
        view: Mapping[str, float] | None = None,
        work: str | PathLike[str] | None = None,
        on_progress: OnProgress = silent,
        on_note: Callable[[str], None] = lambda text: None,
        share: Share | None = None,
    ) -> Inversion:
        """Bring photos into the model.

        Args:
            photos: image files, or folders of them; or what `targets` made of them.
            settings: space, steps and so on.
            fit: `crop` takes the central part of the model's shape, `letterbox` keeps all.
            cameras: of a 3D model: 25 numbers, a row for each photo, or a file of cameras that names the photos.
            view: of a 3D model: yaw, pitch and fov in degrees of all photos; where neither these nor cameras are given,
                cameras are sought together with the code, at the model's fov or the one given here.
            work: folder that keeps the state, so that the same call goes on; None keeps nothing.
            on_progress: called with what is done, how much of it, and of how much.
            on_note: called with a sentence now and then.
            share: of several processes, see `sharing.share_out`; the first alone returns.

        Raises:
            UserError: for unusable photos or cameras, or a space that the model does not have.
        """
        from stylegenes.inversion.cameras import CameraSettings
        from stylegenes.inversion.inversion import InversionSettings
        from stylegenes.inversion.invert import invert
        from stylegenes.inversion.objective import Objective
        from stylegenes.inversion.photos import Photos
        from stylegenes.inversion.posing import given_cameras
        from stylegenes.perception import reported_distance

        condition, how = self.condition, settings or InversionSettings()
        found = photos if isinstance(photos, Photos) else self.targets(photos, how, fit)
        seen = given_cameras(found, cameras, view or {}, self.camera)
        for sentence in found.notes:
            on_note(sentence)
        objective = Objective(reported_distance(self.device))
        return invert(
            self.generator,
            found,
            how,
            objective,
            condition=condition,
            cameras=seen,
            search=CameraSettings(fov=(view or {}).get("fov")),
            name=self.card.name,
            work=None if work is None else Path(work),
            on_progress=on_progress,
            on_note=on_note,
            share=share,
        )

    def targets(
        self,
        photos: str | PathLike[str] | Sequence[str | PathLike[str]],
        settings: InversionSettings | None = None,
        fit: Fit = "crop",
    ) -> Photos:
        """Photos at the model's size, before anything is computed; see `invert`."""
        from stylegenes.inversion.photos import load_photos

        if settings is not None and settings.discrete:
            genome_of(self.generator.latent, f"--space {settings.space}")
        paths = [photos] if isinstance(photos, str | PathLike) else photos
        size = self.generator.synthesis.resolution, self.generator.synthesis.image_channels
        return load_photos([Path(path) for path in paths], resolution=size[0], channels=size[1], fit=fit)

    def evaluate(
        self,
        data: str | PathLike[str] | Dataset | None = None,
        metrics: str | Sequence[str] = "fd",
        *,
        num: int | None = None,
        extractor: str = "lite0",
        psi: float = 1.0,
        seed: int = 0,
        on_progress: OnProgress = silent,
    ) -> Evaluation:
        """Measure the model against data.

        Args:
            data: the reals: a folder, zip, LMDB, `avatars`, or a data set that is open; the data that it was trained on
                where nothing is given.
            metrics: names with commas between, or a list of them: fd, kid, pr, dc, ppl, separability, ...
            num: pictures; 50,000 on a GPU and 2,000 elsewhere where nothing is given.
            extractor: the frozen network that results are named after.
            psi: truncation.
            seed: of all draws.
            on_progress: called with what is done, how much of it, and of how much.

        Raises:
            UserError: for what cannot be measured.
        """
        from stylegenes.metrics.evaluating import Evaluation, evaluate, metric_names
        from stylegenes.metrics.evaluation import Subject

        names = metric_names(joined("metrics", metrics))
        subject = Subject(str(self.reference), generator=self.generator)
        classifier = self.classifier if self._given is not None or self.remembered is not None else None
        options = {"extractor": extractor, "classifier": classifier, "num": num, "psi": psi, "seed": seed}
        options["labels"] = self.told
        found = evaluate(
            subject,
            self.real(data),
            names,
            device=self.device,
            on_progress=on_progress,
            **options,
        )
        return Evaluation(list(found))

    def export(
        self,
        path: str | PathLike[str],
        *,
        psi: float = 1.0,
        given: Given = "code",
        raw: bool = False,
        view: Mapping[str, float] | None = None,
    ) -> float | None:
        """Write a file that runs without stylegenes, read it again and compare it with the model.

        Args:
            path: the file to write: `.onnx`, or `.pt2` for a program of `torch.export`.
            psi: truncation that is built in.
            given: what goes in: `code`, style vectors `w`, or `ws` with one for every layer.
            raw: leave pictures as the network makes them, which is a little beyond [-1, 1].
            view: yaw, pitch and fov in degrees that all pictures of a 3D model are seen from; else cameras go in.

        Returns:
            The largest difference of a pixel, relative to the largest value; None for ONNX without ONNX Runtime.

        Raises:
            UserError: for another ending, without the package onnx, for a network that cannot be exported, or when
                file and model disagree.
        """
        from stylegenes.interop.exporting import PlainGenerator
        from stylegenes.interop.formats import export_file

        generator, camera = copy.deepcopy(self.generator).to("cpu"), self.camera(view or {})
        flat = PlainGenerator(generator, psi, given, not raw, camera)
        return export_file(flat, Path(path), card=self.card)

    def save(self, path: str | PathLike[str], *, half: bool = False) -> Path:
        """Write the snapshot into a folder, in half precision if wanted.

        Raises:
            UserError: where the folder holds anything but a snapshot.
        """
        place = place_for_snapshot(path)
        return save_snapshot(place, self.generator, self.card, discriminator=self.snapshot.discriminator, half=half)


def _are_numbers(parents: Sequence[object] | np.ndarray | torch.Tensor) -> bool:
    """Whether these are seeds, and not code strings or genotypes [N, G]."""
    return len(parents) > 0 and all(isinstance(one, SupportsIndex) and not np.ndim(cast(Any, one)) for one in parents)
