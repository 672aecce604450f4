"""Exhibits about genes that need nothing but the model and its survey; `stats` and `report` make them."""

from __future__ import annotations

import torch

from stylegenes.analysis.conditional import gene_tables
from stylegenes.analysis.editing import difference_map, redraw, traverse
from stylegenes.analysis.exhibits import Exhibit, Table
from stylegenes.analysis.inference import significance
from stylegenes.analysis.plots.curves import usage_figure
from stylegenes.analysis.plots.genes import GeneStrip, gene_strips, heat_map, polar, variant_curves
from stylegenes.analysis.plots.style import picture_rows
from stylegenes.analysis.pruning import usage
from stylegenes.analysis.tables import attribute_table, gene_table, usage_table, variant_table
from stylegenes.analysis.wishes import Wish, find_attribute
from stylegenes.cli.console import say
from stylegenes.cli.workbench import Workbench
from stylegenes.drawing import codes_of_seeds


def chosen_attributes(bench: Workbench, names: str | None, n: int) -> list[int]:
    """Columns of the named attributes, or of the `n` that single genes move most."""
    if names is not None:
        return [find_attribute(name, bench.statistics.attributes) for name in names.split(",")]
    return bench.report.explained.amax(dim=0).topk(min(n, len(bench.statistics.attributes))).indices.tolist()


def show_statistics(bench: Workbench, fdr: float) -> None:
    """Polar plot, heat map, and the variants that matter."""
    statistics, report = bench.statistics, bench.report
    found = significance(statistics, fdr)
    made = f"From {statistics.num_draws:,} pictures judged by {bench.classifier.name}."
    bench.show(
        Exhibit(
            "genes-polar",
            "Which genes affect which attribute?",
            "Mean absolute standard score of every gene (around the circle) for every attribute (a line each; the "
            "strongest in color), of variant means shrunk by their sampling noise. A name stands at the gene of its "
            f"largest score. {made}",
            10,
        ),
        polar(report),
        gene_table(report),
    )
    bench.show(
        Exhibit(
            "genes-map",
            "Genes and attributes",
            "The same scores as a map; white where a gene is not shown to act (false-discovery rate 10 % over the "
            "genes of an attribute). The table: how many genes and variants matter for each attribute, how sure its "
            f"estimates are, which share of their spread is noise, and which difference the survey resolves. {made}",
            11,
        ),
        heat_map(report),
        attribute_table(statistics, report, found),
    )
    strongest = chosen_attributes(bench, None, 1)[0]
    bench.show(
        Exhibit(
            "variants",
            "Variants that matter",
            f"The variants of the most important gene for {statistics.attributes[strongest]}, in order of their mean "
            "probability. The table lists, for all genes and attributes, the variants whose pictures differ from the "
            f"average at a false-discovery rate of {fdr:.0%}. {made}",
            12,
        ),
        variant_curves(report, statistics.mean, statistics.standard_error, strongest),
        variant_table(statistics, report, found),
    )
    count = int(found.significant.any(dim=2).sum())
    say(f"{count:,} of {found.significant[..., 0].numel():,} variants matter for some attribute (FDR {fdr:.0%})")


def show_strips(bench: Workbench, attributes: list[int], seed: int) -> None:
    """The top gene of each attribute re-drawn, all else fixed, with a map of where it acts; and in order."""
    report, rng = bench.report, torch.Generator().manual_seed(seed)
    start = codes_of_seeds(bench.snapshot.generator, [seed])[0]
    strips, ordered, rows = [], [], []
    for a in attributes:
        gene, name = report.top(a, 1)[0], report.attributes[a]
        pictures = bench.judge.shown(redraw(start, gene, 8, bench.genome.num_variants, rng))
        where = difference_map(pictures)
        strips.append(GeneStrip(f"gene {gene}\n{name.replace('_', ' ')}", pictures, where))
        line = traverse(report.shrunk.mean, start, gene, a, 8)
        ordered.append(bench.judge.shown(line))
        probability = bench.judge.probabilities(line)[:, a]
        rows.append([name, gene, float(report.explained[gene, a]), float(where.mean()), *probability.tolist()])
    columns = ["attribute", "gene", "variance_explained", "mean_difference", *(f"p_at_{i}" for i in range(8))]
    bench.show(
        Exhibit(
            "gene-strips",
            "What the top genes do",
            f"The picture of seed {seed} with the variant of one gene re-drawn at random, all else fixed; at the end, "
            "where the pictures differ (standard deviation over 8 variants, one scale for all genes).",
            20,
        ),
        gene_strips(strips),
        Table(columns, rows),
    )
    bench.show(
        Exhibit(
            "gene-orders",
            "Top genes, in order",
            "The variants of one gene ordered by their mean probability of the attribute, from lowest to highest, all "
            "else fixed. The table has the classifier's probability of each picture.",
            21,
        ),
        picture_rows(ordered, [strip.label for strip in strips]),
        Table(columns, rows),
    )


def show_usage(bench: Workbench) -> None:
    """Dead and duplicate variants, and realness where the survey has it."""
    found = usage(bench.genome.variants)
    realness = bench.realness if bench.plan.discriminator else None
    say(
        f"gene pool: {float(found.effective.mean()):.1f} of {bench.genome.num_variants} variants effective in the mean "
        f"gene, {int(found.duplicate.sum())} duplicates, {int(found.dead.sum())} dead, "
        f"{int(found.collapsed.sum())} collapsed genes"
    )
    bench.show(
        Exhibit(
            "usage",
            "The gene pool",
            "Effective variants: exp of the entropy over groups of equal variants; the line is the number in the bank. "
            "Realness of a variant: mean logit of the discriminator over the pictures that contain it.",
            13,
        ),
        usage_figure(found, realness),
        usage_table(found, realness),
    )


def show_conditional(bench: Workbench, wishes: list[Wish], temperatures: list[float], seed: int) -> None:
    """Pictures that should fulfil wishes, a row a temperature, from shrunk tables, below a row without wishes."""
    anything = bench.genome.sample(8, torch.Generator().manual_seed(seed))
    pictures, labels, rows = (
        [bench.judge.shown(anything)],
        [f"any ({_fulfilling(bench, wishes, anything)} of 8)"],
        [],
    )
    for temperature in temperatures:
        tables = gene_tables(bench.report.shrunk.mean, wishes, temperature)
        genotype = tables.sample(8, torch.Generator().manual_seed(seed))
        fulfilled = _fulfilling(bench, wishes, genotype)
        pictures.append(bench.judge.shown(genotype))
        labels.append(f"T = {temperature:g} ({fulfilled} of 8)")
        rows.append([",".join(map(str, wishes)), temperature, fulfilled, tables.variety])
    bench.show(
        Exhibit(
            "conditional",
            f"Pictures by wish: {', '.join(map(str, wishes))}",
            "First row: genotypes drawn without a wish. Below: by Eq. 6 from shrunk estimates; colder rows fulfil "
            f"the wish more often and vary less. In brackets: how many {bench.classifier.name} finds to fulfil it.",
            30,
        ),
        picture_rows(pictures, labels),
        Table(["wish", "temperature", "fulfilled_of_8", "variety"], rows),
    )


def _fulfilling(bench: Workbench, wishes: list[Wish], genotype: torch.Tensor) -> int:
    probability = bench.judge.probabilities(genotype)
    return int(torch.stack([wish.likelihood(probability) > 0.5 for wish in wishes]).all(dim=0).sum())
