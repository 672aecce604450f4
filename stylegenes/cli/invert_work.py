"""The work of `stylegenes invert`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file

from stylegenes.cli.console import progress, say, show_table
from stylegenes.cli.opened import Opened, open_model, open_perceptual, write_strip
from stylegenes.errors import UserError
from stylegenes.files import atomic_path, read_object, write_json, write_table
from stylegenes.inversion.calibration import Calibration, calibrate
from stylegenes.inversion.codebook import invert_into_codebook
from stylegenes.inversion.objective import Objective
from stylegenes.inversion.photos import Photos, load_photos
from stylegenes.inversion.pivotal import tune_around_pivots
from stylegenes.inversion.projection import Projection, ProjectionSettings, Projector
from stylegenes.inversion.quantize import Quantization, best_quantization, compare_quantizations
from stylegenes.inversion.tuning import Tuned, TuningSettings
from stylegenes.latents import genome_of
from stylegenes.pictures import to_uint8
from stylegenes.records import repeated
from stylegenes.snapshot import save_snapshot
from stylegenes.survey import fingerprint
from stylegenes.words import counted

if TYPE_CHECKING:
    from stylegenes.cli.invert import Args

_PREVIEW_SECONDS, _SAVE_SECONDS = 3.0, 10.0
_DISCRETE = ("genome", "codebook")


@dataclass
class Job:
    """One run of the command, and what it has found.

    Attributes:
        args: its options.
        opened: the model.
        photos: the targets.
        objective: what is minimized.
        settings: how to project.
        rows: pictures of the comparison, by name of their row.
        results: the columns of the table of results, a list a photo.
    """

    args: Args
    opened: Opened
    photos: Photos
    objective: Objective
    settings: ProjectionSettings
    rows: dict[str, torch.Tensor] = field(default_factory=dict)
    results: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def targets(self) -> torch.Tensor:
        """The targets [N, C, H, W] on the model's device."""
        return self.photos.images.to(self.opened.device)

    def add(self, name: str, images: torch.Tensor, mse: torch.Tensor, perceptual: torch.Tensor) -> None:
        """Keep one row of the comparison and its errors."""
        self.rows[name] = images.cpu()
        self.results[f"{name} mse"] = mse.tolist()
        self.results[f"{name} {self.objective.perceptual.name}"] = perceptual.tolist()


def run(args: Args) -> None:
    """Everything that `stylegenes invert` does."""
    job = _begin(args)
    found = _project(job)
    _judge(job, found)
    tensors = {"ws": found.ws, **{f"noise.{name}": value for name, value in found.noise.items()}}
    if args.space in _DISCRETE:
        best = _quantize(job, found)
        tensors["genotypes"] = best.genotypes
        if args.space == "codebook":
            _tune(job, best, found)
    elif args.space == "pti":
        _tune(job, None, found)
    _finish(job, tensors)


def _begin(args: Args) -> Job:
    if min(args.steps, args.tuning_steps, args.batch) < 1:
        raise UserError("--steps, --tuning-steps and --batch must be positive")
    if args.calibrate < 0 or args.calibrate in (1, 2):
        raise UserError(f"--calibrate is {args.calibrate}; give 3 own samples or more, or 0 to do without")
    if args.optimize_noise and args.space not in ("w", "w+"):
        raise UserError(f"--optimize-noise goes with --space w or w+; {args.space} keeps the stored noise")
    opened = open_model(args.snapshot, args.label, args.device)
    synthesis = opened.generator.synthesis
    if args.space in _DISCRETE:
        genome_of(opened.generator.latent, f"--space {args.space}")
    photos = load_photos(args.photos, resolution=synthesis.resolution, channels=synthesis.image_channels, fit=args.fit)
    for bad in photos.refused:
        say(f"left out {bad.path}: {bad.reason}")
    for sentence in photos.enlarged:
        say(f"note: {sentence}")
    settings = ProjectionSettings(
        space="w+" if args.space == "w+" else "w", steps=args.steps, optimize_noise=args.optimize_noise
    )
    job = Job(args, opened, photos, Objective(open_perceptual(opened.device)), settings)
    job.rows["target"] = photos.images
    job.results["photo"] = [str(path) for path in photos.paths]
    return job


