"""Latent distributions: a code is drawn here and expressed as w."""

from stylegenes.latents.base import LATENTS, LatentDistribution
from stylegenes.latents.gaussian import Gaussian, Mapping
from stylegenes.latents.genome import Genome, genome_of

__all__ = ["LATENTS", "Gaussian", "Genome", "LatentDistribution", "Mapping", "genome_of"]
