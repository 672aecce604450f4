"""Opening what is explored, taking a port, and serving until somebody stops it."""

from __future__ import annotations

import errno
import re
import socket
import webbrowser
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from urllib.parse import quote

import uvicorn

from stylegenes.errors import UserError
from stylegenes.explorer.app import create_app
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.security import Door
from stylegenes.explorer.store import SessionStore
from stylegenes.loaded import AnyClassifier
from stylegenes.model import Model, open_model
from stylegenes.snapshot import newest_snapshot

_ADDRESS_BYTES = 1 << 20
"""The longest head of a request: style vectors of a large model are written in a picture's address."""


def open_desk(
    name: str | PathLike[str],
    *,
    label: str | None = None,
    classifier: AnyClassifier | None = None,
    device: str = "auto",
    sessions: Path | None = None,
) -> Desk:
    """What is explored: a model, or a run folder with its newest snapshot, if it has one yet.

    Args:
        name: a run folder, or what `stylegenes.open` takes.
        label: what a conditional model draws; the first column where None.
        classifier: of attributes; the survey's own where None.
        device: `auto` takes the fastest there is.
        sessions: file that keeps sessions; where None, one in the run folder or, named after the model, in the working
            folder.

    Raises:
        UserError: when it is neither.
    """
    folder = Path(name).expanduser()
    run = folder if is_run(folder) else None
    if run is not None and newest_snapshot(run / "snapshots") is None:
        return Desk(None, run)
    model: Model = open_model(name, label=label, classifier=classifier, device=device)
    if model.generator.label_dim and label is None:
        # The page has a control for the label, and begins with the first column.
        model = open_model(name, label="0", classifier=classifier, device=device)
    if classifier is not None:
        # One that cannot be had is said now, and not when somebody first clicks.
        _ = model.classifier
    plain = re.sub(r"[^\w.-]", "_", model.card.name)
    place = sessions or (Path(f"{plain}-explorer.sqlite") if run is None else run / "explorer.sqlite")
    return Desk(model, run, store=SessionStore(place, model.weights))


def is_run(folder: Path) -> bool:
    """Whether a folder is one that a training run writes into."""
    return (folder / "config.json").is_file() and not (folder / "card.json").exists() and _has_traces(folder)


def _has_traces(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("stats.jsonl", "log.txt", "state.safetensors"))


def take_port(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes any free one.

    Raises:
        UserError: when the port is taken or not ours to take, or the address is none of this machine's.
    """
    try:
        family, kind, way, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        taken = socket.socket(family, kind, way)  # asyncio sends small answers at once only where TCP is named
    except (socket.gaierror, UnicodeError, OverflowError) as error:
        raise UserError(f"{host} port {port} is no address to listen on ({error})") from error
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(place)
        taken.listen(512)
    except OSError as error:
        taken.close()
        raise UserError(_why(host, port, error)) from error
    return taken


def _why(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} is taken by another program; give another with --port, or --port 0 for any free one"
        case errno.EACCES:
            return f"port {port} is not ours to take; give one from 1024 on, or --port 0 for any free one"
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine; give one of its own, or 0.0.0.0 for all of them"
    return f"{host} port {port} cannot be listened on: {error.strerror}"


def address(door: Door) -> str:
    """Where the page is, with the token that the first visit needs."""
    host = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(door.host, door.host)
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{door.port}/" + ("" if door.token is None else f"?token={quote(door.token, safe='')}")


def serve(desk: Desk, door: Door, listening: socket.socket, *, browse: bool, say: Callable[[str], None]) -> None:
    """Serve until somebody stops it.

    Args:
        desk: what is explored.
        door: who may come in.
        listening: the socket.
        browse: whether to open a browser.
        say: tells people where the page is.
    """
    config = uvicorn.Config(
        create_app(desk, door),
        log_level="warning",
        access_log=False,
        http="h11",
        ws="none",
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=_ADDRESS_BYTES,
        # Longer than any client keeps a connection: else one is closed just as it is used again.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
    say(f"explorer: {address(door)}")
    if browse:
        webbrowser.open(address(door))
    uvicorn.Server(config).run(sockets=[listening])
