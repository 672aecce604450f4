"""Moves in a latent space: steps along a vector on chosen layers, their side effects, and what can be combined.

"Controlled Modification of Generated (Style)GAN Latent Vectors" (Liu 2019), sections 4.2 and 5: w' = w + lambda d.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from stylegenes.analysis.samples import attribute_index
from stylegenes.drawing import DrawSettings, express
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.perception import AttributeClassifier, PerceptualDistance
from stylegenes.records import Condition, Noise, repeated


def move(ws: torch.Tensor, vector: torch.Tensor, strength: float, layers: list[int] | None = None) -> torch.Tensor:
    """Step along a vector: w' = w + strength * vector on the chosen layers.

    Args:
        ws: [N, num_ws, w_dim].
        vector: [w_dim].
        strength: how many vectors to step; may be negative.
        layers: layer numbers; None moves all.

    Raises:
        UserError: when the vector belongs to another space.
    """
    if vector.shape != ws.shape[2:]:
        raise UserError(f"the direction has {vector.numel()} coordinates and w has {ws.shape[2]}; use this model's own")
    mask = torch.zeros(ws.shape[1], dtype=ws.dtype, device=ws.device)
    mask[list(range(ws.shape[1])) if layers is None else layers] = strength
    return ws + mask[None, :, None] * vector.to(ws)


def step(
    generator: Generator,
    codes: torch.Tensor,
    vector: torch.Tensor,
    strength: float,
    layers: Sequence[int],
    drawing: DrawSettings,
) -> torch.Tensor:
    """Step along a vector of z: [N, num_ws, w_dim] of codes [N, ...] + strength * vector on the chosen layers.

    Args:
        generator: expresses the codes.
        codes: [N, ...], continuous.
        vector: a step of one standard deviation, in the shape of one code.
        strength: how many such steps; negative ones go back.
        layers: numbers of the style layers that move.
        drawing: psi, cutoff and condition.
    """
    ws = express(generator, codes, drawing)
    moved = express(generator, codes + strength * vector.to(codes), drawing)
    chosen = torch.tensor([layer in layers for layer in range(ws.shape[1])], device=ws.device)
    return torch.where(chosen[None, :, None], moved, ws)


def evenly(count: int) -> list[float]:
    """`count` positions from -1 to 1, with an exact zero in the middle of an odd count."""
    return [2 * i / (count - 1) - 1 for i in range(count)]


def combine(ws_a: torch.Tensor, ws_b: torch.Tensor, t: float = 0.5) -> torch.Tensor:
    """Interpolate two edited codes, [N, num_ws, w_dim] each; `t` = 0 is the first, 1 the second."""
    return torch.lerp(ws_a, ws_b, t)


@dataclass(frozen=True)
class MoveEffect:
    """What a move did to the pictures.

    Attributes:
        attributes: the A names.
        before: [A], mean probability before.
        after: [A], mean probability after.
        flipped: [A], share of pictures whose attribute changed sides.
        distance: mean perceptual distance between before and after; NaN where no network was given.
        distance_name: name of the network that measured it.
    """

    attributes: list[str]
    before: torch.Tensor
    after: torch.Tensor
    flipped: torch.Tensor
    distance: float
    distance_name: str

    @property
    def change(self) -> torch.Tensor:
        """[A], mean change of each probability."""
        return self.after - self.before

    def side_effect(self, wanted: Sequence[str]) -> float:
        """Mean absolute change of the probabilities that nobody asked to change."""
        others = [i for i, name in enumerate(self.attributes) if name not in wanted]
        return float(self.change[others].abs().mean()) if others else 0.0


@torch.no_grad()
def measure_move(
    generator: Generator,
    classifier: AttributeClassifier,
    ws: torch.Tensor,
    moved: torch.Tensor,
    *,
    perceptual: PerceptualDistance | None = None,
    batch: int = 32,
    condition: Condition | None = None,
) -> MoveEffect:
    """Compare the pictures of ws and moved, [N, num_ws, w_dim] each: every attribute, and the distance between them.

    Args:
        generator: makes the pictures, with the stored noise.
        classifier: says what they show.
        ws: before the move, [N, num_ws, w_dim].
        moved: after it, [N, num_ws, w_dim].
        perceptual: says how far two pictures are apart; without it the distance is NaN.
        batch: pictures at once.
        condition: label and camera of all pictures, one row.
    """
    befores, afters, distances = [], [], []
    for a, b in zip(ws.split(batch), moved.split(batch), strict=True):
        shared = repeated(condition, len(a))
        image_a = generator.synthesis(a, shared, noise=Noise("const")).image
        image_b = generator.synthesis(b, shared, noise=Noise("const")).image
        befores.append(classifier(image_a))
        afters.append(classifier(image_b))
        if perceptual is not None:
            distances.append(perceptual(image_a, image_b))
    before, after = torch.cat(befores).float(), torch.cat(afters).float()
    return MoveEffect(
        attributes=list(classifier.attributes),
        before=before.mean(dim=0),
        after=after.mean(dim=0),
        flipped=((before > 0.5) != (after > 0.5)).float().mean(dim=0),
        distance=float(torch.cat(distances).mean()) if distances else float("nan"),
        distance_name="" if perceptual is None else perceptual.name,
    )


@dataclass(frozen=True)
class Constancy:
    """Whether an attribute stays when only the coordinates that carry it are kept.

    Attributes:
        attribute: its name.
        held: coordinates kept.
        total: all coordinates.
        agreement: share of re-drawn pictures that show the attribute as the original does.
        baseline: the same share when nothing is held.
    """

    attribute: str
    held: int
    total: int
    agreement: float
    baseline: float


@torch.no_grad()
def hold_coordinates(
    generator: Generator,
    classifier: AttributeClassifier,
    attribute: str,
    coordinates: torch.Tensor,
    originals: torch.Tensor,
    *,
    random: torch.Generator,
    batch: int = 32,
    condition: Condition | None = None,
) -> Constancy:
    """Keep some coordinates of w, draw the others again, and count how often the attribute stays.

    Args:
        generator: the model.
        classifier: of the pictures.
        attribute: which attribute to watch.
        coordinates: bool [w_dim], the ones to keep.
        originals: [N, w_dim]; as many with the attribute as without make the baseline a half.
        random: source of the codes that the other coordinates come from.
        batch: pictures made at once.
        condition: one row, for a model with labels.
    """
    column = attribute_index(list(classifier.attributes), attribute)
    kept = coordinates.to(generator.device)

    def present(w: torch.Tensor) -> torch.Tensor:
        images = generator.synthesis(generator.broadcast(w), repeated(condition, len(w)), noise=Noise("const"))
        return classifier(images.image)[:, column] > 0.5

    same, same_free = 0, 0
    for w in originals.split(batch):
        other = generator.latent(generator.sample(len(w), random), repeated(condition, len(w)))
        original = present(w)
        same += int((present(torch.where(kept, w, other)) == original).sum())
        same_free += int((present(other) == original).sum())
    return Constancy(attribute, int(kept.sum()), kept.numel(), same / len(originals), same_free / len(originals))
