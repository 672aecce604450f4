"""A generator and a classifier whose every truth is known in closed form.

The picture is w itself; the probability of an attribute is linear in it. With variants of mean zero in every gene,
p(a | k_i = j) = 0.5 + effect[i, a] * variant[i, j] exactly, and the posterior marginals at T = 1 follow from it.
"""

from __future__ import annotations

import math

import torch

from stylegenes.discriminators import Discriminator
from stylegenes.generator import Generator
from stylegenes.latents import Genome
from stylegenes.perception.base import AttributeClassifier
from stylegenes.records import ImageBatch
from stylegenes.synthesis import SynthesisNetwork

NUM_GENES, NUM_VARIANTS = 9, 8
ATTRIBUTES = ["Smiling", "Eyeglasses", "Young"]


class ShowW(SynthesisNetwork):
    """Draws w as a square gray picture, or as one row where it is no square number."""

    def __init__(self, w_dim):
        super().__init__()
        self.w_dim, self.num_ws, self.image_channels = w_dim, 1, 1
        self.resolution = math.isqrt(w_dim)
        self.layer_resolutions = [self.resolution]
        self.spec = {"name": "toy"}

    def forward(self, ws, condition=None, *, noise=None):
        return ImageBatch(image=ws[:, 0].reshape(len(ws), 1, self.resolution, -1))


class LinearClassifier(AttributeClassifier):
    """p(a | picture) = 0.5 + sum_i effect[i, a] picture_i."""

    def __init__(self, effect, attributes=None):
        super().__init__()
        self.name, self.weights_hash, self.resolution = "toy", "toy-weights", 3
        self.attributes = list(attributes or ATTRIBUTES)
        self.effect: torch.Tensor
        self.register_buffer("effect", effect)

    def forward(self, images):
        return (0.5 + images.flatten(1) @ self.effect).clamp(0, 1)


class MeanPixel(Discriminator):
    """Thinks the brighter the more real."""

    def __init__(self):
        super().__init__()
        self.resolution, self.image_channels, self.spec = 3, 1, {"name": "toy"}

    def forward(self, batch):
        return batch.image.flatten(1).sum(dim=1, keepdim=True)


def effects():
    """[9, 3]: gene 2 rules Smiling, gene 5 Eyeglasses, genes 2 and 7 share Young; the rest do nothing."""
    effect = torch.zeros(NUM_GENES, len(ATTRIBUTES))
    effect[2, 0], effect[5, 1] = 0.45, 0.4
    effect[2, 2], effect[7, 2] = -0.15, 0.3
    return effect


def toy_generator(num_genes=NUM_GENES, num_variants=NUM_VARIANTS):
    """Variants spread evenly over [-1, 1], shuffled in each gene; mean zero."""
    rng = torch.Generator().manual_seed(1)
    genome = Genome(num_genes, num_genes, num_variants=num_variants)
    steps = torch.linspace(-1, 1, num_variants)
    genome.variants.data = torch.stack([steps[torch.randperm(num_variants, generator=rng)] for _ in range(num_genes)])[
        ..., None
    ]
    return Generator(genome, ShowW(num_genes)).eval().requires_grad_(False)


def truth(generator, effect):
    """Exact p(a | k_i = j), [G, V, A]."""
    return 0.5 + effect[:, None, :] * generator.latent.variants
