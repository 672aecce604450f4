"""Attribute directions of a model: fitted in every space, and what moving along them changes (Liu 2019, section 4)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from stylegenes.analysis.directions import Fit, FitResult, FitSettings, Penalty, fit_directions
from stylegenes.analysis.latent_files import Steps
from stylegenes.analysis.moves import MoveEffect, combine, evenly, measure_move, move, step
from stylegenes.analysis.samples import LabeledCodes, attribute_index, latent_spaces
from stylegenes.analysis.sparsity import SparsityRow, sparsity_study
from stylegenes.drawing import DrawSettings, draw_ws, express
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.perception import AttributeClassifier, PerceptualDistance
from stylegenes.perception.trust import warn_of_doubts
from stylegenes.progress import OnProgress
from stylegenes.sheets import Origin, Sheet

COLUMNS, SHOWN, MEASURED = 7, 6, 64
"""Pictures in a row of a strip; attributes with a strip, those told apart best; pictures whose changes are measured."""
STEPS = 2.0
"""Length of the moves whose effects are tabled, in standard deviations along the direction."""


@dataclass(frozen=True)
class SpaceFits:
    """Directions of every space by every penalty.

    Attributes:
        results: by space and penalty.
        penalties: in the order in which they were fitted.
    """

    results: dict[tuple[str, Penalty], FitResult]
    penalties: Sequence[Penalty]

    def of(self, penalty: Penalty) -> list[Fit]:
        """The fits of one penalty in all spaces."""
        return [fit for (_, one), found in self.results.items() if one == penalty for fit in found.fits]

    @property
    def in_w(self) -> FitResult:
        """Those in w, by the first penalty."""
        return next(found for (space, _), found in self.results.items() if space == "w")

    @property
    def best(self) -> list[str]:
        """The attributes told apart best in w, those with a direction."""
        usable = [fit for fit in self.in_w.fits if fit.scored and fit.nonzero]
        return [fit.attribute for fit in sorted(usable, key=lambda fit: -fit.auc)[:SHOWN]]


def fit_spaces(
    generator: Generator,
    samples: LabeledCodes,
    penalties: Sequence[Penalty],
    c: float,
    *,
    seed: int = 0,
    drawing: DrawSettings | None = None,
    on_progress: OnProgress = lambda what, done, total: None,
) -> SpaceFits:
    """Fit directions by each penalty, of inverse strength `c`, in each space that the model has.

    Args:
        generator: the codes' own.
        samples: codes with the classifier's probabilities.
        penalties: `l1`, `l2` or both.
        c: inverse strength of the penalty, above 0.
        seed: of the folds of cross-validation.
        drawing: its label conditions w; plainly where None.
        on_progress: told what is done, how much of it, and of how much.
    """
    results = {}
    condition = (drawing or DrawSettings()).condition
    spaces = latent_spaces(generator, samples.codes, condition=condition)
    for penalty in penalties:
        for space, coordinates in spaces.items():
            settings = FitSettings(penalty, c, seed=seed)

            def report(done: int, total: int, what: str = f"fitting {space} by {penalty}") -> None:
                on_progress(what, done, total)

            results[space, penalty] = fit_directions(
                space, coordinates, samples.probabilities, samples.attributes, settings, progress=report
            )
    return SpaceFits(results, penalties)


@dataclass(frozen=True)
class DirectionEffects:
    """What moves along directions in w change.

    Attributes:
        rows: a row a direction.
        pictures: how many were moved.
        strips: a row of pictures for each of the best directions.
        sparsity: how few coordinates carry each of them.
    """

    rows: list[dict[str, Any]]
    pictures: int
    strips: Sheet | None = None
    sparsity: list[SparsityRow] = field(default_factory=list)


def study_effects(
    generator: Generator,
    classifier: AttributeClassifier,
    perceptual: PerceptualDistance,
    fits: SpaceFits,
    samples: LabeledCodes,
    *,
    seed: int,
    drawing: DrawSettings,
    origin: Origin,
    on_progress: OnProgress = lambda what, done, total: None,
) -> DirectionEffects:
    """Move pictures along every direction in w, and measure and draw what changes.

    Args:
        generator: makes the pictures.
        classifier: says what they show.
        perceptual: says how far two pictures are apart.
        fits: directions in each space.
        samples: codes with the classifier's probabilities; the first ones are moved.
        seed: of what is drawn again when coordinates are held.
        drawing: psi and condition of the pictures.
        origin: what the strips' files record.
        on_progress: told what is done, how much of it, and of how much.
    """
    ws, directions = express(generator, samples.codes[:MEASURED], drawing), fits.in_w.directions
    usable, rows = [fit.attribute for fit in fits.in_w.fits if fit.nonzero], []
    for done, name in enumerate(usable, start=1):
        moved = move(ws, directions.vector(name), STEPS)
        effect = measure_move(generator, classifier, ws, moved, perceptual=perceptual, condition=drawing.condition)
        rows.append({"moved": name, **effect_row(effect, name)})
        on_progress("measuring side effects", done, len(usable))
    seen = [name for name in fits.best if name in classifier.attributes]
    if not seen:
        strips = _strips(generator, fits, drawing, origin) if fits.best else None
        return DirectionEffects(rows, len(ws), strips)
    sparse = sparsity_study(
        generator,
        classifier,
        samples,
        seen,
        random=torch.Generator().manual_seed(seed),
        condition=drawing.condition,
        progress=lambda done, total: on_progress("counting coordinates", done, total),
    )
    return DirectionEffects(rows, len(ws), _strips(generator, fits, drawing, origin), sparse)


def effect_row(effect: MoveEffect, name: str) -> dict[str, Any]:
    """One move as a row: the wanted change, the side effects, the distance, and every attribute's change."""
    column = attribute_index(effect.attributes, name) if name in effect.attributes else -1
    changes = dict(zip(effect.attributes, effect.change.tolist(), strict=True))
    return {
        "change": changes.get(name, float("nan")),
        "flipped": float(effect.flipped[column]) if column >= 0 else float("nan"),
        "side effect": effect.side_effect([name]),
        effect.distance_name or "distance": effect.distance,
        **{f"change of {other}": value for other, value in changes.items()},
    }


