"""find linear attribute directions in a model's latent space and say how good they are

Examples:
  stylegenes directions runs/0001 --classifier judge           5,000 samples; tables, figures, directions in one folder
  stylegenes directions runs/0001 --classifier judge --attributes Smiling,Glasses
  stylegenes directions runs/0001 --survey runs/0001/survey    labels of a finished survey
  stylegenes directions runs/0001 --labels mine.csv            your own labels: a column 'code', one per attribute
  stylegenes move runs/0001 directions/w-l1 Smiling            what to do with them
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro


@dataclass(frozen=True)
class Args:
    """Find attribute directions."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot) or name of a shipped model"""
    classifier: Path | None = None
    """attribute classifier: judges the samples, and measures what moving along the directions changes"""
    survey: Path | None = None
    """take codes and labels of this survey instead of drawing new samples"""
    labels: Path | None = None
    """take codes and labels of this CSV instead"""
    samples: int = 5000
    """how many samples to draw, or to take of a survey at most"""
    attributes: str | None = None
    """only these attributes, with commas between"""
    penalty: Literal["l1", "l2", "both"] = "both"
    """penalty of the logistic regression: l1 leaves few coordinates"""
    c: float = 0.1
    """inverse strength of the penalty"""
    out: Path = Path("directions")
    """folder to write"""
    seed: int = 0
    """of the samples and the folds"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Fit, write and say where.

    Raises:
        UserError: for options that exclude each other, and whatever is wrong with them or the model.
    """
    from stylegenes.cli import direction_work

    direction_work.run(args)
