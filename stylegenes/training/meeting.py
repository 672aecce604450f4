"""How the processes of a run on several hosts find each other, and what is said when they do not."""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import psutil
import torch.distributed as dist
from torch.distributed import PrefixStore, Store, TCPStore  # type: ignore[reportPrivateImportUsage]
from torch.distributed.rendezvous import rendezvous

from stylegenes.errors import UserError, shown

INTERFACE = "GLOO_SOCKET_IFNAME"
RESOLVE = 30.0
"""Seconds that the first host's name may take to become known."""


@dataclass(frozen=True)
class Seat:
    """Where a process stands among the others.

    Attributes:
        rank: its number.
        count: of processes over all hosts.
        main: name or address of the host of rank 0.
        port: at which rank 0's host is to be found.
    """

    rank: int
    count: int
    main: str
    port: int

    def __str__(self) -> str:
        """For messages: who this is."""
        return f"rank {self.rank} of {self.count}, on {shown(socket.gethostname())}"


@dataclass(frozen=True)
class Meeting:
    """Where the processes of one sitting meet.

    Attributes:
        seat: of this process; its main host is that of rank 0.
        store: for notes between the processes, without any of an earlier sitting.
    """

    seat: Seat
    store: Store


def open_meeting(seat: Seat, seconds: float, environ: Mapping[str, str] = os.environ) -> Meeting:
    """Find the others, or where they will come.

    torchrun has a store that outlives the processes and keeps the notes of those that broke, on a host that need not be
    that of rank 0. There rank 0 only says where its own is, which lives as long as it does.

    Args:
        seat: of this process, as the launcher says.
        seconds: that the others may take.
        environ: tells whether torchrun keeps a store.

    Raises:
        UserError: when rank 0's host is not found, does not answer, or its port is taken.
    """
    board = open_store(seat, seconds)
    if environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return Meeting(seat, board)
    if seat.rank == 0:
        store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False, timeout=timedelta(seconds=seconds))
        note = {"main": _address_towards(seat.main) or seat.main, "port": store.port, "token": secrets.token_hex(16)}
        store.set("token", note["token"])
        board.set("meeting", json.dumps(note))
        return Meeting(replace(seat, main=note["main"], port=note["port"]), store)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        note = json.loads(board.get("meeting"))
        try:
            store = TCPStore(note["main"], note["port"], is_master=False, timeout=timedelta(seconds=3))
            known = store.get("token").decode() == note["token"]
        except dist.DistError:
            known = False
        if known:
            store.set_timeout(timedelta(seconds=seconds))
            return Meeting(replace(seat, main=note["main"], port=note["port"]), store)
        time.sleep(0.2)
    raise UserError(f"rank 0 was not to be found for {seconds:g} s, says {seat}; see what its host says")


def open_store(seat: Seat, seconds: float) -> Store:
    """The store at the place that the launcher names.

    Raises:
        UserError: when rank 0's host is not found, does not answer, or its port is taken.
    """
    os.environ.update(MASTER_ADDR=seat.main, MASTER_PORT=str(seat.port))
    resolve(seat.main, min(RESOLVE, seconds))
    url = f"env://?rank={seat.rank}&world_size={seat.count}"
    try:
        store = next(rendezvous(url, timeout=timedelta(seconds=seconds)))[0]
    except (dist.DistError, RuntimeError) as error:
        where = f"{shown(seat.main)}, port {seat.port} (MASTER_ADDR, MASTER_PORT)"
        if "EADDRINUSE" in str(error) or "address already in use" in str(error).lower():
            raise UserError(
                f"{where} is taken by another program; set MASTER_PORT to a free port, the same on all hosts"
            ) from error
        raise UserError(
            f"nobody answered at {where} for {seconds:g} s, asked by {seat}. It must be the host of rank 0, by a name "
            "or an address that every host reaches, without a firewall between, and rank 0 must have been started"
        ) from error
    return PrefixStore("stylegenes", store)


def resolve(name: str, seconds: float) -> str:
    """The address of a host; a name may take a while to become known.

    Raises:
        UserError: when it stays unknown.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)[0][4][0]  # type: ignore[return-value]
        except socket.gaierror as error:
            if time.monotonic() > until:
                raise UserError(
                    f"{shown(socket.gethostname())} does not know the host {shown(name)} (MASTER_ADDR), where rank 0 "
                    "runs. Give it by its address: with torchrun add --local-addr ADDRESS on that host; else set "
                    "MASTER_ADDR on all hosts"
                ) from error
            time.sleep(0.5)


def choose_interface(seen: Mapping[int, str], seat: Seat, environ: Mapping[str, str] = os.environ) -> str | None:
    """The network interface to the other hosts, by name; None leaves it to the back end.

    Args:
        seen: the address that each rank knows rank 0's host by.
        seat: of this process.
        environ: names one, or not.

    Raises:
        UserError: when this host has no interface of the name that was given.
    """
    own = interfaces()
    if (given := environ.get(INTERFACE)) is not None:
        if given not in own.values():
            raise UserError(
                f"{INTERFACE} is {shown(given)}, and {shown(socket.gethostname())} has no such interface; it has "
                + ", ".join(sorted(set(own.values())))
            )
        return None
    # Rank 0's own host often knows itself by a loopback address; the other hosts know better.
    known = [own[address] for address in seen.values() if address in own and not _is_loopback(address)]
    return known[0] if known else own.get(_address_towards(seat.main))


def interfaces() -> dict[str, str]:
    """The interfaces of this host by address."""
    return {entry.address.partition("%")[0]: name for name, all_ in psutil.net_if_addrs().items() for entry in all_}


def _address_towards(main: str) -> str:
    """The address of this host from which packets to `main` leave, or "" where there is no way."""
    family, kind, protocol, _, where = socket.getaddrinfo(main, 9, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        try:
            probe.connect(where)
        except OSError:
            return ""
        address = probe.getsockname()[0]
    return "" if _is_loopback(address) else address


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"
