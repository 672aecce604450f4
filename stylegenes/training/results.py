"""What phases of a training step leave behind."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass
class Tally:
    """Sums over micro-batches. Everything in it is averaged over ranks with the gradients.

    Attributes:
        loss: mean loss of the phase.
        real_sign: mean sign of D(real).
        real_logit: mean of D(real).
        fake_logit: mean of D(fake).
        w: mean of w, [w_dim].
        synthesis: what the synthesis network observed.
        observed: what each regularizer of the phase observed.
    """

    loss: torch.Tensor
    real_sign: torch.Tensor
    real_logit: torch.Tensor
    fake_logit: torch.Tensor
    w: torch.Tensor
    synthesis: torch.Tensor
    observed: list[torch.Tensor]

    def flat(self, stop: torch.Tensor) -> torch.Tensor:
        """All of it in one vector, with the wish to stop [1] in front."""
        head = torch.stack([self.loss, self.real_sign, self.real_logit, self.fake_logit])
        observed = [o.to(self.w) for o in (self.synthesis, *self.observed)]
        return torch.cat([stop.to(head), head, self.w, *observed])


@dataclass(frozen=True)
class PhaseResult:
    """What a phase did, the same on every rank.

    Attributes:
        name: the phase's.
        values: [6], the scalars below in their order, on the device: reading one waits for it.
    """

    name: str
    values: torch.Tensor

    @property
    def stop(self) -> torch.Tensor:
        """Share of ranks that wish to stop."""
        return self.values[0]

    @property
    def loss(self) -> torch.Tensor:
        """Mean loss."""
        return self.values[1]

    @property
    def real_sign(self) -> torch.Tensor:
        """Mean sign of D(real)."""
        return self.values[2]

    @property
    def real_logit(self) -> torch.Tensor:
        """Mean D(real)."""
        return self.values[3]

    @property
    def fake_logit(self) -> torch.Tensor:
        """Mean D(fake)."""
        return self.values[4]

    @property
    def grad_norm(self) -> torch.Tensor:
        """Norm of the averaged gradient; not finite where the loss or a gradient was not."""
        return self.values[5]
