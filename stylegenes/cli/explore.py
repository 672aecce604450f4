"""breed, edit and read genomes in the browser, or watch a training run there

Examples:
  stylegenes explore                                   avatars32, a model in the package
  stylegenes explore runs/0001                         a run, live while it trains, and its newest snapshot
  stylegenes explore faces --port 9000 --open          opens a browser
  stylegenes explore faces --host 0.0.0.0              for others, who need the token that it prints
  stylegenes explore faces --export site               a folder for any static host, which draws in the browser alone
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import tyro

from stylegenes.errors import UserError

TOKEN = "STYLEGENES_EXPLORER_TOKEN"
"""Environment variable that brings a token, which no list of processes shows."""


@dataclass(frozen=True)
class Args:
    """Breed, edit and read genomes in the browser, or watch a training run there."""

    model: tyro.conf.Positional[Path] = Path("avatars32")
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    host: str = "127.0.0.1"
    """address to listen on; any but this machine's own loopback needs a token"""
    port: int = 8765
    """port to listen on; 0 takes any free one"""
    token: str | None = None
    """what visitors must know (default: none on loopback, a random one elsewhere); see also the documentation"""
    open: bool = False
    """open a browser"""
    sessions: Path | None = None
    """file of the sessions (default: explorer.sqlite in a run folder, else NAME-explorer.sqlite here)"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    classifier: str | None = None
    """attribute classifier (default: the one that the survey was made with)"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""
    export: Path | None = None
    """write the page with this model into a folder instead, for any static host; nothing is served"""


def run(args: Args) -> None:
    """Serve until Ctrl-C; or write the static site.

    Raises:
        UserError: for no such model, a port that is taken, an address without a token, or a static site with options of
            a server.
    """
    import contextlib

    from stylegenes.cli.console import say

    if args.export is not None:
        _export(args, args.export)
        return
    from stylegenes.explorer.security import Door, is_loopback, random_token
    from stylegenes.explorer.serve import open_desk, serve, take_port

    if not 0 <= args.port < 65536:
        raise UserError(f"--port is {args.port}; a port is a number from 1 to 65535, or 0 for any free one")
    token = args.token or os.environ.get(TOKEN) or (None if is_loopback(args.host) else random_token())
    Door(args.host, args.port, token)
    listening = take_port(args.host, args.port)
    with contextlib.closing(listening):
        given = {"label": args.label, "classifier": args.classifier, "device": args.device}
        desk = open_desk(args.model, sessions=args.sessions, **given)
        door = Door(args.host, listening.getsockname()[1], token)
        with contextlib.suppress(KeyboardInterrupt):
            serve(desk, door, listening, browse=args.open, say=say)


def _export(args: Args, place: Path) -> None:
    from stylegenes.cli.console import say
    from stylegenes.cli.given import refuse
    from stylegenes.explorer.site import export_site
    from stylegenes.model import open_model

    why = "is for a page that is served, and --export writes a folder instead; leave it out"
    refuse(args, ("host", "port", "token", "sessions", "open"), why)
    found = export_site(open_model(args.model, label=args.label, classifier=args.classifier, device="cpu"), place)
    say(f"wrote {found.place}: {found.size / 1e6:.0f} MB for any static host; to look at it here:")
    say(f"  python -m http.server --directory {found.place}")
    if found.difference is not None:
        say(f"compared with the model by ONNX Runtime: largest difference {found.difference:.2g}")
