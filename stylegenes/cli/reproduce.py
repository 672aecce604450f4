"""train and measure what the papers' tables need, and report their numbers beside ours

Examples:
  stylegenes reproduce --scale tiny --out runs/tiny       every step with hardly any images: minutes, no result
  stylegenes reproduce --scale small --out runs/small     the embedded faces at 32 px: a working day of two cores
  stylegenes reproduce --scale paper --out runs/paper --dry-run

The same command again goes on where it stopped; report.html tells what is there by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stylegenes.errors import UserError


@dataclass(frozen=True)
class Args:
    """Train and measure what the papers' tables need."""

    out: Path = Path("reproduction")
    """folder of models, measures and report"""
    scale: str = "small"
    """tiny, small or paper"""
    jobs: int | None = None
    """steps at once (default: one for each processor core, or one where there is a GPU)"""
    only: str | None = None
    """steps whose names begin so, with commas between, and what they need"""
    max_minutes: float | None = None
    """end this sitting after so long; the same command continues"""
    dry_run: bool = False
    """print the commands, check that each parses, and run none"""


def run(args: Args) -> None:
    """Run what is missing and write the report.

    Raises:
        UserError: for an unknown scale or step, or when steps have failed.
    """
    from stylegenes.cli import reproduce_work

    if args.max_minutes is not None and args.max_minutes <= 0:
        raise UserError(f"--max-minutes {args.max_minutes:g} must be positive")
    reproduce_work.run(args)
