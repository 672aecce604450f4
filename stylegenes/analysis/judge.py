"""A model and the classifier that judges its pictures, used together by every analysis that looks at single codes."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from stylegenes.generator import Generator
from stylegenes.perception import AttributeClassifier
from stylegenes.records import Noise


@torch.no_grad()
def make_pictures(
    generator: Generator, genotype: torch.Tensor, noise: Noise | None = None, batch_size: int = 32
) -> torch.Tensor:
    """Pictures [N, C, H, W] of genotypes [N, G], on the CPU; with the stored noise unless told otherwise."""
    batches = genotype.to(generator.device).split(batch_size)
    return torch.cat([generator(batch, noise=noise or Noise("const")).image.cpu() for batch in batches])


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

    def pictures(self, genotype: torch.Tensor) -> torch.Tensor:
        """Pictures [N, C, H, W] of genotypes [N, G], on the CPU."""
        return make_pictures(self.generator, genotype, self.noise, self.batch_size)

    @torch.no_grad()
    def probabilities(self, genotype: torch.Tensor) -> torch.Tensor:
        """The classifier's probabilities [N, A] of genotypes [N, G], float64 on the CPU."""
        batches = genotype.to(self.generator.device).split(self.batch_size)
        judged = [self.classifier(self.generator(batch, noise=self.noise).image) for batch in batches]
        return torch.cat(judged).double().cpu()
