"""What the small recipes of every family share: the embedded avatars at 32 px and a genome, for a laptop."""

from __future__ import annotations

from stylegenes.registry import Spec
from stylegenes.training.config import (
    BatchConfig,
    DataConfig,
    EmaConfig,
    IntervalConfig,
    ModelConfig,
    OptimizerConfig,
    RunConfig,
)

GENOME: Spec = {"name": "genome", "w_dim": 128, "num_genes": 32, "num_variants": 256}
"""32 genes of 256 variants, 4 numbers each."""


def avatars32(recipe: str, *, synthesis: Spec, discriminator: Spec, optimizer: OptimizerConfig) -> RunConfig:
    """32 px behind `GENOME`, 200 thousand images, 16 a step; networks without their resolution and w_dim.

    No penalties and no style mixing: the families differ there. In short runs many small steps beat few large ones.

    Args:
        recipe: its name.
        synthesis: network that makes pictures.
        discriminator: network that judges them.
        optimizer: of both.
    """
    return RunConfig(
        recipe=recipe,
        data=DataConfig(source="avatars", resolution=32),
        model=ModelConfig(
            latent=GENOME,
            synthesis={**synthesis, "resolution": 32, "w_dim": GENOME["w_dim"]},
            discriminator={**discriminator, "resolution": 32},
        ),
        regularizers={},
        optimizer=optimizer,
        batch=BatchConfig(total=16),
        ema=EmaConfig(half_life_kimg=5.0),
        intervals=IntervalConfig(state_seconds=60.0, snapshot_kimg=50.0, image_kimg=10.0, evaluate_kimg=50.0),
        mixing=0.0,
        kimg=200.0,
    )
