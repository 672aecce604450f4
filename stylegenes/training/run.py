"""A run at work on one rank: what the loop, the checkpoints, the status line and the evaluation share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from stylegenes.devices import make_deterministic
from stylegenes.errors import UserError
from stylegenes.records import Condition
from stylegenes.training.batch import BatchPlan, plan_batch
from stylegenes.training.changed import other_data
from stylegenes.training.config import RunConfig
from stylegenes.training.feed import Data, pool_of
from stylegenes.training.phases import PhaseLog
from stylegenes.training.players import Players, build_players
from stylegenes.training.report import Reporter
from stylegenes.training.state import STATE_FILE, Counters, read_state, restore, write_state
from stylegenes.training.stopping import StopRequest
from stylegenes.training.sync import Ranks


@dataclass
class Run:
    """One sitting of a run on one rank.

    Attributes:
        config: complete.
        folder: the run folder, shared by all ranks.
        data: what is learned.
        ranks: the processes.
        wish: whether this rank wishes to stop.
        announce: told what this rank is doing.
        plan: how the batch is divided.
        players: the networks and what belongs to them.
        pool: labels [M, L] and cameras [M, 25] that the fakes' are drawn from, on the CPU.
        signs: sum of the mean sign of D(real) since augmentation was last adjusted, on the device.
        counters: how far the run is.
        reporter: tells people how it goes, on the first rank; None for silence.
        metrics: values of the last evaluation.
        left: where the sitting was left because something due was interrupted: what follows is not kept.
    """

    config: RunConfig
    folder: Path
    data: Data
    ranks: Ranks
    wish: StopRequest
    announce: PhaseLog
    plan: BatchPlan
    players: Players
    pool: Condition
    signs: torch.Tensor
    counters: Counters = field(default_factory=Counters)
    reporter: Reporter | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    left: Counters | None = None

    @property
    def total_images(self) -> int:
        """Length of the run in images."""
        return round(self.config.kimg * 1000)

    @property
    def state_file(self) -> Path:
        """Where the state is."""
        return self.folder / STATE_FILE

    @property
    def snapshots(self) -> Path:
        """The folder of snapshots."""
        return self.folder / "snapshots"

    @property
    def samples(self) -> Path:
        """The folder of image grids."""
        return self.folder / "samples"

    def save(self) -> None:
        """Write the state; only the first rank does, since the ranks hold the same.

        Raises:
            UserError: when it cannot be written.
        """
        self.announce("writing the state")
        if self.ranks.first and self.left is None:
            self.counters.sign_sum = self.signs.item()
            write_state(self.state_file, self.players, self.counters, self.data.content_hash)

    def load(self) -> None:
        """Take the state that the folder holds.

        Raises:
            UserError: when it is damaged, of other data or networks, or another one than the other ranks find.
        """
        self.announce("reading the state")
        stored = read_state(self.state_file)
        if stored.data_hash != self.data.content_hash:
            raise UserError(other_data(self.folder, self.data))
        steps = self.ranks.all_of(stored.counters.step)
        if len(set(steps)) > 1:
            other = next(rank for rank, step in enumerate(steps) if step != steps[0])
            raise UserError(
                f"rank {other} finds a state of step {steps[other]} in {self.state_file}, and rank 0 one of step "
                f"{steps[0]}; all hosts must see the same folder. Run the same command again"
            )
        restore(self.players, stored, str(self.state_file))
        self.counters = stored.counters
        self.signs.fill_(stored.counters.sign_sum)


def open_run(
    config: RunConfig,
    folder: Path,
    data: Data,
    ranks: Ranks,
    *,
    wish: StopRequest,
    announce: PhaseLog,
    reporter: Reporter | None = None,
) -> Run:
    """Build the networks and divide the batch; the state stays on disk until `Run.load`.

    Args:
        config: complete.
        folder: the run folder, shared by all ranks.
        data: what is learned.
        ranks: the processes.
        wish: looked at after each step: whether this rank wishes to stop.
        announce: told what this rank is doing.
        reporter: tells people how it goes, on the first rank; None for silence.

    Raises:
        UserError: for a configuration that cannot run here.
    """
    plan = plan_batch(config.batch, ranks=ranks.count, discriminator=config.model.discriminator)
    if config.batch.deterministic and ranks.device.type == "cuda":
        make_deterministic()
    announce("building the networks")
    # The state replaces whatever a start would give, and the start may be gone by the time a run is resumed.
    begun = (folder / STATE_FILE).is_file()
    players = build_players(replace(config, init_from=None) if begun else config, ranks.device)
    pool = _pool(config, data, players)
    signs = torch.zeros((), device=ranks.device)
    return Run(config, folder, data, ranks, wish, announce, plan, players, pool, signs, reporter=reporter)


def _pool(config: RunConfig, data: Data, players: Players) -> Condition:
    """What fakes are told; 3D networks remember the data's views for when nobody tells them one."""
    synthesis = players.G.synthesis
    pool = pool_of(data, synthesis, labels=config.data.labels, mirror=config.data.mirror, seed=config.seed)
    if synthesis.has_camera and data.cameras(torch.arange(1)) is not None and pool.camera is not None:
        for network in (synthesis, players.ema.synthesis):
            network.remember_views(pool.camera)
    return pool
