"""How large a reproduction is: data, budgets and grids."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stylegenes.errors import UserError
from stylegenes.metrics import shipped_classifiers
from stylegenes.words import did_you_mean


@dataclass(frozen=True)
class Pair:
    """One data set on which a continuous latent and a genome are compared (StyleGenes, Table 1, left).

    Attributes:
        name: of the models and of the table's column.
        data: what they are trained on.
        continuous: recipe with the backbone's own latent.
        genome: recipe with the genome.
        kimg: length of both trainings in thousand images.
        method: row of the table: the backbone.
        seeds: trainings of each.
        genome_of: another pair of the same length, whose genome trainings are this one's too; "" for none.
    """

    name: str
    data: str
    continuous: str
    genome: str
    kimg: float
    method: str = "StyleGAN2"
    seeds: int = 1
    genome_of: str = ""


@dataclass(frozen=True)
class Scale:
    """Everything that decides what a reproduction computes.

    Attributes:
        name: what the command calls it.
        main: the pair that all analyses look at.
        pairs: further pairs, measured by the Frechet distance alone.
        kimg: length of each training of the grids in thousand images.
        genes: columns of the ablation.
        variants: its rows.
        grid_seeds: trainings of each of its cells.
        depths: layers of the mapping networks compared (StyleGAN, Table 4).
        mixings: probabilities of style mixing compared (StyleGAN, Table 2).
        styled: mapping recipe behind those comparisons.
        traditional: settings that make the styled recipe one of the traditional generator (StyleGAN, Table 4).
        settings: overrides of every training.
        classifier: classifier that labels the pictures.
        second: classifier that had no part in it and measures accuracy.
        wishes: of Table 3, with semicolons between.
        attributes: columns of Table 2 and rows of Liu's table.
        pruned: columns of Table 4.
        prune_runs: repetitions of Table 4.
        fakes: pictures of a Frechet distance.
        pairs_of_path: pairs of a path length.
        draws: labeled draws of separability, disentanglement and directions.
        survey: draws of the survey.
        wished: pictures for each cell of Table 3.
        edits: pictures on which every attribute is edited.
        temperatures: of Table 3.
    """

    name: str
    main: Pair
    kimg: float
    genes: tuple[int, ...]
    variants: tuple[int, ...]
    depths: tuple[int, ...]
    mixings: tuple[float, ...]
    styled: str
    classifier: str
    second: str
    wishes: str
    attributes: tuple[str, ...]
    pruned: tuple[int, ...]
    prune_runs: int
    fakes: int
    pairs_of_path: int
    draws: int
    survey: int
    wished: int
    edits: int
    pairs: tuple[Pair, ...] = ()
    grid_seeds: int = 1
    temperatures: str = "1,0.8,0.5,0.3"
    traditional: tuple[str, ...] = ("model.synthesis.name=progan", "mixing=0")
    settings: tuple[str, ...] = ("tensorboard=false",)

    @property
    def inputs(self) -> list[str]:
        """What must lie in the folder before the start: data and classifiers that do not come with the package."""
        data = [pair.data for pair in (self.main, *self.pairs) if not pair.data.startswith("avatars")]
        classifiers = [name for name in (self.classifier, self.second) if name not in shipped_classifiers()]
        return list(dict.fromkeys([*data, *classifiers]))


_FIRST, _SECOND = "avatars32-judge", "avatars32-second-judge"

TINY = Scale(
    name="tiny",
    main=Pair("main", "avatars:n=400", "tiny32-mapping", "tiny32", 0.4),
    pairs=(Pair("short", "avatars:n=400", "tiny32-mapping", "tiny32", 0.2),),
    kimg=0.2,
    genes=(8, 2),
    variants=(4, 16),
    depths=(0, 2),
    mixings=(0.0, 0.9),
    styled="tiny32-mapping",
    wishes="Smiling=1;Male=0",
    attributes=("Male", "Smiling"),
    pruned=(0, 32, 128),
    prune_runs=2,
    fakes=128,
    pairs_of_path=32,
    draws=600,
    survey=1024,
    wished=48,
    edits=4,
    classifier=_FIRST,
    second=_SECOND,
)
"""Every step with hardly any images: shows that the chain holds, and no result."""

SMALL = Scale(
    name="small",
    main=Pair("main", "avatars", "tiny32-mapping", "tiny32", 240.0),
    pairs=(Pair("short", "avatars", "tiny32-mapping", "tiny32", 16.0, seeds=3),),
    kimg=16.0,
    genes=(64, 8, 2),
    variants=(16, 64, 256),
    depths=(0, 1, 2, 8),
    mixings=(0.0, 0.5, 0.9, 1.0),
    styled="tiny32-mapping",
    wishes="Male=1;Male=0;Smiling=1;Smiling=0;Young=1;Young=0;Eyeglasses=1;Eyeglasses=0;Mouth_Open=1;Mouth_Open=0",
    attributes=("Male", "Young", "Gray_Hair", "No_Beard", "Mustache", "Smiling", "Eyeglasses", "Long_Hair", "Bangs"),
    pruned=(0, 4, 16, 64, 128),
    prune_runs=3,
    fakes=2000,
    pairs_of_path=400,
    draws=8000,
    survey=40_960,
    wished=500,
    edits=24,
    classifier=_FIRST,
    second=_SECOND,
)
"""A working day of two processor cores on the embedded faces at 32 px."""

CLAIMS = replace(
    SMALL,
    name="claims",
    main=Pair("main", "avatars", "claims32-mapping", "claims32", 320.0, seeds=3),
    pairs=(Pair("deep", "avatars", "claims32-mapping8", "claims32", 320.0, seeds=3, genome_of="main"),),
    kimg=320.0,
    grid_seeds=3,
    depths=(0, 2, 8),
    mixings=(0.0, 0.9),
    styled="claims32-mapping",
    pruned=(0, 1, 2, 4, 8),
    draws=50_000,
    survey=65_536,
    wished=1000,
    temperatures="1,0.8,0.5,0.3,0.2",
)
"""A world small enough for the paper's sightings: 16 variants are seen 20,000 times each in 320 thousand images."""

