"""`open_dataset`: any source of images, by its path or word, as one packed data set."""

from __future__ import annotations

import logging
from pathlib import Path

from stylegenes.data.avatars.source import WORD, AvatarOptions, AvatarSource
from stylegenes.data.cache import cache_root, cached
from stylegenes.data.pack import default_workers
from stylegenes.data.packed import PackedDataset
from stylegenes.data.source import Source
from stylegenes.errors import UserError

logger = logging.getLogger(__name__)


def open_dataset(
    source: str | Path,
    *,
    resolution: int,  # height and width in pixels
    cache_dir: str | Path | None = None,  # else STYLEGENES_CACHE, else the platform's cache folder
    workers: int | None = None,  # processes that decode; None is one a processor
) -> PackedDataset:
    """Open a source of images; the first time it is decoded and packed, later it opens at once.

    Args:
        source: a path, or `avatars`, or `avatars:n=4000,seed=1,style=avataaars,independent=true`.
        resolution: height and width in pixels.
        cache_dir: where packed data sets are kept.
        workers: number of processes.

    Raises:
        UserError: for a source that is missing, empty or mostly bad; says what to do.
    """
    if resolution < 1:
        raise UserError(f"resolution is {resolution}; give a positive number of pixels")
    return cached(open_source(source, resolution), cache_root(cache_dir), workers=workers or default_workers())


def open_source(source: str | Path, resolution: int) -> Source:
    """The source that a path or word names."""
    if str(source) == WORD or str(source).startswith(f"{WORD}:"):
        return AvatarSource(AvatarOptions.parse(str(source)), resolution)
    raise UserError(f"{source}: not a source")