def _project(job: Job) -> Projection:
    """Project all photos, a batch at a time, with the pictures so far in progress.png."""
    say(f"{counted(len(job.photos.paths), 'photo')}; the pictures so far are in {job.args.out / 'progress.png'}")
    parts = [
        _project_batch(job, start, job.targets[start : start + job.args.batch])
        for start in range(0, len(job.photos.paths), job.args.batch)
    ]
    found = Projection(
        ws=torch.cat([part.ws for part in parts]),
        noise={name: torch.cat([part.noise[name] for part in parts]) for name in parts[0].noise},
        images=torch.cat([part.images for part in parts]),
        mse=torch.cat([part.mse for part in parts]),
        perceptual=torch.cat([part.perceptual for part in parts]),
        trace=torch.cat([part.trace for part in parts], dim=1),
        deviation=torch.cat([part.deviation for part in parts]),
    )
    job.add(job.settings.space, found.images, found.mse, found.perceptual)
    job.results["deviation"] = found.deviation.tolist()
    return found


def _project_batch(job: Job, start: int, targets: torch.Tensor) -> Projection:
    condition = repeated(job.opened.condition, len(targets))
    projector = Projector(job.opened.generator, targets, job.objective, job.settings, condition)
    state = job.args.out / "state" / f"photos-{start:04d}.safetensors"
    if projector.resume(state) and not projector.done:
        say(f"going on at step {projector.step} of {job.settings.steps}")
    try:
        _advance(job, targets, projector, state, f"projecting photos {start + 1}-{start + len(targets)}")
    finally:
        projector.save(state)
    _preview(job, targets, projector)
    return projector.result()


def _advance(job: Job, targets: torch.Tensor, projector: Projector, state: Path, what: str) -> None:
    """Make all steps; a picture every few seconds, the state less often."""
    shown = saved = time.monotonic()
    with progress(what) as report:
        while not projector.done:
            projector.advance()
            report(projector.step, job.settings.steps)
            now = time.monotonic()
            if now - shown > _PREVIEW_SECONDS:
                shown = now
                _preview(job, targets, projector)
            if now - saved > _SAVE_SECONDS:
                saved = now
                projector.save(state)


@torch.no_grad()
def _preview(job: Job, targets: torch.Tensor, projector: Projector) -> None:
    pictures = [*to_uint8(targets), *to_uint8(projector.images())]
    write_strip(job.args.out / "progress.png", pictures, len(targets), None, targets.shape[-1])


def _judge(job: Job, found: Projection) -> None:
    """Say which photos look out of distribution, by the model's own samples."""
    if job.args.calibrate == 0:
        return
    calibration = _calibration(job)
    verdicts = calibration.verdicts(found)
    job.results["distribution"] = list(verdicts)
    name = job.objective.perceptual.name
    say(
        f"own samples are projected to a {name} of {float(calibration.perceptual.mean()):.3f} on average; a photo that "
        f"comes out below {calibration.perceptual_limit:.3f} and {calibration.deviation_limit:.2f} deviations from the "
        f"mean w counts as reached like one; two random samples are {calibration.pair_perceptual:.3f} apart"
    )
    say(
        f"{verdicts.count('own')} of {len(verdicts)} photos are reached like own samples, {verdicts.count('near')} are "
        f"near, {verdicts.count('outside')} look out of distribution"
    )


def _calibration(job: Job) -> Calibration:
    """Made once for a model and settings, and kept in the folder."""
    path = job.args.out / "calibration.json"
    key = {"model": fingerprint(job.opened.generator), "own": job.args.calibrate, **asdict(job.settings)}
    if path.is_file() and (kept := read_object(path)).get("key") == key:
        values = kept["values"]
        tensors = {name: torch.tensor(values[name]) for name in ("perceptual", "mse", "deviation")}
        return Calibration(**tensors, pair_perceptual=values["pair_perceptual"], pair_mse=values["pair_mse"])
    say(f"projecting {job.args.calibrate} of the model's own samples, to know what it can reach")
    found = calibrate(
        job.opened.generator, job.objective, job.settings, n=job.args.calibrate, condition=job.opened.condition
    )
    values = {k: v.tolist() if isinstance(v, torch.Tensor) else v for k, v in vars(found).items()}
    write_json(path, {"key": key, "values": values})
    return found