CLAIMS_GPU = replace(
    CLAIMS,
    name="claims-gpu",
    main=Pair("main", "avatars:n=50000", "claims64-mapping", "claims64", 10_000.0, seeds=3),
    pairs=(Pair("deep", "avatars:n=50000", "claims64-mapping8", "claims64", 10_000.0, seeds=3, genome_of="main"),),
    kimg=10_000.0,
    variants=(256, 512, 1024),
    styled="claims64-mapping",
    pruned=(0, 16, 32, 64, 128),
    survey=500_000,
    fakes=50_000,
    pairs_of_path=10_000,
    classifier="avatars64-judge",
    second="avatars64-second-judge",
)
"""The same at 64 px with the paper's genome of 64 x 256, each variant seen 39,000 times: for a GPU."""

PAPER = Scale(
    name="paper",
    main=Pair("ffhq", "ffhq", "ffhq256-mapping", "ffhq256", 10_000.0),
    pairs=(
        *(
            Pair(name, name, "ffhq256-mapping", "ffhq256", 10_000.0)
            for name in ("church", "bedrooms")
        ),
        Pair("afhq", "afhq", "afhq256-mapping", "afhq256", 10_000.0),
        Pair("metfaces", "metfaces", "metfaces256-mapping", "metfaces256", 10_000.0),
        *(
            Pair(f"projected-{name}", name, "projected256", "projected256-genome", 8000.0 if name == "ffhq" else 2000.0,
                 method="ProjectedGAN")
            for name in ("ffhq", "afhq", "metfaces", "church", "bedrooms")
        ),
    ),
    kimg=10_000.0,
    genes=(64, 8, 2),
    variants=(256, 512, 1024, 2048),
    depths=(0, 1, 2, 8),
    mixings=(0.0, 0.5, 0.9, 1.0),
    styled="ffhq256-mapping",
    classifier="celeba-judge",
    second="celeba-second-judge",
    wishes=";".join(
        f"{name}={value}"
        for name in ("Male", "Bags_Under_Eyes", "High_Cheekbones", "Smiling", "Big_Nose", "Mouth_Slightly_Open",
                     "Young", "Wearing_Lipstick", "Attractive", "Eyeglasses")
        for value in (1, 0)
    ),
    attributes=("Male", "Young", "Bald", "Gray_Hair", "Heavy_Makeup", "Mustache", "No_Beard", "Wearing_Earrings",
                "Wearing_Lipstick", "Smiling", "Eyeglasses"),
    pruned=(0, 8, 16, 32, 64, 128, 256, 512),
    prune_runs=5,
    fakes=50_000,
    pairs_of_path=100_000,
    draws=50_000,
    survey=500_000,
    wished=5000,
    edits=256,
)  # fmt: skip
"""The papers' own sizes: for machines with GPUs. Data and classifiers lie, or are linked to, in the folder."""

SCALES = {scale.name: scale for scale in (TINY, SMALL, CLAIMS, CLAIMS_GPU, PAPER)}


def scale_called(name: str) -> Scale:
    """The scale of that name.

    Raises:
        UserError: for an unknown name; lists the known ones.
    """
    if name not in SCALES:
        raise UserError(f"there is no scale {name!r}{did_you_mean(name, SCALES, 'scales')}")
    return SCALES[name]
