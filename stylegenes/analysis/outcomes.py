"""What came of an edit, of breeding, and of asking which genes matter: records that print and show themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from matplotlib.figure import Figure

from stylegenes.analysis.breeding import CROSSES, Cross, Fitness, GeneticSearch, Lineage, cross_chosen
from stylegenes.analysis.editing import Edit, Editor, EditReport, evaluate_edit
from stylegenes.analysis.exhibits import Exhibit, Table
from stylegenes.analysis.exhibits.edits import edit_exhibit
from stylegenes.analysis.exhibits.exhibit import SCREEN_DPI
from stylegenes.analysis.exhibits.family import family_exhibit, generations_exhibit
from stylegenes.analysis.gene_study import GeneStudy
from stylegenes.analysis.importance import GeneReport
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.plots.genes import heat_map
from stylegenes.analysis.wishes import Wish, find_attribute, parse_where
from stylegenes.drawing import as_whole, random_of
from stylegenes.errors import UserError
from stylegenes.perception.trust import warn_of_doubts
from stylegenes.sheets import Origin
from stylegenes.words import did_you_mean

MOST_CHILDREN, MOST_GENERATIONS = 10_000, 100_000
"""Of a family or a generation, and of generations: each child is drawn, or classified."""
_FOUNDERS, _TOLD = 16, 8


@dataclass(frozen=True, repr=False)
class Outcome:
    """An exhibit and what there is to say; a notebook shows the exhibit.

    Attributes:
        exhibit: words, figure and table.
        origin: what pictures in the figure were drawn with.
        lines: what there is to say, a sentence a line.
    """

    exhibit: Exhibit
    origin: Origin
    lines: Sequence[str]

    @property
    def codes(self) -> Sequence[str]:
        """Code strings of the pictures in the figure."""
        return self.exhibit.codes

    def save(self, path: str | Path) -> Path:
        """Write the figure as `path` (.png) with its codes inside, table and words beside it.

        Raises:
            OSError: when a file cannot be written.
        """
        return self.exhibit.save(Path(path).parent, Path(path).stem, self.origin)

    def _repr_png_(self) -> bytes:
        return self.exhibit.png(SCREEN_DPI, self.origin)

    def _repr_html_(self) -> str:
        return self.exhibit._repr_html_()

    def __repr__(self) -> str:
        return "\n".join([self.exhibit.words.title, *self.lines])


@dataclass(frozen=True, repr=False)
class EditedPicture(Outcome):
    """A picture and its edit.

    Attributes:
        made: genotypes before and after, and the genes that changed.
        report: what the classifier sees of it.
    """

    made: Edit
    report: EditReport

    @property
    def before(self) -> str:
        """Genotype string of the original."""
        return self.codes[0]

    @property
    def after(self) -> str:
        """Genotype string of the edited picture."""
        return self.codes[1]

    @property
    def genes(self) -> list[int]:
        """Genes that changed, the most significant first."""
        return self.made.genes


def edit_picture(
    study: GeneStudy, origin: Origin, start: torch.Tensor, wishes: Sequence[Wish], make: Editor
) -> EditedPicture:
    """Edit the picture of a genotype [G] towards wishes and measure what changed.

    Args:
        study: model, survey and classifier.
        origin: what the files record.
        start: genotype [G].
        wishes: what the picture should show.
        make: makes the edit, see `editing.editor`.
    """
    made = make(start, wishes)
    report = evaluate_edit(study.labeler, made, wishes, study.perceptual)
    before, after = study.genome.to_strings(torch.stack([made.before, made.after]))
    exhibit = edit_exhibit(report, wishes, made.genes, before, after)
    genes = ", ".join(map(str, made.genes)) or "none"
    lines = [f"before {before}", f"after  {after}", f"changed genes: {genes}", *_changes(report)]
    return EditedPicture(exhibit, origin, lines, made, report)


def _changes(report: EditReport) -> list[str]:
    wanted = [
        f"{report.attributes[a]}: {report.before[a]:.2f} -> {report.after[a]:.2f} "
        f"(requested {report.predicted[a]:+.2f}, achieved {report.achieved[a]:+.2f})"
        for a in report.wanted
    ]
    others = [a for a in report.achieved.abs().argsort(descending=True).tolist() if a not in report.wanted][:3]
    worst = ", ".join(f"{report.attributes[a]} {report.achieved[a]:+.2f}" for a in others)
    return [
        *wanted,
        f"side effects: {report.side_effect:.3f} in the mean; largest: {worst or 'no other attribute is classified'}",
        f"perceptual distance to the original: {report.distance:.3f}",
    ]


@dataclass(frozen=True, repr=False)
class Bred(Outcome):
    """Parents and children, or generations under selection.

    Attributes:
        lineage: everybody, with parents and mutations.
    """

    lineage: Lineage

    @property
    def children(self) -> list[str]:
        """Genotype strings of the last generation, the fittest first."""
        return [person.genotype for person in self.lineage.generation(self.lineage.num_generations)]

    def save(self, path: str | Path) -> Path:
        """As `Outcome.save`, with the lineage beside."""
        picture = super().save(path)
        self.lineage.save(picture.with_suffix(".lineage.json"))
        return picture


@dataclass(frozen=True)
class Breeding:
    """How children come about.

    Attributes:
        cross: `uniform` or `block`; see `genes`.
        genes: instead of chance, the genes that come from the second parent.
        mutation: chance of every gene to mutate.
        count: children (None: 12), or individuals of a generation (None: 32).
        generations: of selection; 0 for the children of two parents.
        fitness: what is selected for, like `Smiling=1,Hat=0`, or a function of genotypes.
        seed: of all chance.
    """

    cross: str = "uniform"
    genes: Sequence[int] | None = None
    mutation: float = 0.02
    count: int | None = None
    generations: int = 0
    fitness: str | Fitness | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if bool(self.generations) != (self.fitness is not None):
            raise UserError("selection needs both --generations and --fitness; without them --parents have children")
        if self.count is not None and not 1 <= as_whole(self.count, "--count") <= MOST_CHILDREN:
            raise UserError(f"--count is {self.count}; at least one child is needed, and at most {MOST_CHILDREN:,}")
        if not 0 <= self.generations <= MOST_GENERATIONS:
            raise UserError(f"--generations is {self.generations}; give 1 to {MOST_GENERATIONS:,}")
        if self.cross not in CROSSES:
            known = did_you_mean(self.cross, CROSSES)
            raise UserError(f"there is no crossing {self.cross!r}{known}, or genes like 0-7,12")

    @property
    def crossing(self) -> Cross:
        """How two parents make a child."""
        genes = self.genes
        if genes is None:
            return CROSSES[self.cross]
        return lambda a, b, generator: cross_chosen(a, b, list(genes))


def breed(study: GeneStudy, origin: Origin, founders: torch.Tensor | None, way: Breeding) -> Bred:
    """Children of two founders [2, G], or generations under selection; founders are drawn where none are given.

    Args:
        study: model, survey and classifier.
        origin: what the files record.
        founders: genotypes [n, G], or None.
        way: crossing, mutation, generations and seed.

    Raises:
        UserError: for other than two parents of children, or genes that do not exist.
    """
    rng, genome = random_of(way.seed), study.genome
    alive = genome.sample(_FOUNDERS if way.generations else 2, rng).cpu() if founders is None else founders
    return _generations(study, origin, alive, way, rng) if way.generations else _family(study, origin, alive, way, rng)


def _family(study: GeneStudy, origin: Origin, parents: torch.Tensor, way: Breeding, rng: torch.Generator) -> Bred:
    if len(parents) != 2:
        raise UserError(f"children have two parents; --parents names {len(parents)}")
    search = GeneticSearch(study.genome, way.crossing, way.mutation, population=way.count or 12, survivors=2)
    lineage = search.family(parents, rng)
    how = f"{way.cross} crossing" if way.genes is None else f"genes {', '.join(map(str, way.genes))} from parent B"
    caption = f"Children by {how}, mutation rate {way.mutation:g}, seed {way.seed}. The table has every genotype."
    lines = [f"child {person.id}: {person.genotype}" for person in lineage.generation(1)[:_TOLD]]
    return Bred(family_exhibit(study.generator, lineage, study.drawing, caption), origin, lines, lineage)


def _generations(study: GeneStudy, origin: Origin, founders: torch.Tensor, way: Breeding, rng: torch.Generator) -> Bred:
    count, (goal, fitness, told) = way.count or 32, _selection(study, way)
    search = GeneticSearch(study.genome, way.crossing, way.mutation, population=count, survivors=max(2, count // 4))
    lineage = search.breed(founders, fitness, way.generations, rng)
    caption = (
        f"Selection for {goal}: {count} children a generation, a quarter survives, mutation rate "
        f"{way.mutation:g}. Below, the fittest of some generations. Fitness is {told}."
    )
    title, drawing = f"Bred for {goal}", study.drawing
    exhibit = generations_exhibit(study.generator, lineage, way.generations, drawing, title, caption)
    best = lineage.generation(way.generations)[0]
    lines = [f"fittest of the last generation ({best.fitness:.3f}): {best.genotype}"]
    return Bred(exhibit, origin, lines, lineage)


def _selection(study: GeneStudy, way: Breeding) -> tuple[str, Fitness, str]:
    """What is selected for in words, how fit a genotype is, and what that number is."""
    given = way.fitness
    assert given is not None
    if not isinstance(given, str):
        return getattr(given, "__name__", "a function"), given, "what this function gives"
    wishes = parse_where(given, study.classifier.attributes)
    return given, lambda genotype: fulfilment(study.labeler, wishes, genotype), "the classifier's probability"


def fulfilment(labeler: CodeLabeler, wishes: Sequence[Wish], genotype: torch.Tensor) -> torch.Tensor:
    """Probability that all wishes are fulfilled, taking them as independent, [n]."""
    warn_of_doubts(labeler.classifier, [wish.attribute for wish in wishes])
    probability = labeler.probabilities(genotype)
    return torch.stack([wish.likelihood(probability) for wish in wishes]).prod(dim=0)


@dataclass(frozen=True, eq=False, repr=False)
class Importance:
    """Which genes matter for which attribute; a notebook shows the table, `figure()` the map.

    Attributes:
        report: scores, tests and reliabilities of every gene and attribute.
        table: a row an attribute: how many genes and variants act, the top genes, how sure that is.
    """

    report: GeneReport
    table: Table

    def top(self, attribute: str, n: int = 3) -> list[int]:
        """The `n` genes that matter most for an attribute, or as many as are shown to act on it.

        Raises:
            UserError: for an unknown attribute.
        """
        return self.report.acting(find_attribute(attribute, self.report.attributes))[:n]

    def figure(self) -> Figure:
        """Genes and attributes as a map."""
        return heat_map(self.report)

    def _repr_html_(self) -> str:
        return self.table._repr_html_()

    def __repr__(self) -> str:
        names = self.report.attributes
        return "\n".join(f"{name}: genes {', '.join(map(str, self.top(name))) or 'none shown'}" for name in names)


def importance_of(study: GeneStudy) -> Importance:
    """What a survey says about genes and attributes.

    Raises:
        UserError: without a genome or a survey.
    """
    statistics, report = study.statistics, study.report
    rows = []
    for a, name in enumerate(report.attributes):
        acting = report.acting(a)
        explained = float(report.explained[acting[0], a]) if acting else 0.0
        rows.append([name, float(statistics.overall[a]), len(acting), " ".join(map(str, acting[:3])), explained])
    return Importance(report, Table(["attribute", "mean", "genes", "top_genes", "top_gene_explains"], rows))
