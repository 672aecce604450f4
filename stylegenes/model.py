"""A model to work with: whatever is asked of it; commands, notebooks and pages are its callers.

model = stylegenes.open("avatars32")
model.sample(16).save("faces.png")
model.edit("Eyeglasses=1", seed=3)
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from stylegenes.choice import Choice
from stylegenes.devices import pick_device
from stylegenes.drawing import Way, codes_of_seeds
from stylegenes.latents import genome_of
from stylegenes.loaded import AnyClassifier, Codes, Label, Seeds, as_codes, as_seeds, view_text
from stylegenes.notation import parse_hold, parse_seeds
from stylegenes.sheets import Sheet
from stylegenes.snapshot import find_snapshot, load_snapshot, place_for_snapshot, save_snapshot
from stylegenes.studio import Studio
from stylegenes.styles import check_texts, is_plain

if TYPE_CHECKING:
    from stylegenes.analysis.outcomes import Bred, EditedPicture, Importance
    from stylegenes.analysis.surveying import Surveyed, SurveySettings
    from stylegenes.data.decode import Fit
    from stylegenes.inversion.inversion import Inversion, InversionSettings
    from stylegenes.inversion.photos import Photos
    from stylegenes.inversion.posing import GivenCameras
    from stylegenes.metrics.evaluating import Evaluation

OnProgress = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and of how much."""


def _silent(what: str, done: int, total: int) -> None:
    """Shows no progress."""


