"""A model and the classifier of its pictures, used together by every analysis that looks at single codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from stylegenes.drawing import DrawSettings, draw_images
from stylegenes.generator import Generator
from stylegenes.perception import AttributeClassifier
from stylegenes.records import Noise, repeated


@dataclass(frozen=True)
class CodeLabeler:
    """A generator and the classifier of its pictures.

    Attributes:
        generator: a generator with a genome.
        classifier: of the pictures.
        drawing: how genotypes become pictures: truncation, noise, and the label that a conditional model needs.
        batch_size: pictures made at once where they are measured and not shown.
    """

    generator: Generator
    classifier: AttributeClassifier
    drawing: DrawSettings = field(default_factory=DrawSettings)
    batch_size: int = 32

    def pictures(self, genotype: torch.Tensor) -> torch.Tensor:
        """Pictures [N, C, H, W] of genotypes [N, G] to measure, on the CPU: the last bits depend on the batch."""
        return torch.cat([batch.cpu() for batch in self._batches(genotype)])

    def shown(self, genotype: torch.Tensor) -> torch.Tensor:
        """Pictures [N, C, H, W] of genotypes [N, G] to show, on the CPU: the very pixels of each genotype alone."""
        return draw_images(self.generator, genotype, self.drawing)

    @torch.no_grad()
    def probabilities(self, genotype: torch.Tensor) -> torch.Tensor:
        """The classifier's probabilities [N, A] of genotypes [N, G], float64 on the CPU."""
        return torch.cat([self.classifier(batch) for batch in self._batches(genotype)]).double().cpu()

    @torch.no_grad()
    def _batches(self, genotype: torch.Tensor) -> Iterator[torch.Tensor]:
        """Pictures on the generator's device. Random noise belongs to a genotype, so that those are drawn singly."""
        drawing, noise = self.drawing, Noise(self.drawing.noise)
        for batch in genotype.to(self.generator.device).split(self.batch_size):
            if drawing.noise == "random":
                yield draw_images(self.generator, batch, drawing).to(self.generator.device)
                continue
            condition = repeated(drawing.condition, len(batch))
            yield self.generator(batch, condition, psi=drawing.psi, cutoff=drawing.cutoff, noise=noise).image
