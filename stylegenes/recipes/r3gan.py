"""R3GAN: "The GAN is dead; long live the GAN! A Modern Baseline GAN" (Huang et al. 2024), its settings for FFHQ.

Values are those of the official code's preset for FFHQ at 256 px: over the first 20 million images, cosines take the
learning rate from 0.0002 to 0.00005, gamma from 150 to 15, the augmentation from 0 to 0.3 and Adam's beta2 from 0.9 to
0.99. The preset also raises the half-life of the running average from 0 to 500 kimg; here 5 % of the images seen bound
it. The length of 25 million images was chosen to go past that. Two ways to a faster step: penalties in every eighth
step (`--set regularizers.r1.interval=8 --set regularizers.r2.interval=8`), as its authors advise, and `noisy_r1` and
`noisy_r2` in place of `r1` and `r2`, which need no second derivative.
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


def r3gan256() -> RunConfig:
    """FFHQ at 256 px: batch 256, relativistic pairing loss with R1 and R2 in every step, no style mixing."""
    adam = AdamConfig(lr=2e-4, beta1=0.0, beta2=0.99)
    burn_in = {"start_kimg": 0.0, "end_kimg": 20_000.0}
    return RunConfig(
        recipe="r3gan256",
        data=DataConfig(source="SET-ME", resolution=256),
        model=ModelConfig(
            latent={"name": "gaussian", "w_dim": 64},
            synthesis={"name": "r3gan", "resolution": 256, "w_dim": 64},
            discriminator={"name": "r3gan", "resolution": 256},
        ),
        loss={"name": "relativistic"},
        regularizers={"r1": {"gamma": 15.0, "interval": 1}, "r2": {"gamma": 15.0, "interval": 1}},
        penalty_scale={"name": "cosine", "start": 10.0, "end": 1.0, **burn_in},
        augment=AugmentConfig(pipe={"name": "ada"}, p={"name": "cosine", "start": 0.0, "end": 0.3, **burn_in}),
        optimizer=OptimizerConfig(
            G=adam,
            D=adam,
            lr_scale={"name": "cosine", "start": 1.0, "end": 0.25, **burn_in},
            beta2={"name": "cosine", "start": 0.9, "end": 0.99, **burn_in},
        ),
        batch=BatchConfig(total=256),
        ema=EmaConfig(half_life_kimg=500.0),
        intervals=IntervalConfig(tick_seconds=60.0),
        mixing=0.0,
        kimg=25_000.0,
    )


def r3gan256_genome() -> RunConfig:
    """r3gan256 with a genome of 64 x 256 in place of the Gaussian; w is as wide as a genome of 64 genes wants it."""
    base = r3gan256()
    latent = {"name": "genome", "w_dim": 512, "num_genes": 64, "num_variants": 256}
    model = replace(base.model, latent=latent, synthesis={**base.model.synthesis, "w_dim": 512})
    return replace(base, recipe="r3gan256-genome", model=model)


def r3gan32() -> RunConfig:
    """32 px on the embedded avatars, with a genome.

    Seen in short trials: gamma 0.1 lets the discriminator run ahead, a learning rate of 0.0004 is too slow; penalties
    in every fourth step, in place of every one, double the speed.
    """
    networks = {"widths": [96, 96, 64, 32], "groups": [12, 12, 8, 4], "blocks": [1, 1, 1, 1]}
    adam = AdamConfig(lr=1e-3, beta1=0.0, beta2=0.99)
    penalty = {"gamma": 0.5, "interval": 4}
    config = avatars32(
        "r3gan32",
        synthesis={"name": "r3gan", **networks},
        discriminator={"name": "r3gan", **networks},
        optimizer=OptimizerConfig(G=adam, D=adam),
    )
    pairs = BatchConfig(total=32)
    return replace(config, loss=r3gan256().loss, regularizers={"r1": penalty, "r2": penalty}, batch=pairs)
