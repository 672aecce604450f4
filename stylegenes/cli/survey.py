"""draw and classify many pictures of a model: the statistics that all work on genes needs

Examples:
  stylegenes survey runs/0001 --classifier my-classifier                   60,000 pictures
  stylegenes survey runs/0001 --classifier my-classifier --num 500000      go on to as many as the paper has
  stylegenes survey runs/0001 --classifier my-classifier --precision 0.01  until every variant is known to 1 %
  stylegenes survey runs/0001 --classifier my-classifier --devices 4       four processes, one device each
  stylegenes survey runs/0001 --classifier my-classifier --part 1/4        one of four that know nothing of each other
  torchrun --nproc-per-node 4 -m stylegenes survey runs/0001 --classifier my-classifier

The same command again goes on after an interruption, also with another number of processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from stylegenes.shares import Share


@dataclass(frozen=True)
class Args:
    """Draw and classify many pictures of a model."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    classifier: Path | None = None
    """attribute classifier: a shipped one's name, a folder of `stylegenes classifier`, or a scorer of your own"""
    num: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 60_000
    """pictures wanted, rounded up to whole shards"""
    precision: float | None = None
    """stop earlier, once the standard error of every variant's probability is below this"""
    seed: int = 0
    """of the draws; a shard is a function of seed and number"""
    part: str = "0/1"
    """which of how many parts this is, from 0; all of them write into one folder"""
    shard: int = 1024
    """pictures in a shard: what a kill can cost"""
    batch: int = 32
    """pictures made at once"""
    labels: str | None = None
    """for a model with labels: data to draw them from, or `uniform` classes (default: what it was trained on)"""
    label: str | None = None
    """survey one label of a conditional model alone; kept beside the survey of all"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""
    devices: int = 1
    """processes, one device each; torchrun and srun bring their own number"""


def run(args: Args) -> None:
    """Draw, classify, sum up.

    Raises:
        UserError: for whatever is wrong with the model, the classifier or the folder.
    """
    from functools import partial

    from stylegenes.sharing import share_out

    _parse_part(args.part)
    share_out(partial(_survey, args), device=args.device, devices=args.devices)


def _survey(args: Args, share: Share, device: str) -> None:
    """What each process does; the first goes on and tells."""
    import time

    from stylegenes.analysis.surveying import SurveySettings
    from stylegenes.cli.console import Bars, say, show_table
    from stylegenes.model import open_model
    from stylegenes.words import command

    part, num_parts = _parse_part(args.part)
    settings = SurveySettings(args.num, args.precision, args.seed, part, num_parts, args.shard, args.batch)
    model = open_model(args.snapshot, label=args.label, classifier=args.classifier, device=device)
    start = time.monotonic()
    with Bars(show=share.first) as bars:
        found = model.survey(settings, labels=args.labels, on_progress=bars.update, share=share)
    seconds = time.monotonic() - start
    speed = f", {found.new:,} of them new at {found.new / seconds:.1f} a second" if found.new else ""
    say(f"{len(found.survey):,} classified pictures in {found.survey.folder}{speed}")
    plan = found.survey.plan
    if plan.num_genes == 0:
        say("The latent is continuous: no genes to report on; stylegenes correlate and directions can use the survey.")
        return
    show_table(found.rows, f"{plan.num_genes} genes x {plan.num_variants} variants")
    say(found.precision(args.precision or 0.01))
    chosen = () if args.label is None else ("--label", args.label)
    say(f"next: {command('stats', model.reference, *chosen)}")


def _parse_part(text: str) -> tuple[int, int]:
    """`1/4` as (1, 4)."""
    from stylegenes.errors import UserError

    first, slash, second = text.partition("/")
    if not (slash and first.isdecimal() and second.isdecimal() and int(second) > int(first)):
        raise UserError(f"--part {text!r} is not a part like 0/4, 1/4, 2/4 or 3/4")
    return int(first), int(second)
