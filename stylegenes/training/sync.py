"""Ranks: what this process is among them, and the one collective of a phase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from lightning_fabric import Fabric


class LostContact(RuntimeError):
    """The other processes do not answer: one of them is gone, or the network is."""


@dataclass(frozen=True)
class Ranks:
    """The processes of a run. They exchange gradients once a phase, in one flat sum.

    Attributes:
        fabric: the engine; launched.
    """

    fabric: Fabric

    @property
    def rank(self) -> int:
        """Number of this process over all nodes."""
        return self.fabric.global_rank

    @property
    def count(self) -> int:
        """Number of processes over all nodes."""
        return self.fabric.world_size

    @property
    def first(self) -> bool:
        """Whether this process logs and writes."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        """Where this process computes."""
        return self.fabric.device

    def mean(self, flat: torch.Tensor) -> torch.Tensor:
        """The mean of `flat`, which is overwritten, over the processes; every process gets the very same bits.

        Raises:
            LostContact: when another process is gone.
        """
        if self.count == 1:
            return flat
        with _contact():
            # The engine's own would make every process wait for all others first, one more exchange a phase.
            dist.all_reduce(flat)
        return flat.div_(self.count)

    def meet(self) -> None:
        """Wait until every process is here.

        Raises:
            LostContact: when another process is gone.
        """
        with _contact():
            self.fabric.barrier()

    def all_of(self, number: int) -> list[int]:
        """A whole number of every process, by rank.

        Raises:
            LostContact: when another process is gone.
        """
        if self.count == 1:
            return [number]
        own = torch.tensor(number, device=self.device)
        found = [torch.empty_like(own) for _ in range(self.count)]
        with _contact():
            dist.all_gather(found, own)
        return [int(one) for one in found]


@contextmanager
def _contact() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostContact(str(error).partition("]")[2].strip() or str(error)) from error


@dataclass(frozen=True)
class Averages:
    """What the processes agreed on besides the gradients.

    Attributes:
        extras: [K], the averaged statistics.
        grad_norm: [], norm of the averaged gradient.
    """

    extras: torch.Tensor
    grad_norm: torch.Tensor


def average_gradients(ranks: Ranks, parameters: Sequence[torch.nn.Parameter], extras: torch.Tensor) -> Averages:
    """Average the gradients and a vector of statistics over the processes, in one flat all-reduce.

    Args:
        ranks: the processes.
        parameters: those of one player; a missing gradient counts as zero, so that every process sends the same.
        extras: [K] float, statistics to be averaged along.

    Returns:
        The averaged extras, and the norm of the averaged gradient.
    """
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if ranks.count > 1:
        mean = ranks.mean(torch.cat([*[gradient.flatten() for gradient in gradients], extras]))
        *parts, extras = mean.split([*[gradient.numel() for gradient in gradients], extras.numel()])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view(gradient.shape))
    return Averages(extras, torch.nn.utils.get_total_norm(gradients))
