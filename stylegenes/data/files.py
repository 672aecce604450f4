"""Image files in a store as a source of images."""

from __future__ import annotations

import hashlib

import numpy as np

from stylegenes.data.bands import BadImageError
from stylegenes.data.decode import View, bands_to_pixels, open_picture, read_bands
from stylegenes.data.description import LeftOut
from stylegenes.data.hashing import hash_of
from stylegenes.data.labels import find_labels
from stylegenes.data.originals import original_of
from stylegenes.data.source import Picture, Source
from stylegenes.data.stores import Store
from stylegenes.errors import shown

TOO_LARGE = ("needs more memory than there is", "save it smaller")


class FileSource(Source):
    """The images of a store, decoded to one size, with the labels found beside them."""

    def __init__(self, store: Store, view: View, *, labels: str | None = None) -> None:
        listing = store.list()
        found = find_labels(store, [entry.name for entry in listing.entries], listing.texts, labels)
        self._entries = [entry for entry in listing.entries if not found.names or entry.name in found.rows]
        self._names = [entry.name for entry in self._entries]
        self._labels = found.matrix(self._names)
        self.store = store
        self.view = view
        self.description = shown(store.path, 400)
        self.parameters = {**view.parameters}
        self.size = view.size
        self.channels = view.channels
        self.label_names = found.names
        self.label_origin = found.origin
        self.classes = found.classes
        self.warnings = tuple(found.warnings)
        self.left_out = listing.left_out + found.left_out
        self.ignored = listing.ignored

    @property
    def names(self) -> list[str]:
        """Paths within the store, sorted."""
        return self._names

    def fingerprint(self) -> str:
        """Hash of names, sizes, times, labels and parameters."""
        return hash_of(
            {
                "entries": [(entry.name, entry.stamp) for entry in self._entries],
                "left_out": [item.name for item in self.left_out],
                "labels": hashlib.sha256(self._labels.tobytes()).hexdigest(),
                "label_names": self.label_names,
                "parameters": self.parameters,
            }
        )

    def labels(self) -> np.ndarray:
        """Labels of all images, float32 [N, L]."""
        return self._labels

    def load(self, index: int) -> Picture | LeftOut:
        """Read and decode one image."""
        name = self._names[index]
        try:
            data = self.store.read(name)
            bands = read_bands(data, self.view.channels)
            original = original_of(open_picture(data), bands[0].size, self.view)
            return Picture(bands_to_pixels(bands, self.view), hashlib.sha256(data).hexdigest(), original)
        except BadImageError as error:
            return LeftOut(name, error.reason, error.fix)
        except MemoryError:
            return LeftOut(name, *TOO_LARGE)
