"""The Frechet distance between two Gaussians (Dowson & Landau 1982; of Inception features it is FID, Heusel 2017)."""

from __future__ import annotations

import numpy as np
import scipy
import torch

from stylegenes.metrics.door import admit
from stylegenes.metrics.moments import FeatureGaussian


def frechet_distance(a: FeatureGaussian, b: FeatureGaussian) -> float:
    """|mean_a - mean_b|^2 + tr(A + B - 2 (A B)^(1/2)), in float64.

    With A = F F^T and B = G G^T the last trace is the sum of the singular values of F^T G, which is real, exactly
    symmetric in its arguments' roles and keeps its precision where the covariances are singular (fewer pictures than
    features).

    Raises:
        UserError: for features that cannot be compared, see `door.admit`.
    """
    admit(a, b, "a Frechet distance", least_real=2, least_fake=2)
    a, b = a.double(), b.double()
    cross = torch.linalg.svdvals(factor(a.covariance).T @ factor(b.covariance)).sum()
    spread = a.covariance.trace() + b.covariance.trace() - 2 * cross
    return ((a.mean - b.mean).square().sum() + spread).clamp(min=0).item()


def factor(covariance: torch.Tensor) -> torch.Tensor:
    """F [D, r] with F F^T = covariance [D, D]; directions without variance, up to rounding, are left out."""
    values, vectors = _symmetric_eigen(covariance.numpy())
    keep = values > max(values[-1], 0) * len(values) * np.finfo(values.dtype).eps
    return torch.from_numpy(vectors[:, keep] * np.sqrt(values[keep]))


def _symmetric_eigen(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, ascending, and eigenvectors.

    Divide-and-conquer solvers give up on covariances with many equal eigenvalues, as dead features make them; plain QR
    iteration, four times slower, does not.
    """
    try:
        return scipy.linalg.eigh(matrix, driver="evr")
    except scipy.linalg.LinAlgError:
        return scipy.linalg.eigh(matrix, driver="ev")
