"""The report of a model's genes: all exhibits on one page that needs no other file."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stylegenes.analysis.exhibits.page import Heading, render_page
from stylegenes.analysis.exhibits.report import EXHIBITS
from stylegenes.analysis.gene_study import FILLED_IN, GeneStudy
from stylegenes.files import atomic_path
from stylegenes.sheets import Origin
from stylegenes.snapshot import Card
from stylegenes.version import __version__


@dataclass(frozen=True, repr=False)
class GenePage:
    """A page of exhibits.

    Attributes:
        page: HTML that needs no other file.
        place: where it lies among the model's files, once it is saved there.
    """

    page: str
    place: Path

    def save(self, path: str | Path | None = None) -> Path:
        """Write the page, to `path` or among the model's files.

        Raises:
            OSError: when it cannot be written.
        """
        out = self.place if path is None else Path(path)
        with atomic_path(out) as part:
            part.write_text(self.page, encoding="utf-8")
        return out

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{html.escape(self.page)}" width="100%" height="600"></iframe>'

    def __repr__(self) -> str:
        return f"a page of {len(self.page) / 2**20:.1f} MiB"


def report_of(
    study: GeneStudy,
    card: Card,
    origin: Origin,
    *,
    fresh: bool = False,
    seed: int = 0,
    made: str = "",
    on_note: Callable[[str], None] = lambda text: None,
) -> GenePage:
    """Make the exhibits that are missing, and gather all.

    Args:
        study: the survey's.
        card: the model's.
        origin: what its pictures are drawn with.
        fresh: make the exhibits again that are there already.
        seed: of the pictures that are edited, re-drawn and crossed.
        made: what makes the page, as it says itself.
        on_note: called with a sentence for each exhibit that is made.

    Raises:
        UserError: when the model has no survey, or no genome.
    """
    heading, filled = _heading(study, card), f"{FILLED_IN}, seed {seed}"
    for chapter in EXHIBITS:
        if fresh or not all((study.exhibits / f"{name}.png").is_file() for name in chapter.names):
            for exhibit in chapter.make(study.shown, seed):
                place = study.place(exhibit, filled, fresh=fresh)
                picture = exhibit.save(place.parent, place.stem, origin.made(filled))
                on_note(f"{exhibit.words.title}: {picture}, with a table beside it")
    return GenePage(render_page(heading, study.exhibits, made), study.folder / "report.html")


def _heading(study: GeneStudy, card: Card) -> Heading:
    data = f"{card.data.source} ({card.data.count:,} images)" if card.data else "unknown"
    genome, plan, classifier = study.genome, study.plan, study.classifier
    facts = [
        ("model", f"{card.name}, weights {plan.model[:16]}"),
        ("training", f"{card.images_seen:,} images of {data}; recipe {card.recipe or 'unknown'}"),
        ("genome", f"{genome.num_genes} genes x {genome.num_variants} variants of length {genome.gene_dim}"),
        ("survey", f"{study.statistics.num_draws:,} pictures, seed {plan.seed}, noise {plan.noise}"),
        ("classifier", f"{classifier.name}, sha256 {classifier.weights_hash[:16]}"),
        ("license", card.license),
        ("parent", card.parent or "none"),
        ("made by", f"stylegenes {__version__}"),
    ]
    introduction = (
        "What the genes of this model do, found by drawing genotypes, making their pictures and having a classifier "
        "classify them. Every figure has its numbers in a table below it; the tables can be saved from this page."
    )
    return Heading(card.name, facts, introduction)
