"""How a batch is divided over processes and micro-batches; refused before launch where it does not divide."""

from __future__ import annotations

from dataclasses import dataclass

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError
from stylegenes.registry import Spec
from stylegenes.training.config import BatchConfig


@dataclass(frozen=True)
class BatchPlan:
    """total = micro x accumulation x ranks.

    Attributes:
        total: images a step over all ranks.
        micro: images in one forward pass.
        accumulation: forward passes of one rank in a phase.
        ranks: processes.
        group: samples that a micro-batch holds a multiple of.
    """

    total: int
    micro: int
    accumulation: int
    ranks: int
    group: int

    def __str__(self) -> str:
        return f"{self.total} = {self.micro} x {self.accumulation} accumulation x {self.ranks} ranks"


def group_size(discriminator: Spec) -> int | None:
    """Samples that one minibatch standard deviation is taken over: 1 without one, None for the whole batch."""
    accepted = DISCRIMINATORS.parameters(discriminator["name"])
    if "mbstd_group_size" not in accepted:
        return 1
    channels = discriminator.get("mbstd_num_channels", accepted["mbstd_num_channels"].default)
    size = discriminator.get("mbstd_group_size", accepted["mbstd_group_size"].default)
    return size if channels else 1


def plan_batch(config: BatchConfig, *, ranks: int, discriminator: Spec) -> BatchPlan:
    """Divide the batch.

    Raises:
        UserError: when it does not divide; names the nearest values that do.
    """
    group = group_size(discriminator)
    if group is None:
        group = max(config.total, 1)
        if ranks > 1 or (config.micro or group) != group:
            raise UserError(
                "mbstd_group_size=none compares all images of a batch, which then cannot be cut for several processes "
                "or into micro-batches; set a number, as --set model.discriminator.mbstd_group_size=4"
            )
    if config.total < 1 or config.total % (ranks * group):
        near = _nearest_multiples(config.total, ranks * group)
        raise UserError(
            f"a batch of {config.total} does not divide over {ranks} processes in groups of {group} (minibatch "
            f"standard deviation); nearest totals that do: {near}. Set --set batch.total=..."
        )
    share = config.total // ranks
    micro = config.micro or share
    if micro < 1 or share % micro or micro % group:
        fitting = [m for m in range(group, share + 1, group) if share % m == 0]
        near = sorted(sorted(fitting, key=lambda m: abs(m - micro))[:2])
        raise UserError(
            f"a micro-batch of {micro} does not divide the {share} images of a process in groups of {group}; "
            f"nearest that do: {', '.join(map(str, near))}. Set --set batch.micro=..."
        )
    return BatchPlan(config.total, micro, share // micro, ranks, group)


def _nearest_multiples(value: int, step: int) -> str:
    below = max(value // step, 1) * step
    return " and ".join(map(str, sorted({below, (value // step + 1) * step})))
