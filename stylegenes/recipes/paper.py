"""StyleGenes on a StyleGAN2 backbone, trained as the official code trains StyleGAN2 by default.

StyleGenes (section 4) names the number of GPUs and of images, and takes everything else from the code's defaults. For a
resolution R and g GPUs these are, in StyleGAN2-ADA's official configuration "auto": batch min(g min(4096 / R, 32), 64),
learning rate 0.0025 (0.002 from 1024 px on), R1 gamma 0.0002 R^2 / batch every 16 steps, path length 2 every 4, style
mixing 0.9, running average with a half-life of 10 kimg per 32 images of batch and a ramp-up of 0.05, half the channels
below 512 px. StyleGAN3's code, which the paper used, leaves batch and gamma to its user; its StyleGAN2 has a mapping
network of 8 layers, which the baselines here have too.
"""

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


def _stylegan2(recipe: str, resolution: int, *, gpus: int, kimg: float) -> RunConfig:
    """The default for a resolution in pixels and a number of GPUs, with a genome of 64 x 256."""
    total = min(gpus * min(4096 // resolution, 32), 64)
    networks = {"channel_base": 32768 if resolution >= 512 else 16384, "channel_max": 512}
    adam = AdamConfig(lr=0.002 if resolution >= 1024 else 0.0025)
    return RunConfig(
        recipe=recipe,
        data=DataConfig(source="SET-ME", resolution=resolution),
        model=ModelConfig(
            latent={"name": "genome", "w_dim": 512, "num_genes": 64, "num_variants": 256},
            synthesis={"name": "stylegan2", "resolution": resolution, "w_dim": 512, **networks},
            discriminator={"name": "stylegan2", "resolution": resolution, **networks},
        ),
        regularizers={"r1": {"gamma": 0.0002 * resolution**2 / total}, "path_length": {}},
        optimizer=OptimizerConfig(G=adam, D=adam),
        batch=BatchConfig(total=total),
        ema=EmaConfig(half_life_kimg=total * 10 / 32),
        intervals=IntervalConfig(tick_seconds=60.0),
        kimg=kimg,
    )


def ffhq256() -> RunConfig:
    """FFHQ at 256 px: StyleGenes, section 4: 4 GPUs, 10 million images; 64 genes x 256 variants reach FID 5.87.

    The best of its table 1 is 5.11, with 8 genes x 2048 variants.
    """
    return _stylegan2("ffhq256", 256, gpus=4, kimg=10_000.0)


def ffhq256_mapping() -> RunConfig:
    """The baseline of ffhq256: StyleGAN2's mapping network of 8 layers (StyleGenes, table 1: FID 5.3)."""
    return _mapped(ffhq256(), "ffhq256-mapping")


def ffhq1024() -> RunConfig:
    """FFHQ at 1024 px: StyleGenes, appendix A.5: 2 million images reach FID 7.60 (mapping network: 7.61)."""
    return _stylegan2("ffhq1024", 1024, gpus=4, kimg=2_000.0)


def afhq256() -> RunConfig:
    """AFHQ at 256 px: StyleGenes, section 4: 10 million images, adaptive augmentation, unconditional; FID 6.45."""
    return _with_ada(_stylegan2("afhq256", 256, gpus=4, kimg=10_000.0))


def metfaces256() -> RunConfig:
    """MetFaces at 256 px, 1336 pictures: as afhq256; FID 22.56 (StyleGenes, table 1)."""
    return _with_ada(_stylegan2("metfaces256", 256, gpus=4, kimg=10_000.0))


def afhq256_mapping() -> RunConfig:
    """The baseline of afhq256 (table 1: FID 5.62)."""
    return _mapped(afhq256(), "afhq256-mapping")


def metfaces256_mapping() -> RunConfig:
    """The baseline of metfaces256 (table 1: FID 20.48)."""
    return _mapped(metfaces256(), "metfaces256-mapping")


def _mapped(config: RunConfig, recipe: str) -> RunConfig:
    """With StyleGAN2's mapping network of 8 layers in place of the genome."""
    latent = {"name": "mapping", "w_dim": 512, "z_dim": 512, "depth": 8}
    return replace(config, recipe=recipe, model=replace(config.model, latent=latent))


def _with_ada(config: RunConfig) -> RunConfig:
    """Adaptive augmentation with the defaults of its paper: target 0.6, every 4 steps, 500 kimg from 0 to 1."""
    return replace(config, augment=AugmentConfig(pipe={"name": "ada"}, p={"name": "adaptive"}))
