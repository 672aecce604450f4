"""What is measured against real pictures: correlations, the price of wishes, pruning. Each gives an outcome to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from stylegenes.analysis.correlation import Correlation, classify_pictures, correlate, mean_difference
from stylegenes.analysis.exhibits.conditional import trade_off_exhibit
from stylegenes.analysis.exhibits.models import correlation_exhibit, pruning_exhibit
from stylegenes.analysis.outcomes import Outcome
from stylegenes.analysis.pruning import WORTHS, PruningPoint, Worth, pruning_curve
from stylegenes.analysis.statistics import VariantStatistics, tally_draws
from stylegenes.analysis.tradeoff import Average, Method, Referee, averages, conditional_methods, trade_off
from stylegenes.analysis.wishes import Wish, check_temperature, find_attribute, parse_where
from stylegenes.data import Dataset
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.loaded import LoadedModel
from stylegenes.metrics.neighbors import CHUNK, nearest
from stylegenes.metrics.reference import FrechetReference, measure_real
from stylegenes.metrics.rows import Rows
from stylegenes.metrics.sources import GeneratorSource, ImageSource, choose
from stylegenes.perception import AttributeClassifier
from stylegenes.progress import OnProgress, silent
from stylegenes.words import command


def correlations_of(
    models: Sequence[LoadedModel], data: Dataset, num: int, seed: int = 0, on_progress: OnProgress = silent
) -> Outcome:
    """Which attributes go together in real pictures and in models; the last model's classifier tells.

    Args:
        models: one or more; the outcome belongs to the last.
        data: the real pictures.
        num: pictures of each; a finished survey by the same classifier gives all it has.
        seed: of the draws.
        on_progress: progress.

    Raises:
        UserError: when no classifier is known, or a conditional model is told no label that it takes.
    """
    main, classifier = models[-1], models[-1].classifier
    sets = [_correlated("real", choose(data, num, seed), classifier, main.device, on_progress)]
    for model in models:
        surveyed = model.study.surveyed_by(classifier)
        source = GeneratorSource(model.generator, num, seed, labels=model.told or data)
        sets.append(
            correlate(model.card.name, classifier.attributes, surveyed)
            if surveyed is not None
            else _correlated(model.card.name, source, classifier, main.device, on_progress)
        )
    lines = [
        f"{one.name}: mean absolute difference from the reals {mean_difference(one, sets[0]):.4f}" for one in sets[1:]
    ]
    return Outcome(correlation_exhibit(sets, classifier.name), main.shown_origin, lines)


def _correlated(
    name: str, source: ImageSource, classifier: AttributeClassifier, device: torch.device, on_progress: OnProgress
) -> Correlation:
    return correlate(name, classifier.attributes, _classified(name, source, classifier, device, on_progress))


@torch.no_grad()
def _classified(
    name: str, source: ImageSource, classifier: AttributeClassifier, device: torch.device, on_progress: OnProgress
) -> torch.Tensor:
    def batches() -> Iterator[torch.Tensor]:
        for start in range(0, len(source), source.batch):
            stop = min(start + source.batch, len(source))
            yield source.block(start, stop).to(device)
            on_progress(f"{name} pictures", stop, len(source))

    return classify_pictures(classifier, batches())


@dataclass(frozen=True, repr=False)
class TradeOff(Outcome):
    """What wishes cost.

    Attributes:
        averages: a method at a setting each, over the wishes.
        distance: what the Frechet distance is called.
    """

    averages: Sequence[Average]
    distance: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row a method and setting."""
        return [
            {"method": row.method, "setting": row.setting, "accuracy": row.accuracy}
            | {"by the second": row.second_accuracy, self.distance: row.frechet, "variety": row.variety}
            for row in self.averages
        ]


