"""all exhibits of a model's genes in one HTML page that needs no other file

Examples:
  stylegenes report runs/0001                       makes what is missing and gathers all
  stylegenes report runs/0001 --out report.html --fresh
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

if TYPE_CHECKING:
    from stylegenes.analysis.exhibits.page import Heading
    from stylegenes.model import Model


@dataclass(frozen=True)
class Args:
    """All exhibits of a model's genes in one HTML page."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name, with a survey"""
    out: Path | None = None
    """the page (default: genes/report.html in the snapshot, or the next free name)"""
    fresh: bool = False
    """make the exhibits again that are there already"""
    seed: int = 0
    """of the pictures that are edited, re-drawn and crossed"""
    classifier: Path | None = None
    """attribute classifier; otherwise the one of the survey"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Make, gather, say where.

    Raises:
        UserError: when the model has no survey, or no genome.
    """
    from stylegenes.analysis.exhibits.page import render_page
    from stylegenes.analysis.exhibits.report import EXHIBITS
    from stylegenes.analysis.gene_study import FILLED_IN
    from stylegenes.cli.console import say
    from stylegenes.cli.places import made_by, picture_place
    from stylegenes.files import atomic_path
    from stylegenes.model import open_model

    model = open_model(args.snapshot, label=args.label, classifier=args.classifier, device=args.device)
    study, origin = model.study, model.origin()
    heading = _heading(model)
    for entry in EXHIBITS:
        if args.fresh or not all((study.exhibits / f"{name}.png").is_file() for name in entry.names):
            for exhibit in entry.make(study.shown, args.seed):
                made = f"{FILLED_IN}, seed {args.seed}"
                place = study.place(exhibit, made, fresh=args.fresh)
                picture = exhibit.save(place.parent, place.stem, origin.made(made))
                say(f"{exhibit.words.title}: {picture}, with a table beside it")
    out = picture_place(args, study.folder / "report.html")
    page = render_page(heading, study.exhibits, made_by(args))
    with atomic_path(out) as part:
        part.write_text(page, encoding="utf-8")
    say(f"report: {out} ({len(page) / 2**20:.1f} MiB, nothing else is needed to read it)")


def _heading(model: Model) -> Heading:
    from stylegenes.analysis.exhibits.page import Heading
    from stylegenes.version import __version__

    card, study = model.card, model.study
    data = f"{card.data.source} ({card.data.count:,} images)" if card.data else "unknown"
    genome = study.genome
    facts = [
        ("model", f"{card.name}, weights {study.plan.model[:16]}"),
        ("training", f"{card.images_seen:,} images of {data}; recipe {card.recipe or 'unknown'}"),
        ("genome", f"{genome.num_genes} genes x {genome.num_variants} variants of length {genome.gene_dim}"),
        (
            "survey",
            f"{study.statistics.num_draws:,} pictures, seed {study.plan.seed}, noise {study.plan.noise}",
        ),
        ("classifier", f"{study.classifier.name}, sha256 {study.classifier.weights_hash[:16]}"),
        ("license", card.license),
        ("parent", card.parent or "none"),
        ("made by", f"stylegenes {__version__}"),
    ]
    introduction = (
        "What the genes of this model do, found by drawing genotypes, making their pictures and having a classifier "
        "classify them. Every figure has its numbers in a table below it; the tables can be saved from this page."
    )
    return Heading(card.name, facts, introduction)
