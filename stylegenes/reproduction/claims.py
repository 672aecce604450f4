"""What holds of the papers' claims, from our numbers alone.

A rule for each claim, fixed before the numbers; but that (b) is undecided within the scatter of seeds was added after
the first grid, which had shown that scatter, and that a single training has the scatter of all cells after the second.
Words for what was computed all along, and that missing numbers decide nothing, came last; no verdict changed.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from stylegenes.analysis.editing import METHODS
from stylegenes.reproduction.attribute_tables import READERS, readings
from stylegenes.reproduction.results import Results
from stylegenes.reproduction.sampling_tables import num_variants, pruned_curves
from stylegenes.reproduction.scale import Pair
from stylegenes.reproduction.shared import shared_means, shared_names
from stylegenes.reproduction.steps import CONTINUOUS, GENOME, latent_words, mixing_name, rivals_of
from stylegenes.reproduction.training_tables import scores_of
from stylegenes.words import counted

_Readers = list[tuple[str, str]]
"""Metrics of readers, each with a word for it."""

Holds = Literal["holds", "does not hold", "undecided", "not measured"]


@dataclass(frozen=True)
class Verdict:
    """One claim and what became of it.

    Attributes:
        claim: in words.
        rule: when we say that it holds.
        holds: the outcome.
        evidence: our numbers.
    """

    claim: str
    rule: str
    holds: Holds
    evidence: str

    @property
    def letter(self) -> str:
        """The claim's letter, which further looks at it share."""
        return self.claim[1]


def verdicts(results: Results) -> list[Verdict]:
    """All claims in their order."""
    claims: list[Callable[[Results], Verdict]] = [
        genome_is_as_good, more_genes_help, codes_predict_attributes, genotypes_predict_attributes,
        temperature_trades, light_pruning_helps, pruning_by_outliers_helps, edits_are_specific, w_is_more_linear,
        mixing_makes_robust,
    ]  # fmt: skip
    return [judge(results) for judge in claims]


def genome_is_as_good(results: Results) -> Verdict:
    """(a) StyleGenes, Table 1, left."""
    claim = "(a) With a genome the Frechet distance is at or below that with a mapping network."
    rule = (
        "Per pair of budgets: the genome's mean over seeds is not above the mapping's by more than two standard errors "
        "of the difference; with one seed it is not above it by more than 5 %. All pairs must agree; undecided where "
        "they do not, or not all are measured."
    )
    pairs, outcomes, texts = (results.scale.main, *results.scale.pairs), [], []
    for pair in pairs:
        genome, other = (scores_of(results, pair, latent) for latent in (GENOME, CONTINUOUS))
        if not genome or not other:
            continue
        gap = statistics.fmean(genome) - statistics.fmean(other)
        slack = _two_errors(genome, other) or 0.05 * statistics.fmean(other)
        outcomes.append(gap <= slack)
        sides = [f"{latent_words(pair, latent)} {_spread(s)}" for latent, s in ((GENOME, genome), (CONTINUOUS, other))]
        texts.append(f"{pair.name} ({pair.kimg:g} kimg): {', '.join(sides)}")
    return Verdict(claim, rule, _all(outcomes, len(pairs)), "; ".join(texts))


