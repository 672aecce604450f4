"""Two hosts on this machine: each with its own network, name, processes and mounts, joined by one cable.

Needs Linux with user and network namespaces (`unshare`, `nsenter`, `ip`), and no rights beyond that.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil
from launched import Program, start

CABLE, NAMES = "lan0", {"alder": "10.77.0.1", "birch": "10.77.0.2"}
"""The interface of the cable in both hosts, and the address of each host by its name."""

_OWN = ("--net", "--uts", "--mount", "--pid")


@dataclass
class Host:
    """One of the hosts.

    Attributes:
        name: of the host, which the other resolves.
        pid: of its first process, with which all the others end.
        folder: for what its programs say.
    """

    name: str
    pid: int
    folder: Path

    def command(self, *words: str | Path) -> list[str]:
        """The command line that runs `words` on this host, in the present folder."""
        return ["nsenter", f"--target={self.pid}", "--user", "--preserve-credentials", *_OWN, *map(str, words)]

    def call(self, *words: str | Path) -> None:
        """Run a command to its end."""
        subprocess.run(self.command(*words), check=True)

    def start(self, *words: str | Path, **environment: str) -> Program:
        """Start a program; what it says goes into a file."""
        said = self.folder / f"{self.name}-{len(list(self.folder.iterdir()))}.txt"
        return start(said, *self.command(*words), **environment)

    def cut(self) -> None:
        """Pull the cable: nothing arrives any more, and nobody is told."""
        self.call("ip", "link", "set", CABLE, "down")

    def kill(self) -> None:
        """Kill every process of the host at once."""
        os.kill(self.pid, signal.SIGKILL)

    def hide(self, folder: Path) -> None:
        """Put an empty folder in the place of `folder`, for this host alone."""
        self.call("mount", "-t", "tmpfs", "none", folder)


@cache
def why_not() -> str:
    """Why there can be no two hosts here, or "" when there can."""
    if sys.platform != "linux":
        return "two hosts need the namespaces of Linux"
    if missing := [tool for tool in ("unshare", "nsenter", "ip") if shutil.which(tool) is None]:
        return f"two hosts need the programs {', '.join(missing)}"
    trial = "ip link add one type veth peer name two && mount -t tmpfs none /mnt"
    command = ["unshare", "--user", "--map-root-user", *_OWN, "--fork", "--mount-proc", "sh", "-c", trial]
    found = subprocess.run(command, capture_output=True, text=True)
    return f"namespaces are not allowed here: {found.stderr.strip()}" if found.returncode else ""


@contextmanager
def two_hosts(folder: Path) -> Iterator[tuple[Host, Host]]:
    """Two hosts that see the same files and can reach each other by name; all that runs on them ends with the block."""
    folder.mkdir()
    said = folder / "said"
    said.mkdir()
    first, second = NAMES
    with ExitStack() as stack:
        a = stack.enter_context(_host(first, said, ["unshare", "--user", "--map-root-user"]))
        inside = ["nsenter", f"--target={a.pid}", "--user", "--preserve-credentials", "unshare"]
        b = stack.enter_context(_host(second, said, inside))
        cable = ["ip", "link", "add", CABLE, "type", "veth", "peer", "name", CABLE, "netns", str(b.pid)]
        enter = ["nsenter", f"--target={a.pid}", "--user", "--preserve-credentials", "--net"]
        subprocess.run([*enter, *cable], check=True)
        for host in (a, b):
            host.call("ip", "address", "add", f"{NAMES[host.name]}/24", "dev", CABLE)
            host.call("ip", "link", "set", CABLE, "up")
        yield a, b


@contextmanager
def _host(name: str, folder: Path, unshare: list[str]) -> Iterator[Host]:
    """A host without a cable: its first process waits until nobody holds its input any more.

    As many systems do, it knows itself by a loopback address, which leads nobody else to it.
    """
    table = folder.parent / f"hosts-{name}"
    known = {"localhost": "127.0.0.1"} | NAMES | {name: "127.0.1.1"}
    table.write_text("".join(f"{address} {host}\n" for host, address in known.items()))
    # Nobody answers for names that the table lacks; without this, each is waited for.
    unasked = "mount --bind /dev/null /etc/resolv.conf"
    begin = f"hostname {name} && ip link set lo up && mount --bind {table} /etc/hosts && {unasked} && echo ready; cat"
    command = [*unshare, *_OWN, "--fork", "--kill-child", "--mount-proc", "sh", "-c", begin]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None, "the pipe was asked for"
        assert holder.stdout.readline() == b"ready\n", "the host did not start"
        (init,) = psutil.Process(holder.pid).children()
        try:
            yield Host(name, init.pid, folder)
        finally:
            holder.kill()
