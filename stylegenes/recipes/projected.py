"""FastGAN's generator against a projected discriminator: "Projected GANs Converge Faster" (Sauer et al. 2021).

Official defaults of the code's configuration "fastgan": Adam at 0.0002 for both players, hinge loss without penalties,
four heads, differentiable augmentation always on with a cutout of 0.2, running average with a half-life of 10 kimg per
32 images of batch and a ramp-up of 0.05; batch 64. The official trunk is the same network, an EfficientNet-Lite0, with
weights of another training.
"""

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
    """256 px, official defaults; StyleGenes (section 4) trains 8 million images on FFHQ and 2 million elsewhere."""
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
        kimg=8_000.0,
    )


def projected256_genome() -> RunConfig:
    """projected256 with a genome of 64 x 256 in place of the Gaussian.

    StyleGenes, table 1: FID 4.19 on FFHQ, 3.66 on AFHQ, 15.24 on MetFaces (Gaussian: 5.08, 4.02, 15.38).
    """
    base = projected256()
    latent = {"name": "genome", "w_dim": 256, "num_genes": 64, "num_variants": 256}
    return replace(base, recipe="projected256-genome", model=replace(base.model, latent=latent))


def projected32() -> RunConfig:
    """32 px on the embedded avatars, with a genome, on a small FastGAN: the quickest to draw faces.

    The trunk sees the pictures at 64 px, the smallest size that leaves every head a logit; at 96 px trunk and heads
    take twice as long. Seen: faces with hair, eyes and beards after 10 to 14 thousand images, but few kinds of them, in
    one color of skin. Augmenting without colors did not change that within 7 thousand images.
    """
    base = projected256()
    adam = AdamConfig(lr=0.0004, beta1=0.0, beta2=0.99)
    config = avatars32(
        "projected32",
        synthesis={"name": "fastgan", "width": 16},
        discriminator={"name": "projected", "trunk_size": 64, "width": 64},
        optimizer=OptimizerConfig(G=adam, D=adam),
    )
    return replace(config, loss=base.loss, augment=base.augment)
