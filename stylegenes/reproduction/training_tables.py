"""Tables of trainings compared: latents, genes and variants, mixing, depth."""

from __future__ import annotations

from stylegenes.analysis.exhibits import Table, Value
from stylegenes.reproduction import published
from stylegenes.reproduction.compared import Compared, beside, columns_in_pairs, summed_up
from stylegenes.reproduction.results import Results
from stylegenes.reproduction.scale import Pair
from stylegenes.reproduction.shared import separabilities
from stylegenes.reproduction.steps import CONTINUOUS, GENOME, STYLED, TRADITIONAL, depth_name, mixing_name, model_name


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
            rows.append([pair.method, pair.name, latent, pair.kimg, paper.get(data), *summed_up(scores)])
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
    rows: list[list[Value]] = []
    for g, v in cells:
        mean, spread, count = summed_up(results.cell(g, v))
        rows.append([v, g, published.ABLATION.get((g, v)), mean, spread, count])
    return Compared(
        "table1-right",
        "StyleGenes, Table 1, right: genes and variants",
        f"Frechet distance after {scale.kimg:g} thousand images each; the paper's on FFHQ.",
        Table(["variants", "genes", "paper FID", "our fd", "spread", "trainings"], rows),
        2,
    )


def mixing(results: Results) -> Compared:
    """StyleGAN, Tables 2 and 3: what the probability of style mixing in training does."""
    rows: list[list[Value]] = []
    for share in sorted({*published.MIXING, *results.scale.mixings}):
        model = mixing_name(results.scale, share)
        papers = [*published.MIXING.get(share, (None,) * 4), *published.PATHS_OF_MIXING.get(share, (None, None))]
        ours = results.mixed(model)
        ours += [results.value(model, f"ppl_w_{kind}") for kind in ("full", "end")]
        rows.append([f"{share:.0%}", *beside(papers, ours)])
    names = [*(f"fd, {n} mixed" for n in range(1, 5)), "path length W, full", "path length W, end"]
    return Compared(
        "stylegan-table2",
        "StyleGAN, Tables 2 and 3: mixing regularization",
        f"Frechet distance with 1 to 4 codes mixed in every picture, and path lengths, after {results.scale.kimg:g} "
        "thousand images each. Path lengths by another perceptual distance than the paper's are on another scale.",
        Table(["mixing", *columns_in_pairs(names)], rows),
        1,
    )


def depths(results: Results) -> Compared:
    """StyleGAN, Table 4, with the genome as a further row."""
    cases = [*published.DEPTHS]
    cases += [(STYLED, d, "z" if d == 0 else "w") for d in results.scale.depths]
    cases += [(TRADITIONAL, d, s) for d in (min(results.scale.depths), max(results.scale.depths)) for s in "zw"]
    cases = [case for case in dict.fromkeys(cases) if case != (TRADITIONAL, 0, "w")]
    main = results.scale.main
    mains = [(CONTINUOUS, "z"), (CONTINUOUS, "w"), (GENOME, "w")]
    asked = [(depth_name(results.scale, kind, depth), space) for kind, depth, space in cases]
    asked += [(model_name(main, latent), space) for latent, space in mains]
    scores = separabilities([results.record(model, f"separability_{space}") for model, space in asked])
    labels = [*cases, *((f"main {latent}", None, space) for latent, space in mains)]
    rows: list[list[Value]] = []
    for label, (model, space), score in zip(labels, asked, scores, strict=True):
        ours = [
            results.frechet(model),
            *(results.value(model, f"ppl_{space}_{kind}") for kind in ("full", "end")),
            score,
        ]
        rows.append([*label, *beside(published.DEPTHS.get(label, (None,) * 4), ours)])
    heads = columns_in_pairs(("fd", "path full", "path end", "separability"))
    return Compared(
        "stylegan-table4",
        "StyleGAN, Table 4: the mapping network's depth, in Z and W, and the genome",
        f"{results.scale.kimg:g} thousand images each (main: {main.kimg:g}); {results.scale.pairs_of_path:,} pairs for "
        f"a path length, {results.scale.draws:,} draws for separability, over the attributes that are common enough "
        "everywhere. For the genome, W is the space of its codes.",
        Table(["generator", "depth", "space", *heads], rows),
        3,
    )


def _by_variants(cell: tuple[int, int]) -> tuple[int, int]:
    genes, variants = cell
    return variants, -genes
