"""Pictures that occur twice: exactly, by the hash of their files, or nearly, by a small thumbnail of what they show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
import scipy
from PIL import Image

_SIDE = 12
_LEAST, _SHARE, _MOST = 3.0, 0.18, 12.0
"""Near duplicates differ by at most this share of their contrast, and never by less or more than these levels of 255.

Root mean squares over the thumbnail. Measured on avatars, smooth pictures and flags: JPEG of quality 30, WebP, palettes
and resizing to half make up to 0.10 of the contrast (0.17 in pixel art), different pictures at least 0.24.
"""
_COMPONENTS = 12
_SAMPLE = 10_000


def thumbnail(picture: Image.Image) -> bytes:
    """What a picture shows, in color: 12 x 12 RGB, 432 bytes; resizing and recompression hardly change it."""
    small = picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small).tobytes()


def same(digests: Sequence[Hashable]) -> list[list[int]]:
    """Groups of equal digests, as indices."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, digest in enumerate(digests):
        groups[digest].append(index)
    return [group for group in groups.values() if len(group) > 1]


def near(thumbnails: Sequence[bytes]) -> list[list[int]]:
    """Groups of pictures that look almost the same, directly or through others of the group; as indices.

    Distances in the space of the first principal components, which are never larger than the true ones, choose whom to
    compare, so that large sets stay quick.
    """
    places: dict[bytes, list[int]] = defaultdict(list)
    for index, small in enumerate(thumbnails):
        places[small].append(index)
    if not places:
        return []
    cells = np.frombuffer(b"".join(places), np.uint8).reshape(len(places), -1)
    groups: dict[int, list[int]] = defaultdict(list)
    for root, members in zip(_roots(cells), places.values(), strict=True):
        groups[root] += members
    return sorted(sorted(group) for group in groups.values() if len(group) > 1)


def _roots(cells: np.ndarray) -> list[int]:
    """For each of the thumbnails [N, D] the first one of its group."""
    limits = _limits(cells)
    projected = _project(cells)
    tree = scipy.spatial.KDTree(projected)
    root = list(range(len(cells)))
    alone = np.ones(len(cells), bool)
    for index in range(len(cells)):
        # Whoever belongs to a group was compared when it was found; so a large group costs one search.
        if not alone[index]:
            continue
        found = np.array(tree.query_ball_point(projected[index], limits[index] * cells.shape[1] ** 0.5 + 1e-3))
        apart = np.sqrt(np.square(cells[found].astype(np.float32) - cells[index]).mean(axis=1))
        for other in found[apart <= np.minimum(limits[found], limits[index])]:
            root[_root(root, int(other))] = _root(root, index)
            alone[other] = False
    return [_root(root, index) for index in range(len(cells))]


def _limits(cells: np.ndarray) -> np.ndarray:
    """How far [N] a near duplicate of each thumbnail may be: a share of the contrast about its mean color."""
    limits = np.empty(len(cells), np.float32)
    for start in range(0, len(cells), _SAMPLE):
        block = cells[start : start + _SAMPLE].reshape(-1, _SIDE * _SIDE, 3).astype(np.float32)
        limits[start : start + _SAMPLE] = np.sqrt(block.var(axis=1).mean(axis=1))
    return np.clip(_SHARE * limits, _LEAST, _MOST)


def _project(cells: np.ndarray) -> np.ndarray:
    """Thumbnails [N, D] on their first principal components, float32 [N, 12]."""
    sample = cells[:: max(1, len(cells) // _SAMPLE)].astype(np.float32)
    mean = sample.mean(axis=0)
    axes = np.linalg.eigh((sample - mean).T @ (sample - mean))[1][:, -_COMPONENTS:]
    blocks = [(cells[start : start + _SAMPLE] - mean) @ axes for start in range(0, len(cells), _SAMPLE)]
    return np.concatenate(blocks).astype(np.float32)


def _root(parent: list[int], index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = parent[index]
    return index
