"""Linear separability (StyleGAN, section 4.2): can a hyperplane in latent space tell an attribute?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

MIN_OF_A_CLASS = 10
MAX_STEPS = 10_000


@dataclass(frozen=True)
class AttributeEntropy:
    """What is left to know about one attribute once the hyperplane has spoken.

    Attributes:
        name: the attribute.
        entropy: H(Y | X) in nats; None where the fit failed.
        label_entropy: H(Y) in nats: the entropy of a hyperplane that tells nothing.
        accuracy: share of right answers of the hyperplane; None where the fit failed.
        failure: why there is no fit, or "".
    """

    name: str
    entropy: float | None
    label_entropy: float
    accuracy: float | None
    failure: str = ""


@dataclass(frozen=True)
class Separability:
    """The score over the attributes that were fitted.

    Attributes:
        score: exp of the sum of the conditional entropies; 1 is perfect; None where no fit succeeded.
        attributes: each attribute, failed ones too.
    """

    score: float | None
    attributes: list[AttributeEntropy]

    @property
    def failed(self) -> list[str]:
        """Names of the attributes without a fit; the score says nothing about them."""
        return [a.name for a in self.attributes if a.entropy is None]


def linear_separability(features: torch.Tensor, probability: torch.Tensor, attributes: list[str]) -> Separability:
    """Fit a hyperplane to every attribute on the half of the draws whose label is the surest.

    Args:
        features: float [N, F], latents.
        probability: [N, A], the classifier's probabilities.
        attributes: A names.
    """
    found = [attribute_entropy(name, features, probability[:, i]) for i, name in enumerate(attributes)]
    entropies = [a.entropy for a in found if a.entropy is not None]
    return Separability(float(np.exp(sum(entropies))) if entropies else None, found)


def attribute_entropy(name: str, features: torch.Tensor, probability: torch.Tensor) -> AttributeEntropy:
    """H(Y | X) of one attribute from latents [N, F] and probabilities [N]."""
    sure = (probability - 0.5).abs().argsort(descending=True, stable=True)[: (len(probability) + 1) // 2]
    x, y = features[sure].double().numpy(), (probability[sure] > 0.5).numpy()
    label_entropy = conditional_entropy(np.zeros_like(y), y)
    rarer = int(min(y.sum(), len(y) - y.sum()))
    if rarer < MIN_OF_A_CLASS:
        failure = f"only {rarer} of {len(y)} sure draws are in the rarer class; {MIN_OF_A_CLASS} are needed"
        return AttributeEntropy(name, None, label_entropy, None, failure)
    predicted = _hyperplane(x, y)
    if predicted is None:
        failure = f"the support vector machine did not converge in {MAX_STEPS} steps"
        return AttributeEntropy(name, None, label_entropy, None, failure)
    return AttributeEntropy(name, conditional_entropy(predicted, y), label_entropy, float((predicted == y).mean()))


def _hyperplane(x: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """The side of a support vector machine's hyperplane that every row of `x` (used up) lies on; None if it fails."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    # Standardizing is affine, so that it changes no hyperplane's answers, only the solver's speed. It is done in place.
    x = StandardScaler(copy=False).fit_transform(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            machine: Any = LinearSVC(dual=False, max_iter=MAX_STEPS)  # pyright: ignore[reportArgumentType]
            return machine.fit(x, y).predict(x)
        except (ConvergenceWarning, ValueError):
            return None


def conditional_entropy(x: np.ndarray, y: np.ndarray) -> float:
    """H(Y | X) in nats of two binary variables observed together, [N] each."""
    joint = np.array([[np.mean((x == i) & (y == j)) for j in (0, 1)] for i in (0, 1)])
    share = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)
    logs = np.log(np.where(joint > 0, share, 1.0))
    return float(-(joint * logs).sum())
