"""stylegenes: style-based GANs whose latent space is a genome.

`stylegenes.load(path)` gives a trained generator. Importing the package is cheap: torch comes with the first use.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from os import PathLike
from typing import TYPE_CHECKING

from stylegenes.errors import UserError

if TYPE_CHECKING:
    from stylegenes.generator import Generator

try:
    __version__ = version("stylegenes")
except PackageNotFoundError:  # a bare copy of the sources, without an installation
    __version__ = "0+unknown"

__all__ = ["UserError", "__version__", "load"]


def load(path: str | PathLike[str], device: str = "cpu") -> Generator:
    """The generator of a snapshot, in eval mode on `device`.

    Args:
        path: a snapshot folder, a run folder (its newest snapshot), or the name of a model shipped with the package.
        device: where it goes, as torch names it.

    Raises:
        UserError: when there is no such snapshot, or it is damaged.
    """
    from stylegenes.snapshot import load_snapshot

    return load_snapshot(path, device).generator
