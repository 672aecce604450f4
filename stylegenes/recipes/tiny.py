"""Small recipes: faces within minutes on a laptop."""

from __future__ import annotations

from dataclasses import replace

from stylegenes.training.config import (
    AdamConfig,
    AugmentConfig,
    BatchConfig,
    DataConfig,
    EmaConfig,
    IntervalConfig,
    ModelConfig,
    OptimizerConfig,
    RunConfig,
)

FACES_AFTER_KIMG = {"quick32": 30.0, "tiny32": 30.0, "tiny32-relativistic": 30.0}
"""Thousand images after which recipes were seen to draw eyes, mouths and hair of the embedded faces."""


def tiny32() -> RunConfig:
    """32 px, a genome of 32 genes x 256 variants: minutes on a laptop.

    Half a million parameters in each network. Seen on the embedded avatars: heads after 16 thousand images, eyes,
    mouths and hair after 30 thousand, at about 60 images a second on one quiet core. Batch and learning rate come from
    trials of 16 thousand images (Frechet distance 707; 1068 with batch 32 and lr 0.0025). Gamma, which is larger than
    the rule 0.0002 resolution^2 / batch gives (0.013), made no difference up to 1.
    """
    adam = AdamConfig(lr=0.005)
    return RunConfig(
        recipe="tiny32",
        data=DataConfig(source="avatars", resolution=32),
        model=_model(32, w_dim=128, num_genes=32, num_variants=256, channel_base=1024, channel_max=96),
        regularizers={"r1": {"gamma": 0.05, "interval": 16}},
        optimizer=OptimizerConfig(G=adam, D=adam),
        batch=BatchConfig(total=16),
        ema=EmaConfig(half_life_kimg=5.0),
        intervals=IntervalConfig(state_seconds=60.0, snapshot_kimg=50.0, image_kimg=10.0, evaluate_kimg=50.0),
        kimg=200.0,
    )


def tiny32_mapping() -> RunConfig:
    """tiny32 with a mapping network of two layers instead of the genome: the baseline to compare with.

    Two layers of width 128, as the official small configurations use; everything else is tiny32's.
    """
    return _with_mapping(tiny32(), "tiny32-mapping")


def tiny32_relativistic() -> RunConfig:
    """tiny32 that shows faces sooner: each fake is compared with a real, each variant is seen four times as often.

    Relativistic loss with R1 and R2 in every fourth step (R3GAN's), half the learning rate, no style mixing, 64
    variants a gene. Seen on the embedded avatars: heads and hair after 20 thousand images, eyes and mouths after 30
    thousand; after 25 thousand the Frechet distance is that of tiny32 after 50 thousand (docs/trials.md).
    """
    base = tiny32()
    penalty, adam = {"gamma": 0.5, "interval": 4}, AdamConfig(lr=0.0025)
    return replace(
        base,
        recipe="tiny32-relativistic",
        model=_with_variants(base.model, 64),
        loss={"name": "relativistic"},
        regularizers={"r1": penalty, "r2": penalty},
        optimizer=OptimizerConfig(G=adam, D=adam),
        mixing=0.0,
    )


def tiny32_finish() -> RunConfig:
    """What goes on from a trained tiny32 (`--init-from`): relativistic as well, while the learning rates fall.

    The rates fall by a cosine, the running average is longer. Seen on the shipped genome: fewer blots from the first 20
    thousand images on, and pictures get crisper (docs/trials.md).
    """
    base, kimg = tiny32_relativistic(), 160.0
    return replace(
        base,
        recipe="tiny32-finish",
        model=tiny32().model,
        optimizer=replace(base.optimizer, lr_scale=_falling(kimg)),
        ema=EmaConfig(half_life_kimg=10.0, rampup=None),
        kimg=kimg,
    )


def claims32() -> RunConfig:
    """A world small enough to see each variant 20,000 times: a genome of 64 genes x 16 variants between small networks.

    tiny32-relativistic with half the channels (150 thousand parameters a network) and falling rates: 320 thousand
    images take half an hour of one quiet core. What `reproduce --scale claims` compares.
    """
    base, kimg = tiny32_relativistic(), 320.0
    return replace(
        base,
        recipe="claims32",
        model=_model(32, w_dim=128, num_genes=64, num_variants=16, channel_base=512, channel_max=48),
        optimizer=replace(base.optimizer, lr_scale=_falling(kimg)),
        ema=EmaConfig(half_life_kimg=10.0),
        intervals=replace(base.intervals, evaluate_kimg=0.0),
        tensorboard=False,
        kimg=kimg,
    )


def quick32() -> RunConfig:
    """Faces soonest: claims32 with 64 variants a gene and four times its learning rates, which fall over 60 thousand.

    Seen on the embedded avatars: eyes, mouths and hair after 30 thousand images, two to three minutes of two cores,
    where claims32 and tiny32-relativistic show speckled heads. With 16 variants such rates leave only a few genes with
    variants that differ (docs/trials.md).
    """
    base, adam, kimg = claims32(), AdamConfig(lr=0.01), 60.0
    return replace(
        base,
        recipe="quick32",
        model=_with_variants(base.model, 64),
        optimizer=OptimizerConfig(G=adam, D=adam, lr_scale=_falling(kimg)),
        ema=EmaConfig(half_life_kimg=3.0),
        tensorboard=True,
        kimg=kimg,
    )