def open_model(
    name: str | PathLike[str],
    *,
    label: Label | None = None,
    classifier: AnyClassifier | None = None,
    device: str = "auto",
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


class Model(Studio):
    """A generator with all that is known of it, and what can be done with it.

    Everything is loaded or computed once, when it is first asked for. Pictures are drawn one by one, so that a code has
    the very same pixels whoever asks for it. Nothing here knows of threads or of the command line.
    """

    def choose(
        self,
        count: int = 16,
        *,
        seeds: Seeds | None = None,
        codes: Codes | None = None,
        where: str | None = None,
        temperature: float = 0.5,
        psi: float | str | None = None,
        noise: str | None = None,
        view: Mapping[str, float] | None = None,
    ) -> Choice:
        """Codes and how to draw them, without drawing them yet; the arguments are those of `sample`.

        Raises:
            UserError: as `sample`.
        """
        found = as_codes(self.generator, codes)
        drawing, notes = self.drawing(found.origin, psi, noise, view)
        more = {} if drawing.condition.camera is None else view_text(found.origin, view)
        texts: list[str] = []
        if codes is not None:
            names, styled = [one[:10] for one in found.codes], not all(map(is_plain, found.codes))
            texts = found.codes if styled else []
            code = self.generator.latent.from_strings([] if styled else found.codes)
            check_texts(self.generator, texts)
        else:
            chosen = list(range(count)) if seeds is None else as_seeds(seeds)
            names = [f"seed {seed}" for seed in chosen]
            code = codes_of_seeds(self.generator, chosen)
            if where is not None:
                code, sentence = self.study.wished(where, temperature, chosen, drawing)
                more, notes = {**more, "Where": where, "Temperature": f"{temperature:g}"}, [*notes, sentence]
        origin = self.origin(drawing, more)
        if found.origin is not None and (warning := found.origin.warning(origin.model, origin.weights)):
            notes = [f"note: {warning}", *notes]
        return Choice(self.generator, code, names, drawing, origin, notes, texts)

    def sample(
        self,
        count: int = 16,
        *,
        seeds: Seeds | None = None,
        codes: Codes | None = None,
        where: str | None = None,
        temperature: float = 0.5,
        psi: float | str | None = None,
        noise: str | None = None,
        view: Mapping[str, float] | None = None,
    ) -> Sheet:
        """Pictures of seeds, of codes, or by wish.

        Args:
            count: pictures of seeds 0, 1, 2, ... where nothing else says which.
            seeds: one number, several, or text like `0-15,20`.
            codes: code strings, a sheet, codes [N, ...], or a file that carries codes; a file's psi, noise and label
                count where they are not given here.
            where: wishes like `Smiling=1,Eyeglasses=0`; needs a survey.
            temperature: of the wishes: lower is more accurate and less varied.
            psi: truncation, 0.7, or "0.7:8" for the 8 leading layers.
            noise: `const`, `random` or `none`.
            view: yaw, pitch and fov in degrees, for a 3D model.

        Raises:
            UserError: for codes of another model, unknown attributes, or a missing label or survey.
        """
        picked = {"seeds": seeds, "codes": codes, "where": where, "temperature": temperature}
        return self.choose(count, **picked, psi=psi, noise=noise, view=view).samples()

    def draw(self, codes: Codes, *, psi: float | str | None = None, noise: str | None = None) -> Sheet:
        """Pictures of codes; see `sample`."""
        return self.sample(codes=codes, psi=psi, noise=noise)

    def mix(
        self, band: str = "all", count: int = 8, *, seeds: Seeds | None = None, codes: Codes | None = None
    ) -> Sheet:
        """Style mixing: rows from the first half of the codes, with coarse, middle, fine or all styles of the others.

        Raises:
            UserError: for fewer than two codes, or a network without such layers.
        """
        return self.choose(count, seeds=seeds, codes=codes).mixing(band)

    def interpolate(
        self,
        steps: int = 8,
        count: int = 4,
        *,
        seeds: Seeds | None = None,
        codes: Codes | None = None,
        ways: Sequence[Way] = ("own",),
        moving: bool = False,
    ) -> Sheet:
        """The way from each code to the next; `moving` gives the frames of an endless animation, to be saved as .gif.

        Raises:
            UserError: for fewer than two codes.
        """
        return self.choose(count, seeds=seeds, codes=codes).interpolation(steps, ways, moving=moving)

    def survey(
        self, settings: SurveySettings | None = None, *, labels: str | None = None, on_progress: OnProgress = _silent
    ) -> Surveyed:
        """Draw and classify many pictures, or go on with it: what all work on genes needs, once.

        Args:
            settings: how many, and how.
            labels: for a conditional model without a label: data to draw labels from, or `uniform`.
            on_progress: called with what is done, how much of it, and of how much.

        Raises:
            UserError: without a classifier, or when the folder holds another survey.
        """
        from stylegenes.analysis.surveying import SurveySettings, survey_genes

        rows, settings = self.survey_labels(labels), settings or SurveySettings()
        found = survey_genes(self.study, self.snapshot.discriminator, rows, settings, on_progress)
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
        wishes: str,
        *,
        seed: int = 0,
        code: Codes | None = None,
        genes: int = 4,
        rank: float = 1.0,
        hold: str = "",
        method: str = "checked",
    ) -> EditedPicture:
        """Change attributes of one picture by its genes, and say what else changed.

        Args:
            wishes: like `Smiling=1,Hat=0`.
            seed: of the picture, where no code is given.
            code: the picture's genotype.
            genes: genes that may change for each attribute.
            rank: how far along the ordered variants, from 0 to 1.
            hold: attributes and numbers of genes to leave alone, like `Young,3,20-25`.
            method: `checked` looks at each exchange, `statistics` goes by the survey alone.

        Raises:
            UserError: for unknown attributes or genes, without a genome or a survey.
        """
        from stylegenes.analysis.outcomes import edit_picture
        from stylegenes.analysis.wishes import parse_where

        names = self.study.statistics.attributes
        make = self.editor(genes, rank, parse_hold(hold, names), method)
        return edit_picture(self.study, self.origin(), self.genotype(code, seed), parse_where(wishes, names), make)

    def breed(
        self,
        parents: Codes | None = None,
        *,
        count: int | None = None,
        cross: str = "uniform",
        mutation: float = 0.02,
        generations: int = 0,
        fitness: str | None = None,
        seed: int = 0,
    ) -> Bred:
        """Children of two parents, or generations under selection.

        Args:
            parents: seeds like `3,8` or codes of two parents, or of any number of founders; else they are drawn.
            count: children (12), or individuals of a generation (32).
            cross: `uniform`, `block`, or the genes that come from the second parent, like `0-7,12`.
            mutation: chance of every gene to mutate.
            generations: of selection.
            fitness: what is selected for, like `Smiling=1,Hat=0`.
            seed: of all chance.

        Raises:
            UserError: for parents that cannot be read, without a genome, or without a classifier to select by.
        """
        from stylegenes.analysis.breeding import CROSSES
        from stylegenes.analysis.outcomes import Breeding, breed

        genes = None if cross in CROSSES else parse_seeds(cross, "genes")
        way = Breeding(cross if genes is None else "uniform", genes, mutation, count, generations, fitness, seed)
        founders = None if parents is None else self._founders(parents)
        return breed(self.study, self.origin(), founders, way)

    def _founders(self, parents: Codes) -> torch.Tensor:
        if isinstance(parents, str) and all(part.strip().replace("-", "").isdecimal() for part in parents.split(",")):
            return codes_of_seeds(self.generator, as_seeds(parents)).cpu()
        return self.generator.latent.from_strings(as_codes(self.generator, parents).codes).cpu()

    def invert(
        self,
        photos: str | PathLike[str] | Sequence[str | PathLike[str]] | Photos,
        settings: InversionSettings | None = None,
        *,
        fit: Fit = "crop",
        cameras: GivenCameras | None = None,
        view: Mapping[str, float] | None = None,
        work: Path | None = None,
        on_progress: OnProgress = _silent,
        on_note: Callable[[str], None] = lambda text: None,
    ) -> Inversion:
        """Bring photos into the model.

        Args:
            photos: image files, or folders of them; or what `targets` made of them.
            settings: space, steps and so on.
            fit: `crop` takes the central square, `letterbox` keeps all.
            cameras: of a 3D model: 25 numbers, a row for each photo, or a file of cameras that names the photos.
            view: of a 3D model: yaw, pitch and fov in degrees of all photos; where neither these nor cameras are given,
                cameras are sought together with the code, at the model's fov or the one given here.
            work: folder that keeps the state, so that the same call goes on; None keeps nothing.
            on_progress: called with what is done, how much of it, and of how much.
            on_note: called with a sentence now and then.

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
            work=work,
            on_progress=on_progress,
            on_note=on_note,
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
        data: str | None = None,
        metrics: str = "fd",
        *,
        num: int | None = None,
        extractor: str = "lite0",
        psi: float = 1.0,
        seed: int = 0,
        on_progress: OnProgress = _silent,
    ) -> Evaluation:
        """Measure the model against data.

        Args:
            data: the reals: a folder, zip, LMDB, or `avatars`; the data that it was trained on where nothing is given.
            metrics: names with commas between: fd, kid, pr, dc, ppl, separability, ...
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

        subject = Subject(str(self.reference), generator=self.generator)
        classifier = self.classifier if self._given is not None or self.remembered is not None else None
        options = {"extractor": extractor, "classifier": classifier, "num": num, "psi": psi, "seed": seed}
        found = evaluate(
            subject, self.real(data), metric_names(metrics), device=self.device, on_progress=on_progress, **options
        )
        return Evaluation(list(found))

    def export(
        self, path: str | PathLike[str], *, psi: float = 1.0, view: Mapping[str, float] | None = None
    ) -> float | None:
        """Write an ONNX file that needs neither torch nor stylegenes, and compare it with the model.

        Args:
            path: the file to write.
            psi: truncation that is built in.
            view: yaw, pitch and fov in degrees that all pictures of a 3D model are seen from; else cameras go in.

        Returns:
            The largest difference that ONNX Runtime shows, or None where it is not installed.

        Raises:
            UserError: without the package onnx, or when the two disagree.
        """
        from stylegenes.interop.onnx import check_onnx, export_onnx

        generator, camera = copy.deepcopy(self.generator).to("cpu"), self.camera(view or {})
        return check_onnx(generator, export_onnx(generator, Path(path), psi=psi, camera=camera), psi=psi, camera=camera)

    def save(self, path: str | PathLike[str], *, half: bool = False) -> Path:
        """Write the snapshot into a folder, in half precision if wanted.

        Raises:
            UserError: where the folder holds anything but a snapshot.
        """
        place = place_for_snapshot(path)
        return save_snapshot(place, self.generator, self.card, discriminator=self.snapshot.discriminator, half=half)
