"""The steps of a reproduction: commands of this package, each with the steps whose products it reads.

A reproduction is a folder. Trainings lie in `models/NAME`, records of metrics in `measures/NAME`, and what the verbs
about genes make lies with the main genome model, where these verbs put it. Every command could be typed by hand in
that folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stylegenes.analysis.editing import METHODS
from stylegenes.analysis.pruning import WORTHS, Worth, named_by
from stylegenes.recipes import recipe
from stylegenes.reproduction.scale import Pair, Scale

GENOME, CONTINUOUS, LABELED = "genome", "continuous", "labeled"
STYLED, TRADITIONAL = "style-based", "traditional"


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: unique; also the name of its log.
        argv: the command line after `stylegenes`.
        needs: names of the steps that must be done before.
        trains: the run folder and thousand images of a training, which is done when that many images are seen.
    """

    name: str
    argv: tuple[str, ...]
    needs: tuple[str, ...] = ()
    trains: tuple[str, float] | None = None


def model_name(pair: Pair, latent: str, seed: int = 0) -> str:
    """The folder of one training of a pair."""
    name = pair.genome_of if latent == GENOME and pair.genome_of else pair.name
    return f"{name}-{latent}-s{seed}"


def latent_words(pair: Pair, latent: str) -> str:
    """What a side of a pair draws from: "genome of 64 x 16", "mapping of 8 layers"."""
    config = recipe(pair.genome if latent == GENOME else pair.continuous).model.latent
    if latent == GENOME:
        return f"genome of {config['num_genes']} x {config['num_variants']}"
    return f"mapping of {config['depth']} layers" if "depth" in config else str(config["name"])


def rivals_of(scale: Scale) -> list[Pair]:
    """Further continuous latents that the main pair's genomes are compared with."""
    return [pair for pair in scale.pairs if pair.genome_of == scale.main.name]


def grid_name(scale: Scale, genes: int, variants: int, seed: int = 0) -> str:
    """The folder of a training of a cell of the ablation; the main pair's where that is the same training.

    Args:
        scale: of the reproduction.
        genes: of the cell.
        variants: of each of its genes.
        seed: which training of the cell.
    """
    latent, main = recipe(scale.main.genome).model.latent, scale.main
    if (genes, variants, scale.kimg) == (latent["num_genes"], latent["num_variants"], main.kimg) and seed < main.seeds:
        return model_name(main, GENOME, seed)
    return f"genes{genes}x{variants}" + (f"-s{seed}" if seed else "")


def base_name(scale: Scale) -> str:
    """The continuous model of the grids' budget, with which depths and mixings are compared."""
    pairs = (scale.main, *scale.pairs)
    return next(model_name(p, CONTINUOUS) for p in pairs if (p.continuous, p.kimg) == (scale.styled, scale.kimg))


def depth_name(scale: Scale, kind: str, depth: int) -> str:
    """The folder of a mapping network's depth, of a style-based or a traditional generator."""
    for pair in (scale.main, *rivals_of(scale), *scale.pairs):
        usual = recipe(pair.continuous).model.latent.get("depth")
        if (kind, depth, pair.kimg) == (STYLED, usual, scale.kimg):
            return model_name(pair, CONTINUOUS)
    return f"{kind}-depth{depth}"


def mixing_name(scale: Scale, mixing: float) -> str:
    """The folder of a probability of style mixing."""
    return base_name(scale) if mixing == recipe(scale.styled).mixing else f"mixing{round(100 * mixing)}"


def measuring_steps(model: str, metric: str) -> list[str]:
    """The steps, any of which measures a metric of a model."""
    kind = metric.split("_")[0]
    kinds = {"fd": ["mix"] if "_mix" in metric else ["fd", "mix"], "disentanglement": ["separability"]}
    return [f"{one}-{model}" for one in kinds.get(kind, [kind])]


def steps(scale: Scale) -> list[Step]:
    """All steps, those that much depends on first; what several tables need is there once."""
    parts = (_main, _genes, _pairs, _grid, _pruning, _depths, _mixings)
    every = [step for part in parts for step in part(scale)]
    once: dict[str, Step] = {}
    for step in every:
        once.setdefault(step.name, step)
    return list(once.values())


def _main(scale: Scale) -> Iterator[Step]:
    main = scale.main
    pairs = (main, *rivals_of(scale))
    for seed in range(max(pair.seeds for pair in pairs)):
        for pair in pairs:
            if seed < pair.seeds:
                yield from _both(scale, pair, seed)
    for pair, latent in ((main, GENOME), *((pair, CONTINUOUS) for pair in pairs)):
        for seed in range(pair.seeds):
            yield from _latent_metrics(scale, model_name(pair, latent, seed), disentanglement=True)
    model = f"models/{model_name(main, CONTINUOUS)}"
    directions = (
        "directions",
        model,
        "--classifier",
        scale.classifier,
        "--samples",
        str(scale.draws),
        "--penalty",
        "l1",
    )
    chosen = ("--attributes", ",".join(scale.attributes), "--out", "directions")
    yield Step("directions", (*directions, *chosen), (f"train-{model_name(main, CONTINUOUS)}",))


