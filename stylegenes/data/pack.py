"""Packing a source: load in parallel, write in order, account for everything that is left out."""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stylegenes.data.decode import FORMATS
from stylegenes.data.hashing import hash_of
from stylegenes.data.packed import Description, LeftOut, PackedWriter
from stylegenes.data.packing import FILE, Packing
from stylegenes.data.parallel import ordered_map
from stylegenes.data.progress import Track
from stylegenes.data.source import Picture, Source
from stylegenes.errors import UserError
from stylegenes.words import command

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_SAVES = 10.0
"""What a kill can cost; any other end of a build costs nothing."""
_SHOWN = 3


def pack(source: Source, folder: Path, *, workers: int, track: Track) -> Description:
    """Write the packed form of `source` into a folder that is empty, or holds what an interrupted call left.

    Raises:
        UserError: when there is no image, or more are bad than good: then something else is wrong.
    """
    names = source.names
    writer = PackedWriter(folder, len(names), source.channels, source.resolution)
    packing = _load_all(source, writer, workers, track)
    kept, bad = packing.kept, packing.bad
    if not kept or len(bad) > len(kept):
        shutil.rmtree(folder)
        raise UserError(_mostly_bad(source.description, len(kept), bad + source.left_out))
    labels = np.ascontiguousarray(source.labels()[kept], np.float32)
    content_hash = _content_hash(source, [names[index] for index in kept], packing.digests, labels)
    description = _describe(source, content_hash, source.left_out + bad)
    writer.finish(labels, description)
    (folder / FILE).unlink(missing_ok=True)
    return description


def _load_all(source: Source, writer: PackedWriter, workers: int, track: Track) -> Packing:
    """Load and write what is not there yet; whatever ends it early, what it did is kept."""
    packing, count = Packing.load(writer.folder), len(source.names)
    if not writer.holds(len(packing.kept)):
        packing = Packing()
    if packing.done:
        logger.info("%s: going on after %d of %d", source.description, packing.done, count)
    with writer.appending(len(packing.kept)) as images:

        def save() -> None:
            images.sync()
            packing.save(writer.folder)

        saved = time.monotonic()
        items = ordered_map(source.load, count, workers, first=packing.done)
        try:
            for item in track(items, "preparing images", count - packing.done):
                if isinstance(item, Picture):
                    images.append(item.pixels)
                packing.take(item)
                if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                    save()
                    saved = time.monotonic()
        except BaseException:
            save()
            raise
    return packing


def _mostly_bad(description: str, good: int, bad: list[LeftOut]) -> str:
    if not bad:
        return f"{description} holds no images; give a folder, .zip or LMDB of {', '.join(FORMATS)} files"
    shown = "".join(f"\n  {item.name}: {item.reason}" for item in bad[:_SHOWN])
    more = f"\n  and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    listing = f"this lists each with what to do: {command('data', 'check', Path(description))}"
    return f"{description}: only {good} of {good + len(bad)} files can be used{shown}{more}\n{listing}"


def _content_hash(source: Source, names: Sequence[str], digests: Sequence[str], labels: np.ndarray) -> str:
    """sha256 over names, contents, labels and every parameter. Where the source lies does not enter."""
    return hash_of(
        {
            "items": list(zip(names, digests, strict=True)),
            "labels": hashlib.sha256(labels.tobytes()).hexdigest(),
            "label_names": source.label_names,
            "parameters": source.parameters,
        }
    )


def _describe(source: Source, content_hash: str, left_out: list[LeftOut]) -> Description:
    return Description(
        source=source.description,
        content_hash=content_hash,
        resolution=source.resolution,
        channels=source.channels,
        label_names=source.label_names,
        parameters=source.parameters,
        left_out=left_out,
        ignored=source.ignored,
        license=source.license,
    )
