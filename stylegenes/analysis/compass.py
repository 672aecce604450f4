"""Directions to move pictures along in w: principal components at once, attributes once they are fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from stylegenes.analysis.component_study import study_components
from stylegenes.analysis.direction_study import fit_spaces
from stylegenes.analysis.directions import Directions, Fit
from stylegenes.analysis.moves import move
from stylegenes.analysis.pca import Components
from stylegenes.analysis.samples import label_samples
from stylegenes.drawing import DrawSettings
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.perception import AttributeClassifier
from stylegenes.progress import OnProgress, silent
from stylegenes.records import Condition
from stylegenes.styles import write_styles
from stylegenes.words import did_you_mean

SAMPLES = 3000
"""Pictures that are judged to fit the directions of attributes."""
SHOWN = 10
"""Principal components that are offered."""
_STRENGTH = 0.1
"""Inverse strength of the penalty, as the paper has it (Liu 2019)."""


@dataclass(frozen=True)
class Move:
    """A step along a direction.

    Attributes:
        name: an attribute, or a component like `pc1`.
        strength: in standard deviations of the model's own pictures along it.
        layers: `all`, a band, or numbers like `0-3`.
    """

    name: str
    strength: float
    layers: str = "all"


class Compass:
    """The directions of a model; all of them are a function of its weights, its condition and the classifier.

    Args:
        generator: the model.
        condition: one row, for a model with labels.
    """

    def __init__(self, generator: Generator, condition: Condition) -> None:
        self.generator, self.condition = generator, condition
        self.directions: Directions | None = None
        self.fits: Sequence[Fit] = ()

    @cached_property
    def components(self) -> Components:
        """The principal components of w."""
        samples = max(1000, 2 * self.generator.synthesis.w_dim)
        return study_components(self.generator, samples, "w", drawing=DrawSettings(condition=self.condition)).found

    @property
    def component_names(self) -> list[str]:
        """What the offered components are called."""
        return [f"pc{number + 1}" for number in range(min(SHOWN, len(self.components.basis)))]

    @property
    def attributes(self) -> list[str]:
        """The attributes that have a direction."""
        found = self.directions
        if found is None:
            return []
        return [name for name, row in zip(found.attributes, found.weights, strict=True) if bool(row.any())]

    def fit(
        self,
        classifier: AttributeClassifier,
        samples: int = SAMPLES,
        on_progress: OnProgress = silent,
    ) -> None:
        """Draw pictures, judge them, and fit a direction for each attribute.

        Raises:
            UserError: for less than one sample.
        """
        labeled = label_samples(
            self.generator,
            classifier,
            samples,
            random=torch.Generator().manual_seed(0),
            condition=self.condition,
            progress=lambda done, total: on_progress("classifying pictures", done, total),
        )
        found = fit_spaces(
            self.generator,
            labeled,
            ["l2"],
            _STRENGTH,
            drawing=DrawSettings(condition=self.condition),
            on_progress=on_progress,
        )
        fitted = found.results["w", "l2"]
        self.fits, self.directions = fitted.fits, fitted.directions

    def vector(self, name: str, hold: Sequence[str] = ()) -> torch.Tensor:
        """The step [w_dim] of one standard deviation.

        Raises:
            UserError: for an unknown name, or components asked to hold something.
        """
        if name in self.component_names:
            if hold:
                raise UserError("principal components know no attributes to hold; use attribute directions")
            return self.components.vector(self.component_names.index(name) + 1)
        known = [*self.attributes, *self.component_names]
        if self.directions is None or name not in known:
            raise UserError(f"there is no direction {name!r}{did_you_mean(name, known, 'there are')}")
        return self.directions.vector(name, list(hold))

    def moved(self, ws: torch.Tensor, moves: Sequence[Move], layers: Sequence[list[int]], hold: Sequence[str]) -> str:
        """Style vectors [1, num_ws, w_dim] after all moves, each on its layers, as text.

        Args:
            ws: [1, num_ws, w_dim].
            moves: directions and how far to go along each.
            layers: numbers of the style layers that each move acts on, a list for each.
            hold: attributes that directions of attributes are made to leave alone.

        Raises:
            UserError: as `vector`.
        """
        for one, where in zip(moves, layers, strict=True):
            ws = move(ws, self.vector(one.name, hold).to(ws), one.strength, where)
        return write_styles(ws)[0]
