"""What phases of a training step leave behind: numbers with names, and the one place that lays them into a vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch


@dataclass
class Tally:
    """Sums over micro-batches. Everything in it is averaged over ranks with the gradients.

    Attributes:
        stop: [], whether this rank wishes to stop.
        loss: [], mean loss of the phase.
        real_sign: [], mean sign of D(real).
        real_logit: [], mean of D(real).
        fake_logit: [], mean of D(fake).
        w: [w_dim], mean of w.
        synthesis: what the synthesis network observed.
        observed: what each regularizer of the phase observed.
    """

    stop: torch.Tensor
    loss: torch.Tensor
    real_sign: torch.Tensor
    real_logit: torch.Tensor
    fake_logit: torch.Tensor
    w: torch.Tensor
    synthesis: torch.Tensor
    observed: list[torch.Tensor]

    def flat(self) -> torch.Tensor:
        """All of it in one vector [K]."""
        return torch.cat([part.flatten() for part in self._parts()])

    def read(self, flat: torch.Tensor) -> Tally:
        """A tally of these shapes from the vector [K] that `flat` made."""
        parts = self._parts()
        pieces = flat.split([part.numel() for part in parts])
        shaped = [piece.view(part.shape) for piece, part in zip(pieces, parts, strict=True)]
        single = len(parts) - len(self.observed)
        return Tally(*shaped[:single], observed=shaped[single:])

    def _parts(self) -> list[torch.Tensor]:
        return [getattr(self, f.name) for f in fields(self) if f.name != "observed"] + self.observed


@dataclass(frozen=True)
class PhaseResult:
    """What a phase did, the same on every rank; scalars on the device, where reading one waits for it.

    Attributes:
        stop: share of ranks that wish to stop.
        loss: mean loss.
        real_sign: mean sign of D(real).
        real_logit: mean D(real).
        fake_logit: mean D(fake).
        grad_norm: norm of the averaged gradient; not finite where the loss or a gradient was not.
        name: the phase's.
    """

    stop: torch.Tensor
    loss: torch.Tensor
    real_sign: torch.Tensor
    real_logit: torch.Tensor
    fake_logit: torch.Tensor
    grad_norm: torch.Tensor
    name: str

    @classmethod
    def of(cls, tally: Tally, grad_norm: torch.Tensor, name: str) -> PhaseResult:
        """The result of a phase whose averaged tally and gradient these are."""
        norm = grad_norm + 0 * tally.loss
        return cls(tally.stop, tally.loss, tally.real_sign, tally.real_logit, tally.fake_logit, norm, name)

    @classmethod
    def read(cls, flat: torch.Tensor, name: str) -> PhaseResult:
        """A result from the vector [6] that `flat` made."""
        return cls(*flat.unbind(), name=name)

    def flat(self) -> torch.Tensor:
        """Its numbers in one vector [6]: what a graph gives back, and one kernel sums."""
        return torch.stack([getattr(self, f.name) for f in fields(self) if f.name != "name"])


class PhaseMeans:
    """Means of what the phases of a step did over some steps, summed on the device."""

    def __init__(self) -> None:
        self._sums: dict[str, torch.Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, results: Sequence[PhaseResult]) -> None:
        """Take in the results of a step."""
        for result in results:
            self._sums[result.name] = self._sums.get(result.name, 0) + result.flat()
            self._counts[result.name] = self._counts.get(result.name, 0) + 1

    def read(self) -> list[PhaseResult]:
        """The mean of each phase, on the CPU."""
        return [PhaseResult.read((total / self._counts[name]).cpu(), name) for name, total in self._sums.items()]
