"""change attributes of one picture by its genes, and say what else changed

Examples:
  stylegenes edit runs/0001 --seed 3 --set Smiling=1                      up to four genes
  stylegenes edit runs/0001 --code AbC... --set "Hat=0,Young=1" --genes 2 --rank 0.5
  stylegenes edit runs/0001 --seed 3 --set Male=1 --hold Smiling,Young,3,14
  stylegenes edit runs/0001 --seed 3 --set Smiling=1 --traverse 12        one gene, its variants in order
  stylegenes edit runs/0001 --set all --study 64                          every attribute of 64 pictures: what changes
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class Args:
    """Change attributes of one picture by its genes."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot) or name of a shipped model, with a survey"""
    set: str
    """what to change, like "Smiling=1,Hat=0"; or all, with --study"""
    code: str | None = None
    """genotype string of the picture, or a file of `stylegenes sample`"""
    seed: int = 0
    """seed of the picture where no code is given"""
    genes: int = 4
    """genes that may change for each attribute, the most significant first"""
    rank: float = 1.0
    """how far along the ordered variants: 0 stays, 1 goes to the most extreme one"""
    hold: str | None = None
    """attributes and numbers of genes to leave alone, like Young,3,20-25"""
    method: str = "checked"
    """checked: the classifier looks at each exchange; statistics: by the survey's numbers alone, as in the paper"""
    traverse: int | None = None
    """show this one gene with its variants in the order of the attribute instead"""
    study: int | None = None
    """edit every attribute of so many pictures instead, and tell wanted from unwanted changes"""
    out: Path | None = None
    """picture to write; its tables lie beside (default: among the model's exhibits)"""
    classifier: Path | None = None
    """attribute classifier; otherwise the one of the survey"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Edit, draw, report.

    Raises:
        UserError: for unknown attributes or genes, and whatever is wrong with the model.
    """
    from stylegenes.cli import edit_work

    edit_work.run(args)
