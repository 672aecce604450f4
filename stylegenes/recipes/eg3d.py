"""EG3D ("Efficient Geometry-aware 3D Generative Adversarial Networks", Chan et al. 2022), with and without a genome.

What is common to all (supplement 1 and the published code): 32 images a step, learning rates 0.0025 and 0.002, no path
length, no style mixing, R1 every 16 steps, the density penalty every 4; a mapping network of 2 layers; a discriminator
that is told the camera and sees everything blurred until 200 thousand images. StyleGenes (appendix A) trains AFHQ's
cats once with the mapping network and once with a genome, FID 4.17 and 4.15, all else the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stylegenes.recipes.avatars import GENOME
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

_FACES: dict[str, Any] = {"near": 2.25, "far": 3.3, "radius": 2.7, "fov": 13.37}
_CARS: dict[str, Any] = {"near": 0.1, "far": 2.6, "box": 1.6, "radius": 1.3, "fov": 32.6, "yaw": 180.0, "pitch": 20.0}
_LARGE_GENOME = {"name": "genome", "w_dim": 512, "num_genes": 64, "num_variants": 256}


def eg3d_scenes32() -> RunConfig:
    """The embedded scenes at 32 px, rendered at 16 px with 8 + 8 samples a ray: hours on 2 cores."""
    networks = {"channel_base": 1024, "channel_max": 64}
    return RunConfig(
        recipe="eg3d-scenes32",
        data=DataConfig(source="scenes:n=8000", resolution=32),
        model=ModelConfig(
            latent=GENOME,
            synthesis={
                "name": "eg3d",
                "resolution": 32,
                "w_dim": GENOME["w_dim"],
                "plane_resolution": 32,
                "plane_channels": 12,
                **networks,
                "rendering_resolution": 16,
                "samples": 8,
                "importance": 8,
                "white": True,
                "decoder_width": 32,
                "decoder_features": 16,
                "super_channels": [32, 32],
                "fov": 21.0,
                "yaw": 180.0,
                "pitch": 15.0,
            },
            discriminator={"name": "dual", "resolution": 32, "camera": True, "label_depth": 2, **networks},
        ),
        regularizers={"r1": {"gamma": 0.1, "interval": 16}, "density": {"points": 250}},
        optimizer=OptimizerConfig(G=AdamConfig(lr=0.0025), D=AdamConfig(lr=0.002)),
        batch=BatchConfig(total=16),
        ema=EmaConfig(half_life_kimg=5.0),
        intervals=IntervalConfig(state_seconds=60.0, snapshot_kimg=50.0, image_kimg=10.0, evaluate_kimg=50.0),
        mixing=0.0,
        kimg=400.0,
    )


def _large(recipe: str, resolution: int, *, gamma: float, **synthesis: Any) -> RunConfig:
    """The published settings at a resolution in pixels, rendered at 64 px, with the mapping network."""
    synthesis = {"super_clamp": 256.0, "super_noise": False, **synthesis}
    return RunConfig(
        recipe=recipe,
        data=DataConfig(source="SET-ME", resolution=resolution),
        model=ModelConfig(
            latent={"name": "mapping", "w_dim": 512, "z_dim": 512, "depth": 2},
            synthesis={"name": "eg3d", "resolution": resolution, "w_dim": 512, **synthesis},
            discriminator={"name": "dual", "resolution": resolution, "camera": True, "conv_clamp": 256.0},
        ),
        regularizers={"r1": {"gamma": gamma, "interval": 16}, "density": {}},
        optimizer=OptimizerConfig(G=AdamConfig(lr=0.0025), D=AdamConfig(lr=0.002)),
        batch=BatchConfig(total=32),
        ema=EmaConfig(half_life_kimg=10.0),
        intervals=IntervalConfig(tick_seconds=60.0),
        blur={"name": "ramp", "start": 10.0, "end": 0.0, "end_kimg": 200.0},
        mixing=0.0,
        kimg=25_000.0,
    )


def eg3d_ffhq512() -> RunConfig:
    """FFHQ at 512 px, rendered at 64 px; the latent is told the camera, more and more its own (section 4.4)."""
    faces = {**_FACES, "pivot": [0.0, 0.0, 0.2], "super_input": 128, "super_channels": [256, 128]}
    base = _large("eg3d-ffhq512", 512, gamma=1.0, **faces)
    told = replace(base.model, latent={**base.model.latent, "camera": True})
    return replace(base, model=told, pose_swap={"name": "ramp", "start": 1.0, "end": 0.5, "end_kimg": 1000.0})


def eg3d_ffhq512_128() -> RunConfig:
    """The end of eg3d-ffhq512: init_from its snapshot, rendered at 64 px up to 128 px within a million images."""
    rendering = {"name": "ramp", "start": 64.0, "end": 128.0, "end_kimg": 1000.0}
    swap = {"name": "fixed", "value": 0.5}
    return replace(
        eg3d_ffhq512(), recipe="eg3d-ffhq512-128", rendering=rendering, pose_swap=swap, blur=None, kimg=2500.0
    )


def eg3d_afhq512() -> RunConfig:
    """AFHQ's cats at 512 px, with adaptive augmentation; officially from FFHQ's networks (init_from)."""
    cats = {**_FACES, "pivot": [0.0, 0.0, -0.06], "super_input": 128, "super_channels": [256, 128]}
    config = _large("eg3d-afhq512", 512, gamma=5.0, **cats)
    return replace(config, augment=AugmentConfig(pipe={"name": "ada"}, p={"name": "adaptive"}))


def eg3d_cars128() -> RunConfig:
    """ShapeNet's cars at 128 px on white; their cameras are exact, so the discriminator is told them with noise."""
    config = _large("eg3d-cars128", 128, gamma=0.3, **_CARS, samples=64, importance=64, white=True)
    return replace(config, camera_noise=1.0)


def eg3d_ffhq512_genome() -> RunConfig:
    """eg3d-ffhq512 with a genome of 64 x 256, to which the camera adds."""
    config = _with_genome(eg3d_ffhq512(), "eg3d-ffhq512-genome")
    return replace(config, model=replace(config.model, latent={**_LARGE_GENOME, "camera": True}))


def eg3d_afhq512_genome() -> RunConfig:
    """eg3d-afhq512 with a genome of 64 x 256: StyleGenes' experiment in three dimensions."""
    return _with_genome(eg3d_afhq512(), "eg3d-afhq512-genome")


def eg3d_cars128_genome() -> RunConfig:
    """eg3d-cars128 with a genome of 64 x 256."""
    return _with_genome(eg3d_cars128(), "eg3d-cars128-genome")


def _with_genome(config: RunConfig, recipe: str) -> RunConfig:
    return replace(config, recipe=recipe, model=replace(config.model, latent=_LARGE_GENOME))
