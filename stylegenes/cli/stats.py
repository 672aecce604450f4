"""which genes and variants matter for which attribute: figures and tables from a survey

Examples:
  stylegenes stats runs/0001                           all attributes
  stylegenes stats runs/0001 --attributes Smiling,Hat  strips of the genes of these
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class Args:
    """Which genes and variants matter for which attribute."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name, with a survey"""
    attributes: str | None = None
    """attributes whose genes are drawn, with commas between; otherwise those that genes move most"""
    fdr: float = 0.05
    """false-discovery rate at which a variant is said to matter"""
    genes: int = 6
    """genes drawn in strips"""
    seed: int = 0
    """of the picture whose genes are re-drawn"""
    classifier: Path | None = None
    """attribute classifier; otherwise the one of the survey"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Test, draw, write.

    Raises:
        UserError: when the model has no survey, or no genome.
    """
    from stylegenes.analysis.exhibits.genes import strips_exhibits, usage_exhibit
    from stylegenes.analysis.exhibits.report import statistics_exhibits
    from stylegenes.analysis.inference import significance, verdict
    from stylegenes.analysis.pruning import usage
    from stylegenes.cli.console import say
    from stylegenes.cli.places import show_exhibit
    from stylegenes.errors import UserError
    from stylegenes.model import open_model

    if args.genes < 1 or not 0 < args.fdr < 1:
        raise UserError(f"--genes must be positive and --fdr between 0 and 1; got {args.genes} and {args.fdr:g}")
    model = open_model(args.snapshot, label=args.label, classifier=args.classifier, device=args.device)
    study, genome = model.study, model.study.genome
    statistics, chosen = study.statistics, study.chosen(args.attributes, args.genes)
    _ = model.condition
    pool = usage(genome.variants)
    for exhibit in statistics_exhibits(study.shown, args.fdr):
        show_exhibit(args, model, exhibit, f"fdr {args.fdr:g}")
    picked = ",".join(statistics.attributes[a] for a in chosen)
    for exhibit in strips_exhibits(study.labeler, study.report, chosen, args.seed):
        show_exhibit(args, model, exhibit, f"strips of {picked}, seed {args.seed}")
    show_exhibit(args, model, usage_exhibit(pool, study.shown.realness), "usage")
    for line in verdict(statistics, significance(statistics, args.fdr)):
        say(line)
    say(
        f"gene pool: {float(pool.effective.mean()):.1f} of {genome.num_variants} variants effective in the mean gene, "
        f"{int(pool.duplicate.sum())} duplicates, {int(pool.dead.sum())} dead, {int(pool.collapsed.sum())} collapsed "
        "genes"
    )
