"""StyleGAN3: "Alias-Free Generative Adversarial Networks" (Karras et al. 2021), configurations T and R.

Official defaults: mapping network of 2 layers; learning rate 0.0025 for G and 0.002 for D; R1 every 16 steps; neither
style mixing nor path length; running average with a half-life of 10 kimg at a batch of 32 and a ramp-up of 0.05;
magnitudes with a half-life of 20 kimg; R with 1x1 convolutions, radial filters, twice the channels, and a blur of 10 px
that fades within the first 200 kimg (section 3.2). The discriminator is StyleGAN2's, unchanged.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stylegenes.recipes.avatars import avatars32
from stylegenes.registry import Spec
from stylegenes.training.config import (
    AdamConfig,
    BatchConfig,
    DataConfig,
    EmaConfig,
    IntervalConfig,
    ModelConfig,
    OptimizerConfig,
    RunConfig,
)

ROTATION: dict[str, Any] = {"conv_kernel": 1, "radial_filters": True}
"""What makes configuration R of T, besides twice the channels."""


def _magnitude_beta(batch: int, half_life_kimg: float) -> float:
    return 0.5 ** (batch / (half_life_kimg * 1000))


def _blur(sigma: float, kimg: float) -> Spec:
    return {"name": "ramp", "start": sigma, "end": 0.0, "end_kimg": kimg}


def stylegan3_t_ffhq256() -> RunConfig:
    """Configuration T for FFHQ at 256 px: official defaults, batch 32, 25 million images.

    Gamma 2 was chosen by the rule that it grows with resolution^2, from the 8.2 of the official example at 512 px.
    """
    batch = 32
    return RunConfig(
        recipe="stylegan3-t-ffhq256",
        data=DataConfig(source="SET-ME", resolution=256),
        model=ModelConfig(
            latent={"name": "mapping", "w_dim": 512, "z_dim": 512, "depth": 2},
            synthesis={
                "name": "stylegan3",
                "resolution": 256,
                "w_dim": 512,
                "channel_base": 32768,
                "channel_max": 512,
                "magnitude_beta": _magnitude_beta(batch, 20.0),
            },
            discriminator={"name": "stylegan2", "resolution": 256},
        ),
        regularizers={"r1": {"gamma": 2.0, "interval": 16}},
        optimizer=OptimizerConfig(G=AdamConfig(lr=0.0025), D=AdamConfig(lr=0.002)),
        batch=BatchConfig(total=batch),
        ema=EmaConfig(half_life_kimg=10.0),
        intervals=IntervalConfig(tick_seconds=60.0),
        mixing=0.0,
        kimg=25_000.0,
    )


def stylegan3_r_ffhq256() -> RunConfig:
    """Configuration R for FFHQ at 256 px: T with rotation equivariance, and the blur it begins with."""
    base = stylegan3_t_ffhq256()
    synthesis = {**base.model.synthesis, **ROTATION, "channel_base": 65536, "channel_max": 1024}
    model = replace(base.model, synthesis=synthesis)
    return replace(base, recipe="stylegan3-r-ffhq256", model=model, blur=_blur(10.0, 200.0))


def stylegan3_t_ffhq256_genome() -> RunConfig:
    """stylegan3-t-ffhq256 with a genome; StyleGenes (appendix A.5) pairs the two on MetFaces, 6 million images."""
    return _with_genome(stylegan3_t_ffhq256())


def stylegan3_r_ffhq256_genome() -> RunConfig:
    """stylegan3-r-ffhq256 with a genome."""
    return _with_genome(stylegan3_r_ffhq256())


def _with_genome(config: RunConfig) -> RunConfig:
    """A genome of 64 x 256 in place of the mapping network."""
    latent = {"name": "genome", "w_dim": 512, "num_genes": 64, "num_variants": 256}
    return replace(config, recipe=f"{config.recipe}-genome", model=replace(config.model, latent=latent))


def stylegan3_t32() -> RunConfig:
    """Configuration T at 32 px on the embedded avatars, with a genome.

    For speed, the first layers are coarser than the paper's (from 1 cycle over the picture, sampled at 4 px) and
    margins are narrow; the discriminator is a small StyleGAN2's.
    """
    signals = {"num_layers": 7, "first_cutoff": 1.0, "first_stopband": 2.0, "margin": 2}
    config = avatars32(
        "stylegan3-t32",
        synthesis={
            "name": "stylegan3",
            "channel_base": 512,
            "channel_max": 96,
            "magnitude_beta": _magnitude_beta(16, 2.0),
            **signals,
        },
        discriminator={"name": "stylegan2", "channel_base": 1024, "channel_max": 96},
        optimizer=OptimizerConfig(G=AdamConfig(lr=0.005), D=AdamConfig(lr=0.005)),
    )
    return replace(config, regularizers={"r1": {"gamma": 0.05, "interval": 16}})


def stylegan3_r32() -> RunConfig:
    """Configuration R at 32 px on the embedded avatars, with a genome: three times T's cost."""
    base = stylegan3_t32()
    synthesis = {**base.model.synthesis, **ROTATION, "channel_base": 1024, "channel_max": 192}
    model = replace(base.model, synthesis=synthesis)
    return replace(base, recipe="stylegan3-r32", model=model, blur=_blur(1.25, 10.0))
