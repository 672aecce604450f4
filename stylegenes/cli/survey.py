"""draw and judge many pictures of a model: the statistics that all work on genes needs

Examples:
  stylegenes survey runs/0001 --classifier judge                   60,000 pictures
  stylegenes survey runs/0001 --classifier judge --num 500000      go on to as many as the paper has
  stylegenes survey runs/0001 --classifier judge --precision 0.01  until every variant is known to 1 %
  stylegenes survey runs/0001 --classifier judge --part 1/4        one of four processes that share the work

The same command again goes on after an interruption.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Args:
    """Draw and judge many pictures of a model."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot) or name of a shipped model"""
    classifier: Path | None = None
    """attribute classifier: a shipped one's name, a folder of `stylegenes classifier`, or a scorer of your own"""
    num: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 60_000
    """pictures wanted, rounded up to whole shards"""
    precision: float | None = None
    """stop earlier, once the standard error of every variant's probability is below this"""
    seed: int = 0
    """of the draws; a shard is a function of seed and number"""
    part: str = "0/1"
    """which of how many processes this is, from 0; all of them write into one folder"""
    shard: int = 1024
    """pictures in a shard: what a kill can cost"""
    batch: int = 32
    """pictures made at once"""
    labels: str | None = None
    """for a model with labels: data to draw them from, or `uniform` classes (default: what it was trained on)"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Draw, judge, sum up.

    Raises:
        UserError: for whatever is wrong with the model, the classifier or the folder.
    """
    from stylegenes.cli import survey_work

    survey_work.run(args)
