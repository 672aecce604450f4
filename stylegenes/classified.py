"""Codes become pictures, and a classifier says what these show: the one place below surveys, metrics and directions."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stylegenes.generator import Generator
from stylegenes.perception import AttributeClassifier
from stylegenes.records import Condition, ImageBatch, Noise


@dataclass(frozen=True)
class Classified:
    """A batch of codes and what their pictures show.

    Attributes:
        code: [N, ...], as the latent draws them.
        w: [N, w_dim], what they express, before truncation.
        pictures: of the codes, [N, C, H, W] in [-1, 1].
        probability: [N, A], the classifier's probabilities.
    """

    code: torch.Tensor
    w: torch.Tensor
    pictures: ImageBatch
    probability: torch.Tensor


@torch.no_grad()
def classify_codes(
    generator: Generator,
    classifier: AttributeClassifier,
    code: torch.Tensor,
    condition: Condition | None,
    *,
    noise: Noise,
    psi: float = 1.0,
) -> Classified:
    """Make the pictures of some codes, all at once, and classify them.

    Args:
        generator: in eval mode.
        classifier: on the generator's device.
        code: [N, ...], on the generator's device.
        condition: a row for each code, or None for a model that needs none.
        noise: how noise inputs are filled.
        psi: truncation of the pictures.
    """
    told = generator.synthesis.seen(condition, len(code))
    w = generator.latent(code, told)
    pictures = generator.synthesis(generator.truncate(generator.broadcast(w), psi, None, told), condition, noise=noise)
    return Classified(code, w, pictures, classifier(pictures.image))