def _strips(generator: Generator, fits: SpaceFits, drawing: DrawSettings, origin: Origin) -> Sheet:
    """A row an attribute, from the mean of w: no luck of a draw, and all rows have the same middle."""
    ws = generator.broadcast(generator.latent.mean(drawing.condition)[:1])
    strengths = [3 * position for position in evenly(COLUMNS)]
    vectors = {name: fits.in_w.directions.vector(name) for name in fits.best}
    moved = [move(ws, vector, strength) for vector in vectors.values() for strength in strengths]
    captions = [f"{name} {strength:+g}" for name in vectors for strength in strengths]
    from_mean = Origin(
        origin.model,
        origin.weights,
        labels=origin.labels,
        more={**origin.more, "Pictures": "moves of the mean picture, which has no code"},
    )
    return Sheet(list(draw_ws(generator, torch.cat(moved), drawing)), [], from_mean, captions, COLUMNS)


@dataclass(frozen=True)
class Moved:
    """Codes moved along one direction, or between the moves along two.

    Attributes:
        generator: the model.
        drawing: how it draws.
        names: the directions.
        strength: to both sides, in standard deviations.
        before: [N, num_ws, w_dim], unmoved.
        rows: [N, num_ws, w_dim] at each of the positions from -1 to 1.
    """

    generator: Generator
    drawing: DrawSettings
    names: Sequence[str]
    strength: float
    before: torch.Tensor
    rows: list[torch.Tensor]

    def sheet(self, codes: Sequence[str], origin: Origin) -> Sheet:
        """A row a code; the sheet carries the codes that were moved."""
        ws = torch.stack(self.rows, dim=1).flatten(0, 1)
        captions = [self._caption(position) for position in evenly(COLUMNS)] * len(codes)
        names = [code for code in codes for _ in self.rows]
        drawing = DrawSettings(self.drawing.psi, self.drawing.cutoff, self.drawing.noise, self._conditions())
        return Sheet(list(draw_ws(self.generator, ws, drawing, names)), codes, origin, captions, COLUMNS)

    def _conditions(self) -> Any:
        times = len(self.rows)
        return self.drawing.condition.map(lambda rows: rows.repeat_interleave(times, 0) if len(rows) > 1 else rows)

    def _caption(self, position: float) -> str:
        """The strength of one move; or how much of the second of two edits, whose names stand at the ends."""
        if len(self.names) == 1:
            return f"{self.strength * position:+.2g}"
        return self.names[0] if position == -1 else self.names[1] if position == 1 else f"{(position + 1) / 2:.0%}"


