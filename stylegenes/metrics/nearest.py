"""Pictures of a model beside those of its data that are most like them: does it repeat what it was shown?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stylegenes.caches import usable_cache
from stylegenes.csv_tables import write_table
from stylegenes.data.protocols import LabeledImages
from stylegenes.drawing import as_whole
from stylegenes.errors import UserError
from stylegenes.metrics.evaluation import Evaluator
from stylegenes.metrics.neighbors import CHUNK, k_nearest
from stylegenes.metrics.rows import Rows
from stylegenes.metrics.sources import to_float
from stylegenes.perception import EXTRACTORS, FeatureExtractor
from stylegenes.progress import OnProgress, silent
from stylegenes.sheets import Sheet

MOST_JUDGED = 2000
"""Reals whose own nearest others say how near is near."""
COPY = 0.01
"""Pictures nearer to a real than all but this share of the reals are to each other deserve a look."""


@dataclass(frozen=True, repr=False)
class NearestReals:
    """Pictures and the reals nearest to them. Shows itself in a notebook.

    Attributes:
        sheet: a row a picture: it, then its reals, the nearest first.
        names: of the N pictures.
        indices: int64 [N, K], the reals' places in the data.
        distances: float64 [N, K], Euclidean, between features.
        nearer: float64 [N], the share of reals that have another real nearer than the picture has its nearest: 0 for a
            copy, about a half for pictures that keep the distance which reals keep.
    """

    sheet: Sheet
    names: Sequence[str]
    indices: torch.Tensor
    distances: torch.Tensor
    nearer: torch.Tensor

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row a picture."""
        return [
            {"picture": name, "code": code, "reals nearer to another": self.nearer[i].item()}
            | {f"real {k + 1}": int(real) for k, real in enumerate(self.indices[i])}
            | {f"distance {k + 1}": distance.item() for k, distance in enumerate(self.distances[i])}
            for i, (name, code) in enumerate(zip(self.names, self.sheet.codes, strict=True))
        ]

    @property
    def suspects(self) -> list[str]:
        """Names of the pictures that are nearer to a real than nearly all reals are to each other."""
        return [name for name, share in zip(self.names, self.nearer.tolist(), strict=True) if share <= COPY]

    def save(self, path: str | Path) -> Path:
        """Write the sheet, and its numbers as a CSV beside it; returns the sheet's path.

        Raises:
            UserError: for another suffix.
            OSError: when a file cannot be written.
        """
        path = self.sheet.save(path)
        write_table(path.with_suffix(".csv"), self.rows)
        return path

    def made(self, by: str) -> NearestReals:
        """The same, told to be made by a command line."""
        return replace(self, sheet=replace(self.sheet, origin=self.sheet.origin.made(by)))

    def __repr__(self) -> str:
        return "\n".join(
            f"{name}: real {int(self.indices[i, 0])} at {self.distances[i, 0]:.4g}; {self.nearer[i]:.1%} of the reals "
            "have another nearer"
            for i, name in enumerate(self.names)
        )

    def _repr_png_(self) -> bytes:
        return self.sheet._repr_png_()


def nearest_reals(
    drawn: Sheet,
    data: LabeledImages,
    k: int,
    *,
    extractor: str = "lite0",
    device: torch.device | str = "cpu",
    on_progress: OnProgress = silent,
) -> NearestReals:
    """Look up the K nearest reals of each picture of a sheet, by the features of an extractor.

    Args:
        drawn: pictures of the reals' shape, with captions that name them.
        data: the reals.
        k: K.
        extractor: name of the frozen network.
        device: where it is.
        on_progress: called with what is done, how much of it, and of how much.

    Raises:
        UserError: when there are no K reals, or fewer than two, or for an unknown extractor.
    """
    k = as_whole(k, "k")
    if not 1 <= k <= len(data) or len(data) < 2:
        raise UserError(f"{data.source} has {len(data)} pictures; the nearest can be 1 to {len(data)}, not {k}")
    network = EXTRACTORS.build({"name": extractor}).eval().to(device)
    evaluator = Evaluator(data, network, device=device, cache=usable_cache("statistics"), on_progress=on_progress)
    reals = evaluator.real_features(rows=True).all.need_rows()
    names = list(drawn.captions or map(str, range(len(drawn))))
    queries = torch.cat([_features(picture, network, device) for picture in drawn.pictures])
    distances, indices = k_nearest(queries, reals, k)
    judged = np.linspace(0, len(reals) - 1, min(MOST_JUDGED, len(reals))).round().astype(np.int64)
    own = _nearest_others(reals, judged)
    nearer = (own[None] < distances[:, :1]).double().mean(dim=1)
    pictures, captions = list[np.ndarray](), list[str]()
    for name, picture, places, away in zip(names, drawn.pictures, indices, distances, strict=True):
        pictures += [picture, *data.images(places).permute(0, 2, 3, 1).numpy()]
        captions += [name, *(f"#{int(place)}: {one:.3g}" for place, one in zip(places, away, strict=True))]
    sheet = Sheet(pictures, drawn.codes, drawn.origin, captions, k + 1, notes=drawn.notes)
    return NearestReals(sheet, names, indices, distances, nearer)


def _nearest_others(rows: Rows, index: np.ndarray) -> torch.Tensor:
    """Distances float64 [len(index)] of these rows to the nearest row that is another."""
    found = []
    for part in np.array_split(index, max(1, len(index) // CHUNK)):
        distances, places = k_nearest(rows.take(part), rows, 2)
        itself = places == torch.from_numpy(part)[:, None]
        # Of three copies both that were found may be others.
        found.append(distances.masked_fill(itself, torch.inf).min(dim=1).values)
    return torch.cat(found)


@torch.no_grad()
def _features(picture: np.ndarray, network: FeatureExtractor, device: torch.device | str) -> torch.Tensor:
    image = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]
    return network(to_float(image).to(device)).double().cpu()
