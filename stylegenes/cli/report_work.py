"""The work of `stylegenes report`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from stylegenes import __version__
from stylegenes.analysis.breeding import Farm
from stylegenes.analysis.editing import Strength, edit_checked, judge_edit
from stylegenes.analysis.exhibits import Exhibit, Table
from stylegenes.analysis.page import Heading, render_page
from stylegenes.analysis.plots.changes import edit_figure, family_figure
from stylegenes.analysis.plots.style import picture_rows
from stylegenes.analysis.tables import edit_table, lineage_table
from stylegenes.analysis.wishes import Wish
from stylegenes.cli.breed_work import draw_lineage, family
from stylegenes.cli.console import say
from stylegenes.cli.correlate_work import of_model, show_correlations
from stylegenes.cli.gene_work import chosen_attributes, show_conditional, show_statistics, show_strips, show_usage
from stylegenes.cli.workbench import Workbench, open_workbench
from stylegenes.drawing import codes_of_seeds
from stylegenes.files import atomic_path
from stylegenes.records import Noise

if TYPE_CHECKING:
    from stylegenes.cli.report import Args

_PICTURES = 2000
"""Drawn for the correlation matrix where the draws of a survey are not at hand."""


def run(args: Args) -> None:
    """Make what is missing, gather all."""
    bench = open_workbench(args.snapshot, args.classifier, args.device)
    for names, make in _makers(bench, args.seed).items():
        if args.fresh or not all((bench.exhibits / f"{name}.png").is_file() for name in names):
            make()
    out = args.out or bench.folder / "report.html"
    page = render_page(_heading(bench), bench.exhibits)
    with atomic_path(out) as part:
        part.write_text(page, encoding="utf-8")
    say(f"report: {out} ({len(page) / 2**20:.1f} MiB, nothing else is needed to read it)")


def _makers(bench: Workbench, seed: int) -> dict[tuple[str, ...], Callable[[], None]]:
    """Names of exhibits, and what makes them."""
    return {
        ("genes-polar", "genes-map", "variants"): lambda: show_statistics(bench, 0.05),
        ("usage",): lambda: show_usage(bench),
        ("gene-strips", "gene-orders"): lambda: show_strips(bench, chosen_attributes(bench, None, 6), seed),
        ("conditional",): lambda: show_conditional(bench, [_favorite(bench)], [1.0, 0.5, 0.3, 0.1], seed),
        ("edit",): lambda: _show_edit(bench, seed),
        ("family",): lambda: _show_family(bench, seed),
        ("interpolation",): lambda: _show_interpolation(bench, seed),
        ("correlation",): lambda: _show_correlation(bench, seed),
    }


def _favorite(bench: Workbench) -> Wish:
    column = chosen_attributes(bench, None, 1)[0]
    return Wish(bench.statistics.attributes[column], column)


def _show_edit(bench: Workbench, seed: int) -> None:
    start = codes_of_seeds(bench.snapshot.generator, [seed])[0]
    wish = _favorite(bench)
    if bench.judge.probabilities(start[None])[0, wish.column] > 0.5:
        wish = Wish(wish.attribute, wish.column, present=False)
    made = edit_checked(bench.judge, bench.report, start, [wish], Strength())
    report = judge_edit(bench.judge, made, [wish], bench.perceptual)
    caption = (
        f"Genes {', '.join(map(str, made.genes)) or '(none)'} of the picture of seed {seed} replaced. Bars: change of "
        "the classifier's probability; blue: asked for; strokes: what the variant statistics promised."
    )
    bench.show(Exhibit("edit", f"Edit: {wish}", caption, 40), edit_figure(report), edit_table(report))


def _show_family(bench: Workbench, seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    farm = Farm(bench.genome, population=12, survivors=2)
    lineage = family(bench, bench.genome.sample(2, rng).cpu(), farm, rng)
    figure = family_figure(draw_lineage(bench, lineage, 0, 2), draw_lineage(bench, lineage, 1, 12))
    caption = f"Twelve children, each gene from either parent, mutation rate {farm.mutation_rate:g}, seed {seed}."
    bench.show(Exhibit("family", "A family", caption, 50), figure, lineage_table(lineage))


@torch.no_grad()
def _show_interpolation(bench: Workbench, seed: int) -> None:
    generator, rows, strings = bench.snapshot.generator, [], []
    times = [i / 8 for i in range(9)]
    for first in (seed, seed + 2, seed + 4):
        start, end = codes_of_seeds(generator, [first]), codes_of_seeds(generator, [first + 1])
        ws = torch.cat([generator.broadcast(generator.latent.blend(start, end, t)) for t in times])
        rows.append(generator.synthesis(ws, noise=Noise("const")).image.cpu())
        strings.append([first, first + 1, *generator.latent.to_strings(torch.cat([start, end]))])
    exhibit = Exhibit(
        "interpolation",
        "Between two genotypes",
        "Straight lines between the codes of two genotypes; all but the ends are codes that no genotype has.",
        80,
    )
    labels = [f"{row[0]} to {row[1]}" for row in strings]
    table = Table(["first_seed", "second_seed", "first_genotype", "second_genotype"], strings)
    bench.show(exhibit, picture_rows(rows, labels, columns=[f"{t:g}" for t in times]), table)


def _show_correlation(bench: Workbench, seed: int) -> None:
    snapshot = bench.snapshot
    show_correlations(bench, [of_model(bench, snapshot.card.name, snapshot.generator, bench.path, _PICTURES, seed)])


def _heading(bench: Workbench) -> Heading:
    card, statistics = bench.snapshot.card, bench.statistics
    data = f"{card.data.source} ({card.data.count:,} images)" if card.data else "unknown"
    genome = bench.genome
    facts = [
        ("model", f"{card.name}, weights {bench.plan.model[:16]}"),
        ("training", f"{card.images_seen:,} images of {data}; recipe {card.recipe or 'unknown'}"),
        ("genome", f"{genome.num_genes} genes x {genome.num_variants} variants of length {genome.gene_dim}"),
        (
            "survey",
            f"{statistics.num_draws:,} pictures, seed {bench.plan.seed}, noise {bench.plan.noise}",
        ),
        ("classifier", f"{bench.classifier.name}, sha256 {bench.classifier.weights_hash[:16]}"),
        ("license", card.license),
        ("parent", card.parent or "none"),
        ("made by", f"stylegenes {__version__}"),
    ]
    introduction = (
        "What the genes of this model do, found by drawing genotypes, making their pictures and having a classifier "
        "judge them. Every figure has its numbers in a table below it; the tables can be saved from this page."
    )
    return Heading(card.name, facts, introduction)
