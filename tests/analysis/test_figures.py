"""Figures and the page: they are drawn from records of any size, and the page stands alone."""

import pytest
import torch
from matplotlib.figure import Figure
from toy_genome import ATTRIBUTES, NUM_GENES, NUM_VARIANTS, LinearClassifier, effects, toy_generator

from stylegenes.analysis.ablation import Cell
from stylegenes.analysis.correlation import correlate
from stylegenes.analysis.evolution import Moment, evolution
from stylegenes.analysis.exhibits import Exhibit, Table, Words, load_words
from stylegenes.analysis.exhibits.page import Heading, render_page
from stylegenes.analysis.exhibits.tables import (
    ablation_table,
    correlation_table,
    evolution_table,
    gene_table,
    usage_table,
)
from stylegenes.analysis.importance import GeneReport, report_genes
from stylegenes.analysis.plots.curves import (
    ablation_figure,
    correlation_figure,
    evolution_figure,
    pruning_curve_figure,
    usage_figure,
)
from stylegenes.analysis.plots.genes import heat_map, polar, variant_curves
from stylegenes.analysis.plots.style import show_picture
from stylegenes.analysis.pruning import PruningPoint, usage
from stylegenes.analysis.shrinkage import Shrunk
from stylegenes.analysis.statistics import VariantStatistics, tally_draws


@pytest.fixture(scope="module")
def statistics():
    generator = toy_generator()
    found = VariantStatistics.empty(ATTRIBUTES, NUM_GENES, NUM_VARIANTS)
    genotype = generator.sample(4000, torch.Generator().manual_seed(0))
    tally_draws(found, genotype, LinearClassifier(effects())(generator(genotype).image))
    return found


def test_the_polar_plot_names_attributes_at_their_genes(statistics):
    axes = polar(report_genes(statistics)).axes[0]
    angles = {text.get_text(): text.get_position()[0] for text in axes.texts}
    step = 2 * torch.pi / NUM_GENES
    assert angles["Eyeglasses"] == pytest.approx(5 * step, abs=1e-5)
    assert angles["Young"] == pytest.approx(7 * step, abs=1e-5)
    assert len(axes.lines) == len(ATTRIBUTES)


def made_report(genes, variants, attributes, acting):
    """A report in which gene `acting(a)` moves attribute `a`."""
    rng = torch.Generator().manual_seed(genes * 1000 + attributes)
    score = 0.05 * torch.rand(genes, attributes, generator=rng)
    for a in range(attributes):
        score[acting(a) % genes, a] = 1 + a / 100
    mean = torch.rand(genes, variants, attributes, generator=rng)
    return GeneReport(
        attributes=[f"Attribute_{a}" for a in range(attributes)],
        score=score,
        shrunk_score=score,
        explained=score,
        q_value=torch.zeros_like(score),
        reliability=torch.ones_like(score),
        shrunk=Shrunk(mean=mean, effect_variance=score, q_value=score, noise_share=torch.zeros_like(score)),
    )


@pytest.mark.parametrize("acting", [lambda a: 0, lambda a: 7 * a], ids=["one", "many"])
@pytest.mark.parametrize("attributes", [1, 24, 60])
@pytest.mark.parametrize("genes", [1, 2, 3, 8, 23, 64])
def test_figures_of_genes_are_drawn_for_every_shape_of_genome(genes, attributes, acting):
    """More attributes than genes, one gene, one attribute: every name is there, and no two at one place."""
    report = made_report(genes, 4, attributes, acting)
    figure = polar(report)
    names = [(text.get_text(), text.get_position()[0]) for text in figure.axes[0].texts]
    assert len({name for name, _ in names}) == len({place for _, place in names}) == len(names) == min(attributes, 24)
    heat_map(report)


@pytest.mark.parametrize(("genes", "variants"), [(1, 2), (2, 2048), (8, 3), (64, 256)])
def test_figures_of_variants_are_drawn_for_every_bank(genes, variants):
    report = made_report(genes, variants, 3, lambda a: a)
    for figure in (
        polar(report),
        heat_map(report),
        variant_curves(report, report.shrunk.mean, torch.rand(genes, variants, 3), 2),
        usage_figure(usage(torch.randn(genes, variants, 2)), torch.randn(genes, variants)),
    ):
        figure.canvas.draw()


