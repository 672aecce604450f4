"""Packing a source: load in parallel, write in order, account for everything that is left out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from stylegenes.data.decode import FORMATS
from stylegenes.data.hashing import hash_of
from stylegenes.data.packed import Description, LeftOut, PackedWriter
from stylegenes.data.parallel import ordered_map
from stylegenes.data.progress import Track
from stylegenes.data.source import Picture, Source
from stylegenes.errors import UserError

_SHOWN = 3


def pack(source: Source, folder: Path, *, workers: int, track: Track) -> Description:
    """Write the packed form of `source` into an empty folder.

    Raises:
        UserError: when there is no image, or more are bad than good: then something else is wrong.
    """
    names = source.names
    writer = PackedWriter(folder, len(names), source.channels, source.resolution)
    kept: list[int] = []
    digests: list[str] = []
    bad: list[LeftOut] = []

    def pictures() -> Iterator[np.ndarray]:
        for index, item in enumerate(
            track(ordered_map(source.load, len(names), workers), "preparing images", len(names))
        ):
            if isinstance(item, Picture):
                kept.append(index)
                digests.append(item.digest)
                yield item.pixels
            else:
                bad.append(item)

    writer.write(pictures())
    if not kept or len(bad) > len(kept):
        raise UserError(_mostly_bad(source.description, len(kept), bad + source.left_out))
    labels = np.ascontiguousarray(source.labels()[kept], np.float32)
    content_hash = _content_hash(source, [names[index] for index in kept], digests, labels)
    description = _describe(source, content_hash, source.left_out + bad)
    writer.finish(labels, description)
    return description


def _mostly_bad(description: str, good: int, bad: list[LeftOut]) -> str:
    if not bad:
        return f"{description} holds no images; give a folder, .zip or LMDB of {', '.join(FORMATS)} files"
    shown = "".join(f"\n  {item.name}: {item.reason}" for item in bad[:_SHOWN])
    more = f"\n  and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    listing = f"`stylegenes data check {description}` lists each with what to do"
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
