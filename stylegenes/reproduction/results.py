"""What the steps have left behind, read from the folder of a reproduction.

What is not there yet is None, and so is what a step has left that must be done again: its numbers are another budget's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stylegenes.analysis.pruning import WORTHS, named_by
from stylegenes.csv_tables import read_csv
from stylegenes.errors import UserError
from stylegenes.metrics import MetricRecord, read_records
from stylegenes.reproduction.scale import Scale
from stylegenes.reproduction.steps import GENOME, grid_name, measuring_steps, model_name
from stylegenes.snapshot import find_snapshot

EXTRACTOR = "lite0"
_MAKERS = {"correlation": "correlate", **{named_by("pruning", by): named_by("prune", by) for by in WORTHS}}
"""Steps that make exhibits of another name than theirs."""


_NUMBERS = {
    "tradeoff": ("average",),
    "pruning": ("pruned", "_mean", "_spread"),
    "edits": ("absolute_change", "mean_change_of_others", "flipped", "changed_most"),
    "correlation": (),
}
"""Columns that have a number in every row, by the kind of an exhibit."""


@dataclass(frozen=True)
class Results:
    """A reader of one reproduction.

    Attributes:
        folder: its folder.
        scale: what was wanted.
        done: names of the steps that are done as the scale wants them; None takes whatever lies in the folder.
    """

    folder: Path
    scale: Scale
    done: frozenset[str] | None = None

    def record(self, model: str, metric: str) -> MetricRecord | None:
        """The newest record of a metric, which may be named without its extractor."""
        if not self._is_done(*measuring_steps(model, metric)):
            return None
        place = self.folder / "measures" / model
        for name in (f"metric-{metric}_{EXTRACTOR}.jsonl", f"metric-{metric}.jsonl"):
            if (place / name).is_file():
                return read_records(place / name)[-1]
        return None

    def value(self, model: str, metric: str) -> float | None:
        """The number of the newest record."""
        found = self.record(model, metric)
        return None if found is None else found.value

    def cell(self, genes: int, variants: int) -> list[float]:
        """The Frechet distances of the trainings of a cell of the ablation, those that are there."""
        names = [grid_name(self.scale, genes, variants, seed) for seed in range(self.scale.grid_seeds)]
        return [value for name in names if (value := self.frechet(name)) is not None]

    def frechet(self, model: str, latents: int = 1) -> float | None:
        """The Frechet distance, with so many codes mixed in each picture."""
        return self.value(model, "fd" if latents == 1 else f"fd_{EXTRACTOR}_mix{latents}")

    def exhibit(self, name: str, seed: int = 0) -> list[dict[str, str]] | None:
        """The rows of a table that a verb about genes has made of a main genome.

        Raises:
            UserError: for a table that is damaged.
        """
        if not self._is_done(_MAKERS.get(name, name) + (f"-s{seed}" if seed else "")):
            return None
        try:
            snapshot = find_snapshot(self.folder / "models" / model_name(self.scale.main, GENOME, seed))
        except UserError:
            return None
        return _rows(snapshot / "genes" / "exhibits" / f"{name}.csv", _NUMBERS[name.split("-")[0]])

    def exhibits(self, name: str) -> list[list[dict[str, str]]]:
        """The same table of every seed's main genome, those that are there."""
        found = [self.exhibit(name, seed) for seed in range(self.scale.main.seeds)]
        return [rows for rows in found if rows]

    def directions(self) -> list[dict[str, str]] | None:
        """The rows of the table of linear directions of the main continuous model."""
        return _rows(self.folder / "directions" / "table-l1.csv", ()) if self._is_done("directions") else None

    def fitted_directions(self) -> list[dict[str, str]]:
        """Those rows whose attribute was common enough to be fitted."""
        return [row for row in self.directions() or [] if row.get("auc w") not in ("", "nan", None)]

    def mixed(self, model: str) -> list[float | None]:
        """The Frechet distances with 1 to 4 codes mixed in each picture."""
        return [self.frechet(model, latents) for latents in range(1, 5)]

    def _is_done(self, *any_of: str) -> bool:
        return self.done is None or not self.done.isdisjoint(any_of)


def _rows(path: Path, numbers: Sequence[str]) -> list[dict[str, str]] | None:
    """The rows of a CSV by column, or None where there is no such file.

    Args:
        path: of the file.
        numbers: columns that each row must have a number in, by their names or ends.
    """
    if not path.is_file():
        return None
    table = read_csv(path)
    for wanted in numbers:
        columns = [column for column in table.columns if column.endswith(wanted)]
        if not columns or not table.rows or not all(_is_number(row[name]) for row in table.rows for name in columns):
            raise UserError(f"{path} has no rows, or no number in each of them for {wanted!r}: make it again")
    return table.rows


def _is_number(cell: str | None) -> bool:
    try:
        float(cell or "")
    except ValueError:
        return False
    return True
