"""What is in a source of images: bad files with reasons, sizes, modes, duplicates and label counts."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stylegenes.data.bands import BadImageError
from stylegenes.data.decode import View, bands_to_pixels, open_picture, read_bands, shown_picture
from stylegenes.data.description import LeftOut
from stylegenes.data.duplicates import near, same, thumbnail
from stylegenes.data.files import TOO_LARGE, FileSource
from stylegenes.data.originals import Originals, first_of_several, shape_kept
from stylegenes.data.pack import UsableLabels, usable_labels
from stylegenes.data.parallel import ordered_map
from stylegenes.errors import shown
from stylegenes.progress import Track

MOST_ON_SHEET = 144
_NAMED = 3


@dataclass(frozen=True)
class Report:
    """What `check_source` found.

    Attributes:
        source: what was checked.
        kind: folder, zip or LMDB.
        good: number of usable images.
        bad: files that cannot be used.
        ignored: number of hidden and system files.
        sizes: how many images have which `width x height`.
        modes: how many images have which format and mode.
        upscaled: images smaller than the resolution asked for.
        not_square: images of another shape than is asked for, which are cropped or letterboxed.
        shape: that nearly all share one which is not kept, and the size that keeps it; "" where that is not so.
        animated: images of several frames, of which the first is taken.
        duplicates: groups of equal files.
        near_duplicates: groups of images that look almost the same, without equal files.
        label_origin: where labels come from.
        labels: sum of every label column: the number of images of a class or with an attribute.
        warnings: what is odd about the source, in sentences.
    """

    source: str
    kind: str
    good: int
    bad: list[LeftOut]
    ignored: int
    sizes: dict[str, int]
    modes: dict[str, int]
    upscaled: int
    not_square: int
    shape: str
    animated: int
    duplicates: list[list[str]]
    near_duplicates: list[list[str]]
    label_origin: str
    labels: dict[str, float]
    warnings: list[str]

    @property
    def is_clean(self) -> bool:
        """Whether every file can be used, and there is one."""
        return self.good > 0 and not self.bad

    def as_json(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Checked:
    """A report, and pictures to look at.

    Attributes:
        report: what was found.
        pictures: uint8 [N, H, W, C], up to 144 images spread evenly over the source.
    """

    report: Report
    pictures: np.ndarray


@dataclass(frozen=True)
class _Look:
    name: str
    width: int
    height: int
    mode: str
    animated: bool
    digest: str
    shape: bytes


@dataclass(frozen=True)
class _Looker:
    """Looks at one item; pickles, so that processes can share the work."""

    source: FileSource

    def __call__(self, index: int) -> _Look | LeftOut:
        name = self.source.names[index]
        try:
            data = self.source.store.read(name)
            header = open_picture(data)
            bands = read_bands(data, self.source.view.channels)
        except BadImageError as error:
            return LeftOut(name, error.reason, error.fix)
        except MemoryError:
            return LeftOut(name, *TOO_LARGE)
        mode = f"{header.format} {header.mode if len(bands) == 1 else f'{len(bands)} channels'}"
        digest = hashlib.sha256(data).hexdigest()
        animated = first_of_several(header, self.source.view)
        return _Look(name, *bands[0].size, mode, animated, digest, shape=thumbnail(shown_picture(bands)))


def check_source(source: FileSource, *, workers: int, track: Track) -> Checked:
    """Read every file of a source and report on all of them."""
    count = len(source.names)
    looks: list[_Look] = []
    bad = list(source.left_out)
    rows: list[int] = []
    for index, found in enumerate(track(ordered_map(_Looker(source), count, workers), "checking", count)):
        if isinstance(found, LeftOut):
            bad.append(found)
        else:
            looks.append(found)
            rows.append(index)
    report = _report(source, looks, bad, usable_labels(source, rows))
    spread = np.linspace(0, len(rows) - 1, min(len(rows), MOST_ON_SHEET)).astype(int)
    return Checked(report, _pictures(source, [rows[place] for place in spread]))


def _shape(source: FileSource, looks: list[_Look]) -> str:
    cut = [look for look in looks if not source.view.keeps_shape(look.width, look.height)]
    kept = _counts(size for look in cut if (size := shape_kept((look.width, look.height), source.view)))
    return Originals({"": len(looks)}, kept=kept).advice()


def _report(source: FileSource, looks: list[_Look], bad: list[LeftOut], labels: UsableLabels) -> Report:
    copies = same([look.digest for look in looks])
    repeated = {member for group in copies for member in group[1:]}
    single = [index for index in range(len(looks)) if index not in repeated]
    alike = [[single[member] for member in group] for group in near([looks[index].shape for index in single])]
    size = source.view.size
    return Report(
        source=source.description,
        kind=source.store.kind,
        good=len(looks),
        bad=bad,
        ignored=source.ignored,
        sizes=_counts(f"{look.width}x{look.height}" for look in looks),
        modes=_counts(look.mode for look in looks),
        upscaled=sum(look.width < size.width or look.height < size.height for look in looks),
        not_square=sum(not source.view.keeps_shape(look.width, look.height) for look in looks),
        shape=_shape(source, looks),
        animated=sum(look.animated for look in looks),
        duplicates=[[looks[index].name for index in group] for group in copies],
        near_duplicates=[[looks[index].name for index in group] for group in alike],
        label_origin=source.label_origin,
        labels={name: float(sum_) for name, sum_ in zip(labels.names, labels.matrix.sum(axis=0), strict=True)},
        warnings=[*source.warnings, *labels.warnings, *_contradictions(looks, copies, labels.matrix)],
    )


def _contradictions(looks: list[_Look], copies: list[list[int]], labels: np.ndarray) -> list[str]:
    """Equal files that are labeled differently."""
    unlike = [group for group in copies if (labels[group] != labels[group[0]]).any()]
    names = [", ".join(shown(looks[index].name, 40) for index in group[:_NAMED]) for group in unlike]
    return [f"{group} are one file with different labels" for group in names[:_NAMED]] + (
        [f"{len(names) - _NAMED} more groups of equal files have different labels"] if len(names) > _NAMED else []
    )


def _counts(values: Any) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _pictures(source: FileSource, indices: list[int]) -> np.ndarray:
    view: View = source.view
    read = [read_bands(source.store.read(source.names[index]), view.channels) for index in indices]
    pictures = [bands_to_pixels(bands, view) for bands in read]
    shape = (0, view.channels, *view.size.hw)
    return (np.stack(pictures) if pictures else np.zeros(shape, np.uint8)).transpose(0, 2, 3, 1)
