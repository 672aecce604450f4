"""Principal components of a latent space with pictures of what they do (Liu 2019, section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from stylegenes.analysis.latent_files import save_components
from stylegenes.analysis.latent_plots import plot_components, write_figure
from stylegenes.analysis.moves import evenly, move, step
from stylegenes.analysis.pca import Components, extremes, principal_components
from stylegenes.analysis.samples import latent_spaces
from stylegenes.csv_tables import write_table
from stylegenes.drawing import DrawSettings, draw, draw_ws, express
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.sheets import Origin, Sheet
from stylegenes.words import check_known

COLUMNS, ENDS = 7, 5
"""Pictures in a row of a strip, and at each end of a component."""


@dataclass(frozen=True, repr=False)
class ComponentStudy:
    """Components of a model's latent space and the codes that they were found from.

    Attributes:
        generator: the model.
        drawing: how codes become pictures.
        codes: [N, ...].
        coordinates: [N, C], the codes in the space of the components.
        found: the components.
        origin: what pictures were drawn with.
    """

    generator: Generator
    drawing: DrawSettings
    codes: torch.Tensor
    coordinates: torch.Tensor
    found: Components
    origin: Origin

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row a component: its variance, and the share explained up to it."""
        both = zip(self.found.variance.tolist(), self.found.explained.tolist(), strict=True)
        return [{"component": i, "variance": v, "explained": e} for i, (v, e) in enumerate(both, start=1)]

    def save(
        self, folder: str | Path, shown: int = 4, strength: float = 3.0, layers: Sequence[int] | None = None
    ) -> Path:
        """Write components, table, figure, extremes and strips into a folder; `load_steps` reads the components.

        Args:
            folder: where to.
            shown: how many components have strips and extremes.
            strength: how far the strips go to both sides, in standard deviations.
            layers: those that move in the strips, or None for all.

        Raises:
            OSError: when a file cannot be written.
        """
        out, shown = Path(folder), min(shown, len(self.found.basis))
        moving = range(self.generator.synthesis.num_ws) if layers is None else layers
        out.mkdir(parents=True, exist_ok=True)
        save_components(out / "components", self.found, self.origin.weights)
        write_table(out / "variance.csv", self.rows)
        write_figure(out / "variance.png", plot_components(self.found, self.coordinates))
        self.extremes(shown).save(out / "extremes.png")
        self.strips(shown, strength, moving).save(out / "strips.png")
        return out

    def __repr__(self) -> str:
        found = self.found
        return (
            f"{found.needed(0.8)} of {len(self.rows)} components of {found.space} hold 80% of the variance, "
            f"{found.needed(0.95)} hold 95%"
        )

    def _repr_png_(self) -> bytes:
        shown = min(4, len(self.found.basis))
        return self.strips(shown, 3.0, range(self.generator.synthesis.num_ws))._repr_png_()

    def extremes(self, shown: int) -> Sheet:
        """A row for each of the first components: the codes at both of its ends."""
        pictures, captions, strings = [], [], []
        for component in range(1, shown + 1):
            ends = extremes(self.found, self.coordinates, component, ENDS)
            codes = self.codes[torch.cat([ends.low.flip(0), ends.high.flip(0)])]
            pictures += draw(self.generator, codes, self.drawing)
            strings += self.generator.latent.to_strings(codes)
            captions += [f"pc{component} low"] * len(ends.low) + [f"pc{component} high"] * len(ends.high)
        return Sheet(pictures, strings, self.origin, captions, len(pictures) // shown)

    def strips(self, shown: int, strength: float, layers: Sequence[int]) -> Sheet:
        """A row for each of the first components: the first code moved along it; the sheet carries that code."""
        code = self.codes[:1]
        strengths = [strength * position for position in evenly(COLUMNS)]
        steps = [(component, amount) for component in range(1, shown + 1) for amount in strengths]
        ws = express(self.generator, code, self.drawing)
        moved = [self._moved(code, ws, self.found.vector(number), amount, layers) for number, amount in steps]
        captions = [f"pc{component} {amount:+.2g}" for component, amount in steps]
        names = self.generator.latent.to_strings(code)
        pictures = list(draw_ws(self.generator, torch.cat(moved), self.drawing, names * len(moved)))
        return Sheet(pictures, names, self.origin, captions, COLUMNS)

    def _moved(
        self, code: torch.Tensor, ws: torch.Tensor, vector: torch.Tensor, amount: float, layers: Sequence[int]
    ) -> torch.Tensor:
        if self.found.space == "w":
            return move(ws, vector, amount, list(layers))
        return step(self.generator, code, vector, amount, layers, self.drawing)


def study_components(
    generator: Generator,
    samples: int,
    space: str = "w",
    *,
    origin: Origin | None = None,
    seed: int = 0,
    drawing: DrawSettings | None = None,
) -> ComponentStudy:
    """Draw codes and find the components of `w` or `z`; for a genome both are its chosen variants.

    Args:
        generator: the model.
        samples: how many codes to draw.
        space: `w`, or `z` for the code's own numbers.
        origin: what pictures are drawn with, as files say it, where that matters.
        seed: of the codes.
        drawing: how codes become pictures; plainly where nothing is given.

    Raises:
        UserError: for another space, or fewer samples than a code has numbers.
    """
    check_known("space", space, ("w", "z"))
    drawing = drawing or DrawSettings()
    codes = generator.sample(samples, torch.Generator().manual_seed(seed))
    spaces = latent_spaces(generator, codes, condition=drawing.condition)
    coordinates = spaces.get(space, spaces["w"])
    if samples <= coordinates.shape[1]:
        raise UserError(f"--samples is {samples}; components of {coordinates.shape[1]} numbers need more than that")
    found = principal_components("w" if coordinates is spaces["w"] else "z", coordinates)
    return ComponentStudy(generator, drawing, codes, coordinates, found, origin or Origin("", ""))
