"""Real pictures as a reference: Frechet distances of pictures and generators from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from stylegenes.data import Dataset, open_dataset
from stylegenes.data.protocols import LabelSource
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.metrics.distribution import floors_of
from stylegenes.metrics.features import FeaturePass
from stylegenes.metrics.frechet import frechet_distance
from stylegenes.metrics.moments import FeatureGaussian, Moments
from stylegenes.metrics.sources import GeneratorSource, choose, to_grid
from stylegenes.perception import FeatureExtractor, Lite0Features
from stylegenes.progress import OnStep, silent_step
from stylegenes.snapshot import Card


@dataclass(frozen=True)
class FrechetReference:
    """Moments of real pictures and the extractor they were made with.

    Attributes:
        extractor: of their features.
        real: mean and covariance of the reals.
        floor: distance between two halves of the reals: what a perfect model of half their number would get.
        device: where the extractor is.
    """

    extractor: FeatureExtractor
    real: FeatureGaussian
    floor: float
    device: torch.device

    @property
    def name(self) -> str:
        """What the distance is called."""
        return f"fd_{self.extractor.name}"

    @torch.no_grad()
    def of_pictures(self, pictures: torch.Tensor) -> float:
        """Distance of pictures [N, C, H, W] in [-1, 1] from the reals."""
        moments = Moments.empty(self.extractor.feature_dim)
        for batch in pictures.split(64):
            moments.update(self.extractor(to_grid(batch).to(self.device)))
        return frechet_distance(self.real, moments.gaussian())

    def of_generator(self, generator: Generator, num: int, seed: int, labels: LabelSource | None = None) -> float:
        """Distance of `num` pictures of a generator, which may be told labels, from the reals.

        Args:
            generator: makes the pictures.
            num: pictures.
            seed: of codes and labels.
            labels: data whose labels a conditional model is told.
        """
        made = FeaturePass(
            GeneratorSource(generator, num, seed, labels=labels), self.extractor, device=self.device
        ).run()
        return frechet_distance(self.real, made.all.moments.gaussian())


def open_real(card: Card, data: str | None, resolution: int | str, channels: int | None = None) -> Dataset:
    """The data set given, or the one that the model was trained on, in the size and with the channels of the model.

    Args:
        card: of the model.
        data: what to open; the model's own where None.
        resolution: of the pictures in pixels, a number for squares or `384x256`.
        channels: of the pixels; RGB, or a packed data set's own, where None.

    Raises:
        UserError: when neither is known.
    """
    source = data or (card.data.source if card.data else None)
    if source is None:
        raise UserError("the model's card names no data; give the real pictures with --data")
    fit = card.data.fit if card.data else "crop"
    return open_dataset(source, resolution=resolution, channels=channels, fit=fit)


def measure_real(
    data: Dataset,
    folder: Path,
    device: torch.device,
    on_block: OnStep = silent_step,
) -> FrechetReference:
    """Describe all real pictures once; the folder keeps the result.

    Args:
        data: the real pictures.
        folder: for the result.
        device: where features are computed.
        on_block: told the pictures done and all of them.
    """
    extractor = Lite0Features().eval().requires_grad_(False).to(device)
    found = FeaturePass(choose(data, None), extractor, folder=folder, device=device, on_block=on_block).run()
    return FrechetReference(extractor, found.all.moments.gaussian(), floors_of("fd", found)["fd"], device)
