"""The papers' tables with their numbers and ours side by side."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stylegenes.analysis.editing import METHODS
from stylegenes.analysis.exhibits import Table, Value
from stylegenes.recipes import recipe
from stylegenes.reproduction import published
from stylegenes.reproduction.results import Results
from stylegenes.reproduction.scale import Pair
from stylegenes.reproduction.steps import (
    CONTINUOUS,
    GENOME,
    STYLED,
    TRADITIONAL,
    depth_name,
    grid_name,
    mixing_name,
    model_name,
)


@dataclass(frozen=True)
class Compared:
    """One table.

    Attributes:
        name: of its file.
        title: which table of which paper.
        caption: what was measured, and on how much.
        table: labels first, then pairs of columns, the paper's and ours.
        labels: how many columns are labels.
    """

    name: str
    title: str
    caption: str
    table: Table
    labels: int

    @property
    def is_measured(self) -> bool:
        """Whether anything of ours is there yet."""
        ours = [i for i, column in enumerate(self.table.columns) if column.startswith("our ")]
        return any(row[i] is not None for row in self.table.rows for i in ours)


def all_tables(results: Results) -> list[Compared]:
    """Every table, those without numbers of ours too."""
    makers: list[Callable[[Results], Compared]] = [
        unconditional, ablation, disentanglement, conditional, pruning, mixing, depths, linear, edits, correlation,
    ]  # fmt: skip
    return [make(results) for make in makers]


def scores_of(results: Results, pair: Pair, latent: str) -> list[float]:
    """The Frechet distances of a pair's trainings with a latent, one a seed, those that are there."""
    found = [results.frechet(model_name(pair, latent, seed)) for seed in range(pair.seeds)]
    return [value for value in found if value is not None]


def unconditional(results: Results) -> Compared:
    """StyleGenes, Table 1, left."""
    rows: list[list[Value]] = []
    for pair in (results.scale.main, *results.scale.pairs):
        for latent in (CONTINUOUS, GENOME):
            scores = scores_of(results, pair, latent)
            paper = published.UNCONDITIONAL.get((pair.method, latent), {})
            data = pair.name.removeprefix("projected-")
            mean = statistics.fmean(scores) if scores else None
            spread = statistics.stdev(scores) if len(scores) > 1 else None
            rows.append([pair.method, pair.name, latent, pair.kimg, paper.get(data), mean, spread, len(scores) or None])
    columns = ["backbone", "pair", "latent", "kimg", "paper FID", "our fd", "spread", "trainings"]
    return Compared(
        "table1-left",
        "StyleGenes, Table 1, left: a genome in place of the continuous latent",
        f"Frechet distance of {results.scale.fakes:,} pictures; the spread is the standard deviation over trainings "
        "that differ in their seed.",
        Table(columns, rows),
        4,
    )


def ablation(results: Results) -> Compared:
    """StyleGenes, Table 1, right."""
    scale = results.scale
    cells = sorted({*published.ABLATION, *((g, v) for g in scale.genes for v in scale.variants)}, key=_by_variants)
    rows = [[v, g, published.ABLATION.get((g, v)), results.frechet(grid_name(g, v))] for g, v in cells]
    return Compared(
        "table1-right",
        "StyleGenes, Table 1, right: genes and variants",
        f"Frechet distance after {scale.kimg:g} thousand images each, one training a cell; the paper's on FFHQ.",
        Table(["variants", "genes", "paper FID", "our fd"], rows),
        2,
    )


def disentanglement(results: Results) -> Compared:
    """StyleGenes, Table 2."""
    ours = {latent: _accuracies(results, latent) for latent in (CONTINUOUS, GENOME)}
    names = [*dict.fromkeys([*results.scale.attributes, *published.DISENTANGLEMENT[GENOME]])]
    names = [*(name for name in names if name != "mean"), "mean"]
    rows: list[list[Value]] = []
    for name in names:
        both = (CONTINUOUS, GENOME)
        papers, mine = ([one[latent].get(name) for latent in both] for one in (published.DISENTANGLEMENT, ours))
        rows.append([name, *_beside(papers, mine)])
    columns = ["attribute", "paper w of a mapping, %", "our w of a mapping, %", "paper genome, %", "our genome, %"]
    return Compared(
        "table2",
        "StyleGenes, Table 2: attributes predicted from the latent",
        f"Accuracy of a small network on {results.scale.draws:,} codes. Ours is balanced (guessing scores 50 %), and "
        "its mean is over all attributes of the classifier that are common enough.",
        Table(columns, rows),
        1,
    )


