"""Editing one picture: replace variants of the genes that matter, and say what else changed (StyleGenes, A.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from stylegenes.analysis.importance import GeneReport
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.wishes import Wish
from stylegenes.errors import UserError
from stylegenes.perception import PerceptualDistance
from stylegenes.perception.trust import warn_of_doubts
from stylegenes.words import did_you_mean

METHODS = ("checked", "statistics")
BREADTH, CHOICES = 8, 4
"""How many genes, and how many variants of each, `edit_checked` tries in a round."""
_IMPROVEMENT = 0.005


@dataclass(frozen=True)
class Strength:
    """How far an edit goes.

    Attributes:
        num_genes: genes that may change, the most significant ones first.
        rank: how far along the ordered variants, from the present one (0) to the most extreme one (1).
        hold_weight: what a change of a held attribute costs against the same change of the wanted one, both measured in
            the spread of the attribute over the gene's variants, or in probability where the picture is looked at.
        care: what the mean change of all other attributes costs, in the same measure.
    """

    num_genes: int = 4
    rank: float = 1.0
    hold_weight: float = 2.0
    care: float = 1.0

    def __post_init__(self) -> None:
        if self.num_genes < 1 or not 0 <= self.rank <= 1 or min(self.hold_weight, self.care) < 0:
            given = ", ".join(f"{key} = {value:g}" for key, value in vars(self).items())
            raise UserError(f"an edit needs num_genes >= 1, rank from 0 to 1 and weights >= 0; got {given}")


@dataclass(frozen=True)
class Constraints:
    """What an edit must leave alone.

    Attributes:
        genes: numbers of the genes that keep their variants.
        attributes: columns of the attributes that should keep their values.
    """

    genes: Sequence[int] = ()
    attributes: Sequence[int] = ()


@dataclass(frozen=True)
class Edit:
    """An edited genotype.

    Attributes:
        before: int64 [G].
        after: int64 [G].
        genes: the genes that changed, the most significant first.
        predicted: [A], change of every attribute that the variant statistics add up to, before it meets 0 or 1.
    """

    before: torch.Tensor
    after: torch.Tensor
    genes: list[int]
    predicted: torch.Tensor


Editor = Callable[[torch.Tensor, Sequence[Wish]], Edit]


@dataclass(frozen=True)
class EditReport:
    """What an edit did to the picture.

    Attributes:
        attributes: names of the columns.
        before: [A], the classifier's probabilities of the original.
        after: [A], those of the edited picture.
        predicted: [A], change that the statistics promise, within [0, 1]: what was requested of the edit.
        wanted: columns that the edit was asked to change; every other change is a side effect.
        distance: perceptual distance to the original.
        pictures: [2, C, H, W] in [-1, 1], original and edited.
    """

    attributes: list[str]
    before: torch.Tensor
    after: torch.Tensor
    predicted: torch.Tensor
    wanted: list[int]
    distance: float
    pictures: torch.Tensor

    @property
    def achieved(self) -> torch.Tensor:
        """Change of every attribute as the classifier sees it, [A]."""
        return self.after - self.before

    @property
    def side_effect(self) -> float:
        """Mean absolute change over the attributes that nobody asked to change."""
        others = [a for a in range(len(self.attributes)) if a not in self.wanted]
        return float(self.achieved[others].abs().mean()) if others else 0.0


def edit(
    report: GeneReport,
    genotype: torch.Tensor,
    wishes: Sequence[Wish],
    strength: Strength,
    constraints: Constraints | None = None,
) -> Edit:
    """Move a genotype [G] towards wishes, one after another; a later wish leaves the genes of an earlier one alone.

    Args:
        report: which genes and variants matter, by the survey.
        genotype: [G].
        wishes: what the picture should show, the first one first.
        strength: how far to go.
        constraints: what to leave alone; nothing where None.

    Raises:
        UserError: when a held gene does not exist, or an attribute is both wished for and held.
    """
    constraints = constraints or Constraints()
    _check(report, genotype, wishes, constraints)
    before, after, changed = genotype.cpu(), genotype.cpu().clone(), []
    for wish in wishes:
        genes = _free(report, wish, [*constraints.genes, *changed])[: strength.num_genes]
        for gene in genes:
            after[gene] = _replacements(report, after, gene, wish, strength, constraints.attributes)[0]
        changed += [gene for gene in genes if after[gene] != before[gene]]
    return Edit(before, after, changed, _promised(report, before, after))


def edit_checked(
    labeler: CodeLabeler,
    report: GeneReport,
    genotype: torch.Tensor,
    wishes: Sequence[Wish],
    strength: Strength,
    constraints: Constraints | None = None,
) -> Edit:
    """`edit`, but the classifier looks at what the statistics propose and keeps what serves this very picture.

    The statistics average over all pictures, while what a variant does to one depends on its other genes. So for each
    wish, in up to `strength.num_genes` rounds, `CHOICES` variants of each of the `BREADTH` most significant free genes
    are tried, and the exchange of the greatest worth is kept if it is an improvement. Worth is the probability of what
    was wished for so far, less `strength.hold_weight` times the changes of held attributes and `strength.care` times
    the mean change of all others. What `edit` makes is tried too, so that the outcome is never worth less.

    Args:
        labeler: shows genotypes to the classifier.
        report: which genes and variants matter, by the survey.
        genotype: [G].
        wishes: what the picture should show, the first one first.
        strength: how far to go.
        constraints: what to leave alone; nothing where None.

    Raises:
        UserError: as `edit`.
    """
    constraints = constraints or Constraints()
    _check(report, genotype, wishes, constraints)
    before, after, changed = genotype.cpu(), genotype.cpu().clone(), []
    start = labeler.probabilities(before[None])[0]
    for number, wish in enumerate(wishes):
        sight = _Sight(labeler, start, wishes[: number + 1], strength, constraints.attributes)
        kept = [*constraints.genes, *changed]
        after = _look(report, after, wish, sight, kept)
        changed += [gene for gene in _free(report, wish, kept) if after[gene] != before[gene]]
    return Edit(before, after, changed, _promised(report, before, after))


def editor(
    labeler: CodeLabeler,
    report: GeneReport,
    strength: Strength,
    constraints: Constraints | None = None,
    method: str = "checked",
) -> Editor:
    """One of `METHODS` as a function of genotype [G] and wishes: `checked` is `edit_checked`, `statistics` is `edit`.

    Args:
        labeler: shows genotypes to the classifier.
        report: which genes and variants matter, by the survey.
        strength: how far to go.
        constraints: what to leave alone; nothing where None.
        method: `checked` or `statistics`.

    Raises:
        UserError: for another method.
    """
    if method not in METHODS:
        raise UserError(f"there is no method {method!r} of editing{did_you_mean(method, METHODS, 'methods')}")

    def make(genotype: torch.Tensor, wishes: Sequence[Wish]) -> Edit:
        held = [report.attributes[a] for a in constraints.attributes] if constraints is not None else []
        warn_of_doubts(labeler.classifier, [*(wish.attribute for wish in wishes), *held])
        if method == "checked":
            return edit_checked(labeler, report, genotype, wishes, strength, constraints)
        return edit(report, genotype, wishes, strength, constraints)

    return make


def traverse(mean: torch.Tensor, genotype: torch.Tensor, gene: int, column: int, steps: int) -> torch.Tensor:
    """Genotypes [steps, G] that differ in one gene alone, its variants in the order of `mean` [G, V, A], low to high.

    Args:
        mean: an attribute's mean of each variant, [G, V, A].
        genotype: [G].
        gene: number of the gene, from 0.
        column: of the attribute in `mean`.
        steps: rows of the result, evenly over the order.

    Raises:
        UserError: for a gene that does not exist.
    """
    _check_genes([gene], len(genotype))
    order = mean[gene, :, column].argsort()
    places = torch.linspace(0, len(order) - 1, steps).round().long()
    strip = genotype.cpu().repeat(steps, 1)
    strip[:, gene] = order[places]
    return strip


def redraw(
    genotype: torch.Tensor, gene: int, n: int, num_variants: int, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Genotypes [n, G] that differ in one gene alone, its variants drawn at random without repetition.

    Args:
        genotype: [G].
        gene: number of the gene, from 0.
        n: rows of the result; beyond num_variants the same variants come again.
        num_variants: variants that the gene has.
        generator: of the order, on the CPU.
    """
    _check_genes([gene], len(genotype))
    strip = genotype.cpu().repeat(n, 1)
    order = torch.randperm(num_variants, generator=generator)
    strip[:, gene] = order.repeat(-(-n // num_variants))[:n]
    return strip


def difference_map(pictures: torch.Tensor) -> torch.Tensor:
    """Where pictures [N, C, H, W] differ from each other: standard deviation over N, mean over channels, [H, W]."""
    return pictures.std(dim=0, correction=0).mean(dim=0)


def evaluate_edit(labeler: CodeLabeler, made: Edit, wishes: Sequence[Wish], distance: PerceptualDistance) -> EditReport:
    """Make both pictures of an edit and measure requested change, achieved change, side effects and distance.

    Args:
        labeler: shows genotypes to the classifier.
        made: the edit, with the genotypes before and after it.
        wishes: what was asked for.
        distance: says how far two pictures are apart, on the generator's device.
    """
    genotypes = torch.stack([made.before, made.after])
    pictures, probability = labeler.shown(genotypes), labeler.probabilities(genotypes)
    with torch.no_grad():
        apart = float(distance(pictures[:1].to(labeler.generator.device), pictures[1:].to(labeler.generator.device)))
    return EditReport(
        attributes=list(labeler.classifier.attributes),
        before=probability[0],
        after=probability[1],
        predicted=(probability[0] + made.predicted).clamp(0, 1) - probability[0],
        wanted=[wish.column for wish in wishes],
        distance=apart,
        pictures=pictures,
    )


@dataclass(frozen=True)
class _Sight:
    """The classifier's view of one picture while it is edited; `start` are its probabilities [A] before."""

    labeler: CodeLabeler
    start: torch.Tensor
    wishes: Sequence[Wish]
    strength: Strength
    held: Sequence[int]

    def worth(self, genotypes: torch.Tensor) -> torch.Tensor:
        """What genotypes [n, G] are worth, [n]."""
        p = self.labeler.probabilities(genotypes)
        change = (p - self.start).abs()
        wished = [wish.column for wish in self.wishes]
        others = [a for a in range(p.shape[1]) if a not in wished]
        gain = torch.stack([wish.likelihood(p) for wish in self.wishes]).sum(dim=0)
        cost = self.strength.hold_weight * change[:, list(self.held)].sum(dim=1)
        return gain - cost - self.strength.care * change[:, others].sum(dim=1) / max(len(others), 1)


def _look(report: GeneReport, start: torch.Tensor, wish: Wish, sight: _Sight, kept: Sequence[int]) -> torch.Tensor:
    """The best genotype [G] that greedy exchanges, or the statistics alone, make of `start`; `kept` genes stay."""
    strength, alone = sight.strength, [start]
    unseen = edit(report, start, [wish], strength, Constraints(kept, sight.held))
    for gene in unseen.genes:
        alone.append(torch.where(torch.arange(len(start)) == gene, unseen.after, alone[-1]))
    alone_worth = sight.worth(torch.stack(alone))
    best, worth, used = start, float(alone_worth[0]), list(kept)
    for _ in range(strength.num_genes):
        tries = []
        for gene in _free(report, wish, used)[:BREADTH]:
            for variant in _replacements(report, best, gene, wish, strength, sight.held)[:CHOICES]:
                tries.append((gene, best.clone().index_fill_(0, torch.tensor(gene), variant)))
        if not tries:
            break
        values = sight.worth(torch.stack([genotype for _, genotype in tries]))
        if float(values.max()) < worth + _IMPROVEMENT:
            break
        worth, (gene, best) = float(values.max()), tries[int(values.argmax())]
        used.append(gene)
    return best if worth >= float(alone_worth.max()) else alone[int(alone_worth.argmax())]


def _free(report: GeneReport, wish: Wish, kept: Sequence[int]) -> list[int]:
    """The genes that may change, the most significant for the wish first."""
    return [gene for gene in report.top(wish.column, len(report.score)) if gene not in kept]


def _promised(report: GeneReport, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """The change of every attribute that the variant statistics add up to, [A]."""
    rows = torch.arange(len(before))
    return (report.shrunk.mean[rows, after] - report.shrunk.mean[rows, before]).sum(dim=0)


def _replacements(
    report: GeneReport, genotype: torch.Tensor, gene: int, wish: Wish, strength: Strength, held: Sequence[int]
) -> list[int]:
    """The variants of a gene that may replace the present one, or be it: most of the wish for the least cost first."""
    mean, present = report.shrunk.mean[gene], int(genotype[gene])
    scale = mean.std(dim=0, correction=0).clamp_min(1e-9)
    gain = wish.likelihood(mean) - wish.likelihood(mean[present])
    order = gain.argsort()
    place = int((order == present).nonzero())
    reach = round(place + strength.rank * (len(order) - 1 - place))
    allowed = order[place : reach + 1]
    change = (mean - mean[present]).abs() / scale
    others = torch.arange(len(scale)) != wish.column
    cost = strength.hold_weight * change[:, list(held)].sum(dim=1)
    if others.any():
        cost = cost + strength.care * change[:, others].mean(dim=1)
    score = gain / scale[wish.column] - cost
    return allowed[score[allowed].argsort(descending=True)].tolist()


def _check(report: GeneReport, genotype: torch.Tensor, wishes: Sequence[Wish], constraints: Constraints) -> None:
    if genotype.ndim != 1:
        raise UserError(f"an edit takes one genotype [num_genes]; got {list(genotype.shape)}")
    _check_genes(constraints.genes, len(genotype))
    both = [wish.attribute for wish in wishes if wish.column in constraints.attributes]
    if both:
        raise UserError(f"{', '.join(both)} cannot be changed and held at once")


def _check_genes(genes: Sequence[int], num_genes: int) -> None:
    outside = [gene for gene in genes if not 0 <= gene < num_genes]
    if outside:
        raise UserError(f"there is no gene {outside[0]}; this genome has genes 0 to {num_genes - 1}")
