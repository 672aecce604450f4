"""How few coordinates carry an attribute (Liu 2019, section 4.2, Figures 6 and 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from stylegenes.analysis.directions import FitSettings, fit_directions
from stylegenes.analysis.moves import hold_coordinates, measure_move, move
from stylegenes.analysis.samples import LabeledCodes, attribute_index
from stylegenes.generator import Generator
from stylegenes.perception import AttributeClassifier
from stylegenes.progress import OnStep
from stylegenes.records import Condition, repeated

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3)
"""The inverse penalty strengths C of the paper's kind of study."""


@dataclass(frozen=True)
class SparsityRow:
    """One attribute at one strength of the L1 penalty.

    Attributes:
        attribute: its name.
        c: inverse strength of the penalty.
        nonzero: coordinates of w with a weight.
        total: all coordinates.
        auc: cross-validated area under the ROC curve.
        flipped: share of pictures without the attribute that show it after a move of `steps`.
        steps: length of that move in standard deviations.
        kept: share of pictures, half of them with the attribute, that stay as they are in it when only these
            coordinates are held and the others are drawn again.
        baseline: the same share when nothing is held.
    """

    attribute: str
    c: float
    nonzero: int
    total: int
    auc: float
    flipped: float
    steps: float
    kept: float
    baseline: float


def sparsity_study(
    generator: Generator,
    classifier: AttributeClassifier,
    samples: LabeledCodes,
    attributes: Sequence[str],
    *,
    random: torch.Generator,
    cs: Sequence[float] = STRENGTHS,
    folds: int = 5,
    steps: float = 3.0,
    pictures: int = 128,
    condition: Condition | None = None,
    progress: OnStep | None = None,
) -> list[SparsityRow]:
    """Fit L1 classifiers on w with falling penalty; move along each, and hold the coordinates of each.

    Attributes for which no weight survives at a strength have no row there.

    Args:
        generator: makes the pictures.
        classifier: says what they show.
        samples: codes with the classifier's probabilities.
        attributes: names of those that are studied.
        random: of what is drawn again when coordinates are held.
        cs: inverse strengths of the penalty, each above 0.
        folds: of cross-validation.
        steps: length of the move, in standard deviations.
        pictures: how many are made with each attribute at most, half of them having it.
        condition: label and camera of all pictures, one row.
        progress: told the strengths done and all of them.
    """
    rows: list[SparsityRow] = []
    columns = [attribute_index(samples.attributes, name) for name in attributes]
    shared = repeated(condition, len(samples))
    with torch.no_grad():
        w = generator.latent(samples.codes, shared)
    for done, c in enumerate(cs, start=1):
        settings = replace(FitSettings("l1"), c=c, folds=folds)
        result = fit_directions("w", w, samples.probabilities[:, columns], list(attributes), settings)
        for fit in result.fits:
            if fit.nonzero:
                sides = _sides(samples, fit.attribute)
                half = min(pictures // 2, *map(len, sides))
                having, lacking = (w[rows[:half]] for rows in sides)
                step = steps * result.directions.vector(fit.attribute)
                carried = result.directions.coordinates(fit.attribute)
                originals = torch.cat([having, lacking])
                held = hold_coordinates(
                    generator, classifier, fit.attribute, carried, originals, random=random, condition=condition
                )
                flipped = _flipped(generator, classifier, lacking, step, fit.attribute, condition)
                total = w.shape[1]
                rows.append(
                    SparsityRow(
                        fit.attribute, c, fit.nonzero, total, fit.auc, flipped, steps, held.agreement, held.baseline
                    )
                )
        if progress is not None:
            progress(done, len(cs))
    return rows


def _sides(samples: LabeledCodes, attribute: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows of the samples with the attribute, and of those without."""
    present = samples.column(attribute) > 0.5
    return present.nonzero().flatten(), (~present).nonzero().flatten()


def _flipped(
    generator: Generator,
    classifier: AttributeClassifier,
    lacking: torch.Tensor,
    step: torch.Tensor,
    attribute: str,
    condition: Condition | None,
) -> float:
    ws = generator.broadcast(lacking)
    effect = measure_move(generator, classifier, ws, move(ws, step, 1.0), condition=condition)
    return float(effect.flipped[attribute_index(effect.attributes, attribute)])