def more_genes_help(results: Results) -> Verdict:
    """(b) StyleGenes, Table 1, right."""
    claim = "(b) More genes lower the Frechet distance, most of all where variants are few."
    rule = (
        "Fewest genes are worst in most rows, and their excess over most genes is larger at few variants than at many; "
        "undecided unless most excesses are beyond two standard errors, and where no training was repeated."
    )
    genes, variants = sorted(results.scale.genes), sorted(results.scale.variants)
    excess, noise, worst = dict[int, float](), dict[int, float | None](), list[bool]()
    scatter = _scatter(results)
    for v in variants:
        few, many = (results.cell(g, v) for g in (genes[0], genes[-1]))
        if few and many:
            excess[v] = statistics.fmean(few) - statistics.fmean(many)
            pooled = None if scatter is None else 2 * 2**0.5 * scatter
            noise[v] = _two_errors(few, many) or pooled
            row = [statistics.fmean(found) for g in genes if (found := results.cell(g, v))]
            worst.append(row[0] == max(row))
    if len(excess) < 2:
        return Verdict(claim, rule, "not measured", "")
    clear = sum(error is not None and abs(excess[v]) > error for v, error in noise.items()) > len(excess) / 2
    holds = sum(worst) > len(worst) / 2 and excess[min(excess)] > excess[max(excess)]
    errors = {v: "" if error is None else f" ± {error:.1f}" for v, error in noise.items()}
    text = ", ".join(f"{value:+.1f}{errors[v]} at {v} variants" for v, value in excess.items())
    evidence = f"{genes[0]} genes against {genes[-1]} (± two standard errors): {text}"
    return Verdict(claim, rule, _said(holds) if clear else "undecided", evidence)


def _scatter(results: Results) -> float | None:
    """Standard deviation over seeds, pooled over the genomes trained as long as the grid's cells; None without."""
    scale = results.scale
    found = [scores_of(results, pair, GENOME) for pair in scale.pairs if pair.kimg == scale.kimg]
    found += [results.cell(genes, variants) for genes in scale.genes for variants in scale.variants]
    several = {tuple(scores) for scores in found if len(scores) > 1}
    if not several:
        return None
    squares = sum(statistics.variance(scores) * (len(scores) - 1) for scores in several)
    return (squares / sum(len(scores) - 1 for scores in several)) ** 0.5


def codes_predict_attributes(results: Results) -> Verdict:
    """(c) StyleGenes, Table 2."""
    claim = "(c) Genome codes predict attributes better than the w of a mapping network."
    return _read_better(results, claim, [("disentanglement_w", "by the paper's reader")], [("disentanglement_w", "")])


def genotypes_predict_attributes(results: Results) -> Verdict:
    """(c) again, with each side read by what suits it best."""
    claim = "(c') A genotype as zeros and ones predicts attributes better than the w of a mapping network."
    genome, mapping = ([(metric.format(s), name) for metric, name in READERS.items()] for s in ("genes", "w"))
    return _read_better(results, claim, genome, mapping)


def _read_better(results: Results, claim: str, genome: _Readers, mapping: _Readers) -> Verdict:
    """The better of the readers of either side, over the attributes that all trainings can be scored on."""
    rule = (
        "Mean balanced accuracy over the attributes that all models can be scored on is higher by at least one point, "
        "and by more than two standard errors where there are several trainings, than with each mapping network; "
        "undecided where it is so with some of them only, or not all are measured."
    )
    rule += " Of two readers of a side the better one counts." if len(genome) > 1 else ""
    mine = _best_read(results, results.scale.main, GENOME, genome)
    pairs = (results.scale.main, *rivals_of(results.scale))
    rivals = [_best_read(results, pair, CONTINUOUS, mapping) for pair in pairs]
    sides = [one for one in (mine, *rivals) if one is not None]
    if mine is None or len(sides) < 2:
        return Verdict(claim, rule, "not measured", "")
    shared = shared_names(table for _, found in sides for table in found)
    if not shared:
        return Verdict(claim, rule, "undecided", "no attribute is common enough in all models")
    means = list(shared_means({index: found for index, (_, found) in enumerate(sides)}).values())
    outcomes = [
        statistics.fmean(means[0]) >= statistics.fmean(other) + max(1, _two_errors(means[0], other) or 0)
        for other in means[1:]
    ]
    texts = [f"{name} {_spread(mean)}" for (name, _), mean in zip(sides, means, strict=True)]
    evidence = f"{counted(len(shared), 'attribute')}, %: {'; '.join(texts)}"
    return Verdict(claim, rule, _all(outcomes, len(pairs)), evidence)