def _quantize(job: Job, found: Projection) -> Quantization:
    table = compare_quantizations(job.opened.generator, found.ws, job.targets, job.objective)
    name = job.objective.perceptual.name
    rows = []
    for one in table:
        job.add(one.distance, one.images, one.mse, one.perceptual)
        errors = {"mse": float(one.mse.mean()), name: float(one.perceptual.mean())}
        rows.append({"distance": one.distance, **errors, "code error": float(one.code_error.mean())})
    write_table(job.args.out / "quantization.csv", rows)
    show_table(rows, f"nearest variants, mean over {counted(len(job.photos.paths), 'photo')}")
    best = best_quantization(table, job.objective)
    job.results["genotype"] = job.opened.generator.latent.to_strings(best.genotypes)
    say(f"{best.distance} makes the best pictures; its genotypes are in results.csv")
    return best


def _tune(job: Job, quantized: Quantization | None, found: Projection) -> None:
    """Codebook inversion of genotypes, or pivotal tuning around the projection; the tuned model is a snapshot."""
    opened, settings = job.opened, TuningSettings(steps=job.args.tuning_steps)
    with progress("tuning") as report:

        def on_step(step: int, wanted: float, kept: float) -> None:
            report(step, settings.steps)

        if quantized is not None:
            tuned = invert_into_codebook(
                opened.generator, quantized.genotypes, job.targets, job.objective, settings, on_step=on_step
            )
        else:
            condition = repeated(opened.condition, len(found.ws))
            tuned = tune_around_pivots(
                opened.generator, found.ws, job.targets, job.objective, settings, condition=condition, on_step=on_step
            )
    job.add(job.args.space, tuned.images, tuned.after.mse, tuned.after.perceptual)
    _report_tuning(job, tuned)


def _report_tuning(job: Job, tuned: Tuned) -> None:
    name, card = job.objective.perceptual.name, job.opened.card
    before, after, drift = tuned.before, tuned.after, tuned.drift
    rows = [
        {"pictures": "targets before tuning", "mse": float(before.mse.mean()), name: float(before.perceptual.mean())},
        {"pictures": "targets after tuning", "mse": float(after.mse.mean()), name: float(after.perceptual.mean())},
        {"pictures": "random codes, after against before", "mse": drift.mse, name: drift.perceptual},
        {"pictures": "two random codes", "mse": drift.pair_mse, name: drift.pair_perceptual},
    ]
    write_table(job.args.out / "tuning.csv", rows)
    show_table(rows, f"{job.args.space}: what tuning gained, and what it moved")
    say(f"random pictures drifted by {drift.ratio:.1%} of the distance between two of them")
    notes = f"Tuned by {job.args.space} inversion on {len(job.photos.paths)} pictures. {card.notes}".strip()
    child = replace(card, name=f"{card.name}-{job.args.space}", parent=card.name, notes=notes, metrics={})
    save_snapshot(job.args.out / "tuned", tuned.generator, child)
    say(f"the tuned model is in {job.args.out / 'tuned'}; its parent is {card.name}")


def _finish(job: Job, tensors: dict[str, torch.Tensor]) -> None:
    out, names = job.args.out, job.photos.names()
    with atomic_path(out / "latents.safetensors") as part:
        save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, part)
    rows = [dict(zip(job.results, values, strict=True)) for values in zip(*job.results.values(), strict=True)]
    write_table(out / "results.csv", rows)
    pictures = [picture for images in job.rows.values() for picture in to_uint8(images)]
    captions = [label for row in job.rows for label in _captions(row, names)]
    write_strip(out / "comparison.png", pictures, len(names), captions, job.targets.shape[-1])
    show_table(_summary(job, names), f"{job.objective.perceptual.name} of each photo")
    say(f"rows of comparison.png: {', '.join(job.rows)}; tables, style vectors and pictures in {out}")


def _summary(job: Job, names: Sequence[str]) -> list[dict[str, Any]]:
    """What fits on a terminal: the perceptual distance of every way, and whether the photo is one for this model."""
    ways = {way: job.results[f"{way} {job.objective.perceptual.name}"] for way in job.rows if way != "target"}
    rows = [{"photo": name, **{way: values[i] for way, values in ways.items()}} for i, name in enumerate(names)]
    for row, verdict in zip(rows, job.results.get("distribution", []), strict=False):
        row["distribution"] = verdict
    return rows


def _captions(row: str, names: Sequence[str]) -> list[str]:
    return list(names) if row == "target" else [row] * len(names)
