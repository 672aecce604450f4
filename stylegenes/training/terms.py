"""What all processes of a run must have in common, and what is said when they do not."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

import stylegenes
from stylegenes.errors import UserError, shown
from stylegenes.shape import as_record
from stylegenes.training.company import Company
from stylegenes.training.config import RunConfig
from stylegenes.training.feed import Data
from stylegenes.training.folder import HOLDER
from stylegenes.training.resolve import flattened
from stylegenes.version import __version__

OWN = ("data.source", "data.label_file")
"""Settings that each host may have for itself: where the data are."""

_SEEN_WITHIN = 15.0
"""Seconds after which a file that one host wrote must be seen by another; network folders take some."""


@dataclass(frozen=True)
class Terms:
    """What one process would train with.

    Attributes:
        version: of stylegenes.
        code: hash of its source.
        torch: version of torch.
        data: content hash of the data.
        images: how many there are.
        settings: complete, by dotted key.
    """

    version: str
    code: str
    torch: str
    data: str
    images: int
    settings: dict[str, Any]


def check_terms(company: Company, config: RunConfig, data: Data) -> None:
    """See that all processes would train the same.

    Raises:
        UserError: on all of them; names the first two that differ, and in what.
    """
    settings = {key: value for key, value in flattened(config.to_dict()).items() if key not in OWN}
    own = Terms(__version__, _code_hash(), torch.__version__, data.content_hash, len(data), settings)
    notes = company.gather("terms", json.dumps(asdict(own)))
    terms = [as_record(Terms, json.loads(note), f"rank {rank}") for rank, note in notes.items()]
    for rank, other in enumerate(terms):
        if (difference := _difference(terms[0], other)) is not None:
            raise UserError(
                f"rank {rank} on {shown(company.hosts[rank])} would train otherwise than rank 0 on "
                f"{shown(company.hosts[0])}: {difference}"
            )


def check_folder(company: Company, folder: Path) -> None:
    """See that all processes have one and the same run folder, in which rank 0 has left its name.

    Raises:
        UserError: on all of them; names the host that does not see it.
    """
    first = company.seat.rank == 0
    name = company.gather("folder", (folder / HOLDER).read_text() if first else "")[0]
    until = time.monotonic() + _SEEN_WITHIN
    while not (seen := first or _holds(folder, name)) and time.monotonic() < until:
        time.sleep(0.2)
    host, main = (shown(company.hosts[rank]) for rank in (company.seat.rank, 0))
    blind = f"{host} does not see the run folder {folder.resolve()} of {main}; all hosts must share it, as by NFS"
    company.agree("seen", "" if seen else blind)


def check_wish(company: Company, stopped: bool) -> bool:
    """Whether somebody wished to stop while the data were opened, on any of the ranks."""
    return any(company.gather("stopped", "yes" if stopped else "").values())


def _holds(folder: Path, name: str) -> bool:
    try:
        return (folder / HOLDER).read_text() == name
    except OSError:
        return False


def _difference(a: Terms, b: Terms) -> str | None:
    if (a.version, a.code) != (b.version, b.code):
        versions = f"stylegenes {b.version} there and {a.version} here"
        same = f"the source of stylegenes {a.version} is not the same"
        return f"{versions if a.version != b.version else same}; install one and the same on all hosts"
    if a.torch != b.torch:
        return f"torch {b.torch} there and {a.torch} here; install one and the same on all hosts"
    keys = sorted(a.settings.keys() | b.settings.keys())
    changed = [key for key in keys if a.settings.get(key) != b.settings.get(key)]
    if changed:
        named = ", ".join(
            f"{key} is {b.settings.get(key)!r} there and {a.settings.get(key)!r} here" for key in changed[:5]
        )
        return f"{named}. Start all hosts with the same command line"
    if a.data != b.data:
        return (
            f"other data, {b.images:,} images there and {a.images:,} here, with other contents; give all hosts the same"
        )
    return None


def _code_hash() -> str:
    """Of all source files of the package, which hosts may have in different states under one version."""
    root = Path(stylegenes.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()