def _best_read(results: Results, pair: Pair, latent: str, given: _Readers) -> tuple[str, list[dict[str, float]]] | None:
    """The side in words and what its best reader finds, a dictionary a seed; None where none was measured."""
    read = [(name, [one for one in readings(results, metric, pair, latent) if one]) for metric, name in given]
    found = [one for one in read if one[1]]
    if not found:
        return None
    name, best = max(found, key=lambda one: statistics.fmean(statistics.fmean(o.values()) for o in one[1]))
    return ", ".join(word for word in (latent_words(pair, latent), name) if word), best


def temperature_trades(results: Results) -> Verdict:
    """(d) StyleGenes, Table 3."""
    claim = "(d) A lower temperature trades variety for accuracy; 95 % mean accuracy is reached at some temperature."
    rule = (
        "By the paper's sampler, and by the classifier that it samples by: accuracy rises and variety falls from T = 1 "
        "to the lowest, and 95 % is reached."
    )
    rows = [row for row in results.exhibit("tradeoff") or [] if row["method"].startswith("paper")]
    if not rows:
        return Verdict(claim, rule, "not measured", "")
    series = {m: _by_temperature(rows, m) for m in ("accuracy", "second_accuracy", "frechet", "variety")}
    accuracy, variety = series["accuracy"], series["variety"]
    hot, cold = max(accuracy), min(accuracy)
    trades = accuracy[cold] > accuracy[hot] and variety[cold] < variety[hot]
    text = "; ".join(
        f"T = {t:g}: {accuracy[t]:.1%}{_by_second(series['second_accuracy'].get(t))}, "
        f"fd {series['frechet'][t]:.0f}, variety {variety[t]:.3f}"
        for t in sorted(accuracy, reverse=True)
    )
    return Verdict(claim, rule, _said(trades and max(accuracy.values()) >= 0.95), text)


def _by_second(accuracy: float | None) -> str:
    return "" if accuracy is None else f" ({accuracy:.1%} by the second classifier)"


def light_pruning_helps(results: Results) -> Verdict:
    """(e) StyleGenes, Table 4."""
    claim = "(e) Pruning a few variants lowers the Frechet distance, pruning half of them raises it."
    return _pruning_helps(results, claim, "pruning")


def pruning_by_outliers_helps(results: Results) -> Verdict:
    """(e) again, with variants judged by how far from reals their pictures lie, in place of the discriminator."""
    claim = "(e') The same by outliers: variants whose pictures lie far from all reals are replaced."
    return _pruning_helps(results, claim, "pruning-outliers")


def _pruning_helps(results: Results, claim: str, by: str) -> Verdict:
    rule = (
        "Some number up to an eighth of the variants is below none at all, and the largest number is above it: by more "
        "than one spread over runs or, with several trainings, by more than two standard errors of their differences. "
        "Undecided where not all trainings are measured."
    )
    curves = pruned_curves(results, by)
    if not curves:
        return Verdict(claim, rule, "not measured", "")
    numbers = sorted(set.intersection(*(set(curve) for curve in curves)))
    if 0 not in numbers:
        return Verdict(claim, rule, "undecided", "the distance without pruning is not there")
    light = [number for number in numbers if 0 < number <= num_variants(results) / 8]
    helps = any(_moved(curves, number) < 0 for number in light)
    hurts = _moved(curves, numbers[-1]) > 0
    text = ", ".join(f"{number}: {_pruned(curves, number)}" for number in numbers)
    holds = _said(helps and hurts) if len(curves) == results.scale.main.seeds else "undecided"
    return Verdict(claim, rule, holds, f"{text} (light pruning {_word(helps)}, heavy {_hurt(hurts)})")


def _moved(curves: list[dict[int, tuple[float, float]]], number: int) -> int:
    """-1, 0 or 1: whether pruning so many lowers the distance, changes nothing beyond the noise, or raises it."""
    gaps = [curve[number][0] - curve[0][0] for curve in curves]
    if len(gaps) > 1:
        noise = 2 * statistics.stdev(gaps) / len(gaps) ** 0.5
    else:
        noise = max(curves[0][number][1], curves[0][0][1])
    gap = statistics.fmean(gaps)
    return 0 if abs(gap) <= noise else 1 if gap > 0 else -1


