"""Caches on disk: one base folder, one folder in it for each kind, and one policy.

What is damaged or of an older format is made again with a warning, since everything in a cache can be. Where nothing
can be written, what fits into memory is kept there, with a warning; what does not is refused, with the way out.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import platformdirs

from stylegenes.errors import UserError
from stylegenes.files import check_writable

log = logging.getLogger(__name__)

_OWN = re.compile(r"\.?[0-9a-f]{32}(\.(part|json|lock))?|\.room\.lock")

Kind = Literal["datasets", "index", "shards", "statistics", "weights"]
"""Packed data sets, what finds them, shards of distant ones, statistics of pictures, and fetched weights."""


def cache_root(cache_dir: str | Path | None = None) -> Path:
    """Where caches lie: the argument, else the environment's STYLEGENES_CACHE, else the platform's cache folder."""
    chosen = cache_dir or os.environ.get("STYLEGENES_CACHE")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("stylegenes", appauthor=False)


def cache_folder(kind: Kind, root: Path | None = None) -> Path:
    """The folder of one kind of thing, in `root` or in the cache that is set. It may not exist yet."""
    return (cache_root() if root is None else root) / kind


def own_places(folder: Path) -> list[Path]:
    """What a cache has in a folder of one kind, by its names: a hash, perhaps hidden or with a suffix, and locks."""
    return sorted(path for path in folder.glob("*") if _OWN.fullmatch(path.name) and not path.is_symlink())


def usable_cache(kind: Kind) -> Path | None:
    """The folder of one kind; None, with a warning, where it cannot be written and memory has to do."""
    folder = cache_folder(kind)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_writable(folder / "any")
    except OSError as error:
        log.warning("%s; nothing is kept for the next time", _unwritable(cache_root(), error))
        return None
    return folder


@contextmanager
def written_cache(root: Path) -> Iterator[None]:
    """Within, what goes wrong in writing to the cache is said with the way out.

    Raises:
        UserError: when the cache cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise UserError(_unwritable(root, error)) from error


def mapped_rows(path: Path, shape: tuple[int, ...], dtype: type[np.generic], mode: Any = "r") -> np.ndarray | None:
    """An array of this shape and type, mapped from a .npy file; None, with a warning, where the file is another one.

    Args:
        path: of the .npy file.
        shape: what the array must have.
        dtype: type of its numbers.
        mode: as `np.load` takes it: `r` to read, `r+` to write in place.
    """
    try:
        rows = np.load(path, mmap_mode=mode)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError) as error:
        log.warning("%s is damaged (%s) and made again", path, error)
        return None
    if rows.shape != shape or rows.dtype != dtype:
        log.warning("%s holds other rows, %s of %s, and is made again", path, list(rows.shape), rows.dtype)
        return None
    return rows


def _unwritable(root: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"the cache folder {root} cannot be written ({reason}); make room, or name another with STYLEGENES_CACHE"
