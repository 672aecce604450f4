"""Accuracy against quality and variety of conditional sampling, over temperatures (StyleGenes, Table 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch

from stylegenes.analysis.conditional import gene_tables, sample_accepted
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.shrinkage import shrink
from stylegenes.analysis.statistics import VariantStatistics
from stylegenes.analysis.wishes import Wish, find_attribute
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.perception import AttributeClassifier
from stylegenes.perception.trust import warn_of_doubts
from stylegenes.records import Condition

Frechet = Callable[[torch.Tensor], float]
"""Pictures [N, C, H, W] in [-1, 1] to a Frechet distance from the real ones; handed in, analyses know no metrics."""

Draw = Callable[[Sequence[Wish], int, torch.Generator], torch.Tensor]
"""Wishes, a number and randomness to pictures [n, C, H, W] in [-1, 1]."""


@dataclass(frozen=True)
class Method:
    """A way to draw pictures that fulfil wishes: a row of the table."""

    name: str
    setting: str
    draw: Draw


@dataclass(frozen=True)
class Referee:
    """What the pictures of a method are measured by.

    Attributes:
        own: the classifier that the statistics were made with (the paper's way), or that made the pseudo-labels.
        second: a classifier that had no part in them.
        frechet: distance to the real pictures.
        apart: perceptual distance between pairs of pictures, [n] from two [n, C, H, W]: the variety.
    """

    own: AttributeClassifier
    second: AttributeClassifier
    frechet: Frechet
    apart: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class MethodScore:
    """One method on one set of wishes.

    Attributes:
        method: its name.
        setting: its temperature or label distribution.
        wish: what was wished for, as text.
        accuracy: share of pictures in which the first classifier finds every wish fulfilled.
        second_accuracy: the same by the second classifier.
        frechet: Frechet distance to all real pictures.
        variety: mean perceptual distance between two pictures.
    """

    method: str
    setting: str
    wish: str
    accuracy: float
    second_accuracy: float
    frechet: float
    variety: float


def genome_methods(
    labeler: CodeLabeler, statistics: VariantStatistics, temperatures: Sequence[float], *, tries: int = 16
) -> list[Method]:
    """The paper's sampler, the shrunk one, and the shrunk one with a classifier that accepts, at every temperature.

    Args:
        labeler: the model and the classifier that the statistics were made with.
        statistics: of the survey.
        temperatures: T of Eq. 6.
        tries: most pictures classified for each one kept by the third method.
    """
    tables = {"paper (Eq. 6)": statistics.mean, "shrunk": shrink(statistics).mean}
    methods = [
        Method(name, f"T = {t:g}", _from_tables(labeler, mean, t))
        for name, mean in tables.items()
        for t in temperatures
    ]
    methods += [Method("accepted", f"T = {t:g}", _accepted(labeler, tables["shrunk"], t, tries)) for t in temperatures]
    return methods


def conditional_methods(
    generator: Generator, labels: torch.Tensor, label_names: list[str], *, batch_size: int = 32
) -> list[Method]:
    """The baseline: a conditional generator whose other labels are drawn at random or by their frequency in the data.

    Args:
        generator: takes binary labels [N, L].
        labels: [N, L] in {0, 1}, of the real data.
        label_names: names of the columns.
        batch_size: pictures made at once.

    Raises:
        UserError: when the generator takes other labels than the data has.
    """
    if generator.label_dim != len(label_names):
        raise UserError(f"the model takes {generator.label_dim} labels, the data has {len(label_names)}")
    fair = torch.full_like(labels[:1].float(), 0.5)

    def draw(by_frequency: bool) -> Draw:
        def pictures(wishes: Sequence[Wish], n: int, rng: torch.Generator) -> torch.Tensor:
            rows = _fulfilling(labels, label_names, wishes).float() if by_frequency else fair
            return _conditional_pictures(generator, rows.mean(dim=0), wishes, label_names, n, rng, batch_size)

        return pictures

    return [
        Method("conditional model", "labels at random", draw(False)),
        Method("conditional model", "labels by frequency", draw(True)),
    ]


def trade_off(
    methods: Sequence[Method], wish_sets: Sequence[Sequence[Wish]], referee: Referee, n: int, *, seed: int = 0
) -> Iterator[MethodScore]:
    """Measure every method on every set of wishes with `n` pictures each, one outcome at a time.

    Args:
        methods: ways of drawing pictures by wish.
        wish_sets: sets of wishes that hold together.
        referee: classifiers and distances that judge.
        n: pictures of each outcome.
        seed: of the draws; every outcome begins with it.
    """
    for method in methods:
        for wishes in wish_sets:
            yield measure(method, wishes, referee, n, seed=seed)


@torch.no_grad()
def measure(method: Method, wishes: Sequence[Wish], referee: Referee, n: int, *, seed: int = 0) -> MethodScore:
    """Draw `n` pictures and classify them.

    Args:
        method: a way of drawing pictures by wish.
        wishes: that hold together.
        referee: classifiers and distances that judge.
        n: pictures.
        seed: of the draws.
    """
    for classifier in (referee.own, referee.second):
        warn_of_doubts(classifier, [wish.attribute for wish in wishes])
    rng = torch.Generator().manual_seed(seed)
    pictures = method.draw(wishes, n, rng)
    pairs = torch.randperm(n, generator=rng)
    half = n // 2
    return MethodScore(
        method=method.name,
        setting=method.setting,
        wish=",".join(map(str, wishes)),
        accuracy=_fulfilled(referee.own, referee.own, pictures, wishes),
        second_accuracy=_fulfilled(referee.second, referee.own, pictures, wishes),
        frechet=referee.frechet(pictures),
        variety=_apart(referee, pictures[pairs[:half]], pictures[pairs[half : 2 * half]]),
    )


@dataclass(frozen=True)
class Average:
    """A method at one setting, averaged over the wishes."""

    method: str
    setting: str
    accuracy: float
    second_accuracy: float
    frechet: float
    variety: float
    outcomes: list[MethodScore] = field(repr=False, default_factory=list)


def averages(outcomes: Sequence[MethodScore]) -> list[Average]:
    """Mean over the wishes for each method and setting, in the order they came (the table's "Avg." column)."""
    groups: dict[tuple[str, str], list[MethodScore]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.method, outcome.setting), []).append(outcome)
    return [
        Average(
            *key,
            *(
                sum(getattr(o, name) for o in group) / len(group)
                for name in ("accuracy", "second_accuracy", "frechet", "variety")
            ),
            outcomes=group,
        )
        for key, group in groups.items()
    ]


def _from_tables(labeler: CodeLabeler, mean: torch.Tensor, temperature: float) -> Draw:
    return lambda wishes, n, rng: labeler.pictures(gene_tables(mean, wishes, temperature).sample(n, rng))


def _accepted(labeler: CodeLabeler, mean: torch.Tensor, temperature: float, tries: int) -> Draw:
    def draw(wishes: Sequence[Wish], n: int, rng: torch.Generator) -> torch.Tensor:
        tables = gene_tables(mean, wishes, temperature)
        seeds = torch.randint(2**62, (n,), generator=rng).tolist()
        sources = [torch.Generator().manual_seed(seed) for seed in seeds]
        return labeler.pictures(sample_accepted(labeler, tables, wishes, sources, tries=tries).genotype)

    return draw


def _fulfilling(labels: torch.Tensor, names: list[str], wishes: Sequence[Wish]) -> torch.Tensor:
    kept = torch.ones(len(labels), dtype=torch.bool)
    for wish in wishes:
        kept &= (labels[:, find_attribute(wish.attribute, names)] > 0.5) == wish.present
    if not kept.any():
        raise UserError(f"no picture of the data fulfils {','.join(map(str, wishes))}")
    return labels[kept]


@torch.no_grad()
def _conditional_pictures(
    generator: Generator,
    frequency: torch.Tensor,
    wishes: Sequence[Wish],
    names: list[str],
    n: int,
    rng: torch.Generator,
    batch_size: int,
) -> torch.Tensor:
    label = torch.bernoulli(frequency.expand(n, -1), generator=rng)
    for wish in wishes:
        label[:, find_attribute(wish.attribute, names)] = float(wish.present)
    code, label = generator.sample(n, rng), label.to(generator.device)
    pairs = zip(code.split(batch_size), label.split(batch_size), strict=True)
    return torch.cat([generator(z, Condition(label=c)).image.cpu() for z, c in pairs])


def _fulfilled(
    classifier: AttributeClassifier, own: AttributeClassifier, pictures: torch.Tensor, wishes: Sequence[Wish]
) -> float:
    device = next((t.device for t in [*classifier.parameters(), *classifier.buffers()]), torch.device("cpu"))
    p = torch.cat([classifier(batch.to(device)).cpu() for batch in pictures.split(64)])
    kept = torch.ones(len(p), dtype=torch.bool)
    for wish in wishes:
        kept &= (p[:, find_attribute(own.attributes[wish.column], classifier.attributes)] > 0.5) == wish.present
    return float(kept.double().mean())


def _apart(referee: Referee, a: torch.Tensor, b: torch.Tensor) -> float:
    parts = [referee.apart(x, y) for x, y in zip(a.split(64), b.split(64), strict=True)]
    return float(torch.cat(parts).double().mean()) if parts else 0.0
