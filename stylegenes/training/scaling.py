"""What several devices make of the speed of one: an arithmetic model of data-parallel training, and nothing measured.

A step is made of phases (a player's loss, or a lazy penalty every so many steps). In each, every process computes on
its share of the batch, then all add their gradients in one flat all-reduce, which nothing hides. A ring moves
2 (n - 1) / n of the gradients over the slowest link in 2 (n - 1) hops; a tree moves twice the gradients in
2 log2(n) hops (Thakur, Rabenseifner, Gropp 2005); the quicker of the two counts. Not in the model: processes that wait
for the slowest one, other traffic on the link, reading of pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stylegenes.errors import UserError

BYTES = 4
"""Of a gradient, which is averaged in float32."""


@dataclass(frozen=True)
class Link:
    """The slowest link between two neighboring processes.

    Attributes:
        gbit: 10^9 bits a second in one direction, as much of it as an all-reduce gets.
        microseconds: of a hop, with the software's part.
    """

    gbit: float
    microseconds: float

    def __post_init__(self) -> None:
        if not (0 < self.gbit < math.inf and 0 <= self.microseconds < math.inf):
            raise UserError(
                f"a link has a speed above 0 and a latency from 0 on; got {self.gbit} Gbit/s, {self.microseconds} us"
            )


WITHIN_NODE, BETWEEN_NODES = Link(1600.0, 10.0), Link(100.0, 20.0)
"""Assumed where nothing is said: NVLink inside a node, one 100 Gbit/s adapter a node between them."""


@dataclass(frozen=True)
class PhaseCost:
    """One phase of a step on one process.

    Attributes:
        name: of the phase.
        gradients: numbers that are averaged.
        interval: steps from one to the next.
        seconds: of computing on a process's share of the batch.
    """

    name: str
    gradients: int
    interval: int
    seconds: float


@dataclass(frozen=True)
class Scaling:
    """Training on several processes, predicted.

    Attributes:
        ranks: processes.
        batch: images a step over all of them.
        compute: seconds of a step, mean over its lazy phases.
        exchange: seconds of its all-reduces.
    """

    ranks: int
    batch: int
    compute: float
    exchange: float

    @property
    def images_per_second(self) -> float:
        """Over all processes."""
        return self.batch / (self.compute + self.exchange)

    @property
    def efficiency(self) -> float:
        """Part of the time that is computing: against as many lone processes with the same share of the batch."""
        return self.compute / (self.compute + self.exchange)

    def hours(self, kimg: float) -> float:
        """For a run of so many thousand images."""
        return kimg * 1000 / self.images_per_second / 3600

    def cost(self, kimg: float, price: float) -> float:
        """Of a run, for a price of one device and hour."""
        return self.hours(kimg) * self.ranks * price


def all_reduce_seconds(size: int, ranks: int, link: Link) -> float:
    """Duration of one all-reduce.

    Args:
        size: bytes on each process.
        ranks: processes.
        link: between neighbors.
    """
    if ranks == 1:
        return 0.0
    stream, hop = size * 8 / (link.gbit * 1e9), link.microseconds * 1e-6
    ring = 2 * (ranks - 1) / ranks * stream + 2 * (ranks - 1) * hop
    tree = 2 * stream + 2 * math.ceil(math.log2(ranks)) * hop
    return min(ring, tree)


def predict(phases: Sequence[PhaseCost], *, batch: int, ranks: int, link: Link) -> Scaling:
    """The step of all phases, each weighted by how often it happens.

    Args:
        phases: with their seconds on one process's share.
        batch: images a step over all processes.
        ranks: processes.
        link: between neighbors.
    """
    compute = sum(phase.seconds / phase.interval for phase in phases)
    exchange = sum(all_reduce_seconds(BYTES * phase.gradients, ranks, link) / phase.interval for phase in phases)
    return Scaling(ranks, batch, compute, exchange)


def from_rate(phases: Sequence[PhaseCost], rate: float, share: int) -> list[PhaseCost]:
    """The same phases with seconds that add up to a known speed of one device.

    Args:
        phases: their seconds are not read.
        rate: images a second of one device with `share` images a step.
        share: images of one process in a step.

    Raises:
        UserError: for a rate that is not positive.
    """
    if not 0 < rate < math.inf:
        raise UserError(f"a device makes a positive number of images a second; got {rate}")
    often = sum(1 / phase.interval for phase in phases)
    return [PhaseCost(one.name, one.gradients, one.interval, share / rate / often) for one in phases]