def _genes(scale: Scale) -> Iterator[Step]:
    """What is done with the genes of the main model; each of these reads its survey."""
    genome, other = (model_name(scale.main, latent) for latent in (GENOME, CONTINUOUS))
    model, data = f"models/{genome}", ("--data", scale.main.data)
    yield _labeled(scale)
    yield _survey(scale)
    wishes = ("--wishes", scale.wishes, "--second", scale.second, "--num", str(scale.wished), *data)
    baseline = ("--baseline", f"models/{LABELED}")
    colder = () if scale.temperatures == Scale.temperatures else ("--temperatures", scale.temperatures)
    yield Step("tradeoff", ("tradeoff", model, *wishes, *baseline, *colder), ("survey", f"train-{LABELED}"))
    study = ("edit", model, "--set", "all", "--study", str(scale.edits))
    for method in METHODS:
        yield Step(f"edits-{method}", (*study, "--method", method), ("survey",))
    correlate = ("correlate", model, "--other", f"models/{other}", "--num", str(scale.draws), *data)
    yield Step("correlate", correlate, ("survey", f"train-{other}"))


def _pruning(scale: Scale) -> Iterator[Step]:
    curve = ("--curve", ",".join(map(str, scale.pruned)), "--runs", str(scale.prune_runs))
    given = (*curve, "--samples", str(scale.fakes), "--data", scale.main.data)
    for seed in range(scale.main.seeds):
        model = f"models/{model_name(scale.main, GENOME, seed)}"
        if seed:
            yield _survey(scale, seed)
        survey = _survey(scale, seed).name
        for by in WORTHS:
            judged = () if by == "realness" else ("--by", by)
            yield Step(pruning_name(by, seed), ("prune", model, *given, *judged), (survey,))
    shown = ("tradeoff", *map(pruning_name, WORTHS), "correlate", *(f"edits-{method}" for method in METHODS))
    yield Step("report", ("report", f"models/{model_name(scale.main, GENOME)}"), shown)


def _pairs(scale: Scale) -> Iterator[Step]:
    for pair in scale.pairs:
        for seed in range(pair.seeds):
            yield from _both(scale, pair, seed)


def _both(scale: Scale, pair: Pair, seed: int) -> Iterator[Step]:
    for latent, name in ((GENOME, pair.genome), (CONTINUOUS, pair.continuous)):
        yield from _trained(scale, model_name(pair, latent, seed), name, pair.kimg, (f"seed={seed}",), pair.data)


def _grid(scale: Scale) -> Iterator[Step]:
    for seed in range(scale.grid_seeds):
        for variants in scale.variants:
            for genes in scale.genes:
                sizes = (f"model.latent.num_genes={genes}", f"model.latent.num_variants={variants}")
                seeds = (f"seed={seed}",) if seed else ()
                name = grid_name(scale, genes, variants, seed)
                yield from _trained(scale, name, scale.main.genome, scale.kimg, (*sizes, *seeds))


def _depths(scale: Scale) -> Iterator[Step]:
    for depth in scale.depths:
        name = depth_name(scale, STYLED, depth)
        yield from _trained(scale, name, scale.styled, scale.kimg, (f"model.latent.depth={depth}",))
        yield from _latent_metrics(scale, name)
    for depth in (min(scale.depths), max(scale.depths)):
        name = depth_name(scale, TRADITIONAL, depth)
        settings = (*scale.traditional, f"model.latent.depth={depth}")
        yield from _trained(scale, name, scale.styled, scale.kimg, settings)
        yield from _latent_metrics(scale, name)


def _mixings(scale: Scale) -> Iterator[Step]:
    for mixing in scale.mixings:
        name = mixing_name(scale, mixing)
        yield _train(scale, name, scale.styled, scale.kimg, (f"mixing={mixing:g}",))
        yield _evaluate(scale, name, "mix", scale.fakes)
        yield _evaluate(scale, name, "ppl", scale.pairs_of_path)


def pruning_name(by: Worth, seed: int = 0) -> str:
    """The step that prunes a main genome by what its variants are judged by."""
    return named_by("prune", by) + (f"-s{seed}" if seed else "")


def _survey(scale: Scale, seed: int = 0) -> Step:
    genome = model_name(scale.main, GENOME, seed)
    words = ("survey", f"models/{genome}", "--classifier", scale.classifier, "--num", str(scale.survey))
    return Step("survey" + (f"-s{seed}" if seed else ""), words, (f"train-{genome}",))


def _labeled(scale: Scale) -> Step:
    settings = ("data.labels=true",)
    return _train(scale, LABELED, scale.main.continuous, scale.main.kimg, settings)


def _trained(
    scale: Scale, name: str, base: str, kimg: float, settings: tuple[str, ...], data: str | None = None
) -> Iterator[Step]:
    yield _train(scale, name, base, kimg, settings, data)
    yield _evaluate(scale, name, "fd", scale.fakes, data)


def _train(scale: Scale, name: str, base: str, kimg: float, settings: tuple[str, ...], data: str | None = None) -> Step:
    sets = (word for setting in (*scale.settings, *settings) for word in ("--set", setting))
    words = ("train", data or scale.main.data, "--recipe", base, "--out", f"models/{name}", "--kimg", f"{kimg:g}")
    return Step(f"train-{name}", (*words, "--metrics", "none", *sets), trains=(f"models/{name}", kimg))


def _evaluate(scale: Scale, name: str, metrics: str, num: int, data: str | None = None, *more: str) -> Step:
    words = ("evaluate", f"models/{name}", "--data", data or scale.main.data, "--metrics", metrics, "--num", str(num))
    step = f"{metrics.split(',')[0]}-{name}"
    return Step(step, (*words, "--out", f"measures/{name}", *more), (f"train-{name}",))


def _latent_metrics(scale: Scale, name: str, *, disentanglement: bool = False) -> Iterator[Step]:
    yield _evaluate(scale, name, "ppl", scale.pairs_of_path)
    metrics = "separability" + (",disentanglement,disentanglement_linear" if disentanglement else "")
    yield _evaluate(scale, name, metrics, scale.draws, None, "--classifier", scale.classifier)
