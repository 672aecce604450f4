"""FastGAN's generator against a projected discriminator: "Projected GANs Converge Faster" (Sauer et al. 2021)."""

from __future__ import annotations

from dataclasses import replace

from stylegenes.recipes.avatars import avatars32
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


def projected256() -> RunConfig:
    """The paper's settings at 256 px (section 4 and appendix): batch 64, Adam at 0.0002, hinge loss, no penalties.

    Differentiable augmentation is always on. 10 million images is where the paper compares; most data sets are near
    their best after 1 to 2 million.
    """
    adam = AdamConfig(lr=0.0002, beta1=0.0, beta2=0.99)
    return RunConfig(
        recipe="projected256",
        data=DataConfig(source="SET-ME", resolution=256),
        model=ModelConfig(
            latent={"name": "gaussian", "w_dim": 256},
            synthesis={"name": "fastgan", "resolution": 256, "w_dim": 256, "width": 128},
            discriminator={"name": "projected", "resolution": 256},
        ),
        loss={"name": "hinge"},
        regularizers={},
        augment=AugmentConfig(pipe={"name": "diffaugment", "cutout_size": 0.2}, p={"name": "fixed", "value": 1.0}),
        optimizer=OptimizerConfig(G=adam, D=adam),
        batch=BatchConfig(total=64),
        ema=EmaConfig(half_life_kimg=20.0),
        intervals=IntervalConfig(tick_seconds=60.0),
        mixing=0.0,
        kimg=10_000.0,
    )


def projected256_genome() -> RunConfig:
    """projected256 with a genome of 64 x 256 in place of the Gaussian (StyleGenes, table 1)."""
    base = projected256()
    latent = {"name": "genome", "w_dim": 256, "num_genes": 64, "num_variants": 256}
    return replace(base, recipe="projected256-genome", model=replace(base.model, latent=latent))


def projected32() -> RunConfig:
    """32 px, a genome of 32 genes x 256 variants on a small FastGAN, on the embedded avatars.

    The trunk sees the pictures at 64 px, the smallest size that leaves every head a logit. A trial on a busy CPU drew
    heads with hair, glasses and shoulders after 16 thousand images, but of half the data's variety; learning rates and
    sizes are the paper's, scaled down, and were not tuned further.
    """
    base = projected256()
    config = avatars32(
        "projected32",
        synthesis={"name": "fastgan", "width": 16},
        discriminator={"name": "projected", "trunk_size": 64, "width": 64},
        optimizer=base.optimizer,
    )
    return replace(config, loss=base.loss, augment=base.augment)
