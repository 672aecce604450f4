"""Codes with the attributes of their pictures: what separability and disentanglement are measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from stylegenes.classified import classify_codes
from stylegenes.data.protocols import LabelSource
from stylegenes.generator import Generator
from stylegenes.metrics.row_pass import RowPass
from stylegenes.metrics.sources import block_seed, draw_condition, draws_identity
from stylegenes.perception import AttributeClassifier
from stylegenes.records import Noise


@dataclass(frozen=True)
class LabeledDraws:
    """Draws from a generator; 4 (F + w_dim + A) bytes each, in the mapped file of their pass where there is one.

    Attributes:
        spaces: by name, the latent as rows of numbers, float32 [N, F]: `z` (the code's own features) and `w`.
        probability: float32 [N, A], the classifier's probabilities.
        attributes: names of its columns.
    """

    spaces: dict[str, torch.Tensor]
    probability: torch.Tensor
    attributes: list[str]

    @classmethod
    def read(cls, rows: torch.Tensor, w_dim: int, attributes: list[str]) -> LabeledDraws:
        """The parts of the rows [N, F + w_dim + A] that `draws_pass` makes, as views."""
        last = rows.shape[1] - len(attributes)
        spaces = {"z": rows[:, : last - w_dim], "w": rows[:, last - w_dim : last]}
        return cls(spaces, rows[:, last:], list(attributes))


def draws_pass(
    generator: Generator,
    classifier: AttributeClassifier,
    num: int,
    *,
    seed: int = 0,
    batch: int = 32,
    psi: float = 1.0,
    labels: LabelSource | None = None,
) -> RowPass:
    """A pass that draws `num` codes, makes their pictures with the stored noise and classifies them.

    Args:
        generator: in eval mode.
        classifier: on the generator's device.
        num: how many.
        seed: of all draws.
        batch: codes at once; the draws depend on it.
        psi: truncation of the pictures; the codes are given untruncated.
        labels: a data set whose labels condition the pictures, for a conditional model.

    Returns:
        A pass of float32 rows: the code's features, w, probabilities.
    """

    @torch.no_grad()
    def make(start: int, stop: int) -> torch.Tensor:
        rng = torch.Generator().manual_seed(block_seed(seed, start))
        condition = draw_condition(generator, labels, stop - start, rng)
        code = generator.sample(stop - start, rng)
        found = classify_codes(generator, classifier, code, condition, noise=Noise("const"), psi=psi)
        parts = (generator.latent.features(code), found.w, found.probability)
        return torch.cat([part.float() for part in parts], dim=1)

    measured_by = {"classifier": classifier.weights_hash, "attributes": classifier.attributes, "psi": psi}
    with torch.no_grad():
        width = generator.latent.features(generator.sample(1, torch.Generator().manual_seed(0))).shape[1]
    return RowPass(
        name="labeled draws",
        identity={**draws_identity(generator, labels, num, seed, batch), **measured_by},
        num=num,
        dim=width + generator.latent.w_dim + len(classifier.attributes),
        batch=batch,
        make=make,
        dtype=np.float32,
    )
