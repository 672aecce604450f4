"""How photos are inverted, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from safetensors.torch import save_file

from stylegenes.csv_tables import write_table
from stylegenes.data.poses import Posed
from stylegenes.errors import UserError
from stylegenes.files import atomic_path
from stylegenes.inversion.objective import MOST_STEPS
from stylegenes.inversion.photos import Photos
from stylegenes.inversion.projection import Projection, ProjectionSettings
from stylegenes.inversion.tuning import Tuned
from stylegenes.sheets import Origin, Sheet
from stylegenes.snapshot import Card
from stylegenes.words import check_known, counted

InversionSpace = Literal["w", "w+", "genome", "codebook", "pti"]


@dataclass(frozen=True)
class InversionSettings:
    """How photos are inverted.

    Attributes:
        space: `w`, `w+`: style vectors; `genome`: the nearest genotypes; `codebook`, `pti`: tune a copy of the model.
        steps: steps of the projection.
        tuning_steps: steps of the tuning, for codebook and pti.
        batch: photos projected at once.
        optimize_noise: whether the noise inputs are optimized too, for w and w+ only.
        calibrate: how many of the model's own samples are projected to know what looks out of distribution; 0: none.
    """

    space: InversionSpace = "w"
    steps: int = 400
    tuning_steps: int = 300
    batch: int = 8
    optimize_noise: bool = False
    calibrate: int = 8

    def __post_init__(self) -> None:
        check_known("space", self.space, get_args(InversionSpace))
        if min(self.steps, self.tuning_steps, self.batch) < 1:
            raise UserError("--steps, --tuning-steps and --batch must be positive")
        if max(self.steps, self.tuning_steps) > MOST_STEPS:
            raise UserError(f"--steps and --tuning-steps are at most {MOST_STEPS:,}")
        if self.calibrate < 0 or self.calibrate in (1, 2):
            raise UserError(f"--calibrate is {self.calibrate}; give 3 own samples or more, or 0 to do without")
        if self.optimize_noise and self.space not in ("w", "w+"):
            raise UserError(f"--optimize-noise goes with --space w or w+; {self.space} keeps the stored noise")

    @property
    def discrete(self) -> bool:
        """Whether genotypes are looked for."""
        return self.space in ("genome", "codebook")

    @property
    def projection(self) -> ProjectionSettings:
        """The settings of the projection."""
        space = "w+" if self.space == "w+" else "w"
        return ProjectionSettings(space=space, steps=self.steps, optimize_noise=self.optimize_noise)


@dataclass(frozen=True)
class Inversion:
    """Photos and what the model makes of them. Shows itself in a notebook.

    Attributes:
        photos: the targets.
        projection: style vectors, their pictures and errors.
        rows: pictures uint8 [H, W, C] of the comparison by the name of their row, the targets first.
        errors: a list for each photo by column: mean squared errors, perceptual distances, deviation, verdicts.
        distance: name of the perceptual distance.
        origin: what the codes belong to.
        codes: genotype strings, for genome and codebook.
        genotypes: int64 [N, num_genes], the same.
        quantization: the nearest variants by each distance, mean errors over the photos.
        tuned: the tuned copy of the model, for codebook and pti.
        cameras: [N, 25], through which a 3D model saw the photos, given or found; None for a flat one.
    """

    photos: Photos
    projection: Projection
    rows: dict[str, list[np.ndarray]]
    errors: dict[str, list[Any]]
    distance: str
    origin: Origin
    codes: list[str] = field(default_factory=list)
    genotypes: torch.Tensor | None = None
    quantization: list[dict[str, Any]] = field(default_factory=list)
    tuned: Tuned | None = None
    cameras: torch.Tensor | None = None

    @property
    def ws(self) -> torch.Tensor:
        """Style vectors [N, num_ws, w_dim] that make the photos."""
        return self.projection.ws

    @property
    def sheet(self) -> Sheet:
        """The photos above what each step made of them."""
        names = self.photos.names()
        captions = [label for row in self.rows for label in (names if row == "target" else [row] * len(names))]
        pictures = [picture for row in self.rows.values() for picture in row]
        return Sheet(pictures, self.codes, self.origin, captions, len(names))

    @property
    def results(self) -> list[dict[str, Any]]:
        """A row a photo: everything that was measured."""
        columns = {"photo": [str(path) for path in self.photos.paths], **self.errors}
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    @property
    def summary(self) -> list[dict[str, Any]]:
        """What fits on a terminal: each step's perceptual distance, and whether the photo is one for the model."""
        ways = {way: self.errors[f"{way} {self.distance}"] for way in self.rows if way != "target"}
        verdicts = self.errors.get("distribution")
        return [
            {"photo": name, **{way: values[i] for way, values in ways.items()}}
            | ({"distribution": verdicts[i]} if verdicts else {})
            | {name: self.errors[name][i] for name in ("yaw", "pitch") if name in self.errors}
            for i, name in enumerate(self.photos.names())
        ]

    @property
    def tuning(self) -> list[dict[str, Any]]:
        """What tuning gained, and what it moved; empty where nothing was tuned."""
        if self.tuned is None:
            return []
        before, after, drift, name = self.tuned.before, self.tuned.after, self.tuned.drift, self.distance
        return [
            {"pictures": "targets before tuning", "mse": float(before.mse.mean())}
            | {name: float(before.perceptual.mean())},
            {"pictures": "targets after tuning", "mse": float(after.mse.mean()), name: float(after.perceptual.mean())},
            {"pictures": "random codes, after against before", "mse": drift.mse, name: drift.perceptual},
            {"pictures": "two random codes", "mse": drift.pair_mse, name: drift.pair_perceptual},
        ]

    def tuned_card(self, parent: Card) -> Card:
        """The card of the tuned model, from that of the model that was tuned."""
        space, photos = self.origin.model.rpartition("-")[2], counted(len(self.photos.paths), "picture")
        notes = f"Tuned by {space} inversion on {photos}. {parent.notes}".strip()
        return replace(parent, name=self.origin.model, parent=parent.name, notes=notes, metrics={})

    def save(self, folder: str | Path) -> Path:
        """Write latents.safetensors, comparison.png, the tables, and dataset.json for the cameras of a 3D model.

        The tuned model is `save_snapshot`'s to write.

        Raises:
            OSError: when the folder cannot be written.
        """
        folder = Path(folder)
        tensors = {"ws": self.ws, **{f"noise.{name}": value for name, value in self.projection.noise.items()}}
        tensors |= {} if self.genotypes is None else {"genotypes": self.genotypes}
        tensors |= {} if self.cameras is None else {"cameras": self.cameras}
        with atomic_path(folder / "latents.safetensors") as part:
            save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, part)
        for name, rows in (("results", self.results), ("quantization", self.quantization), ("tuning", self.tuning)):
            if rows:
                write_table(folder / f"{name}.csv", rows)
        if self.cameras is not None:
            Posed([path.name for path in self.photos.paths], self.cameras, "inversion").save(folder / "dataset.json")
        self.sheet.save(folder / "comparison.png")
        return folder

    def _repr_png_(self) -> bytes:
        return self.sheet._repr_png_()

    def __repr__(self) -> str:
        steps = ", ".join(row for row in self.rows if row != "target")
        means = [sum(self.errors[f"{row} {self.distance}"]) / len(self.results) for row in self.rows if row != "target"]
        shown = ", ".join(f"{mean:.3f}" for mean in means)
        return f"Inversion of {counted(len(self.results), 'photo')} ({steps}); mean {self.distance} {shown}"
