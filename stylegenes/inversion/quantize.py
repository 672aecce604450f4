"""Quantization: the nearest variant of every gene to a continuous code (StyleGenes, A.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from stylegenes.generator import Generator
from stylegenes.inversion.objective import Objective
from stylegenes.latents import genome_of
from stylegenes.records import Condition, Noise, spread
from stylegenes.words import check_known

Distance = Literal["l1", "l2", "cosine"]
DISTANCES: tuple[Distance, ...] = get_args(Distance)


@torch.no_grad()
def quantize(generator: Generator, ws: torch.Tensor, distance: Distance = "l2") -> torch.Tensor:
    """The genotypes whose variants are nearest to given style vectors, gene by gene.

    Args:
        generator: a model with a genome.
        ws: [N, num_ws, w_dim]; where the layers differ, their distances are added (squared ones for L2).
        distance: between parts of w and variants.

    Returns:
        Genotypes, int64 [N, num_genes].

    Raises:
        UserError: for a model without a genome or an unknown distance.
    """
    genome = genome_of(generator.latent, "quantization")
    check_known("distance", distance, DISTANCES)
    n, layers = ws.shape[:2]
    # What the model's own view adds to every code belongs to none of the variants.
    seen = generator.synthesis.seen(None, 1)
    ws = ws - (genome.mean(seen) - genome.mean())[:, None]
    parts = ws.reshape(n * layers, genome.num_genes, genome.gene_dim).transpose(0, 1)
    distances = _distances(parts, genome.variants, distance).view(genome.num_genes, n, layers, genome.num_variants)
    return distances.sum(dim=2).argmin(dim=2).T.contiguous()


def _distances(parts: torch.Tensor, variants: torch.Tensor, distance: Distance) -> torch.Tensor:
    """Distances [G, M, V] of parts [G, M, D] to variants [G, V, D]."""
    if distance == "cosine":
        unit = torch.nn.functional.normalize
        return 1 - unit(parts, dim=2) @ unit(variants, dim=2).transpose(1, 2)
    if distance == "l1":
        return torch.cdist(parts, variants, p=1.0)
    # The matrix-product form of cdist loses the digits that decide between close variants.
    return torch.cdist(parts, variants, compute_mode="donot_use_mm_for_euclid_dist").square()


@dataclass(frozen=True)
class Quantization:
    """What is left of a projection when it is told by genes.

    Attributes:
        distance: how the nearest variants were found.
        genotypes: int64 [N, num_genes].
        images: [N, C, H, W], the genotypes' pictures.
        mse: [N], mean squared error of pixels in [-1, 1].
        perceptual: [N], perceptual distance.
        code_error: [N], root mean square difference between the genotypes' w and the given ws.
    """

    distance: Distance
    genotypes: torch.Tensor
    images: torch.Tensor
    mse: torch.Tensor
    perceptual: torch.Tensor
    code_error: torch.Tensor


@torch.no_grad()
def compare_quantizations(
    generator: Generator,
    ws: torch.Tensor,
    targets: torch.Tensor,
    objective: Objective,
    condition: Condition | None = None,
) -> list[Quantization]:
    """Quantize ws [N, num_ws, w_dim] by every distance and compare the pictures with the targets [N, C, H, W].

    Args:
        generator: of a genome.
        ws: [N, num_ws, w_dim].
        targets: [N, C, H, W] in [-1, 1].
        objective: measures how far pictures are from targets.
        condition: label and camera, one row or one for each target.
    """
    found = []
    for distance in DISTANCES:
        genotypes = quantize(generator, ws, distance)
        expressed = generator.express(genotypes)
        images = generator.synthesis(expressed, spread(condition, len(ws)), noise=Noise("const")).image
        errors = objective(images, targets)
        code_error = (expressed - ws).square().mean(dim=(1, 2)).sqrt()
        found.append(Quantization(distance, genotypes, images, errors.mse, errors.perceptual, code_error))
    return found


def best_quantization(found: list[Quantization], objective: Objective) -> Quantization:
    """The one with the smallest mean objective over the targets."""
    return min(
        found,
        key=lambda q: float((objective.pixel_weight * q.mse + objective.perceptual_weight * q.perceptual).mean()),
    )
