"""Linear attribute directions in a latent space.

"Controlled Modification of Generated (Style)GAN Latent Vectors" (Liu 2019), sections 3.2 and 4.2: a logistic
regression tells from a code's coordinates whether the picture shows an attribute; its weights are a direction that
adds or removes it. An L1 penalty leaves few coordinates with a weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from stylegenes.analysis.samples import attribute_index
from stylegenes.errors import UserError
from stylegenes.progress import OnStep
from stylegenes.words import check_known

Penalty = Literal["l1", "l2"]


@dataclass(frozen=True)
class Fit:
    """How well one attribute can be told from one latent space by a linear classifier.

    Attributes:
        attribute: its name.
        space: `z` or `w`.
        penalty: `l1` or `l2`.
        c: inverse strength of the penalty.
        positives: samples that show the attribute.
        auc: mean area under the ROC curve over the folds; NaN where the attribute is too rare to be scored.
        auc_std: its standard deviation over the folds.
        balanced_accuracy: mean of sensitivity and specificity, averaged over the folds.
        balanced_accuracy_std: its standard deviation over the folds.
        nonzero: coordinates with a weight, in the fit to all samples.
    """

    attribute: str
    space: str
    penalty: Penalty
    c: float
    positives: int
    auc: float
    auc_std: float
    balanced_accuracy: float
    balanced_accuracy_std: float
    nonzero: int

    @property
    def scored(self) -> bool:
        """Whether both classes had enough samples for every fold."""
        return not np.isnan(self.auc)


@dataclass(frozen=True)
class Directions:
    """The directions of several attributes in one space.

    Attributes:
        space: `z` or `w`.
        attributes: the A names.
        weights: [A, C], classifier weights for standardized coordinates; zero rows for attributes not fitted.
        center: [C], mean of the samples.
        scale: [C], standard deviation of the samples in every coordinate.
        spread: [A], standard deviation of the samples along each direction, in standardized coordinates.
    """

    space: str
    attributes: list[str]
    weights: torch.Tensor
    center: torch.Tensor
    scale: torch.Tensor
    spread: torch.Tensor

    def index(self, attribute: str) -> int:
        """The row of an attribute; a UserError lists the known ones."""
        return attribute_index(self.attributes, attribute)

    def vector(self, attribute: str, hold: list[str] | None = None) -> torch.Tensor:
        """The step [C] that adds the attribute; its length is one standard deviation of the samples along it.

        Args:
            attribute: what the step adds.
            hold: attributes whose classifiers' logits the step must leave unchanged; what is along their weights is
                taken out of it, so it is the shorter the more they have in common.

        Raises:
            UserError: for unknown names, an attribute or a held one without a direction, or one that the held span.
        """
        index = self.index(attribute)
        if hold and attribute in hold:
            raise UserError(f"{attribute!r} cannot be changed and held at once")
        weight = self.weights[index].double()
        if not weight.any():
            raise UserError(
                f"{attribute!r} has no direction: no weight survived the penalty, or it was too rare to fit"
            )
        held = self.weights[[self.index(name) for name in hold or []]].double()
        loose = [name for name, row in zip(hold or [], held, strict=True) if not row.any()]
        if loose:
            raise UserError(f"{', '.join(loose)} cannot be held: no direction was found; hold others")
        free = weight - _project(weight, held)
        if free.norm() < 1e-6 * weight.norm():
            raise UserError(f"nothing of {attribute!r} is left when {', '.join(hold or [])} are held; hold fewer")
        step = self.spread[index].double() * free / weight.norm()
        return (self.scale.double() * step).to(self.scale.dtype)

    def coordinates(self, attribute: str) -> torch.Tensor:
        """Which coordinates carry the attribute, bool [C]."""
        return self.weights[self.index(attribute)] != 0


def _project(vector: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """The part of `vector` [C] in the span of `rows` [K, C]."""
    _, values, basis = torch.linalg.svd(rows, full_matrices=False)
    basis = basis[values > 1e-9 * values.max()] if len(values) else basis
    return basis.T @ (basis @ vector)


def classifier(penalty: Penalty, c: float) -> LogisticRegression:
    """A logistic regression with balanced classes. The L1 one is exact about zeros (coordinate descent).

    Raises:
        UserError: for a strength that is not positive.
    """
    if c <= 0:
        raise UserError(f"C is the inverse strength of the penalty and must be positive; got {c}")
    if penalty == "l1":
        return LogisticRegression(l1_ratio=1.0, C=c, solver="liblinear", class_weight="balanced", random_state=0)
    return LogisticRegression(l1_ratio=0.0, C=c, solver="lbfgs", class_weight="balanced", max_iter=1000)


@dataclass(frozen=True)
class FitSettings:
    """How attributes are fitted.

    Attributes:
        penalty: `l1` or `l2`.
        c: inverse strength of the penalty; the paper uses 0.1 with L1.
        folds: parts of the cross-validation.
        seed: shuffles the samples into folds.
    """

    penalty: Penalty = "l1"
    c: float = 0.1
    folds: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        check_known("penalty", self.penalty, get_args(Penalty))


@dataclass(frozen=True)
class FitResult:
    """The fits of several attributes in one space, and their directions."""

    fits: list[Fit]
    directions: Directions


def fit_directions(
    space: str,
    coordinates: torch.Tensor,
    probabilities: torch.Tensor,
    attributes: list[str],
    settings: FitSettings | None = None,
    *,
    progress: OnStep | None = None,
) -> FitResult:
    """Fit and cross-validate one linear classifier an attribute, on standardized coordinates.

    Args:
        space: what the coordinates are, `z` or `w`.
        coordinates: [N, C].
        probabilities: [N, A]; above a half counts as present.
        attributes: the A names.
        settings: penalty and folds.
        progress: called after every attribute.

    Raises:
        UserError: for fewer samples than two a fold.
    """
    settings = settings or FitSettings()
    if len(coordinates) < 2 * settings.folds:
        raise UserError(f"{settings.folds} folds need at least {2 * settings.folds} samples; got {len(coordinates)}")
    center, scale = coordinates.mean(dim=0), coordinates.std(dim=0)
    # A coordinate that never changes says nothing; dividing by one keeps it at zero.
    scale = torch.where(scale > 1e-8 * scale.max(), scale, torch.zeros_like(scale))
    x = ((coordinates - center) / scale.where(scale > 0, torch.ones_like(scale))).cpu().numpy().astype(np.float64)
    present = (probabilities > 0.5).cpu().numpy()
    fits, weights = [], np.zeros((len(attributes), x.shape[1]))
    for index, attribute in enumerate(attributes):
        fit, weights[index] = _fit_one(space, attribute, x, present[:, index], settings)
        fits.append(fit)
        if progress is not None:
            progress(index + 1, len(attributes))
    units = weights / np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), 1e-12)
    spread = (x @ units.T).std(axis=0)
    to_tensor = lambda array: torch.from_numpy(array).to(scale)  # noqa: E731
    return FitResult(fits, Directions(space, attributes, to_tensor(weights), center, scale, to_tensor(spread)))


def _fit_one(
    space: str, attribute: str, x: np.ndarray, present: np.ndarray, settings: FitSettings
) -> tuple[Fit, np.ndarray]:
    positives = int(present.sum())
    if min(positives, len(present) - positives) < settings.folds:
        nan = float("nan")
        fit = Fit(attribute, space, settings.penalty, settings.c, positives, nan, nan, nan, nan, 0)
        return fit, np.zeros(x.shape[1])
    aucs, accuracies = [], []
    for train, test in StratifiedKFold(settings.folds, shuffle=True, random_state=settings.seed).split(x, present):
        scores = classifier(settings.penalty, settings.c).fit(x[train], present[train]).decision_function(x[test])
        aucs.append(roc_auc_score(present[test], scores))
        accuracies.append(balanced_accuracy_score(present[test], scores > 0))
    weights = classifier(settings.penalty, settings.c).fit(x, present).coef_[0]
    fit = Fit(
        attribute=attribute,
        space=space,
        penalty=settings.penalty,
        c=settings.c,
        positives=positives,
        auc=float(np.mean(aucs)),
        auc_std=float(np.std(aucs)),
        balanced_accuracy=float(np.mean(accuracies)),
        balanced_accuracy_std=float(np.std(accuracies)),
        nonzero=int(np.count_nonzero(weights)),
    )
    return fit, weights