@dataclass(frozen=True)
class Wanted:
    """What is compared.

    Attributes:
        wishes: sets of wishes with semicolons between, like `Smiling=1;Hat=1,Male=0`.
        num: pictures for each number of the table.
        tries: most pictures classified for one that is kept, by the method that accepts.
        seed: of all draws.
    """

    wishes: str
    num: int = 2000
    tries: int = 16
    seed: int = 0

    def sets(self, known: list[str], second: AttributeClassifier) -> list[list[Wish]]:
        """The sets of wishes, which both classifiers know.

        Raises:
            UserError: for unknown attributes, no wish, or too small numbers.
        """
        sets = [parse_where(text, known) for text in self.wishes.split(";") if text.strip()]
        if not sets or self.num < 2 or self.tries < 1:
            raise UserError("--wishes needs at least one wish, --num at least 2 pictures and --tries at least 1")
        for wish in (wish for wishes in sets for wish in wishes):
            find_attribute(wish.attribute, second.attributes)
        return sets


def second_classifier(model: LoadedModel, second: AttributeClassifier) -> AttributeClassifier:
    """A classifier that had no part in the survey.

    Raises:
        UserError: when it is the survey's own.
    """
    if second.weights_hash == model.classifier.weights_hash:
        raise UserError(
            f"the second classifier is the one of the survey ({model.classifier.name}); accuracy must be measured by "
            "one that had no part in it: avatars32-second-judge for avatars, or one that you train with another seed: "
            f"{command('classifier', 'DATA', '--seed', '1', '--out', 'second-classifier')}"
        )
    return second


