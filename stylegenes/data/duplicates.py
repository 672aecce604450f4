"""Pictures that occur twice: exactly, by the hash of their files, or nearly, by a small hash of what they show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from PIL import Image

_SIDE = 16
_BANDS = 8
NEAR = 7
"""Most bits of 256 in which near duplicates differ; with 8 bands they then agree on one band at least."""


def perceptual_hash(picture: Image.Image) -> bytes:
    """256 bits that say where brightness rises from one cell of a 16 x 17 grid to the next; 32 bytes."""
    cells = np.asarray(picture.convert("L").resize((_SIDE + 1, _SIDE), Image.Resampling.BOX)).astype(np.int16)
    return np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes()


def same(digests: Sequence[str]) -> list[list[int]]:
    """Groups of equal digests, as indices."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, digest in enumerate(digests):
        groups[digest].append(index)
    return [group for group in groups.values() if len(group) > 1]


def near(hashes: Sequence[bytes]) -> list[list[int]]:
    """Groups of pictures whose hashes differ in at most NEAR bits, directly or through others of the group.

    Only pictures that agree on one of the bands are compared, so that large sets stay quick. Pictures without any
    structure have no hash that means something and are passed over.
    """
    bits = np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), _SIDE * _SIDE // 8)
    structured = [index for index in range(len(hashes)) if bits[index].any()]
    parent = list(range(len(hashes)))
    for band in np.split(bits, _BANDS, axis=1):
        for group in same([band[index].tobytes().hex() for index in structured]):
            _join_near([structured[member] for member in group], bits, parent)
    return [group for group in same([str(_root(parent, index)) for index in range(len(hashes))]) if len(group) > 1]


def _join_near(group: list[int], bits: np.ndarray, parent: list[int]) -> None:
    members = np.array(group)
    for place, index in enumerate(group[:-1]):
        distance = np.unpackbits(bits[members[place + 1 :]] ^ bits[index], axis=1).sum(axis=1)
        for other in members[place + 1 :][distance <= NEAR]:
            parent[_root(parent, int(other))] = _root(parent, index)


def _root(parent: list[int], index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = parent[index]
    return index
