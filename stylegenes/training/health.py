"""How a run is doing, in words."""

from __future__ import annotations

import math
import statistics
from collections import deque
from dataclasses import dataclass, field, replace
from typing import ClassVar

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
        losses: by phase.
        images: images that the means are over.
        gene_usage: effective share of the genes in the variance of w, 1 where there are no genes.
    """

    gap: float
    real_sign: float
    grad_G: float
    grad_D: float
    diversity: float
    kimg: float
    losses: dict[str, float] = field(default_factory=dict)
    images: int = 1024
    gene_usage: float = 1.0


def pixel_diversity(images: torch.Tensor) -> float:
    """Standard deviation of each pixel over the pictures [N, C, H, W], averaged over pixels."""
    return images.float().std(dim=0).mean().item()


class Health:
    """Remembers past gradients, so that a jump can be told, and past lines, so that one batch decides nothing."""

    MEMORY = 20
    """Status lines that a jump is measured against."""

    IMAGES = 256
    """Images that a judgment is over at least."""

    LARGEST: ClassVar = {"loss": 1e4, "gradient": 1e6}
    """Beyond these a number is taken for a divergence."""

    def __init__(self) -> None:
        self._past: dict[str, list[float]] = {"G": [], "D": []}
        self._recent: deque[Signs] = deque()

    def verdict(self, signs: Signs) -> str:
        """`healthy`, or what is wrong and what may help; what a sitting begins with is too little to judge."""
        self._recent.append(signs)
        while sum(line.images for line in self._recent) - self._recent[0].images >= self.IMAGES:
            self._recent.popleft()
        complaint = self._diverging(signs)
        if complaint is None and sum(line.images for line in self._recent) < self.IMAGES:
            return "too early to judge"
        complaint = complaint or self._complaint(self._pooled())
        for player, norm in (("G", signs.grad_G), ("D", signs.grad_D)):
            self._past[player] = [*self._past[player], norm][-self.MEMORY :]
        return complaint or "healthy"

    def _pooled(self) -> Signs:
        """The last lines as one: means of what single batches scatter in."""
        total = sum(line.images for line in self._recent)

        def mean(name: str) -> float:
            return sum(getattr(line, name) * line.images for line in self._recent) / total

        return replace(self._recent[-1], gap=mean("gap"), real_sign=mean("real_sign"), grad_G=mean("grad_G"))

    def _diverging(self, signs: Signs) -> str | None:
        numbers = [("loss", name, value) for name, value in signs.losses.items()]
        numbers += [("gradient", "G", signs.grad_G), ("gradient", "D", signs.grad_D)]
        for kind, name, value in numbers:
            if not math.isfinite(value) or abs(value) > self.LARGEST[kind]:
                advice = "lower the learning rates, or raise the gamma of R1"
                return f"diverging: the {kind} of {name} is {value:.3g}; {advice}"
        return None

    def _complaint(self, signs: Signs) -> str | None:
        if not math.isfinite(signs.diversity):
            return f"diverging: the pictures have a variety of {signs.diversity}"
        if signs.kimg > 20 and signs.diversity < 0.25:
            return (
                f"collapsing: different codes give nearly the same picture ({signs.diversity:.0%} of the data's "
                "variety); try a larger R1 gamma or a lower learning rate"
            )
        if signs.kimg > 20 and signs.gene_usage < 0.25:
            return (
                f"few genes matter: the variants of most have grown alike (gene usage {signs.gene_usage:.0%}); try "
                "lower learning rates or more variants a gene"
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
        for player, norm in (("G", self._recent[-1].grad_G), ("D", signs.grad_D)):
            past = self._past[player]
            if len(past) >= 5 and norm > 20 * statistics.median(past):
                return f"the gradient of {player} jumped to {norm / statistics.median(past):.0f} times its usual norm"
        return None
