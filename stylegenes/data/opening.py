"""`open_dataset`: any source of images, by its path or word, as one packed data set."""

from __future__ import annotations

import logging
from pathlib import Path

from stylegenes.caches import cache_root
from stylegenes.data.avatars.source import WORD as AVATARS
from stylegenes.data.avatars.source import AvatarOptions, AvatarSource
from stylegenes.data.cache import cached
from stylegenes.data.decode import Filter, Fit, View
from stylegenes.data.description import Dataset
from stylegenes.data.files import FileSource
from stylegenes.data.labels import NONE
from stylegenes.data.pack import how_to_list, some_left_out
from stylegenes.data.packed import PackedDataset, is_packed
from stylegenes.data.parallel import default_workers
from stylegenes.data.scenes.source import WORD as SCENES
from stylegenes.data.scenes.source import SceneOptions, SceneSource
from stylegenes.data.shards.dataset import ShardedDataset, is_sharded
from stylegenes.data.shards.remote import is_address
from stylegenes.data.source import Source
from stylegenes.data.stores import open_store
from stylegenes.errors import UserError
from stylegenes.progress import Track, log_progress
from stylegenes.words import counted

logger = logging.getLogger(__name__)


def open_dataset(
    source: str | Path,
    *,
    resolution: int | str,  # in pixels: a number for squares, else `384x256`
    fit: Fit = "crop",  # the central part of that shape, or letterbox: all of it with black bars
    filter: Filter = "lanczos",  # resize filter, with antialiasing
    channels: int | None = None,  # 1 gray, 2 with alpha, 3 RGB, 4 RGBA, more of arrays; None: RGB, or a packed set's
    labels: str | Path | None = None,  # a label file, or "none"; None looks for one
    cache_dir: str | Path | None = None,  # else STYLEGENES_CACHE, else the platform's cache folder
    workers: int | None = None,  # processes that decode; None is one a processor
    track: Track = log_progress,  # shows progress while the cache is built
) -> Dataset:
    """Open a source of images; the first time it is decoded and packed, later it opens at once.

    Files that cannot be used are left out and counted in a warning; `description.left_out` lists them.

    Args:
        source: a folder, .zip, LMDB, packed folder or folder of shards; or the address of shards, `https://` or
            `s3://`; or `avatars`, or `avatars:n=4000,seed=1,independent=true`; or `scenes`, or
            `scenes:n=4000,seed=1,yaw=60`.
        resolution: in pixels: a number for squares, else `384x256`.
        fit: how pictures of another shape come to this one.
        filter: resize filter.
        channels: channels of the pixels.
        labels: where labels come from.
        cache_dir: where packed data sets are kept.
        workers: number of processes.
        track: progress display.

    Raises:
        UserError: for a source that is missing, empty or mostly bad, or labels that cannot be read.
    """
    view = View(resolution, fit, filter, channels or 3)
    packed = open_packed(source)
    if packed is not None:
        _check_wanted(packed, str(source), view, channels, None if labels is None else str(labels))
        return packed
    images = open_source(source, view, labels=None if labels is None else str(labels))
    dataset = cached(images, cache_root(cache_dir), workers=workers or default_workers(), track=track)
    report_oddities(dataset)
    return dataset


def open_source(source: str | Path, view: View, *, labels: str | None = None) -> Source:
    """The source that a path or word names, before anything is decoded.

    Raises:
        UserError: when there is no such source.
    """
    if is_drawn(source) and view.channels > 4:
        raise UserError(f"{source} is drawn with 1 to 4 channels; got {view.channels}")
    if is_address(source):
        raise UserError(f"{source} is shards already, which are read as they are; pictures to pack lie on this machine")
    if _is(AVATARS, source):
        return AvatarSource(AvatarOptions.parse(str(source)), view)
    if _is(SCENES, source):
        return SceneSource(SceneOptions.parse(str(source)), view)
    folder = Path(source).expanduser()
    if is_packed(folder) or is_sharded(folder):
        raise UserError(f"{source} is packed already, and is taken as it is; for another size pack the original images")
    return FileSource(open_store(folder), view, labels=labels)


def is_drawn(source: str | Path) -> bool:
    """Whether the source is a set that is drawn here rather than a path."""
    return _is(AVATARS, source) or _is(SCENES, source)


def _is(word: str, source: str | Path) -> bool:
    return str(source) == word or str(source).startswith(f"{word}:")


def report_oddities(dataset: Dataset) -> None:
    """Warn of what was left out and of what is odd; nothing is dropped silently."""
    for warning in dataset.description.warnings:
        logger.warning("%s: %s", dataset.source, warning)
    left_out = dataset.description.left_out
    if left_out:
        logger.warning(
            "%d of %d files of %s are left out: %s; %s",
            len(left_out),
            len(left_out) + len(dataset),
            dataset.source,
            "; ".join(some_left_out(left_out)),
            how_to_list(dataset.source),
        )


def open_packed(source: str | Path, *, verify: bool = True) -> Dataset | None:
    """What `data pack` made, as it is: a packed folder, or shards in a folder or behind an address; None for the rest.

    Args:
        source: a path, an address, or a word.
        verify: whether the files of shards are looked at.

    Raises:
        UserError: when it is damaged, or cannot be had.
    """
    if is_drawn(source):
        return None
    if is_address(source):
        return ShardedDataset.open(source)
    folder = Path(source).expanduser()
    if is_packed(folder):
        return PackedDataset.open(folder)
    return ShardedDataset.open(folder, verify=verify) if is_sharded(folder) else None


def _check_wanted(dataset: Dataset, folder: str, view: View, channels: int | None, labels: str | None) -> None:
    """Refuse what would need the original images."""
    wanted = (view.size, channels or dataset.channels)
    if (dataset.size, dataset.channels) != wanted:
        raise UserError(
            f"{folder} is packed at {dataset.resolution} px with {counted(dataset.channels, 'channel')}, asked for are "
            f"{wanted[0]} px and {wanted[1]}; ask for what it has (data.resolution={dataset.resolution}, "
            f"data.channels={dataset.channels}), or pack the original images again at that size"
        )
    packed_fit = dataset.description.parameters.get("fit", view.fit)
    if view.fit == "letterbox" and packed_fit != view.fit:
        raise UserError(f"{folder} was cropped when it was packed; pack the original images again with --fit letterbox")
    if labels is not None and (labels != NONE or dataset.label_dim):
        raise UserError(
            f"{folder} is packed with {counted(dataset.label_dim, 'label')}; for others pack the original images again "
            f"with --labels {labels}"
        )