def _accuracies(results: Results, latent: str) -> dict[str, float]:
    found = results.record(model_name(results.scale.main, latent), "disentanglement_w")
    if found is None or found.value is None:
        return {}
    known = {name: 100 * value for name, value in found.details.items() if isinstance(value, float)}
    return {**known, "mean": 100 * found.value}


def conditional(results: Results) -> Compared:
    """StyleGenes, Table 3, averages."""
    found = results.exhibit("tradeoff") or []
    ours: dict[tuple[str, str], dict[str, float]] = {}
    for row in found:
        ours.setdefault((row["method"], row["setting"]), {})[row["measure"]] = float(row["average"])
    rows: list[list[Value]] = []
    for key in dict.fromkeys([*published.CONDITIONAL, *ours]):
        accuracy, fid = published.CONDITIONAL.get(key, (None, None))
        mine = ours.get(key, {})
        by = [None if measure not in mine else 100 * mine[measure] for measure in ("accuracy", "second_accuracy")]
        rows.append([*key, accuracy, *by, fid, mine.get("frechet"), mine.get("variety")])
    columns = ["method", "setting", "paper accuracy, %", "our accuracy, %", "our accuracy by a second classifier, %"]
    return Compared(
        "table3",
        "StyleGenes, Table 3: conditional generation",
        f"Averages over the wishes {results.scale.wishes.replace(';', ', ')}; {results.scale.wished:,} pictures each. "
        "'shrunk' and 'accepted' are this project's own methods.",
        Table([*columns, "paper FID", "our fd", "our variety"], rows),
        2,
    )


def pruning(results: Results) -> Compared:
    """StyleGenes, Table 4. Rows are matched by the share of the variants that is pruned."""
    found = results.exhibit("pruning") or []
    total = _num_variants(results)
    mean = next((column for column in (found[0] if found else {}) if column.endswith("_mean")), "")
    ours = {int(row["pruned"]) / total: (row, int(row["pruned"])) for row in found}
    papers = {number / published.PRUNING_OF: value for number, value in published.PRUNING.items()}
    rows: list[list[Value]] = []
    for share in sorted({*ours, *papers}):
        row, number = ours.get(share, ({}, None))
        spread = mean.replace("_mean", "_spread")
        values = [float(row[column]) if column in row else None for column in (mean, spread)]
        rows.append([f"{share:.1%}", papers.get(share), number, *values])
    return Compared(
        "table4",
        "StyleGenes, Table 4: pruning by the discriminator's opinion",
        f"Frechet distance by the share of each gene's variants that is replaced; {results.scale.prune_runs} runs with "
        "other seeds of the pictures and their standard deviation.",
        Table(["pruned share", "paper FID", "pruned of ours", "our fd", "spread"], rows),
        1,
    )


def _num_variants(results: Results) -> int:
    return int(recipe(results.scale.main.genome).model.latent["num_variants"])


def mixing(results: Results) -> Compared:
    """StyleGAN, Tables 2 and 3: what the probability of style mixing in training does."""
    rows: list[list[Value]] = []
    for share in sorted({*published.MIXING, *results.scale.mixings}):
        model = mixing_name(results.scale, share)
        papers = [*published.MIXING.get(share, (None,) * 4), *published.PATHS_OF_MIXING.get(share, (None, None))]
        ours = [results.frechet(model, latents) for latents in range(1, 5)]
        ours += [results.value(model, f"ppl_w_{kind}") for kind in ("full", "end")]
        rows.append([f"{share:.0%}", *_beside(papers, ours)])
    names = [*(f"fd, {n} mixed" for n in range(1, 5)), "path length W, full", "path length W, end"]
    return Compared(
        "stylegan-table2",
        "StyleGAN, Tables 2 and 3: mixing regularization",
        f"Frechet distance with 1 to 4 codes mixed in every picture, and path lengths, after {results.scale.kimg:g} "
        "thousand images each. Path lengths by another perceptual distance than the paper's are on another scale.",
        Table(["mixing", *_heads(names)], rows),
        1,
    )


