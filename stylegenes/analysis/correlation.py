"""Which attributes go together, in real pictures and in a model's (StyleGenes, A.6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from stylegenes.errors import UserError
from stylegenes.perception import AttributeClassifier


@dataclass(frozen=True)
class Correlation:
    """Pearson's correlation of the classifier's outputs over one set of pictures.

    Attributes:
        name: what the pictures are ("real", "genome").
        attributes: names of the rows and columns.
        matrix: float64 [A, A]; zero where an attribute never varies.
        count: pictures behind it.
    """

    name: str
    attributes: list[str]
    matrix: torch.Tensor
    count: int

    @property
    def noise(self) -> float:
        """Standard error of a correlation near zero."""
        return max(self.count - 1, 1) ** -0.5


def correlate(name: str, attributes: list[str], probability: torch.Tensor) -> Correlation:
    """Correlation matrix over probabilities [N, A].

    Raises:
        UserError: for fewer than two pictures.
    """
    if len(probability) < 2:
        raise UserError("a correlation needs at least two pictures")
    centered = probability.double() - probability.double().mean(dim=0)
    unit = centered / centered.norm(dim=0).clamp_min(1e-12)
    return Correlation(name, list(attributes), unit.T @ unit, len(probability))


def difference(a: Correlation, b: Correlation) -> torch.Tensor:
    """a - b, [A, A].

    Raises:
        UserError: when they are about different attributes.
    """
    if a.attributes != b.attributes:
        raise UserError(f"{a.name} and {b.name} are about different attributes; classify both with one classifier")
    return a.matrix - b.matrix


def mean_difference(a: Correlation, b: Correlation) -> float:
    """Mean absolute difference over the pairs of different attributes, 0 where there are none."""
    size = len(a.attributes)
    if size < 2:
        return 0.0
    off_diagonal = ~torch.eye(size, dtype=torch.bool)
    return float(difference(a, b)[off_diagonal].abs().mean())


@torch.no_grad()
def classify_pictures(classifier: AttributeClassifier, batches: Iterable[torch.Tensor]) -> torch.Tensor:
    """Probabilities [N, A] of batches of pictures [n, C, H, W] in [-1, 1]."""
    return torch.cat([classifier(batch).cpu() for batch in batches])
