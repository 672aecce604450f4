"""train an attribute classifier on labeled pictures

Examples:
  stylegenes classifier avatars --out my-classifier                 all attributes in one small network, minutes
  stylegenes classifier celeba/ --resolution 256 --attributes Smiling,Male --paper --out my-classifier
  stylegenes classifier avatars --out my-classifier --images 20000  shorter
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from stylegenes.words import command

if TYPE_CHECKING:
    from stylegenes.metrics.classifier_training import ClassifierReport


@dataclass(frozen=True)
class Args:
    """Train an attribute classifier, calibrate it, and test it on pictures it never saw."""

    data: Annotated[str, tyro.conf.Positional]
    """labeled pictures: a folder with a table of attributes, CelebA, or avatars"""
    out: Path | None = None
    """folder to write (default: classifier, or the next free name)"""
    resolution: int | str = 32
    """pixels that the pictures are brought to"""
    attributes: str | None = None
    """names with commas between (default: all)"""
    images: int | None = None
    """pictures shown in training, counting repeats (default: 60,000; 150,000 with --paper)"""
    paper: bool = False
    """the papers' setting: one discriminator for each attribute, batch 8, learning rate 1e-3; slow"""
    seed: int = 0
    """of split, order and weights"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Train, print the test and say where the classifier is.

    Raises:
        UserError: for data without labels, an attribute that it does not have, or a place that holds something else.
    """
    from stylegenes.cli.console import Bars, say
    from stylegenes.cli.places import made_by
    from stylegenes.data import open_dataset
    from stylegenes.devices import pick_device
    from stylegenes.metrics import check_place, paper_settings, quick_settings, save_classifier, train_classifier
    from stylegenes.sheets import free_path

    made = made_by(args)
    out = check_place(args.out or free_path(Path("classifier"), made))
    data = open_dataset(args.data, resolution=args.resolution)
    make = paper_settings if args.paper else quick_settings
    settings = make(seed=args.seed) if args.images is None else make(args.images, args.seed)
    with Bars() as bars:
        trained = train_classifier(
            data,
            settings,
            attributes=[name.strip() for name in args.attributes.split(",")] if args.attributes else None,
            device=pick_device(args.device),
            on_step=lambda seen, loss: bars.update("training", seen, settings.images),
        )
    save_classifier(out, trained, settings, data, made)
    _print_report(trained.report)
    say(f"classifier in {out}; use it: {command('survey', 'MODEL', '--classifier', out)}")


def _print_report(report: ClassifierReport) -> None:
    from rich.table import Table

    from stylegenes.cli.console import console, say

    table = Table("attribute", "frequency", "AUC", "accuracy", "majority", "calibration error", box=None)
    for a in report.attributes:
        area = "one class only" if a.auc is None else f"{a.auc:.4f}"
        table.add_row(
            a.name, f"{a.frequency:.3f}", area, f"{a.accuracy:.4f}", f"{a.majority:.4f}", f"{a.calibration_error:.4f}"
        )
    console().print(table)
    say(
        f"on {report.num_test} pictures it never saw: mean AUC {report.mean_auc:.4f}, accuracy "
        f"{report.mean_accuracy:.4f}, calibration error {report.mean_calibration_error:.4f}"
    )
