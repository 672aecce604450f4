"""StyleGAN's configurations A to F: "A Style-Based Generator Architecture for GANs" (Karras et al. 2019, Table 1).

FFHQ at 1024 px on 8 GPUs. From the paper's appendix C: R1 with gamma 10, 25 million images (12 million with WGAN-GP),
growing from 8 px, from 4 px in configuration A; 600 thousand images at each resolution and 600 thousand to fade the
next one in reach 1024 px after the 8.4 million images of its figure 9. Official defaults: learning rate 0.001 up to
64 px, 0.0015 at 128, 0.002 at 256 and 0.003 from 512 on, R1 in every step, running average with a half-life of 10 kimg
without a ramp-up, Adam anew at every change of resolution, and larger batches below 64 px; here the batch is 32
throughout. FID is reported without truncation.
"""

from __future__ import annotations

from dataclasses import replace

from stylegenes.recipes.avatars import avatars32
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

_RATES = [[8, 1.0], [128, 1.5], [256, 2.0], [512, 3.0]]
"""Learning rates of the resolutions in pixels, relative to 0.001."""


def _traditional(recipe: str, *, blur: bool, depth: int = 0) -> RunConfig:
    """The traditional generator with a mapping network of `depth` layers; non-saturating loss with R1."""
    adam = AdamConfig(lr=0.001, beta1=0.0, beta2=0.99)
    return RunConfig(
        recipe=recipe,
        data=DataConfig(source="SET-ME", resolution=1024),
        model=ModelConfig(
            latent={"name": "mapping", "w_dim": 512, "depth": depth},
            synthesis={"name": "progan", "resolution": 1024, "w_dim": 512, "blur": blur},
            discriminator={"name": "progan", "resolution": 1024, "blur": blur},
        ),
        regularizers={"r1": {"gamma": 10.0, "interval": 1}},
        optimizer=OptimizerConfig(G=adam, D=adam, lr_scale={"name": "by_resolution", "values": _RATES}),
        batch=BatchConfig(total=32),
        ema=EmaConfig(half_life_kimg=10.0, rampup=None),
        intervals=IntervalConfig(tick_seconds=60.0),
        growth={"name": "progressive"},
        mixing=0.0,
        kimg=25_000.0,
    )


def stylegan1_a() -> RunConfig:
    """Configuration A, the progressive GAN: WGAN-GP, repeated pixels and plain averages, from 4 px, 12 million images.

    Weight 10 of the gradient penalty and 0.001 of the drift are the progressive GAN's (Karras et al. 2018, A.1).
    """
    base = _traditional("stylegan1-a", blur=False)
    rates = {"name": "by_resolution", "values": _RATES, "start": 4}
    return replace(
        base,
        loss={"name": "wasserstein"},
        regularizers={"wgan_gp": {}},
        optimizer=replace(base.optimizer, lr_scale=rates),
        growth={"name": "progressive", "start": 4},
        kimg=12_000.0,
    )


def stylegan1_b() -> RunConfig:
    """Configuration B: bilinear resampling, non-saturating loss with R1. Table 4's traditional generator of depth 0."""
    return _traditional("stylegan1-b", blur=True)


def stylegan1_b_mapped() -> RunConfig:
    """Table 4's traditional generator with a mapping network of 8 layers."""
    return _traditional("stylegan1-b-mapped", blur=True, depth=8)


def _styled(recipe: str, *, const_input: bool, use_noise: bool, mixing: float) -> RunConfig:
    """The style-based generator behind a mapping network of 8 layers."""
    base = _traditional(recipe, blur=True, depth=8)
    parts = {"const_input": const_input, "use_noise": use_noise}
    synthesis = {"name": "stylegan1", "resolution": 1024, "w_dim": 512, **parts}
    return replace(base, model=replace(base.model, synthesis=synthesis), mixing=mixing)


def stylegan1_c() -> RunConfig:
    """Configuration C: mapping network and styles."""
    return _styled("stylegan1-c", const_input=False, use_noise=False, mixing=0.0)


def stylegan1_d() -> RunConfig:
    """Configuration D: a learned constant in place of the traditional input."""
    return _styled("stylegan1-d", const_input=True, use_noise=False, mixing=0.0)


def stylegan1_e() -> RunConfig:
    """Configuration E: noise inputs."""
    return _styled("stylegan1-e", const_input=True, use_noise=True, mixing=0.0)


def stylegan1_f() -> RunConfig:
    """Configuration F: mixing regularization; the paper's StyleGAN (FID 4.40 on FFHQ)."""
    return _styled("stylegan1-f", const_input=True, use_noise=True, mixing=0.9)


def stylegan1_f_genome() -> RunConfig:
    """Configuration F with a genome of 64 x 256 in place of the mapping network."""
    base = stylegan1_f()
    latent = {"name": "genome", "w_dim": 512, "num_genes": 64, "num_variants": 256}
    return replace(base, recipe="stylegan1-f-genome", model=replace(base.model, latent=latent))


def _small(recipe: str, synthesis: str, mixing: float) -> RunConfig:
    """32 px on the embedded avatars, with a genome, growing from 8 px within 24 thousand images.

    Gamma is far above tiny32's: at 8 of 32 px a gradient is spread over 16 times as many pixels as the network sees.
    """
    networks = {"channel_base": 1024, "channel_max": 96}
    adam = AdamConfig(lr=0.004, beta1=0.0, beta2=0.99)
    config = avatars32(
        recipe,
        synthesis={"name": synthesis, **networks},
        discriminator={"name": "progan", **networks},
        optimizer=OptimizerConfig(G=adam, D=adam),
    )
    growth = {"name": "progressive", "start": 8, "hold_kimg": 4.0, "fade_kimg": 8.0}
    return replace(config, regularizers={"r1": {"gamma": 0.5, "interval": 4}}, growth=growth, mixing=mixing)


def stylegan1_32() -> RunConfig:
    """StyleGAN's configuration F at 32 px."""
    return _small("stylegan1-32", "stylegan1", 0.9)


def progan32() -> RunConfig:
    """The traditional generator at 32 px."""
    return _small("progan32", "progan", 0.0)
