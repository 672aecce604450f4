"""A grid of genes x variants, one training each, that goes on after a kill (StyleGenes, Table 1, right)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from stylegenes.errors import UserError
from stylegenes.files import read_record, write_json


@dataclass(frozen=True)
class Cell:
    """One genome of the grid and its score.

    Attributes:
        num_genes: genes.
        num_variants: variants of each.
        score: the Frechet distance; None where the training has failed.
        note: why it failed, or "".
    """

    num_genes: int
    num_variants: int
    score: float | None
    note: str = ""


NOT_YET = "not trained yet"
"""The note of a cell that nothing is known of."""
TrainAndScore = Callable[[int, int, Path], float]
"""num_genes, num_variants and the cell's run folder to a Frechet distance; resumes what it finds in the folder."""


def ablate(
    folder: Path,
    genes: Sequence[int],
    variants: Sequence[int],
    train_and_score: TrainAndScore,
    *,
    w_dim: int,
    only: Collection[tuple[int, int]] | None = None,
) -> list[Cell]:
    """Fill the grid. Cells with a score are kept; the same call again does the others.

    A cell whose training fails with a message for the user is reported as failed and tried again next time.

    Args:
        folder: keeps the scores and a run folder for each cell.
        genes: numbers of genes, one a column of the grid.
        variants: numbers of variants of each gene, one a row.
        train_and_score: makes the score of one cell.
        w_dim: length of w, which each number of genes must divide.
        only: numbers of genes and variants of the cells that are trained now; None for all. Others are what they are.

    Raises:
        UserError: when w_dim does not split into one of the numbers of genes; before anything is trained.
    """
    check_grid(genes, variants, w_dim)
    grid = [(g, v) for v in variants for g in genes]
    return [
        _fill(folder, *cell, train_and_score) if only is None or cell in only else _kept(folder, *cell) for cell in grid
    ]


def check_grid(genes: Sequence[int], variants: Sequence[int], w_dim: int) -> None:
    """Refuse a grid that no genome has, before anything expensive.

    Raises:
        UserError: when w_dim does not split into one of the numbers of genes, or a gene would have no variant.
    """
    wrong = [str(g) for g in genes if g < 1 or w_dim % g]
    if wrong:
        raise UserError(f"w_dim={w_dim} does not split into {', '.join(wrong)} genes; choose divisors of it")
    if not genes or min(variants, default=0) < 1:
        raise UserError("a grid needs numbers of genes and of variants, each at least 1")


def cell_name(num_genes: int, num_variants: int) -> str:
    """What a cell is called, and its folder."""
    return f"{num_genes}x{num_variants}"


def _kept(folder: Path, num_genes: int, num_variants: int) -> Cell:
    """A cell as its folder has it."""
    result = folder / cell_name(num_genes, num_variants) / "cell.json"
    return read_record(result, Cell) if result.is_file() else Cell(num_genes, num_variants, None, NOT_YET)


def _fill(folder: Path, num_genes: int, num_variants: int, train_and_score: TrainAndScore) -> Cell:
    place = folder / cell_name(num_genes, num_variants)
    result, cell = place / "cell.json", _kept(folder, num_genes, num_variants)
    if cell.score is not None:
        return cell
    place.mkdir(parents=True, exist_ok=True)
    try:
        cell = Cell(num_genes, num_variants, train_and_score(num_genes, num_variants, place))
    except UserError as error:
        cell = Cell(num_genes, num_variants, None, str(error))
    write_json(result, asdict(cell))
    return cell
