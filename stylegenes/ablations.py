"""Frechet distance over genes x variants: one training for each cell of a grid, resumable (StyleGenes, Table 1)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stylegenes.analysis.ablation import NOT_YET, Cell, check_grid
from stylegenes.analysis.ablation import ablate as fill_grid
from stylegenes.analysis.exhibits.models import ablation_exhibit
from stylegenes.analysis.outcomes import Outcome
from stylegenes.devices import pick_device
from stylegenes.errors import UserError
from stylegenes.metrics.reference import FrechetReference, measure_real, open_real
from stylegenes.sheets import Origin
from stylegenes.snapshot import Card, load_snapshot
from stylegenes.training import Machine, RunConfig, train

DISTANCE = "fd_lite0"
"""What a cell is scored by."""


@dataclass(frozen=True, repr=False)
class Ablation(Outcome):
    """A grid of trainings.

    Attributes:
        cells: one for each number of genes and variants.
    """

    cells: Sequence[Cell]


def ablate(
    base: RunConfig,
    out: str | Path,
    genes: Sequence[int] = (64, 8, 2),
    variants: Sequence[int] = (256, 512, 1024, 2048),
    *,
    samples: int = 10_000,
    machine: Machine | None = None,
    only: Collection[tuple[int, int]] | None = None,
    on_note: Callable[[str], None] = lambda text: None,
) -> Ablation:
    """Train what is missing, measure, and gather; the same call again goes on, and finished cells are kept.

    Args:
        base: the configuration of every cell; its latent becomes a genome of the cell's size.
        out: folder of the grid, with a run in each cell.
        genes: numbers of genes; each must divide w_dim.
        variants: numbers of variants.
        samples: pictures for a distance.
        machine: where training happens; None takes one device, the best there is.
        only: numbers of genes and variants of the cells that are trained now; None for all, an empty one for none.
        on_note: called with a sentence for each cell.

    Raises:
        UserError: for sizes that do not fit, and whatever training refuses.
    """
    machine, w_dim = machine or Machine(), int(base.model.synthesis["w_dim"])
    check_grid(list(genes), list(variants), w_dim)
    if only is not None and not only:
        return _gathered(base, fill_grid(Path(out), list(genes), list(variants), _nothing, w_dim=w_dim, only=()), "")
    data = open_real(Card("ablation"), base.data.source, base.data.resolution)
    real = measure_real(data, Path(out) / "reals", pick_device(machine.accelerator))

    def train_and_score(num_genes: int, num_variants: int, folder: Path) -> float:
        on_note(f"{num_genes} genes x {num_variants} variants: {folder}")
        latent = {"name": "genome", "w_dim": w_dim, "num_genes": num_genes, "num_variants": num_variants}
        config = replace(base, model=replace(base.model, latent=latent))
        return _score(config, folder / "run", machine, samples, real)

    cells = fill_grid(Path(out), list(genes), list(variants), train_and_score, w_dim=w_dim, only=only)
    caption = f" {samples:,} pictures a cell; two halves of the reals are {real.floor:.2f} apart."
    return _gathered(base, cells, caption)


def _gathered(base: RunConfig, cells: Sequence[Cell], more: str) -> Ablation:
    """Table and figure of what there is."""
    caption = f"{DISTANCE} after {base.kimg:g} thousand images of {base.data.source}, recipe {base.recipe}.{more}"
    lines = [
        f"{cell.num_genes} x {cell.num_variants} {'' if cell.note == NOT_YET else 'failed: '}{cell.note}"
        for cell in cells
        if cell.note
    ]
    return Ablation(ablation_exhibit(cells, DISTANCE, caption), Origin("ablation"), lines, cells)


def _nothing(num_genes: int, num_variants: int, folder: Path) -> float:
    """What trains a cell where none is trained."""
    raise AssertionError


def _score(config: RunConfig, folder: Path, machine: Machine, samples: int, real: FrechetReference) -> float:
    result = train(config, folder, machine=machine)
    if not result.finished or result.snapshot is None:
        raise KeyboardInterrupt
    generator = load_snapshot(result.snapshot, real.device).generator
    score = real.of_generator(generator, samples, seed=0)
    if score != score:
        raise UserError("the distance is not a number")
    return score