def _pruned(curves: list[dict[int, tuple[float, float]]], number: int) -> str:
    if len(curves) > 1:
        return _spread([curve[number][0] for curve in curves])
    return "{:.1f} ± {:.1f}".format(*curves[0][number])


def edits_are_specific(results: Results) -> Verdict:
    """(f) StyleGenes, A.3."""
    claim = "(f) An edit changes the wanted attribute more than others."
    rule = (
        "For at least nine in ten attributes the mean change of the edited one is above the mean change of the others, "
        "with genes and variants chosen by statistics alone."
    )
    shares, texts = {}, []
    for method in METHODS:
        rows = results.exhibit(f"edits-{method}")
        if not rows:
            continue
        pairs = [(float(row["absolute_change"]), float(row["mean_change_of_others"])) for row in rows]
        shares[method] = sum(own > others for own, others in pairs) / len(pairs)
        own, others = (statistics.fmean(column) for column in zip(*pairs, strict=True))
        texts.append(f"{method}: {shares[method]:.0%} of {len(pairs)} attributes, {own:.3f} against {others:.3f}")
    if "statistics" not in shares:
        return Verdict(claim, rule, "not measured", "")
    return Verdict(claim, rule, _said(shares["statistics"] >= 0.9), "; ".join(texts))


def w_is_more_linear(results: Results) -> Verdict:
    """Liu 2019, Table 1."""
    claim = "(g) A linear classifier reads attributes better off W than off Z (Liu 2019)."
    rule = "AUC in W is above AUC in Z for every attribute of our table."
    rows = results.fitted_directions()
    if not rows:
        return Verdict(claim, rule, "not measured", "")
    higher = sum(float(row["auc w"]) > float(row["auc z"]) for row in rows)
    means = [statistics.fmean(float(row[column]) for row in rows) for column in ("auc w", "auc z")]
    text = f"{higher} of {len(rows)} attributes; mean AUC {means[0]:.3f} in W, {means[1]:.3f} in Z"
    return Verdict(claim, rule, _said(higher == len(rows)), text)


def mixing_makes_robust(results: Results) -> Verdict:
    """StyleGAN, Table 2."""
    claim = "(h) Mixing in training makes the generator tolerate mixed codes (StyleGAN)."
    rule = "From one code to the most mixed, the distance grows less with mixing at 90 % than with none."
    shares = sorted(results.scale.mixings)
    none, much = (_growth(results, mixing_name(results.scale, share)) for share in (shares[0], 0.9))
    if none is None or much is None:
        return Verdict(claim, rule, "not measured", "")
    return Verdict(claim, rule, _said(much < none), f"growth {none:+.1f} without mixing, {much:+.1f} with 90 %")


def _growth(results: Results, model: str) -> float | None:
    one, *_, most = results.mixed(model)
    return None if one is None or most is None else most - one


def _by_temperature(rows: list[dict[str, str]], measure: str) -> dict[float, float]:
    return {float(r["setting"].removeprefix("T = ")): float(r["average"]) for r in rows if r["measure"] == measure}


def _two_errors(a: list[float], b: list[float]) -> float | None:
    if min(len(a), len(b)) < 2:
        return None
    return 2 * (statistics.variance(a) / len(a) + statistics.variance(b) / len(b)) ** 0.5


def _spread(scores: list[float]) -> str:
    spread = f" ± {statistics.stdev(scores):.1f} ({len(scores)} seeds)" if len(scores) > 1 else ""
    return f"{statistics.fmean(scores):.1f}{spread}"


def _all(outcomes: list[bool], wanted: int) -> Holds:
    if not outcomes:
        return "not measured"
    if len(outcomes) < wanted or len(set(outcomes)) > 1:
        return "undecided"
    return _said(outcomes[0])


def _said(holds: bool) -> Holds:
    return "holds" if holds else "does not hold"


def _word(helps: bool) -> str:
    return "helps" if helps else "does not help beyond the spread"


def _hurt(hurts: bool) -> str:
    return "hurts" if hurts else "does not hurt beyond the spread"
