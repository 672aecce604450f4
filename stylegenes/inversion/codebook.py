"""Codebook inversion: real pictures become genotypes of a tuned model (StyleGenes, section 4, "Adding real images").

Several pictures at once are projected, quantized to genotypes, and then the generator and its variants are trained so
that these genotypes make the pictures, while the pictures of random genotypes stay as they were.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stylegenes.generator import Generator
from stylegenes.inversion.objective import Objective
from stylegenes.inversion.tuning import OnStep, Plan, Tuned, TuningSettings, tune
from stylegenes.latents import genome_of
from stylegenes.records import Condition


@dataclass(frozen=True)
class CodebookPlan(Plan):
    """Tune the synthesis network and the variants; watch random genotypes.

    Attributes:
        genotypes: int64 [N, num_genes], one for each target.
    """

    genotypes: torch.Tensor

    def parameters(self, model: Generator) -> list[torch.nn.Parameter]:
        """All of them: the synthesis network and the variants."""
        return list(model.parameters())

    def target_ws(self, model: Generator, rows: torch.Tensor) -> torch.Tensor:
        """The model's expression of the targets' genotypes."""
        return model.express(self.genotypes[rows])

    def watched_ws(self, model: Generator, n: int, seed: int) -> torch.Tensor:
        """The model's expression of random genotypes."""
        return model.express(model.sample(n, torch.Generator().manual_seed(seed)))


def invert_into_codebook(
    generator: Generator,
    genotypes: torch.Tensor,
    targets: torch.Tensor,
    objective: Objective,
    settings: TuningSettings | None = None,
    *,
    condition: Condition | None = None,
    on_step: OnStep | None = None,
) -> Tuned:
    """Train a copy of the generator and its codebook until the genotypes make the targets.

    Args:
        generator: a model with a genome; it is never changed.
        genotypes: int64 [N, num_genes], usually a quantized projection of the targets.
        targets: [N, C, H, W] in [-1, 1].
        objective: measures the error of the targets and of the watched pictures.
        settings: how to tune.
        condition: what the targets are conditioned on, [N, ...], for a network with labels.
        on_step: called after every step.

    Raises:
        UserError: for a model without a genome.
    """
    genome_of(generator.latent, "codebook inversion")
    return tune(generator, CodebookPlan(genotypes), targets, objective, settings, condition=condition, on_step=on_step)
