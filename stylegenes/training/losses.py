"""Adversarial losses: what the two players want from the logits."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch.nn.functional import softplus

from stylegenes.registry import Registry
from stylegenes.shape import Factor


class AdversarialLoss(ABC):
    """A generator term and a discriminator term, both [N, K] from logits [N, K].

    Attributes:
        paired: whether a term compares a real with a fake logit. An unpaired discriminator term splits into
            `on_real` and `on_fake`, which are back-propagated one after the other to save memory.
    """

    paired: bool = False

    @abstractmethod
    def generator(self, fake: torch.Tensor, real: torch.Tensor | None = None) -> torch.Tensor:
        """The generator's loss; `real` logits are given to paired losses only."""

    @abstractmethod
    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """The discriminator's loss."""

    def on_real(self, logits: torch.Tensor) -> torch.Tensor:
        """The part of an unpaired loss that reals have."""
        raise NotImplementedError("a paired loss has no part of its own for reals")

    def on_fake(self, logits: torch.Tensor) -> torch.Tensor:
        """The part of an unpaired loss that fakes have."""
        raise NotImplementedError("a paired loss has no part of its own for fakes")


class UnpairedLoss(AdversarialLoss):
    """A loss whose discriminator term is a sum over reals and fakes."""

    @abstractmethod
    def on_real(self, logits: torch.Tensor) -> torch.Tensor:
        """The discriminator's loss on real logits."""

    @abstractmethod
    def on_fake(self, logits: torch.Tensor) -> torch.Tensor:
        """The discriminator's loss on fake logits."""

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """The sum of both terms."""
        return self.on_real(real) + self.on_fake(fake)


LOSSES: Registry[AdversarialLoss] = Registry("adversarial loss")


@LOSSES.register("nonsaturating")
class NonSaturating(UnpairedLoss):
    """-log sigmoid of the logits one wants to be high (Goodfellow et al. 2014, section 3)."""

    def generator(self, fake: torch.Tensor, real: torch.Tensor | None = None) -> torch.Tensor:
        """softplus(-D(fake))."""
        return softplus(-fake)

    def on_real(self, logits: torch.Tensor) -> torch.Tensor:
        """softplus(-D(real))."""
        return softplus(-logits)

    def on_fake(self, logits: torch.Tensor) -> torch.Tensor:
        """softplus(D(fake))."""
        return softplus(logits)


@LOSSES.register("wasserstein")
class Wasserstein(UnpairedLoss):
    """Difference of mean logits, with a small pull of real logits to zero (Karras et al. 2018, appendix A.1)."""

    def __init__(
        self,
        drift: Factor = 0.001,  # weight of the mean square of the real logits
    ) -> None:
        self.drift = drift

    def generator(self, fake: torch.Tensor, real: torch.Tensor | None = None) -> torch.Tensor:
        """-D(fake)."""
        return -fake

    def on_real(self, logits: torch.Tensor) -> torch.Tensor:
        """-D(real) + drift D(real)^2."""
        return self.drift * logits.square() - logits

    def on_fake(self, logits: torch.Tensor) -> torch.Tensor:
        """D(fake)."""
        return logits


@LOSSES.register("hinge")
class Hinge(UnpairedLoss):
    """Margins of one on both sides (Lim and Ye 2017), as ProjectedGAN and FastGAN use it."""

    def generator(self, fake: torch.Tensor, real: torch.Tensor | None = None) -> torch.Tensor:
        """-D(fake)."""
        return -fake

    def on_real(self, logits: torch.Tensor) -> torch.Tensor:
        """max(0, 1 - D(real))."""
        return (1 - logits).relu()

    def on_fake(self, logits: torch.Tensor) -> torch.Tensor:
        """max(0, 1 + D(fake))."""
        return (1 + logits).relu()


@LOSSES.register("relativistic")
class Relativistic(AdversarialLoss):
    """Each fake is compared with a real one (Jolicoeur-Martineau 2019), the loss of R3GAN (Huang et al. 2024)."""

    paired = True

    def generator(self, fake: torch.Tensor, real: torch.Tensor | None = None) -> torch.Tensor:
        """softplus(-(D(fake) - D(real)))."""
        assert real is not None, "a paired loss is given both logits"
        return softplus(real - fake)

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """softplus(-(D(real) - D(fake)))."""
        return softplus(fake - real)
