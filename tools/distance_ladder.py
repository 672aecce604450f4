"""What a Frechet distance means: pictures that never were in the data, as they are and damaged a little, as a table.

    OMP_NUM_THREADS=1 python tools/distance_ladder.py > table.md         10,000 reals, 2,000 pictures a row

Each row is measured as a model's pictures are. The pictures come from the source of the reals and are
none of them.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from stylegenes.caches import usable_cache
from stylegenes.data import open_dataset
from stylegenes.data.protocols import LabeledImages
from stylegenes.metrics import Evaluator, Subject
from stylegenes.perception.lite0 import Lite0Features

Damage = Callable[[np.ndarray], np.ndarray]
METRICS = ["fd", "pr", "outliers"]


@dataclass(frozen=True)
class Damaged:
    """Some pictures of a data set, each damaged."""

    data: LabeledImages
    rows: torch.Tensor
    name: str
    damage: Damage

    def __len__(self) -> int:
        return len(self.rows)

    def __getattr__(self, name: str) -> object:
        return getattr(self.data, name)

    @property
    def content_hash(self) -> str:
        """Of data, choice and damage, so that nothing is taken for another row's."""
        return f"{self.data.content_hash}-{self.name}-{len(self)}"

    def images(self, indices: torch.Tensor) -> torch.Tensor:
        """Pictures uint8 [N, C, H, W]."""
        kept = self.data.images(self.rows[torch.as_tensor(indices)]).numpy()
        return torch.from_numpy(np.stack([self.damage(picture) for picture in kept]))


def blur(sigma: float) -> Damage:
    """A Gaussian blur; `sigma` in pixels."""
    return lambda picture: np.rint(gaussian_filter(picture.astype(float), (0, sigma, sigma))).astype(np.uint8)


def noise(levels: float) -> Damage:
    """Normal noise of so many of 255 levels."""
    rng = np.random.default_rng(0)
    return lambda picture: np.rint(picture + rng.normal(0, levels, picture.shape)).clip(0, 255).astype(np.uint8)


def jpeg(quality: int) -> Damage:
    """Written as a JPEG and read again."""

    def damage(picture: np.ndarray) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(picture.transpose(1, 2, 0)).save(file, "JPEG", quality=quality)
        return np.asarray(Image.open(file)).transpose(2, 0, 1)

    return damage


Rows = dict[str, dict[str, float]]
"""Values by metric, by what was done to the pictures."""


def ladder(
    num_real: int, num: int, resolution: int, only: Collection[str] | None = None
) -> dict[str, dict[str, float]]:
    """The rows: values by metric, by what was done to the pictures.

    Args:
        num_real: reals.
        num: pictures a row.
        resolution: in pixels.
        only: these rows.
    """
    data = open_dataset(f"avatars:n={num_real}", resolution=resolution)
    more = open_dataset(f"avatars:n={num_real + 4 * num}", resolution=resolution)
    fresh = torch.arange(num_real, len(more))
    labels = dict(zip(more.label_names, more.labels(fresh).unbind(1), strict=True))
    bare = fresh[(labels["Wearing_Hat"] < 0.5) & (labels["Eyeglasses"] < 0.5)]
    few = fresh[: num // 40].repeat(40)
    same: Damage = lambda picture: picture  # noqa: E731
    rows = {
        "as they are": (fresh[:num], same),
        "blurred by half a pixel": (fresh[:num], blur(0.5)),
        "blurred by one pixel": (fresh[:num], blur(1.0)),
        "noise of 8 levels": (fresh[:num], noise(8)),
        "JPEG of quality 75": (fresh[:num], jpeg(75)),
        "no hats and no glasses": (bare[:num], same),
        f"{len(few.unique())} pictures, each 40 times": (few, same),
    }
    evaluator = Evaluator(data, Lite0Features().eval().requires_grad_(False), num=num, cache=usable_cache("statistics"))
    found: Rows = {}
    for name in only or rows:
        indices, damage = rows[name]
        records = evaluator.evaluate(
            Subject(name, pictures=cast(LabeledImages, Damaged(more, indices, name, damage))), METRICS
        )
        found[name] = {record.metric: float(record.value or 0) for record in records}
    return found


def main() -> None:
    """Print the table."""
    sys.stdout.write("| pictures | fd_lite0 | precision | recall | outliers |\n|---|---|---|---|---|\n")
    for name, values in ladder(10_000, 2000, 32).items():
        shown = [values["fd_lite0"], *(values[f"{metric}_lite0"] for metric in ("precision", "recall", "outliers"))]
        sys.stdout.write(f"| {name} | {shown[0]:.0f} | " + " | ".join(f"{value:.2f}" for value in shown[1:]) + " |\n")


if __name__ == "__main__":
    main()
