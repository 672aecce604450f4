"""A model and the classifier that judges its pictures, used together by every analysis that looks at single codes."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from stylegenes.generator import Generator
from stylegenes.perception import AttributeClassifier
from stylegenes.records import Noise


@dataclass(frozen=True)
class Judge:
    """A generator and the classifier that judges its pictures.

    Attributes:
        generator: an unconditional generator with a genome.
        classifier: judges the pictures.
        noise: how noise inputs are filled.
        batch_size: pictures made at once.
    """

    generator: Generator
    classifier: AttributeClassifier
    noise: Noise = field(default_factory=lambda: Noise("const"))
    batch_size: int = 32

    @torch.no_grad()
    def pictures(self, genotype: torch.Tensor) -> torch.Tensor:
        """Pictures [N, C, H, W] of genotypes [N, G], on the CPU."""
        batches = genotype.to(self.generator.device).split(self.batch_size)
        return torch.cat([self.generator(batch, noise=self.noise).image.cpu() for batch in batches])

    @torch.no_grad()
    def probabilities(self, genotype: torch.Tensor) -> torch.Tensor:
        """The classifier's probabilities [N, A] of genotypes [N, G], float64 on the CPU."""
        batches = genotype.to(self.generator.device).split(self.batch_size)
        judged = [self.classifier(self.generator(batch, noise=self.noise).image) for batch in batches]
        return torch.cat(judged).double().cpu()
