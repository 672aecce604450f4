"""What the verbs that look into a model's latent share: the opened model, codes, judges, tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from stylegenes.devices import pick_device
from stylegenes.drawing import Look, codes_of_seeds, draw_ws, express
from stylegenes.generator import Generator
from stylegenes.notation import parse_codes, parse_label, parse_seeds
from stylegenes.perception import AttributeClassifier, PerceptualDistance, PerceptualLite0
from stylegenes.pictures import grid, save_picture, visible_scale
from stylegenes.records import Condition
from stylegenes.snapshot import Card, load_snapshot


@dataclass(frozen=True)
class Opened:
    """A model, ready to be looked into.

    Attributes:
        generator: in evaluation mode.
        card: where it comes from.
        condition: one row for a model with labels, else None.
        device: where it is.
    """

    generator: Generator
    card: Card
    condition: Condition | None
    device: torch.device

    def codes(self, seeds: str, codes: str | None = None) -> torch.Tensor:
        """Codes [N, ...] of code strings, or else of seeds."""
        if codes is not None:
            return self.generator.latent.from_strings(parse_codes(codes))
        return codes_of_seeds(self.generator, parse_seeds(seeds))

    @property
    def look(self) -> Look:
        """Stored noise, no truncation, the label."""
        return Look(condition=self.condition or Condition())

    def ws(self, codes: torch.Tensor) -> torch.Tensor:
        """The style vectors [N, num_ws, w_dim] of codes."""
        return express(self.generator, codes, self.look)

    def pictures(self, ws: torch.Tensor) -> list[np.ndarray]:
        """Pictures [H, W, C] of style vectors [N, num_ws, w_dim], with the stored noise."""
        return list(draw_ws(self.generator, ws, self.look))

    def random(self, seed: int) -> torch.Generator:
        """A source of randomness that gives the same on every device."""
        return torch.Generator().manual_seed(seed)


def open_model(path: Path, label: str | None, device: str) -> Opened:
    """Load a snapshot for looking into its latent.

    Raises:
        UserError: for a bad snapshot, label or device.
    """
    where = pick_device(device)
    snapshot = load_snapshot(path, where)
    row = parse_label(label, snapshot.generator.label_dim, snapshot.card.data)
    condition = None if row is None else Condition(label=row.to(where))
    return Opened(snapshot.generator, snapshot.card, condition, where)


def open_classifier(path: Path | None, device: torch.device) -> AttributeClassifier | None:
    """The classifier at a path; None stays None."""
    from stylegenes.metrics.classifier_files import load_classifier

    return None if path is None else load_classifier(path, device)


def open_perceptual(device: torch.device) -> PerceptualDistance:
    """The perceptual distance that every verb reports, frozen."""
    return PerceptualLite0().eval().requires_grad_(False).to(device)


def write_strip(
    path: Path, pictures: Sequence[np.ndarray], columns: int, captions: Sequence[str] | None, resolution: int
) -> Path:
    """Write pictures in rows of `columns`, enlarged so that they can be seen. Returns the path."""
    sheet = grid(pictures, columns=columns, captions=captions, scale=visible_scale(resolution))
    return save_picture(path, sheet)


def evenly(count: int) -> list[float]:
    """`count` positions from -1 to 1, with an exact zero in the middle of an odd count."""
    return [2 * i / (count - 1) - 1 for i in range(count)]