def move_codes(
    generator: Generator,
    codes: torch.Tensor,
    steps: Steps,
    names: Sequence[str],
    strength: float,
    layers: Sequence[int],
    hold: Sequence[str],
    drawing: DrawSettings,
) -> Moved:
    """Move codes [N, ...] to both sides along one direction, or show the way between the moves along two.

    Args:
        generator: makes the pictures.
        codes: [N, ...].
        steps: directions of one space, w or z.
        names: one direction, or two.
        strength: the farthest move, in standard deviations along the direction.
        layers: numbers of the style layers that move.
        hold: attributes that the directions are made to leave alone.
        drawing: psi, noise and condition of the pictures.

    Raises:
        UserError: for an unknown direction, more than two, or a strength that is no number.
    """
    if not math.isfinite(strength):
        raise UserError(f"a strength is a number of standard deviations; got {strength}")
    vectors = [steps.vector(name, hold) for name in names]
    if len(vectors) > 2:
        raise UserError("give one direction, or two with a comma between to combine their edits")
    before = express(generator, codes, drawing)

    def moved(vector: torch.Tensor, amount: float) -> torch.Tensor:
        if steps.space == "w":
            return move(before, vector, amount, list(layers))
        return step(generator, codes, vector, amount, layers, drawing)

    if len(vectors) == 1:
        rows = [moved(vectors[0], strength * position) for position in evenly(COLUMNS)]
    else:
        first, second = (moved(vector, strength) for vector in vectors)
        rows = [combine(first, second, (position + 1) / 2) for position in evenly(COLUMNS)]
    return Moved(generator, drawing, names, strength, before, rows)


def move_effects(moved: Moved, classifier: AttributeClassifier, perceptual: PerceptualDistance) -> list[dict[str, Any]]:
    """Changes at both ends."""
    warn_of_doubts(classifier, moved.names)
    table = []
    for end, row in (("left", moved.rows[0]), ("right", moved.rows[-1])):
        effect = measure_move(
            moved.generator, classifier, moved.before, row, perceptual=perceptual, condition=moved.drawing.condition
        )
        table.append({"end": end, **effect_row(effect, moved.names[0])})
    return table


@dataclass(frozen=True, repr=False)
class MovedCodes:
    """Moved codes with what they are called and were drawn with; a notebook shows the pictures.

    Attributes:
        moved: style vectors before and after.
        codes: the code strings that were moved.
        origin: what they were drawn with.
        own: whether the directions belong to this model's very weights.
    """

    moved: Moved
    codes: Sequence[str]
    origin: Origin
    own: bool = True

    @cached_property
    def sheet(self) -> Sheet:
        """A row a code; the sheet carries the codes that were moved."""
        return self.moved.sheet(self.codes, self.origin)

    def save(self, path: str | Path) -> Path:
        """Write the pictures, with the codes inside.

        Raises:
            UserError: for a suffix that is no picture's.
        """
        return self.sheet.save(path)

    def _repr_png_(self) -> bytes:
        return self.sheet._repr_png_()

    def __repr__(self) -> str:
        return f"{len(self.codes)} codes moved along {','.join(self.moved.names)}"