def trade_off_of(
    model: LoadedModel,
    methods: Sequence[Method],
    second: AttributeClassifier,
    data: Dataset,
    wanted: Wanted,
    on_progress: OnProgress = silent,
) -> TradeOff:
    """Accuracy against Frechet distance and variety of ways to draw by wish (StyleGenes, Table 3).

    Args:
        model: the survey's model.
        methods: ways to draw.
        second: the classifier that accuracy is measured by.
        data: the real pictures.
        wanted: wishes and numbers.
        on_progress: progress.

    Raises:
        UserError: for unknown attributes, too small numbers, or when the second classifier is the first.
    """
    sets = wanted.sets(model.statistics.attributes, second_classifier(model, second))
    real = _measured(model, data, on_progress)

    @torch.no_grad()
    def apart(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return model.study.perceptual(a.to(model.device), b.to(model.device)).cpu()

    referee, outcomes = Referee(model.classifier, second, real.of_pictures, apart), []
    for outcome in trade_off(methods, sets, referee, wanted.num, seed=wanted.seed):
        outcomes.append(outcome)
        on_progress("trade-off", len(outcomes), len(methods) * len(sets))
    rows = averages(outcomes)
    caption = (
        f"Means over {len(sets)} sets of wishes ({wanted.wishes}), {wanted.num:,} pictures each, {_against(data, real)}"
        f" Accuracy by {second.name}, which had no part in the statistics; the table also has "
        f"{model.classifier.name}'s own. 'accepted': the survey's classifier accepts a candidate with its probability, "
        f"{wanted.tries} tries at most.{_under(model)}"
    )
    exhibit = trade_off_exhibit(rows, real.name, caption)
    return TradeOff(exhibit, model.shown_origin, [f"floor of {real.name}: {real.floor:.2f}"], rows, real.name)


def baseline_methods(generator: Generator, data: Dataset) -> list[Method]:
    """A conditional model told its labels at random or by frequency, to compare with.

    Raises:
        UserError: when it takes other labels than the data has.
    """
    return conditional_methods(generator, data.labels(torch.arange(len(data))), data.label_names)


def parse_temperatures(text: str) -> list[float]:
    """Temperatures with commas between.

    Raises:
        UserError: for anything else.
    """
    try:
        return [check_temperature(float(part)) for part in text.split(",")]
    except ValueError as error:
        raise UserError(f"--temperatures {text!r} are not positive numbers with commas between") from error


@dataclass(frozen=True, repr=False)
class PruningStudy(Outcome):
    """What pruning costs or gains.

    Attributes:
        points: Frechet distances at each number of pruned variants.
    """

    points: Sequence[PruningPoint]


_SURE = 1e-3
"""Probabilities are taken no nearer to 0 and 1: surveys keep them in half precision, which ends there."""


def outlyingness(fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """How far each fake lies from its nearest real in the logits of an attribute classifier, float32 [N].

    Args:
        fake: [N, A], the classifier's probabilities.
        real: [M, A], the same of real pictures, M at least 1.
    """
    of_fakes, of_reals = (Rows.of(p.double().nan_to_num(0.5).clamp(_SURE, 1 - _SURE).logit()) for p in (fake, real))
    return torch.cat([nearest(block, of_reals) for block in of_fakes.chunks(CHUNK)]).sqrt().float()


def variant_worth(
    model: LoadedModel, by: Worth, reals: Callable[[], Dataset], on_progress: OnProgress = silent
) -> torch.Tensor:
    """What every variant is worth, float [G, V], more is better.

    Args:
        model: with a survey; of recorded realness, or whose draws are here.
        by: one of WORTHS.
        reals: opens the real pictures, for `outliers`.
        on_progress: progress.

    Raises:
        UserError: for another word, without realness, without the survey's draws, or by another classifier than the
            survey's.
    """
    if by not in WORTHS:
        raise UserError(f"variants cannot be judged by {by!r}; say {' or '.join(WORTHS)}")
    genome = model.study.genome
    if by == "chance":
        return torch.rand(genome.num_genes, genome.num_variants, generator=torch.Generator().manual_seed(0))
    if by == "realness":
        return model.study.realness
    draws = model.study.draws_by(model.classifier)
    if draws is None:
        line = command("survey", model.study.reference, "--classifier", "PATH")
        raise UserError(f"judging variants by outliers needs the draws of a survey by {model.classifier.name}: {line}")
    seen = _classified("real", choose(reals(), None), model.classifier, model.device, on_progress)
    far = outlyingness(draws.probability, seen)
    found = VariantStatistics.empty(["outlyingness"], genome.num_genes, genome.num_variants)
    tally_draws(found, draws.genotype, far[:, None])
    return -found.mean[..., 0]


def pruning_of(
    model: LoadedModel,
    numbers: Sequence[int],
    data: Dataset,
    *,
    by: Worth = "realness",
    samples: int = 10_000,
    runs: int = 5,
    on_progress: OnProgress = silent,
) -> PruningStudy:
    """The Frechet distance over the number of variants that are replaced (StyleGenes, Table 4).

    Args:
        model: with a survey.
        numbers: of variants of each gene.
        data: the real pictures.
        by: what the variants are judged by.
        samples: pictures for one distance.
        runs: distances for each number, with seeds 0, 1, ...
        on_progress: progress.

    Raises:
        UserError: where the variants cannot be judged, or for more than half of them.
    """
    worth = variant_worth(model, by, lambda: data, on_progress)
    real, done, labels = _measured(model, data, on_progress), 0, model.told or data

    def distance(pruned: Generator, seed: int) -> float:
        nonlocal done
        found, done = real.of_generator(pruned, samples, seed, labels), done + 1
        on_progress("measuring pruned models", done, len(numbers) * runs)
        return found

    points = pruning_curve(model.generator, worth, list(numbers), distance, runs=runs)
    caption = (
        f"The worst variants of every gene replaced by the best ones; {samples:,} pictures a run "
        f"{_against(data, real)} Worth: {WORTHS[by].by}.{_under(model)}"
    )
    lines = [f"{point.num_pruned:>5} pruned: {real.name} {point.mean:.3f} +- {point.spread:.3f}" for point in points]
    return PruningStudy(pruning_exhibit(points, real.name, caption, by), model.shown_origin, lines, points)


def _measured(model: LoadedModel, data: Dataset, on_progress: OnProgress) -> FrechetReference:
    return measure_real(
        data, model.study.folder / "reals", model.device, lambda done, total: on_progress("real pictures", done, total)
    )


def _against(data: Dataset, real: FrechetReference) -> str:
    return f"against {len(data):,} reals ({real.name}; two halves of the reals are {real.floor:.2f} apart)."


def _under(model: LoadedModel) -> str:
    return (
        "" if model.told is None else f" All pictures are drawn with {model.told.source}, the reals are of all labels."
    )
