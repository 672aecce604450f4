"""Attribute directions as one record: labels, fits and effects, and the files that they become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from stylegenes.analysis.direction_study import DirectionEffects, SpaceFits
from stylegenes.analysis.directions import Penalty
from stylegenes.analysis.latent_files import paper_table, save_directions
from stylegenes.analysis.latent_plots import plot_fits, plot_sparsity, write_figure
from stylegenes.analysis.samples import LabeledCodes, attribute_index, label_samples, write_labels
from stylegenes.csv_tables import write_table
from stylegenes.generator import Generator
from stylegenes.perception import AttributeClassifier
from stylegenes.perception.trust import warn_of_doubts
from stylegenes.progress import OnProgress
from stylegenes.records import Condition


@dataclass(frozen=True)
class AttributeStudy:
    """Directions of attributes.

    Attributes:
        generator: the model.
        model: fingerprint of its weights.
        samples: codes with labels.
        fits: the directions, in every space and by every penalty.
        effects: what moving along them changes, or None where no classifier was there to tell.
    """

    generator: Generator
    model: str
    samples: LabeledCodes
    fits: SpaceFits
    effects: DirectionEffects | None = None

    def table(self, penalty: Penalty) -> list[dict[str, object]]:
        """How well each attribute is told, a row an attribute (Liu 2019)."""
        return paper_table(self.fits.of(penalty))

    def made(self, by: str) -> AttributeStudy:
        """The same, whose pictures say what made them."""
        if self.effects is None or self.effects.strips is None:
            return self
        strips = replace(self.effects.strips, origin=self.effects.strips.origin.made(by))
        return replace(self, effects=replace(self.effects, strips=strips))

    def save(self, folder: str | Path) -> Path:
        """Write directions, tables and figures into a folder; `load_steps` reads the directions.

        Raises:
            OSError: when a file cannot be written.
        """
        out = Path(folder)
        out.mkdir(parents=True, exist_ok=True)
        write_labels(out / "samples.csv", self.generator, self.samples)
        for (space, penalty), found in self.fits.results.items():
            save_directions(out / f"{space}-{penalty}", found.directions, found.fits, self.model)
        for penalty in self.fits.penalties:
            write_table(out / f"table-{penalty}.csv", self.table(penalty))
            write_figure(out / f"auc-{penalty}.png", plot_fits(self.fits.of(penalty)))
        fits = [fit for penalty in self.fits.penalties for fit in self.fits.of(penalty)]
        write_table(out / "fits.csv", [asdict(fit) for fit in fits])
        if self.effects is not None:
            _write_effects(self.effects, out)
        return out

    def __repr__(self) -> str:
        penalties, best = ", ".join(self.fits.penalties), ", ".join(self.fits.best) or "none"
        return f"directions from {len(self.samples)} samples by {penalties}; told apart best: {best}"


def draw_labels(
    generator: Generator,
    classifier: AttributeClassifier,
    num: int,
    wanted: Sequence[str] | None,
    condition: Condition,
    seed: int,
    on_progress: OnProgress,
) -> LabeledCodes:
    """New codes with the classifier's probabilities, after a warning of what it cannot tell.

    Args:
        generator: makes the pictures.
        classifier: says what they show.
        num: codes.
        wanted: attributes to warn of where the classifier is in doubt; None means all it knows.
        condition: label and camera of all pictures, one row.
        seed: of the codes.
        on_progress: told what is done, how much of it, and of how much.
    """
    known = list(classifier.attributes)
    warn_of_doubts(classifier, [known[attribute_index(known, name)] for name in wanted or known])
    return label_samples(
        generator,
        classifier,
        num,
        random=torch.Generator().manual_seed(seed),
        condition=condition,
        progress=lambda done, total: on_progress("classifying samples", done, total),
    )


def _write_effects(effects: DirectionEffects, out: Path) -> None:
    if effects.rows:
        write_table(out / "effects.csv", effects.rows)
    if effects.strips is not None:
        effects.strips.save(out / "strips.png")
    if effects.sparsity:
        write_table(out / "sparsity.csv", [asdict(row) for row in effects.sparsity])
        write_figure(out / "sparsity.png", plot_sparsity(effects.sparsity))
