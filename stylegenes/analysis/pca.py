"""Principal components of W or of codes (Liu 2019, section 4.1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stylegenes.errors import UserError


@dataclass(frozen=True)
class Components:
    """The principal components of a set of coordinates, the largest variance first.

    Attributes:
        space: `z` or `w`.
        mean: [C].
        basis: [K, C], unit rows; each row's largest entry is positive, so that signs are reproducible.
        variance: [K], variance of the samples along each row.
    """

    space: str
    mean: torch.Tensor
    basis: torch.Tensor
    variance: torch.Tensor

    @property
    def explained(self) -> torch.Tensor:
        """[K], share of the total variance that the first components hold together."""
        return self.variance.cumsum(dim=0) / self.variance.sum()

    def needed(self, share: float) -> int:
        """How many components hold at least this share of the variance."""
        return int((self.explained < share - 1e-6).sum()) + 1

    def scores(self, coordinates: torch.Tensor) -> torch.Tensor:
        """Coordinates [N, C] along the components, [N, K]."""
        return (coordinates - self.mean) @ self.basis.T

    def vector(self, component: int) -> torch.Tensor:
        """The step [C] of one standard deviation along a component; the first one has number 1.

        Raises:
            UserError: for a number out of range.
        """
        if not 1 <= component <= len(self.basis):
            raise UserError(f"component {component} does not exist; they count from 1 to {len(self.basis)}")
        return self.basis[component - 1] * self.variance[component - 1].sqrt()


def principal_components(space: str, coordinates: torch.Tensor) -> Components:
    """All components of coordinates [N, C], in float64 from the covariance matrix.

    Raises:
        UserError: for fewer than two samples.
    """
    if len(coordinates) < 2:
        raise UserError(f"principal components need at least two samples; got {len(coordinates)}")
    values, vectors = torch.linalg.eigh(torch.cov(coordinates.double().T))
    basis, variance = vectors.T.flip(0), values.flip(0).clamp(min=0)
    signs = basis.gather(1, basis.abs().argmax(dim=1, keepdim=True)).sign()
    convert = lambda tensor: tensor.to(coordinates)  # noqa: E731
    return Components(space, coordinates.mean(dim=0), convert(basis * signs), convert(variance))


@dataclass(frozen=True)
class Extremes:
    """Which samples lie at the ends of a component.

    Attributes:
        component: its number, from 1.
        low: int64 [K], samples with the smallest scores, the smallest first.
        high: int64 [K], samples with the largest scores, the largest first.
    """

    component: int
    low: torch.Tensor
    high: torch.Tensor


def extremes(components: Components, coordinates: torch.Tensor, component: int, count: int = 5) -> Extremes:
    """The samples at each end of a component.

    Args:
        components: principal components of the coordinates' space.
        coordinates: of the samples, [N, C].
        component: its number, from 1.
        count: samples at each end, at most N.
    """
    components.vector(component)
    scores = components.scores(coordinates)[:, component - 1]
    count = min(count, len(scores))
    low, high = scores.topk(count, largest=False).indices, scores.topk(count).indices
    return Extremes(component, low, high)