def claims32_mapping() -> RunConfig:
    """claims32 with a mapping network of two layers instead of the genome."""
    return _with_mapping(claims32(), "claims32-mapping")


def claims32_mapping8() -> RunConfig:
    """claims32 with a mapping network of eight layers, the papers' depth."""
    return _with_mapping(claims32(), "claims32-mapping8", depth=8)


def avatars64() -> RunConfig:
    """64 px for a GPU of which one has minutes: state and optimizers take 49 MiB, so that they can be carried.

    The paper's genome of 64 genes x 256 variants between networks of 64 to 128 channels; a relativistic loss with R1
    and R2 as claims32, every eighth step. Batch 64 with rates of 0.006, a little over claims32's by the root of the
    batch, that fall over the run. No
    augmentation: five times as many faces as the other small recipes. No noise inputs: drawn faces have nothing that
    is by chance, and without them a step is shorter. No style mixing, which cost the genome of claims32 an eighth
    (docs/reproduction.md). Seen on an H100 with rates that fell within 577 thousand images: crisp faces, one in
    ten a blot (docs/trials.md).
    """
    penalty, adam, kimg = {"gamma": 0.5, "interval": 8}, AdamConfig(lr=0.006), 1000.0
    model = _model(64, w_dim=512, num_genes=64, num_variants=256, channel_base=4096, channel_max=128)
    return RunConfig(
        recipe="avatars64",
        data=DataConfig(source="avatars:n=50000", resolution=64),
        model=replace(model, synthesis={**model.synthesis, "use_noise": False}),
        loss={"name": "relativistic"},
        regularizers={"r1": penalty, "r2": penalty},
        optimizer=OptimizerConfig(G=adam, D=adam, lr_scale=_falling(kimg, 0.04)),
        batch=BatchConfig(total=64),
        mixing=0.0,
        ema=EmaConfig(half_life_kimg=20.0),
        intervals=IntervalConfig(state_seconds=60.0, snapshot_kimg=0.0, image_kimg=250.0, evaluate_kimg=0.0),
        tensorboard=False,
        kimg=kimg,
    )


def avatars64_mapping() -> RunConfig:
    """avatars64 with a mapping network of two layers instead of the genome; w of 256, so that it can be carried too."""
    base = avatars64()
    model = replace(base.model, synthesis={**base.model.synthesis, "w_dim": 256})
    return _with_mapping(replace(base, model=model), "avatars64-mapping")


def claims64() -> RunConfig:
    """avatars64 for ten million images, which show each of its variants 39,000 times."""
    base, kimg = avatars64(), 10_000.0
    return replace(base, recipe="claims64", optimizer=replace(base.optimizer, lr_scale=_falling(kimg, 0.04)), kimg=kimg)


def claims64_mapping() -> RunConfig:
    """claims64 with a mapping network of two layers instead of the genome."""
    return _with_mapping(claims64(), "claims64-mapping")


def claims64_mapping8() -> RunConfig:
    """claims64 with a mapping network of eight layers."""
    return _with_mapping(claims64(), "claims64-mapping8", depth=8)


def small64() -> RunConfig:
    """64 px, a genome of 64 genes x 256 variants: hours on a laptop, minutes on a GPU.

    The networks are those of the speed comparison (channel_base 8192, channel_max 256); path length and adaptive
    augmentation are on, as in the official 64 px settings; gamma follows tiny32's, scaled with resolution^2.
    """
    base = tiny32()
    return replace(
        base,
        recipe="small64",
        data=DataConfig(source="avatars", resolution=64),
        model=_model(64, w_dim=256, num_genes=64, num_variants=256, channel_base=8192, channel_max=256),
        regularizers={"r1": {"gamma": 0.2, "interval": 16}, "path_length": {}},
        augment=AugmentConfig(pipe={"name": "ada"}, p={"name": "adaptive"}),
        ema=EmaConfig(half_life_kimg=10.0),
        kimg=1000.0,
    )


def _model(
    resolution: int, *, w_dim: int, num_genes: int, num_variants: int, channel_base: int, channel_max: int
) -> ModelConfig:
    """A genome between StyleGAN2's networks, both players of one size."""
    networks = {"name": "stylegan2", "resolution": resolution, "channel_base": channel_base, "channel_max": channel_max}
    return ModelConfig(
        latent={"name": "genome", "w_dim": w_dim, "num_genes": num_genes, "num_variants": num_variants},
        synthesis={**networks, "w_dim": w_dim},
        discriminator=networks,
    )


def _with_variants(model: ModelConfig, num_variants: int) -> ModelConfig:
    """A model with so many variants of each of its genes."""
    return replace(model, latent={**model.latent, "num_variants": num_variants})


def _falling(kimg: float, end: float = 0.15) -> dict[str, object]:
    """Learning rates that fall by a cosine over a whole training."""
    return {"name": "cosine", "start": 1.0, "end": end, "end_kimg": kimg}


def _with_mapping(base: RunConfig, recipe: str, *, depth: int = 2) -> RunConfig:
    """A recipe with a mapping network as wide as w instead of its genome."""
    w_dim = base.model.synthesis["w_dim"]
    latent = {"name": "mapping", "w_dim": w_dim, "z_dim": w_dim, "depth": depth}
    return replace(base, recipe=recipe, model=replace(base.model, latent=latent))
