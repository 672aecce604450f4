"""Classified pictures of a survey, and the plan that they are made by."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from stylegenes.errors import UserError
from stylegenes.records import NoiseMode


@dataclass(frozen=True)
class SurveyPlan:
    """Everything that a shard depends on besides its number.

    Attributes:
        model: fingerprint of the generator's weights.
        classifier: fingerprint of the classifier's weights.
        discriminator: fingerprint of the discriminator's weights, or "" where realness is not recorded.
        attributes: names of the classifier's columns.
        num_genes: genes of a genotype, 0 for a continuous latent (then no codes are stored).
        num_variants: variants of a gene, 0 for a continuous latent.
        seed: seed of the whole survey.
        shard_size: pictures in a shard.
        psi: truncation.
        noise: noise mode; `const` makes a genotype's picture unique.
        labels: sha256 of the table that labels are drawn from, or "" for a model without labels.
    """

    model: str
    classifier: str
    discriminator: str
    attributes: list[str]
    num_genes: int
    num_variants: int
    seed: int = 0
    shard_size: int = 1024
    psi: float = 1.0
    noise: NoiseMode = "const"
    labels: str = ""


@dataclass(frozen=True)
class Draws:
    """Classified pictures.

    Attributes:
        genotype: uint8 or uint16 [N, num_genes]; [N, 0] for a continuous latent.
        probability: float16 [N, A], the classifier's probability of every attribute.
        realness: float32 [N, 1], the discriminator's mean logit; [N, 0] where it was not recorded.
        label: float32 [N, L], what the pictures were conditioned on; empty for a model without labels.
    """

    genotype: torch.Tensor
    probability: torch.Tensor
    realness: torch.Tensor
    label: torch.Tensor = field(default_factory=lambda: torch.zeros(0, 0))

    def __len__(self) -> int:
        return self.probability.shape[0]


def check_shape(draws: Draws, plan: SurveyPlan) -> None:
    """See that a shard is one of the plan's.

    Raises:
        UserError: when it has other pictures, genes or attributes.
    """
    wanted = {"genotype": plan.num_genes, "probability": len(plan.attributes)}
    for name, width in wanted.items():
        shape = list(getattr(draws, name).shape)
        if shape != [plan.shard_size, width]:
            raise UserError(f"its {name} is {shape}, and plan.json asks for {[plan.shard_size, width]}")
    rows = {len(column) for column in (draws.realness, draws.label) if column.numel()}
    if rows - {plan.shard_size}:
        raise UserError(f"it has columns of {sorted(rows)} rows, and plan.json asks for {plan.shard_size}")
    if draws.genotype.numel() and int(draws.genotype.long().max()) >= plan.num_variants:
        raise UserError(f"it names a variant beyond the {plan.num_variants} of plan.json")
    if not draws.probability.isfinite().all():
        raise UserError("it holds probabilities that are no numbers")


def pack(code: torch.Tensor, plan: SurveyPlan) -> torch.Tensor:
    """Codes [N, G] in the smallest integers that hold the variants; [N, 0] for a continuous latent."""
    if plan.num_genes == 0:
        return torch.zeros(len(code), 0, dtype=torch.uint8)
    kinds = {256: torch.uint8, 65_536: torch.uint16}
    return code.cpu().to(next((kind for most, kind in kinds.items() if plan.num_variants <= most), torch.int32))
