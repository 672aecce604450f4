"""Packing a source: load in parallel, write in order, account for everything that is left out."""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stylegenes.data.decode import FORMATS
from stylegenes.data.description import Description, LeftOut
from stylegenes.data.hashing import hash_of
from stylegenes.data.pack_progress import FILE, PackProgress
from stylegenes.data.packed import PackedWriter
from stylegenes.data.parallel import ordered_map
from stylegenes.data.source import Picture, Source
from stylegenes.errors import UserError, shown
from stylegenes.progress import Track
from stylegenes.words import command, sized

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_SAVES = 10.0
"""What a kill can cost; any other end of a build costs nothing."""
_SHOWN = 3


def pack(source: Source, folder: Path, *, workers: int, track: Track) -> Description:
    """Write the packed form of `source` into a folder that is empty, or holds what an interrupted call left.

    Args:
        source: pictures, not packed yet.
        folder: for the packed form.
        workers: processes that decode pictures.
        track: shows how much is done.

    Raises:
        UserError: when there is no image, more are bad than good (then something else is wrong), or the disk is full.
    """
    names = source.names
    writer = PackedWriter(folder, len(names), source.channels, source.size)
    progress = _load_all(source, writer, workers, track)
    packed = summed_up(source, progress, folder)
    writer.finish(packed.labels, packed.description)
    (folder / FILE).unlink(missing_ok=True)
    return packed.description


@dataclass(frozen=True)
class Packed:
    """What there is to say of pictures once all of them are decoded.

    Attributes:
        labels: float32 [N, L].
        description: of the data set.
    """

    labels: np.ndarray
    description: Description


def summed_up(source: Source, progress: PackProgress, folder: Path) -> Packed:
    """Labels and description of what was packed.

    Raises:
        UserError: when there is no image, or more are bad than good; the folder is deleted.
    """
    kept, bad = progress.kept, progress.bad
    if not kept or len(bad) > len(kept):
        shutil.rmtree(folder)
        raise UserError(_mostly_bad(source.description, len(kept), bad + source.left_out))
    found = usable_labels(source, kept)
    return Packed(found.matrix, _describe(source, progress, found))


def _load_all(source: Source, writer: PackedWriter, workers: int, track: Track) -> PackProgress:
    """Load and write what is not there yet; whatever ends it early, what it did is kept."""
    progress, count = PackProgress.load(writer.folder), len(source.names)
    if not writer.holds(len(progress.kept)):
        progress = PackProgress()
    if progress.done:
        logger.info("%s: going on after %d of %d", source.description, progress.done, count)
    _check_room(source, writer.folder, (count - progress.done) * writer.picture_size)
    with writer.appending(len(progress.kept)) as images:

        def save() -> None:
            images.sync()
            progress.save(writer.folder)

        saved = time.monotonic()
        items = ordered_map(source.load, count, workers, first=progress.done)
        try:
            for item in track(items, "preparing images", count - progress.done):
                if isinstance(item, Picture):
                    images.append(item.pixels)
                progress.take(item)
                if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                    save()
                    saved = time.monotonic()
        except BaseException:
            save()
            raise
    return progress


def _check_room(source: Source, folder: Path, size: int) -> None:
    """Rather than fill the disk first; what an interrupted build wrote stays."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise UserError(
            f"{source.description} takes {sized(size)} at {source.size} px, and {sized(free)} are free in {folder}; "
            "make room, name another cache with STYLEGENES_CACHE, or give a smaller resolution"
        )


def _mostly_bad(description: str, good: int, bad: list[LeftOut]) -> str:
    if not bad:
        return f"{description} holds no images; give a folder, .zip or LMDB of {', '.join(FORMATS)} files"
    shown_ = "".join(f"\n  {line}" for line in some_left_out(bad))
    return f"{description}: only {good} of {good + len(bad)} files can be used{shown_}\n{how_to_list(description)}"


def some_left_out(left_out: list[LeftOut]) -> list[str]:
    """The first files that are left out, each with its reason, and how many more there are."""
    lines = [f"{shown(item.name)}: {item.reason}" for item in left_out[:_SHOWN]]
    return lines + ([f"and {len(left_out) - _SHOWN} more"] if len(left_out) > _SHOWN else [])


def how_to_list(source: str) -> str:
    """The command that lists all of them."""
    return f"this lists each with what to do: {command('data', 'check', Path(source))}"


def _content_hash(source: Source, names: Sequence[str], digests: Sequence[str], labels: UsableLabels) -> str:
    """sha256 over names, contents, labels and every parameter. Where the source lies does not enter."""
    return hash_of(
        {
            "items": list(zip(names, digests, strict=True)),
            "labels": hashlib.sha256(labels.matrix.tobytes()).hexdigest(),
            "label_names": labels.names,
            "parameters": source.parameters,
        }
    )


@dataclass(frozen=True)
class UsableLabels:
    """Labels of the pictures that can be used.

    Attributes:
        names: names of the columns.
        matrix: float32 [N, L].
        warnings: which classes have no such picture and are none.
    """

    names: list[str]
    matrix: np.ndarray
    warnings: list[str]


def usable_labels(source: Source, kept: Sequence[int]) -> UsableLabels:
    """The labels of the items `kept`; a folder without a picture that can be used (notes, say) is no class."""
    matrix = np.ascontiguousarray(source.labels()[kept], np.float32)
    totals = matrix.sum(axis=0)
    if not source.classes or totals.all():
        return UsableLabels(source.label_names, matrix, [])
    empty = [shown(name, 40) for name, total in zip(source.label_names, totals, strict=True) if not total]
    names = [name for name, total in zip(source.label_names, totals, strict=True) if total]
    more = ", ..." if len(empty) > _SHOWN else ""
    warning = f"no picture in {', '.join(empty[:_SHOWN])}{more} can be used, so it is no class"
    if len(names) < 2:
        return UsableLabels(
            [], np.zeros((len(kept), 0), np.float32), [f"{warning}; with one class left there are no labels"]
        )
    return UsableLabels(names, np.ascontiguousarray(matrix[:, totals > 0]), [warning])


def _describe(source: Source, progress: PackProgress, labels: UsableLabels) -> Description:
    names = source.names
    return Description(
        content_hash=_content_hash(source, [names[i] for i in progress.kept], progress.digests, labels),
        resolution=source.size.notation,
        channels=source.channels,
        label_names=labels.names,
        parameters=source.parameters,
        originals=replace(progress.originals, fit=str(source.parameters.get("fit", ""))),
        source=source.description,
        label_origin=source.label_origin,
        warnings=[*source.warnings, *labels.warnings],
        left_out=source.left_out + progress.bad,
        ignored=source.ignored,
        license=source.license,
    )