def depths(results: Results) -> Compared:
    """StyleGAN, Table 4, with the genome as a further row."""
    cases = [*published.DEPTHS]
    cases += [(STYLED, d, "z" if d == 0 else "w") for d in results.scale.depths]
    cases += [(TRADITIONAL, d, s) for d in (min(results.scale.depths), max(results.scale.depths)) for s in "zw"]
    rows: list[list[Value]] = []
    for kind, depth, space in dict.fromkeys(cases):
        if (kind, depth, space) == (TRADITIONAL, 0, "w"):
            continue
        model = depth_name(results.scale, kind, depth)
        papers = published.DEPTHS.get((kind, depth, space))
        rows.append([kind, depth, space, *_latent_row(results, model, space, papers)])
    main = results.scale.main
    for latent, space in ((CONTINUOUS, "z"), (CONTINUOUS, "w"), (GENOME, "w")):
        rows.append([f"main {latent}", None, space, *_latent_row(results, model_name(main, latent), space, None)])
    heads = _heads(("fd", "path full", "path end", "separability"))
    return Compared(
        "stylegan-table4",
        "StyleGAN, Table 4: the mapping network's depth, in Z and W, and the genome",
        f"{results.scale.kimg:g} thousand images each (main: {main.kimg:g}); {results.scale.pairs_of_path:,} pairs for "
        f"a path length, {results.scale.draws:,} draws for separability. For the genome, W is the space of its codes.",
        Table(["generator", "depth", "space", *heads], rows),
        3,
    )


def _latent_row(results: Results, model: str, space: str, paper: Sequence[float] | None) -> list[Value]:
    ours = [
        results.frechet(model),
        results.value(model, f"ppl_{space}_full"),
        results.value(model, f"ppl_{space}_end"),
        results.value(model, f"separability_{space}"),
    ]
    return _beside(paper or (None,) * 4, ours)


def linear(results: Results) -> Compared:
    """Liu 2019, Table 1."""
    found = {row["attribute"]: row for row in results.directions() or []}
    rows: list[list[Value]] = []
    for name in dict.fromkeys([*published.LINEAR, *found]):
        papers, mine = published.LINEAR.get(name, (None,) * 4), found.get(name, {})
        columns = ("auc w", "auc z", "balanced accuracy w", "balanced accuracy z")
        ours = [float(mine[column]) if mine.get(column) else None for column in columns]
        rows.append([name, *_beside(papers, ours)])
    heads = _heads(("AUC W", "AUC Z", "accuracy W", "accuracy Z"))
    return Compared(
        "liu-table1",
        "Liu 2019, Table 1: attributes by logistic regression in W and Z",
        f"L1 penalty, C = 0.1, 10 folds, {results.scale.draws:,} samples of the main continuous model; accuracy is "
        "balanced.",
        Table(["attribute", *heads], rows),
        1,
    )


def edits(results: Results) -> Compared:
    """What edits by genes change; the paper shows pictures and no number."""
    names = ("change of it", "mean change of others", "flipped", "share changed most")
    keys = ("absolute_change", "mean_change_of_others", "flipped", "changed_most")
    found = {m: {row["edited"]: row for row in results.exhibit(f"edits-{m}") or []} for m in METHODS}
    rows: list[list[Value]] = []
    for attribute in dict.fromkeys(name for of_method in found.values() for name in of_method):
        cells = [found[m].get(attribute, {}).get(key) for key in keys for m in METHODS]
        rows.append([attribute, *(None if cell is None else float(cell) for cell in cells)])
    columns = ["attribute", *(f"our {name}, {m}" for name in names for m in METHODS)]
    return Compared(
        "edits",
        "Edits by genes: the wanted attribute and the others",
        f"Every attribute of {results.scale.edits} pictures edited against its present state by up to four genes, "
        "which the statistics choose alone or with the classifier looking ('checked', this project's own); absolute "
        "changes of the classifier's probability.",
        Table(columns, rows),
        1,
    )


def correlation(results: Results) -> Compared:
    """Correlation of attributes in reals and models; the paper shows pictures and no number."""
    found = results.exhibit("correlation") or []
    models = [column for column in (found[0] if found else {}) if column not in ("a", "b", "real")]
    rows: list[list[Value]] = [
        [model, statistics.fmean(abs(float(row[model]) - float(row["real"])) for row in found)] for model in models
    ]
    return Compared(
        "correlation",
        "Correlation of attributes: models against reals",
        "Mean absolute difference from the reals' correlation matrix, over all pairs of attributes.",
        Table(["model", "our mean difference"], rows),
        1,
    )


def _heads(names: Sequence[str]) -> list[str]:
    return [f"{who} {name}" for name in names for who in ("paper", "our")]


def _beside(papers: Sequence[Value], ours: Sequence[Value]) -> list[Value]:
    """The paper's numbers and ours, column by column."""
    return [value for pair in zip(papers, ours, strict=True) for value in pair]


def _by_variants(cell: tuple[int, int]) -> tuple[int, int]:
    genes, variants = cell
    return variants, -genes
