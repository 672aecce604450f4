"""The processes of a run that a launcher started, on one host or several: they meet, agree, and watch each other."""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch.distributed as dist
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from torch.distributed import PrefixStore, Store  # type: ignore[reportPrivateImportUsage]

from stylegenes.errors import UserError, shown
from stylegenes.training.machine import Machine
from stylegenes.training.meeting import INTERFACE, Seat, choose_interface, open_meeting, resolve
from stylegenes.training.phases import RankStatus, read_statuses
from stylegenes.training.sync import LostContact
from stylegenes.training.watch import AGAIN, Watch, Wire, accept, connect, listen

log = logging.getLogger(__name__)

_GONE = 5.0
"""Seconds after an error in which it must have turned out whether somebody is gone."""


@dataclass(frozen=True)
class Company:
    """All processes of a run, as one of them sees them.

    Attributes:
        seat: of this process.
        store: for notes between the processes.
        watch: over them.
        hosts: of every rank.
    """

    seat: Seat
    store: Store
    watch: Watch
    hosts: dict[int, str]

    def gather(self, topic: str, note: str) -> dict[int, str]:
        """What every rank notes about a topic, as soon as all have; it may take as long as they live.

        Raises:
            LostContact: when one of them is gone.
        """
        self.store.set(f"{topic}/{self.seat.rank}", note)
        names = [f"{topic}/{rank}" for rank in range(self.seat.count)]
        while not _wait(self.store, names, 1.0):
            if self.watch.lost is not None:
                raise LostContact(self.watch.lost.sentence())
        return {rank: self.store.get(name).decode() for rank, name in enumerate(names)}

    def agree(self, topic: str, problem: str) -> None:
        """End on all ranks when one has a problem; "" is none.

        Raises:
            UserError: the first problem there is.
        """
        told = next(filter(None, self.gather(topic, problem).values()), None)
        if told is not None:
            raise UserError(told)

    def explain(self, folder: Path, error: Exception) -> str | None:
        """Who is gone, if that is what the error comes from; else None."""
        lost = self.watch.wait(_GONE)
        last = {status.rank: status for status in read_statuses(folder)}
        if lost is not None:
            return lost.sentence(_at(last.get(lost.rank)))
        if isinstance(error, LostContact):
            others = "; ".join(
                f"rank {rank} on {shown(host)} was last{_at(last.get(rank)) or ' nowhere'}"
                for rank, host in self.hosts.items()
                if rank != self.seat.rank
            )
            return f"rank {self.seat.rank} got no answer from the others ({error}): {others}. {AGAIN}"
        return None


def _at(status: RankStatus | None) -> str:
    """Where a rank last was."""
    return f" at step {status.step} in the phase '{status.phase}'" if status is not None else ""


@contextmanager
def company(environment: ClusterEnvironment, machine: Machine, *, silence: float) -> Iterator[Company]:
    """Bring the processes that a launcher started together, and watch them while they work.

    Args:
        environment: what the launcher says.
        machine: that the run happens on.
        silence: seconds without a sign of life after which a host counts as gone.

    Raises:
        UserError: when they do not all come, naming those that are missing.
    """
    told = Seat(environment.global_rank(), environment.world_size(), environment.main_address, environment.main_port)
    meeting = open_meeting(told, machine.patience)
    seat, store = meeting.seat, meeting.store
    try:
        hosts = _meet(seat, store, machine.patience, several=machine.nodes > 1)
    except LostContact as error:
        raise UserError(f"rank 0 ended before all were there, says {seat}; see what its host says") from error
    watch = _open_watch(seat, store, hosts[0], machine.patience, silence)
    try:
        _form_group(seat, store, machine)
        yield Company(seat, store, watch, hosts)
    except BaseException as error:
        watch.close(str(error) or type(error).__name__)
        raise
    watch.close()
    leave_group()


def leave_group() -> None:
    """Close this process's connections to the others once its work is done.

    Threads of theirs that still run when a process ends may abort it, after everything went well.
    """
    if dist.is_initialized():
        dist.destroy_process_group()


def _meet(seat: Seat, store: Store, patience: float, *, several: bool) -> dict[int, str]:
    """The host of every rank, once all are here; chooses the interface to them where nobody did."""
    me = {"host": socket.gethostname(), "main": resolve(seat.main, patience)}
    store.set(f"here/{seat.rank}", json.dumps(me))
    names = [f"here/{rank}" for rank in range(seat.count)]
    if not _wait(store, names, patience):
        missing = [str(rank) for rank, name in enumerate(names) if not store.check([name])]
        raise UserError(
            f"rank {', '.join(missing[:9])}{' ...' * (len(missing) > 9)} of {seat.count} did not come within "
            f"{patience:g} s, says {seat}; see what its host says, and start all of them again"
        )
    here = {rank: json.loads(store.get(name)) for rank, name in enumerate(names)}
    if several:
        chosen = choose_interface({rank: note["main"] for rank, note in here.items()}, seat)
        if chosen is not None:
            os.environ[INTERFACE] = chosen
    return {rank: note["host"] for rank, note in here.items()}


def _form_group(seat: Seat, store: Store, machine: Machine) -> None:
    """Join the group that exchanges gradients. The engine finds it there and forms none."""
    board = PrefixStore("group", store)
    wait = timedelta(seconds=machine.patience)
    try:
        dist.init_process_group(machine.backend, store=board, rank=seat.rank, world_size=seat.count, timeout=wait)
    except RuntimeError as error:
        way = f"the interface {os.environ[INTERFACE]}" if INTERFACE in os.environ else "the address of its own name"
        raise UserError(
            f"{seat} cannot reach the others by {way}: {error}. Set {INTERFACE} (with CUDA also NCCL_SOCKET_IFNAME) "
            "on each host to the interface that leads to the others"
        ) from error
    dist.distributed_c10d._set_pg_timeout(timedelta(seconds=machine.timeout))


def _open_watch(seat: Seat, store: Store, first: str, patience: float, silence: float) -> Watch:
    """Rank 0 listens, the others connect to it."""
    hello = {"token": secrets.token_hex(16), "rank": seat.rank, "host": socket.gethostname()}
    try:
        if seat.rank == 0:
            with listen() as server:
                store.set("watch", json.dumps([server.getsockname()[1], hello["token"]]))
                links = accept(server, seat.count - 1, str(hello["token"]), patience)
        else:
            port, hello["token"] = json.loads(store.get("watch"))
            links = [Wire.to(0, first, connect(seat.main, port, hello, patience))]
    except OSError as error:
        raise UserError(
            f"{seat} has no connection to the others, which goes by a port that rank 0's host chooses: {error}. "
            "See that no firewall is between the hosts"
        ) from error
    return Watch(links, silence, _end)


def _wait(store: Store, names: list[str], seconds: float) -> bool:
    """Whether all notes are there, or were within so many seconds. The store's own waiting warns of every second."""
    until = time.monotonic() + seconds
    try:
        while not (found := store.check(names)) and time.monotonic() < until:
            time.sleep(0.05)
    except dist.DistError as error:
        raise LostContact(str(error)) from error
    return found


def _end(sentence: str) -> None:
    """End this process, which waits for something that will not come."""
    sys.stderr.write(f"error: {sentence}\n")
    sys.stderr.flush()
    os._exit(1)
