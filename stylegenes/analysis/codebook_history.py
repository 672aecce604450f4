"""How the codebook of a run has changed, read from its snapshots: an outcome to show."""

from __future__ import annotations

from pathlib import Path

from stylegenes.analysis.evolution import Moment, evolution
from stylegenes.analysis.exhibits.models import evolution_exhibit
from stylegenes.analysis.outcomes import Outcome
from stylegenes.errors import UserError
from stylegenes.latents import genome_of
from stylegenes.sheets import Origin
from stylegenes.snapshot import load_snapshot, read_card
from stylegenes.words import counted


def evolution_of(run_folder: str | Path, gene: int | None = None) -> Outcome:
    """How the codebook of a run has changed over its training.

    Args:
        run_folder: holds two snapshots or more.
        gene: the gene whose variants are drawn, or None for the one that moved most.

    Raises:
        UserError: when the run has no snapshots with a genome, or no such gene.
    """
    folder = Path(run_folder)
    by_time = {read_card(card.parent).images_seen: card.parent for card in folder.glob("snapshots/*/card.json")}
    if len(by_time) < 2:
        found = "does not exist" if not folder.exists() else f"holds {counted(len(by_time), 'different snapshot')}"
        raise UserError(f"{folder} {found}; an evolution needs a run folder with two snapshots or more")
    moments = [
        Moment(images / 1000, genome_of(load_snapshot(path).generator.latent, "an evolution of variants").variants)
        for images, path in by_time.items()
    ]
    found = evolution(moments)
    num_genes = found.moved.shape[1]
    chosen = int(found.moved[-1].argmax()) if gene is None else gene
    if not 0 <= chosen < num_genes:
        raise UserError(f"there is no gene {chosen}; this genome has genes 0 to {num_genes - 1}")
    return Outcome(evolution_exhibit(found, chosen), Origin(folder.name), [f"{len(moments)} snapshots"])
