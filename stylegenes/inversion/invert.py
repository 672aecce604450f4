"""Photos into a model: project, quantize to genotypes, tune; and what came of it as one record."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stylegenes.cameras import stands_of
from stylegenes.drawing import DrawSettings, draw, draw_ws
from stylegenes.errors import UserError
from stylegenes.files import read_object, write_json
from stylegenes.generator import Generator
from stylegenes.inversion.calibration import Calibration, calibrate
from stylegenes.inversion.cameras import CameraSettings, sight
from stylegenes.inversion.codebook import invert_into_codebook
from stylegenes.inversion.inversion import Inversion, InversionSettings
from stylegenes.inversion.objective import Objective
from stylegenes.inversion.photos import Photos
from stylegenes.inversion.pivotal import tune_around_pivots
from stylegenes.inversion.projection import Projection, Projector
from stylegenes.inversion.quantize import Quantization, best_quantization, compare_quantizations
from stylegenes.inversion.tuning import Tuned, TuningSettings
from stylegenes.latents import genome_of
from stylegenes.pictures import grid, save_picture, to_uint8, visible_scale
from stylegenes.processes import held_back
from stylegenes.progress import OnProgress, silent
from stylegenes.records import Condition, spread
from stylegenes.shares import Share
from stylegenes.sheets import Origin
from stylegenes.survey import fingerprint

OnNote = Callable[[str], None]
OnStyles = Callable[[torch.Tensor], None]

_PREVIEW_SECONDS, _SAVE_SECONDS = 3.0, 10.0


def invert(
    generator: Generator,
    photos: Photos,
    settings: InversionSettings,
    objective: Objective,
    *,
    condition: Condition | None = None,
    cameras: torch.Tensor | None = None,
    search: CameraSettings | None = None,
    name: str = "model",
    work: Path | None = None,
    on_progress: OnProgress = silent,
    on_note: OnNote = lambda text: None,
    on_styles: OnStyles = lambda ws: None,
    share: Share | None = None,
) -> Inversion:
    """Bring photos into a model; the same call with the same `work` goes on where it was stopped.

    Args:
        generator: the model, in evaluation mode.
        photos: the targets.
        settings: how.
        objective: what is minimized.
        condition: one row, for a model with labels.
        cameras: [N, 25], through which a 3D model sees the photos; where None, they are sought with the code.
        search: how they are sought.
        name: of the model, for what files say.
        work: folder that keeps the state, a calibration and progress.png; None keeps nothing.
        on_progress: called with what is done, steps done and all steps.
        on_note: called with a sentence now and then.
        on_styles: called with the style vectors [N, num_ws, w_dim] of a batch after each step of its projection.
        share: of several processes, which meet in `work`: they divide the batches, and the first alone returns.

    Raises:
        UserError: for a space that the model does not have, a state of other photos in `work`, or cameras for a model
            that makes flat pictures.
    """
    if cameras is not None:
        generator.synthesis.camera_at(0.0, 0.0)
    if settings.discrete:
        genome_of(generator.latent, f"--space {settings.space}")
    share = share or Share()
    if share.count > 1:
        if work is None:
            raise UserError("processes that share an inversion need a folder to meet in")
        share.meet_in(work)
    job = _Job(generator, photos, objective, settings, condition, work, on_progress, on_note, on_styles, share)
    if generator.synthesis.has_camera:
        job.look_from(cameras if cameras is not None else job.seek_cameras(search or CameraSettings()))
    found = job.project()
    job.judge(found)
    best = job.quantize(found) if settings.discrete else None
    tuned = job.tune(best, found) if settings.space in ("codebook", "pti") else None
    owner = generator if tuned is None else tuned.generator
    more = (
        {} if best else {"Pictures": "photos; their style vectors are in latents.safetensors, and no code makes them"}
    )
    origin = Origin(name if tuned is None else f"{name}-{settings.space}", fingerprint(owner), more=more)
    return Inversion(
        photos,
        found,
        job.rows,
        job.errors,
        objective.perceptual.name,
        origin,
        [] if best is None else generator.latent.to_strings(best.genotypes),
        None if best is None else best.genotypes,
        job.quantization,
        tuned,
        None if job.cameras is None else job.cameras.cpu(),
    )


@dataclass
class _Job:
    """One call of `invert`, and what it has found."""

    generator: Generator
    photos: Photos
    objective: Objective
    settings: InversionSettings
    condition: Condition | None
    work: Path | None
    on_progress: OnProgress
    on_note: OnNote
    on_styles: OnStyles
    share: Share
    cameras: torch.Tensor | None = None
    rows: dict[str, list[np.ndarray]] = field(default_factory=dict)
    errors: dict[str, list[Any]] = field(default_factory=dict)
    quantization: list[dict[str, Any]] = field(default_factory=list)

    @property
    def targets(self) -> torch.Tensor:
        """The targets [N, C, H, W] on the model's device."""
        return self.photos.images.to(self.generator.device)

    @property
    def shown(self) -> Condition | None:
        """Label and camera of each photo, as far as there are some."""
        condition = spread(self.condition, len(self.photos.paths))
        if self.cameras is None:
            return condition
        return Condition(None if condition is None else condition.label, self.cameras)

    def seek_cameras(self, search: CameraSettings) -> torch.Tensor:
        """Cameras [N, 25] that are found together with the codes, kept in the work folder."""
        self.on_note(f"no camera was given: it is sought from {len(search.starts)} sides, together with the code")
        key = {"search": asdict(search), **self._identity()}
        named = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
        place = None if self.work is None else self.work / "state" / f"cameras-{named}"
        own = self.share.of(range(len(self.targets)))
        found: dict[int, list[float]] = {}
        for done, index in enumerate(own, 1):
            found[index] = self._camera_of(self.targets[index : index + 1], search, place)
            self.on_progress("finding cameras", done, len(own))
        self.share.wait()
        rest = [index for index in range(len(self.targets)) if index not in found]
        found |= {index: self._camera_of(self.targets[index : index + 1], search, place) for index in rest}
        return torch.tensor([found[index] for index in sorted(found)], device=self.generator.device)

    def _camera_of(self, target: torch.Tensor, search: CameraSettings, place: Path | None) -> list[float]:
        """The camera of one photo, from its file in `place` where it was found before."""
        digest = hashlib.sha256(target.cpu().contiguous().numpy().tobytes()).hexdigest()
        path = None if place is None else place / f"{digest[:32]}.json"
        if path is not None and path.is_file():
            return [float(number) for number in read_object(path)["camera"]]
        camera = sight(self.generator, target, self.objective, search, self.condition).camera[0].tolist()
        if path is not None:
            write_json(path, {"camera": camera})
        return camera

    def look_from(self, cameras: torch.Tensor) -> None:
        """See each photo through its camera [N, 25], and say where that stands."""
        self.cameras = cameras.to(self.generator.device)
        stands = stands_of(self.cameras)
        self.errors |= {"yaw": stands.yaw.tolist(), "pitch": stands.pitch.tolist()}

    def _identity(self) -> dict[str, Any]:
        """What cameras and calibrations of a work folder depend on, whatever is sought."""
        label = None if self.condition is None or self.condition.label is None else self.condition.label.tolist()
        return {"model": fingerprint(self.generator), "objective": self.objective.identity, "label": label}

    @property
    def drawing(self) -> DrawSettings:
        """Stored noise, no truncation, the label."""
        return DrawSettings(condition=self.shown or Condition())

    def add(self, row: str, pictures: Sequence[np.ndarray], mse: torch.Tensor, perceptual: torch.Tensor) -> None:
        """Keep one row of the comparison and its errors."""
        self.rows[row] = list(pictures)
        self.errors[f"{row} mse"] = mse.tolist()
        self.errors[f"{row} {self.objective.perceptual.name}"] = perceptual.tolist()

    def project(self) -> Projection:
        """Project all photos, a batch at a time; of several processes the first goes on with what all have found."""
        self.rows["target"] = list(to_uint8(self.photos.images))
        batches = enumerate_batches(self.targets, self.settings.batch)
        if self.share.count > 1:
            for start, batch in self.share.of(batches):
                self._project_batch(start, batch)
            # The last process has the fewest batches.
            if self.share.rank == self.share.count - 1 and self.settings.calibrate:
                self._calibration()
            self.share.join()
        parts = [self._project_batch(start, batch) for start, batch in batches]
        found = Projection(
            ws=torch.cat([part.ws for part in parts]),
            noise={name: torch.cat([part.noise[name] for part in parts]) for name in parts[0].noise},
            images=torch.cat([part.images for part in parts]),
            mse=torch.cat([part.mse for part in parts]),
            perceptual=torch.cat([part.perceptual for part in parts]),
            trace=torch.cat([part.trace for part in parts], dim=1),
            deviation=torch.cat([part.deviation for part in parts]),
        )
        # Noise of their own is part of what those pictures are; others are drawn as every command draws them.
        drawn = to_uint8(found.images) if found.noise else draw_ws(self.generator, found.ws, self.drawing)
        self.add(self.settings.projection.space, list(drawn), found.mse, found.perceptual)
        self.errors["deviation"] = found.deviation.tolist()
        return found

    def _project_batch(self, start: int, targets: torch.Tensor) -> Projection:
        shown = self.shown
        shared = None if shown is None else shown[start : start + len(targets)]
        projector = Projector(self.generator, targets, self.objective, self.settings.projection, shared)
        state = None if self.work is None else self.work / "state" / f"photos-{start:04d}.safetensors"
        if state is not None and projector.resume(state) and not projector.done:
            self.on_note(f"going on at step {projector.step} of {self.settings.steps}")
        try:
            self._advance(targets, projector, state, f"projecting photos {start + 1}-{start + len(targets)}")
        finally:
            if state is not None:
                projector.save(state)
        self._preview(targets, projector)
        return projector.result()

    def _advance(self, targets: torch.Tensor, projector: Projector, state: Path | None, what: str) -> None:
        """Make all steps; a picture every few seconds, the state less often."""
        shown = saved = time.monotonic()
        while not projector.done:
            with held_back():
                projector.advance()
            self.on_styles(projector.ws().detach())
            self.on_progress(what, projector.step, self.settings.steps)
            now = time.monotonic()
            if now - shown > _PREVIEW_SECONDS:
                shown = now
                self._preview(targets, projector)
            if state is not None and now - saved > _SAVE_SECONDS:
                saved = now
                projector.save(state)

    @torch.no_grad()
    def _preview(self, targets: torch.Tensor, projector: Projector) -> None:
        if self.work is None or not self.share.first:
            return
        pictures = [*to_uint8(targets), *to_uint8(projector.images())]
        sheet = grid(pictures, columns=len(targets), scale=visible_scale(max(targets.shape[-2:])))
        text = {"Model": "", "Pictures": "photos and how far their projection is"}
        save_picture(self.work / "progress.png", sheet, text)

    def judge(self, found: Projection) -> None:
        """Say which photos look out of distribution, by the model's own samples."""
        if self.settings.calibrate == 0:
            return
        calibration = self._calibration()
        verdicts = calibration.verdicts(found)
        self.errors["distribution"] = list(verdicts)
        self.on_note(
            f"own samples are projected to a {self.objective.perceptual.name} of "
            f"{float(calibration.perceptual.mean()):.3f} on average; a photo that comes out below "
            f"{calibration.perceptual_limit:.3f} and {calibration.deviation_limit:.2f} deviations from the mean w "
            f"counts as reached like one; two random samples are {calibration.pair_perceptual:.3f} apart"
        )
        self.on_note(
            f"{verdicts.count('own')} of {len(verdicts)} photos are reached like own samples, {verdicts.count('near')} "
            f"are near, {verdicts.count('outside')} look out of distribution"
        )

    def _calibration(self) -> Calibration:
        """Made once for a model, settings and label, and kept in the work folder."""
        path = None if self.work is None else self.work / "calibration.json"
        key = {"own": self.settings.calibrate, **self._identity(), **asdict(self.settings.projection)}
        if path is not None and path.is_file() and (kept := read_object(path)).get("key") == key:
            values = kept["values"]
            tensors = {name: torch.tensor(values[name]) for name in ("perceptual", "mse", "deviation")}
            return Calibration(**tensors, pair_perceptual=values["pair_perceptual"], pair_mse=values["pair_mse"])
        self.on_note(f"projecting {self.settings.calibrate} of the model's own samples, to know what it can reach")
        own, projection = self.settings.calibrate, self.settings.projection
        found = calibrate(self.generator, self.objective, projection, n=own, condition=self.condition)
        values = {k: v.tolist() if isinstance(v, torch.Tensor) else v for k, v in vars(found).items()}
        if path is not None:
            write_json(path, {"key": key, "values": values})
        return found

    def quantize(self, found: Projection) -> Quantization:
        """The nearest genotypes by every distance; returns those that make the best pictures."""
        table = compare_quantizations(self.generator, found.ws, self.targets, self.objective, self.shown)
        for one in table:
            self.add(one.distance, list(draw(self.generator, one.genotypes, self.drawing)), one.mse, one.perceptual)
            errors = {"mse": float(one.mse.mean()), self.objective.perceptual.name: float(one.perceptual.mean())}
            row = {"distance": one.distance, **errors, "code error": float(one.code_error.mean())}
            self.quantization.append(row)
        best = best_quantization(table, self.objective)
        self.errors["genotype"] = self.generator.latent.to_strings(best.genotypes)
        self.on_note(f"{best.distance} makes the best pictures; its genotypes are in results.csv")
        return best

    def tune(self, quantized: Quantization | None, found: Projection) -> Tuned:
        """Codebook inversion of genotypes, or pivotal tuning around the projection."""
        settings = TuningSettings(steps=self.settings.tuning_steps)

        def on_step(step: int, wanted: float, kept: float) -> None:
            self.on_progress("tuning", step, settings.steps)

        given = (self.targets, self.objective, settings)
        shared = self.shown
        if quantized is not None:
            genotypes = quantized.genotypes
            tuned = invert_into_codebook(self.generator, genotypes, *given, condition=shared, on_step=on_step)
            pictures = draw(tuned.generator, genotypes, self.drawing)
        else:
            tuned = tune_around_pivots(self.generator, found.ws, *given, condition=shared, on_step=on_step)
            pictures = draw_ws(tuned.generator, found.ws, self.drawing)
        self.add(self.settings.space, list(pictures), tuned.after.mse, tuned.after.perceptual)
        return tuned


def enumerate_batches(rows: torch.Tensor, size: int) -> list[tuple[int, torch.Tensor]]:
    """Batches of at most `size` rows, each with the number of its first row."""
    return [(start, rows[start : start + size]) for start in range(0, len(rows), size)]
