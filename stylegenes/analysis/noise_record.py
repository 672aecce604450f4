"""A study of the noise inputs as one record, and the files that it becomes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from safetensors.torch import save_file

from stylegenes.analysis.latent_plots import plot_noise, write_figure
from stylegenes.analysis.noise_study import NoiseEffect, noise_rows
from stylegenes.csv_tables import write_table
from stylegenes.files import atomic_path
from stylegenes.sheets import Origin


@dataclass(frozen=True, repr=False)
class NoiseStudy:
    """What the noise inputs do to some codes.

    Attributes:
        effects: of noise in no layer, the coarse, the fine and all of them.
        codes: the code strings.
        origin: what they were drawn with.
    """

    effects: Sequence[NoiseEffect]
    codes: Sequence[str]
    origin: Origin

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row for each picture and case."""
        return noise_rows(self.effects)

    @property
    def boundary(self) -> int | None:
        """The largest coarse resolution in pixels."""
        return self.effects[1].case.max_resolution

    def figure(self, row: int = 0) -> Figure:
        """Pictures and maps of one code."""
        return plot_noise(self.effects, row)

    def save(self, folder: str | Path) -> Path:
        """Write a table, the maps, and a figure for each code into a folder.

        Raises:
            OSError: when a file cannot be written.
        """
        out = Path(folder)
        out.mkdir(parents=True, exist_ok=True)
        write_table(out / "noise.csv", self.rows)
        with atomic_path(out / "deviation.safetensors") as part:
            save_file({effect.case.name: effect.deviation.cpu().contiguous() for effect in self.effects}, part)
        for row, string in enumerate(self.codes):
            write_figure(out / f"noise-{row}.png", self.figure(row), self.origin.text([string]))
        return out

    def __repr__(self) -> str:
        return "\n".join(", ".join(f"{key} {_short(value)}" for key, value in row.items()) for row in self.rows)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.figure().savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()


def _short(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
