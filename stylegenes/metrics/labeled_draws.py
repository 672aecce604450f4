"""Codes with the attributes of their pictures: what separability and disentanglement are measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from stylegenes.generator import Generator
from stylegenes.metrics.sources import LabeledImages, block_seed, blocks, draw_condition
from stylegenes.perception import AttributeClassifier
from stylegenes.records import Noise


@dataclass(frozen=True)
class LabeledDraws:
    """Draws from a generator; 4 (F + w_dim + A) bytes each.

    Attributes:
        spaces: by name, the latent as rows of numbers, float32 [N, F]: `z` (the code's own features) and `w`.
        probability: float32 [N, A], the classifier's probabilities.
        attributes: names of its columns.
    """

    spaces: dict[str, torch.Tensor]
    probability: torch.Tensor
    attributes: list[str]


@torch.no_grad()
def draw_labeled(
    generator: Generator,
    classifier: AttributeClassifier,
    num: int,
    *,
    seed: int = 0,
    batch: int = 32,
    psi: float = 1.0,
    labels: LabeledImages | None = None,
    on_block: Callable[[int, int], None] = lambda done, total: None,
) -> LabeledDraws:
    """Draw `num` codes, make their pictures with the stored noise and judge them.

    Args:
        generator: in eval mode.
        classifier: on the generator's device.
        num: how many.
        seed: of all draws.
        batch: codes at once; the draws depend on it.
        psi: truncation of the pictures; the codes are given untruncated.
        labels: a data set whose labels condition the pictures, for a conditional model.
        on_block: progress.
    """
    codes, ws, probabilities = [], [], []
    for start, stop in blocks(num, batch):
        rng = torch.Generator().manual_seed(block_seed(seed, start))
        condition = draw_condition(generator, labels, stop - start, rng)
        code = generator.sample(stop - start, rng)
        w = generator.latent(code, condition)
        ws_psi = generator.truncate(generator.broadcast(w), psi, None, condition)
        pictures = generator.synthesis(ws_psi, condition, noise=Noise("const"))
        codes.append(generator.latent.features(code).float().cpu())
        ws.append(w.float().cpu())
        probabilities.append(classifier(pictures.image).float().cpu())
        on_block(stop, num)
    spaces = {"z": torch.cat(codes), "w": torch.cat(ws)}
    return LabeledDraws(spaces, torch.cat(probabilities), list(classifier.attributes))