def test_attributes_that_nothing_moves_have_no_line(statistics):
    idle = VariantStatistics.empty(ATTRIBUTES, NUM_GENES, NUM_VARIANTS)
    genotype = toy_generator().sample(500, torch.Generator().manual_seed(0))
    tally_draws(idle, genotype, torch.full((500, 3), 0.25))
    figure = polar(report_genes(idle))
    assert not figure.axes[0].lines
    figure.canvas.draw()


def test_the_map_is_white_where_no_gene_acts(statistics):
    report = report_genes(statistics)
    shown = heat_map(report).axes[0].images[0].get_array()
    assert shown.shape == (3, NUM_GENES) and shown.mask.sum() == (report.shrunk_score == 0).sum() > 15


def test_figures_draw_small_records(statistics):
    moments = [Moment(k, torch.randn(2, 6, 1)) for k in range(2)]
    figures = [
        evolution_figure(evolution(moments), 1),
        correlation_figure([correlate("real", ["a", "b"], torch.rand(9, 2))]),
        pruning_curve_figure([PruningPoint(0, [1.0])], "fd"),
        ablation_figure([Cell(2, 4, None, "diverged"), Cell(4, 4, 3.0)], "fd"),
        usage_figure(usage(torch.randn(2, 6, 3)), None),
        usage_figure(usage(torch.randn(2, 6, 3)), torch.randn(2, 6)),
        variant_curves(report_genes(statistics), statistics.mean, statistics.standard_error, 1),
    ]
    for figure in figures:
        figure.canvas.draw()


def test_tables_say_what_was_found(statistics):
    genes = gene_table(report_genes(statistics)).rows
    acting = {("Smiling", 2), ("Eyeglasses", 5), ("Young", 7), ("Young", 2)}
    assert {(row[0], row[1]) for row in genes[:4]} == acting and len(genes) <= 6
    cells = [Cell(8, 4, 1.0), Cell(2, 4, None, "diverged"), Cell(8, 16, 2.0), Cell(2, 16, 3.0)]
    table = ablation_table(cells, "fd")
    assert table.columns[1:] == ["8 genes", "2 genes"] and table.rows == [[4, 1.0, None], [16, 2.0, 3.0]]
    a, b = torch.rand(50, 3), torch.rand(50, 3)
    b[:, 2] = b[:, 1]
    rows = correlation_table([correlate("a", ["x", "y", "z"], a), correlate("b", ["x", "y", "z"], b)]).rows
    assert rows[0][:2] == ["y", "z"] and rows[0][3] == pytest.approx(1)
    assert [row[0] for row in evolution_table(evolution([Moment(5, torch.randn(2, 3, 4))])).rows] == [5]
    assert len(usage_table(usage(torch.randn(2, 6, 3)), torch.randn(2, 6)).columns) == 7


def test_the_page_holds_pictures_and_tables_and_escapes_text(tmp_path):
    for name, order in (("late", 2), ("early", 1)):
        figure = Figure(figsize=(1, 1))
        Exhibit(Words(name, f"{name} <b>", "A & B", order), figure, Table(["n"], [[i] for i in range(300)])).save(
            tmp_path
        )
    (tmp_path / "early.lineage.json").write_text("{}")
    assert [e.name for e in load_words(tmp_path)] == ["early", "late"]
    page = render_page(Heading("model", [("survey", "1 < 2")]), tmp_path)
    assert page.count("data:image/png;base64,") == 2 and "early &lt;b&gt;" in page and "1 &lt; 2" in page
    assert "A &amp; B" in page and page.index('id="early"') < page.index('id="late"')
    assert "the first 200 shown" in page and "<td>199</td>" in page and "<td>200</td>" not in page


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 7])
def test_pictures_of_any_channels_and_shape_are_shown(channels):
    axes = Figure().subplots()
    show_picture(axes, torch.linspace(-1.2, 1.2, channels * 6).view(channels, 2, 3), "title")
    (image,) = axes.images
    assert image.get_array().shape == (2, 3, 4)
