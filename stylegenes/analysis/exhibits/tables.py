"""Records as tables, one row a line of the CSV that lies beside a figure."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from stylegenes.analysis.ablation import Cell
from stylegenes.analysis.breeding import Lineage
from stylegenes.analysis.correlation import Correlation
from stylegenes.analysis.edit_study import EditStudy
from stylegenes.analysis.editing import EditReport
from stylegenes.analysis.evolution import Evolution
from stylegenes.analysis.exhibits.exhibit import Table
from stylegenes.analysis.importance import GeneReport
from stylegenes.analysis.inference import TOO_FEW, Resolution, Significance, resolution, resolves
from stylegenes.analysis.pruning import PruningPoint, Usage
from stylegenes.analysis.statistics import VariantStatistics
from stylegenes.analysis.tradeoff import Average, MethodScore

_MOST_ROWS = 2000


def gene_table(report: GeneReport) -> Table:
    """One row a gene and attribute, the most important first, genes that are shown to act only."""
    columns = ["attribute", "gene", "score", "score_shrunk", "variance_explained", "q_value", "split_half_reliability"]
    cells = (report.shrunk_score > 0).nonzero().tolist()
    cells.sort(key=lambda cell: -float(report.shrunk_score[cell[0], cell[1]]))
    grids = [report.score, report.shrunk_score, report.explained, report.q_value, report.reliability]
    return Table(columns, [[report.attributes[a], g, *(float(grid[g, a]) for grid in grids)] for g, a in cells])


def attribute_table(statistics: VariantStatistics, report: GeneReport, found: Significance) -> Table:
    """One row an attribute: how common, how many genes and variants act, what the survey resolves, how reliable."""
    finest = resolution(statistics)
    acting = report.shrunk_score > 0
    columns = [
        "attribute",
        "mean",
        "spread",
        "genes",
        "variants",
        "top_genes",
        "top_gene_explains",
        "all_genes_explain",
    ]
    columns += ["top_gene_reliability", "noise_share", "resolves_one", "resolves_all"]
    rows = []
    for a, name in enumerate(statistics.attributes):
        top = report.top(a, 3)
        rows.append(
            [
                name,
                float(statistics.overall[a]),
                float(statistics.spread[a]),
                int(acting[:, a].sum()),
                _calls(found, finest, a),
                " ".join(str(gene) for gene in top if acting[gene, a]),
                float(report.explained[top[0], a]),
                float(report.explained[:, a].sum()),
                float(report.reliability[top[0], a]),
                float(report.shrunk.noise_share[a]),
                resolves(finest.single[a]),
                resolves(finest.family[a]),
            ]
        )
    return Table(columns, rows)


def _calls(found: Significance, finest: Resolution, a: int) -> int | str:
    """Variants that are called; in words where none is because none could be."""
    called = int(found.significant[..., a].sum())
    return called if called or finest.family[a].isfinite() else TOO_FEW


def variant_table(statistics: VariantStatistics, report: GeneReport, found: Significance) -> Table:
    """The variants that matter, one row each, the surest first."""
    columns = ["attribute", "gene", "variant", "seen", "mean", "standard_error", "shrunk", "z", "q_value"]
    cells = found.significant.nonzero()
    order = found.z[found.significant].abs().argsort(descending=True)[:_MOST_ROWS]
    mean, error = statistics.mean, statistics.careful_error
    grids = [mean, error, report.shrunk.mean, found.z, found.q_value]
    return Table(
        columns,
        [
            [statistics.attributes[a], g, v, int(statistics.seen[g, v]), *(float(grid[g, v, a]) for grid in grids)]
            for g, v, a in cells[order].tolist()
        ],
    )


def usage_table(found: Usage, realness: torch.Tensor | None) -> Table:
    """One row a gene: what its variants are worth, and the range of their realness [G, V] if it is known."""
    columns = ["gene", "effective_variants", "duplicates", "dead", "collapsed"]
    rows: list[list[float | int | bool]] = [
        [
            g,
            float(found.effective[g]),
            int(found.duplicate[g].sum()),
            int(found.dead[g].sum()),
            bool(found.collapsed[g]),
        ]
        for g in range(len(found.effective))
    ]
    if realness is not None:
        columns += ["least_real", "most_real"]
        ends = zip(realness.amin(dim=1).tolist(), realness.amax(dim=1).tolist(), strict=True)
        rows = [[*row, *pair] for row, pair in zip(rows, ends, strict=True)]
    return Table(columns, rows)


def edit_table(report: EditReport) -> Table:
    """One row an attribute, the wanted ones first."""
    columns = ["attribute", "wanted", "before", "after", "requested_change", "achieved_change"]
    order = sorted(
        range(len(report.attributes)), key=lambda a: (a not in report.wanted, -abs(float(report.achieved[a])))
    )
    grids = [report.before, report.after, report.predicted, report.achieved]
    return Table(columns, [[report.attributes[a], a in report.wanted, *(float(g[a]) for g in grids)] for a in order])


def edit_study_table(study: EditStudy) -> Table:
    """One row an edited attribute."""
    columns = ["edited", "achieved_change", "absolute_change", "mean_change_of_others", "flipped", "changed_most"]
    columns += ["strongest_other", "its_change"]
    grids = [study.achieved, study.wanted, study.side_effect, study.flipped, study.foremost]
    rows = [[name, *(float(g[a]) for g in grids), *study.strongest_other(a)] for a, name in enumerate(study.attributes)]
    return Table(columns, rows)


def lineage_table(lineage: Lineage) -> Table:
    """One row an individual."""
    columns = ["id", "generation", "fitness", "parents", "mutated_genes", "genotype"]
    return Table(
        columns,
        [
            [p.id, p.generation, p.fitness, " ".join(map(str, p.parents)), " ".join(map(str, p.mutations)), p.genotype]
            for p in lineage.individuals
        ],
    )


def pruning_table(points: Sequence[PruningPoint], distance_name: str) -> Table:
    """One row a number of pruned variants (the paper's Table 4)."""
    columns = ["pruned", f"{distance_name}_mean", f"{distance_name}_spread", "runs"]
    return Table(columns, [[p.num_pruned, p.mean, p.spread, len(p.distances)] for p in points])


def trade_off_table(rows: Sequence[Average]) -> Table:
    """The layout of the paper's Table 3: a block a measure, a row a method and setting, a column a wish."""
    wishes = list(dict.fromkeys(outcome.wish for row in rows for outcome in row.outcomes))
    body = []
    for measure in ("accuracy", "second_accuracy", "frechet", "variety"):
        for row in rows:
            found = {outcome.wish: _measure(outcome, measure) for outcome in row.outcomes}
            body.append([measure, row.method, row.setting, _measure(row, measure), *(found.get(w) for w in wishes)])
    return Table(["measure", "method", "setting", "average", *wishes], body)


def _measure(row: Average | MethodScore, name: str) -> float:
    return float(getattr(row, name))


def evolution_table(found: Evolution) -> Table:
    """One row a snapshot, means over the genes."""
    columns = ["kimg", "spread", "nearest_neighbor", "way_since_start", "effective_variants"]
    series = [found.spread, found.nearest, found.moved, found.effective]
    return Table(columns, [[k, *(float(s[t].mean()) for s in series)] for t, k in enumerate(found.kimg)])


def correlation_table(sets: Sequence[Correlation]) -> Table:
    """One row a pair of attributes, the most different pairs first."""
    names = sets[0].attributes
    pairs = [(i, j) for i in range(len(names)) for j in range(i)]

    def largest(pair: tuple[int, int]) -> float:
        return max((abs(float(s.matrix[pair] - sets[0].matrix[pair])) for s in sets[1:]), default=0.0)

    pairs.sort(key=lambda pair: (-largest(pair), -abs(float(sets[0].matrix[pair]))))
    return Table(
        ["a", "b", *(s.name for s in sets)],
        [[names[j], names[i], *(float(s.matrix[i, j]) for s in sets)] for i, j in pairs],
    )


def ablation_table(cells: Sequence[Cell], distance_name: str) -> Table:
    """Variants in rows, genes in columns, as the paper's Table 1."""
    genes = list(dict.fromkeys(cell.num_genes for cell in cells))
    variants = list(dict.fromkeys(cell.num_variants for cell in cells))
    scores = {(cell.num_genes, cell.num_variants): cell.score for cell in cells}
    return Table(
        [f"variants ({distance_name})", *(f"{g} genes" for g in genes)],
        [[v, *(scores.get((g, v)) for g in genes)] for v in variants],
    )
