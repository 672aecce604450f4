"""Calibrating a classifier's logits, and saying how good its probabilities are."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class PlattScaling:
    """Probabilities are sigmoid(scale * logit + shift).

    Attributes:
        scale: float64 [A].
        shift: float64 [A].
    """

    scale: torch.Tensor
    shift: torch.Tensor

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """Calibrated probabilities [N, A] of logits [N, A]."""
        return torch.sigmoid(logits.double() * self.scale + self.shift)


def platt(logits: torch.Tensor, labels: torch.Tensor, *, ridge: float = 1.0, steps: int = 100) -> PlattScaling:
    """Fit scale and shift of every attribute on held-out data by damped Newton steps (Platt 1999, section 2.2).

    Args:
        logits: [N, A].
        labels: [N, A], 0 or 1.
        ridge: weight of the pull towards scale 1 and shift 0, in pseudo-observations; keeps an attribute that the
            classifier separates perfectly, or that never occurs, at finite values.
        steps: most Newton steps.

    Returns:
        float64 scale and shift.
    """
    x, y = logits.double(), labels.double()
    theta = torch.stack([torch.ones(x.shape[1]), torch.zeros(x.shape[1])], dim=1).double()
    prior = theta.clone()
    design = torch.stack([x, torch.ones_like(x)], dim=2)
    eye = torch.eye(2, dtype=torch.float64) * ridge
    for _ in range(steps):
        p = torch.sigmoid((design * theta).sum(dim=2))
        gradient = ((p - y)[..., None] * design).sum(dim=0) + ridge * (theta - prior)
        hessian = torch.einsum("na,nai,naj->aij", p * (1 - p), design, design) + eye
        step = torch.linalg.solve(hessian, gradient)
        # A full Newton step can overshoot where the sigmoid is flat; its length is bounded.
        step = step / step.norm(dim=1, keepdim=True).clamp(min=1.0)
        theta = theta - step
        if step.abs().max() < 1e-9:
            break
    return PlattScaling(theta[:, 0], theta[:, 1])


def auc(scores: torch.Tensor, labels: torch.Tensor) -> float | None:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    Args:
        scores: [N].
        labels: [N], 0 or 1.

    Returns:
        A number in [0, 1], or None where only one class is present.
    """
    from sklearn.metrics import roc_auc_score

    positive = labels > 0.5
    if bool(positive.all()) or not bool(positive.any()):
        return None
    return float(roc_auc_score(positive.numpy(), scores.double().numpy()))


def expected_calibration_error(probability: torch.Tensor, labels: torch.Tensor, bins: int = 15) -> float:
    """Mean distance of predicted from observed frequency over equal bins of p, weighted by their counts (Guo 2017).

    Args:
        probability: [N] in [0, 1].
        labels: [N], 0 or 1.
        bins: equal intervals of [0, 1].
    """
    index = (probability.double() * bins).long().clamp(0, bins - 1)
    gap = torch.zeros(bins, dtype=torch.float64).index_add_(0, index, probability.double() - labels.double())
    return (gap.abs().sum() / len(labels)).item()
