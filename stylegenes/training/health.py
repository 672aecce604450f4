"""How a run is doing, in words."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Signs:
    """What health is judged by, means since the last status line.

    Attributes:
        gap: D(real) - D(fake).
        real_sign: r_t, mean sign of D(real).
        grad_G: norm of the generator's gradient.
        grad_D: norm of the discriminator's gradient.
        diversity: pixel standard deviation over fixed codes, as a share of that over real images.
        kimg: thousand images so far.
    """

    gap: float
    real_sign: float
    grad_G: float
    grad_D: float
    diversity: float
    kimg: float


def pixel_diversity(images: torch.Tensor) -> float:
    """Standard deviation of each pixel over the pictures [N, C, H, W], averaged over pixels."""
    return images.float().std(dim=0).mean().item()


class Health:
    """Remembers past gradients, so that a jump can be told."""

    MEMORY = 20
    """Status lines that a jump is measured against."""

    def __init__(self) -> None:
        self._past: dict[str, list[float]] = {"G": [], "D": []}

    def judge(self, signs: Signs) -> str:
        """`healthy`, or what is wrong and what may help."""
        complaint = self._complaint(signs)
        for player, norm in (("G", signs.grad_G), ("D", signs.grad_D)):
            self._past[player] = [*self._past[player], norm][-self.MEMORY :]
        return complaint or "healthy"

    def _complaint(self, signs: Signs) -> str | None:
        if signs.kimg > 20 and signs.diversity < 0.25:
            return (
                f"collapsing: different codes give nearly the same picture ({signs.diversity:.0%} of the data's "
                "variety); try a larger R1 gamma or a lower learning rate"
            )
        if signs.real_sign > 0.9 and signs.kimg > 20:
            return (
                f"D tells nearly every real image (r_t {signs.real_sign:+.2f}): it may be memorising them; try "
                "adaptive augmentation, mirror or more data"
            )
        if signs.gap > 15:
            return f"D wins by far (gap {signs.gap:.1f}): G learns little from it; try a larger R1 gamma"
        if signs.grad_G < 1e-6:
            return "G gets almost no gradient; D has won or G has died"
        for player, norm in (("G", signs.grad_G), ("D", signs.grad_D)):
            past = self._past[player]
            if len(past) >= 5 and norm > 20 * statistics.median(past):
                return f"the gradient of {player} jumped to {norm / statistics.median(past):.0f} times its usual norm"
        return None
