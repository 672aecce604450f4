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
    """snapshot folder, run folder (its newest snapshot) or name of a shipped model, with a survey"""
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
    from stylegenes.analysis.wishes import find_attribute
    from stylegenes.cli.console import say
    from stylegenes.cli.workbench import open_workbench
    from stylegenes.errors import UserError

    if args.genes < 1 or not 0 < args.fdr < 1:
        raise UserError(f"--genes must be positive and --fdr between 0 and 1; got {args.genes} and {args.fdr:g}")
    bench = open_workbench(args.snapshot, args.classifier, args.device)
    attributes, report = bench.statistics.attributes, bench.report
    chosen = report.strongest(args.genes)
    if args.attributes is not None:
        chosen = [find_attribute(name, attributes) for name in args.attributes.split(",")]
    pool = usage(bench.genome.variants)
    for exhibit in (
        *statistics_exhibits(bench.study, args.fdr),
        *strips_exhibits(bench.judge, report, chosen, args.seed),
        usage_exhibit(pool, bench.study.realness),
    ):
        bench.show(exhibit)
    for line in verdict(bench.statistics, significance(bench.statistics, args.fdr)):
        say(line)
    say(
        f"gene pool: {float(pool.effective.mean()):.1f} of {bench.genome.num_variants} variants effective in the mean "
        f"gene, {int(pool.duplicate.sum())} duplicates, {int(pool.dead.sum())} dead, "
        f"{int(pool.collapsed.sum())} collapsed genes"
    )
