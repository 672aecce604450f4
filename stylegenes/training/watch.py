"""A watch over the processes of a run on several hosts: who is gone is known within seconds, and by name.

Every rank keeps one quiet connection to rank 0. A process that dies closes it; a host that is down, or that no cable
reaches any more, no longer answers the probes that the kernels exchange on it (TCP keepalive), however busy the
processes on either side are. Rank 0 passes on what it learns.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass

import psutil

from stylegenes.errors import shown

GRACE = 10.0
"""Seconds that a process has to end by itself once a rank is gone; then it is ended."""

DIED = "died", "killed from outside or out of memory"
AGAIN = "The last state is whole; run the same command to continue"


@dataclass(frozen=True)
class Lost:
    """A rank that is gone.

    Attributes:
        rank: its number.
        host: where it ran.
        how: what became of it, as a verb.
        why: as far as it is known.
        address: of its host, or "" where that is unknown.
    """

    rank: int
    host: str
    how: str
    why: str
    address: str = ""

    def sentence(self, where: str = "") -> str:
        """For people; `where` says where it last was."""
        return f"rank {self.rank} on {shown(self.host)} {self.how}{where}: {self.why}. {AGAIN}"


@dataclass(frozen=True)
class Wire:
    """A connection to another rank.

    Attributes:
        rank: its number.
        host: where it runs.
        address: of that host.
        socket: connected, and never waited for.
    """

    rank: int
    host: str
    address: str
    socket: socket.socket

    @classmethod
    def to(cls, rank: int, host: str, connected: socket.socket) -> Wire:
        """The link over a socket. Its address is asked for now: a broken connection no longer knows it."""
        connected.setblocking(False)
        return cls(rank, host, connected.getpeername()[0], connected)

    def lost(self, how: str, why: str) -> Lost:
        """The rank at the other end, gone."""
        return Lost(self.rank, self.host, how, why, self.address)


class Watch:
    """Listens on connections to other ranks in a thread of its own, until it is closed.

    Args:
        links: to every other rank on rank 0, to rank 0 elsewhere.
        silence: seconds without any sign of life after which a host counts as gone.
        end: ends this process, given a sentence; called when it does not end by itself soon after a loss.
    """

    def __init__(self, links: list[Wire], silence: float, end: Callable[[str], None]) -> None:
        self.lost: Lost | None = None
        self._links, self._silence, self._end = {link.rank: link for link in links}, silence, end
        self._noticed, self._closed = threading.Event(), threading.Event()
        self._selector = selectors.DefaultSelector()
        for link in links:
            _keep_alive(link.socket, silence)
            self._selector.register(link.socket, selectors.EVENT_READ, link)
        self._wake, waker = socket.socketpair()
        self._selector.register(waker, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._listen, name="watch", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> Lost | None:
        """Who is gone, as soon as that is known, or None after so many seconds."""
        self._noticed.wait(seconds)
        return self.lost

    def close(self, reason: str = "") -> None:
        """Take leave; `reason` says why when something went wrong."""
        self._closed.set()
        self._tell({"left": reason})
        with suppress(OSError):
            self._wake.send(b".")
        self._thread.join()
        for link in self._links.values():
            link.socket.close()

    def _listen(self) -> None:
        while not self._closed.is_set() and self.lost is None:
            for key, _ in self._selector.select():
                if key.data is not None and (lost := self._hear(key.data)) is not None and self.lost is None:
                    self.lost = lost
        if self.lost is not None and not self._closed.is_set():
            self._part(self.lost)

    def _part(self, lost: Lost) -> None:
        """Tell the others, wake who waits for the lost one, and see that this process ends."""
        self._tell({"lost": asdict(lost)})
        self._noticed.set()
        hang_up(lost.address)
        if not self._closed.wait(GRACE):
            self._end(lost.sentence())

    def _hear(self, link: Wire) -> Lost | None:
        """What a readable connection says; None where nothing is lost."""
        try:
            words = link.socket.recv(1 << 16).splitlines()
        except BlockingIOError:
            return None
        except ConnectionResetError:
            words = []
        except OSError:
            return link.lost("fell silent", f"no answer for {self._silence:g} s; its host is down or cut off")
        if not words:
            return link.lost(*DIED)
        word = json.loads(words[0])
        if "lost" in word:
            return Lost(**word["lost"])
        self._selector.unregister(link.socket)
        return link.lost("gave up", word["left"]) if word["left"] else None

    def _tell(self, word: dict[str, object]) -> None:
        line = json.dumps(word).encode() + b"\n"
        for link in self._links.values():
            with suppress(OSError):
                link.socket.send(line, socket.MSG_DONTWAIT)


def hang_up(address: str) -> None:
    """Close this process's connections to an address, so that whoever waits for an answer from there gets an error."""
    if not address:
        return
    for connection in psutil.Process().net_connections("tcp"):
        if connection.raddr and _plain(connection.raddr.ip) == _plain(address):
            with suppress(OSError), socket.socket(fileno=os.dup(connection.fd)) as mine:
                mine.shutdown(socket.SHUT_RDWR)


def listen() -> socket.socket:
    """A socket that other hosts can connect to, at a free port."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024)
    return socket.create_server(("", 0), backlog=1024)


def accept(server: socket.socket, count: int, token: str, seconds: float) -> list[Wire]:
    """The connections of `count` other ranks that know the token; strangers are hung up on.

    Args:
        server: listens.
        count: how many are to come.
        token: what they say first.
        seconds: until when.

    Raises:
        TimeoutError: when they did not all come in time.
    """
    links: dict[int, Wire] = {}
    until = time.monotonic() + seconds
    while len(links) < count:
        server.settimeout(max(until - time.monotonic(), 0.01))
        connection, _ = server.accept()
        connection.settimeout(5)
        try:
            hello = json.loads(connection.recv(4096))
            known = hello["token"] == token
        except (OSError, ValueError, TypeError, KeyError):
            known = False
        if not known:
            connection.close()
            continue
        links[hello["rank"]] = Wire.to(hello["rank"], hello["host"], connection)
    return list(links.values())


def connect(address: str, port: int, hello: dict[str, object], seconds: float) -> socket.socket:
    """A connection to rank 0, which is told who this is.

    Args:
        address: of rank 0's host.
        port: at which it listens.
        hello: `token`, `rank` and `host`.
        seconds: to wait for it.

    Raises:
        OSError: when nobody answers there.
    """
    connection = socket.create_connection((address, port), timeout=seconds)
    connection.sendall(json.dumps(hello).encode())
    return connection


def _keep_alive(connection: socket.socket, silence: float) -> None:
    """Let the kernels see whether the other host is there: a third of the silence, then probes, four of them."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    first = max(round(silence / 3), 1)
    gap = max(round((silence - first) / 4), 1)
    idle = "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE"
    for name, value in ((idle, first), ("TCP_KEEPINTVL", gap), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(silence * 1000))


def _plain(address: str) -> str:
    """An IPv4 address that is written as one of IPv6, as itself."""
    return address.removeprefix("::ffff:")
