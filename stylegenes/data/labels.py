"""Labels for the images of a store: from dataset.json, attribute tables, or the names of class folders."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from stylegenes.cameras import CAMERA_NAMES
from stylegenes.data.columns import MOST_LABELS
from stylegenes.data.decode import BadImageError
from stylegenes.data.description import LeftOut
from stylegenes.data.label_json import parse_json
from stylegenes.data.rows import LabelTable, common_root, match
from stylegenes.data.stores import Store
from stylegenes.data.tables import parse_table
from stylegenes.errors import UserError, shown

CELEBA = ("list_attr_celeba.txt", "list_attr_celeba.csv")
STYLEGAN = "dataset.json"
NONE = "none"

_SHARD = re.compile(r"\d{4,}")
_SHOWN = 3


@dataclass(frozen=True)
class Labels:
    """One row of numbers for each image that has one.

    Attributes:
        names: names of the columns; empty without labels.
        rows: by entry name, float32 [L].
        origin: where they come from, in words.
        left_out: images without a row, or with one that cannot be read.
        warnings: what was found odd about them.
        classes: whether each column is a class folder, which only pictures that can be used make one.
    """

    names: list[str] = field(default_factory=list)
    rows: Mapping[str, np.ndarray] = field(default_factory=dict)
    origin: str = "no labels"
    left_out: list[LeftOut] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    classes: bool = False

    def matrix(self, names: Sequence[str]) -> np.ndarray:
        """The rows of the given entries, float32 [N, L]."""
        matrix = np.zeros((len(names), len(self.names)), np.float32)
        if self.names:
            for row, name in zip(matrix, names, strict=True):
                row[:] = self.rows[name]
        return matrix


@dataclass(frozen=True)
class _File:
    """A label file: its name in words, and where its bytes are."""

    name: str
    path: Path | None = None
    """On disk; None for a file of the store."""

    def table(self, store: Store) -> LabelTable:
        """Read it.

        Raises:
            UserError: names the file.
        """
        try:
            content = store.read(self.name) if self.path is None else self.path.read_bytes()
        except BadImageError as error:
            raise UserError(f"the label file {shown(self.name)}: {error}") from error
        except OSError as error:
            raise UserError(f"the label file {shown(self.name)} cannot be read: {error.strerror}") from error
        parse = parse_json if PurePosixPath(self.name).suffix.lower() == ".json" else parse_table
        return parse(shown(self.name), content)


def find_labels(store: Store, entries: Sequence[str], texts: Sequence[str], wanted: str | None = None) -> Labels:
    """The labels of a store's images.

    Looked for in this order: what `wanted` names; the StyleGAN tools' dataset.json or CelebA's attribute list, also
    beside the folder; the only CSV at the top; class folders. Where dataset.json holds nothing but cameras, the CSV
    adds the labels.

    Args:
        store: where the images lie.
        entries: names of the images.
        texts: names of the text files in the store.
        wanted: a file in the store or on disk, `none` for no labels, or None to look.

    Raises:
        UserError: for a label file that is missing or cannot be read, or several of which none is named.
    """
    if wanted == NONE:
        return Labels(origin="none wanted")
    if wanted is not None:
        table = _wanted(store, texts, wanted).table(store)
        return _from_table(table, entries, [])
    known, tables = _known(store, texts), _tables(texts, entries)
    read = [table for table in (file.table(store) for file in known) if table.columns]
    if len(read) == len(tables) == 1 and tuple(read[0].columns) == CAMERA_NAMES:
        return _joined(*(_from_table(table, entries, []) for table in (tables[0].table(store), read[0])))
    if len(read) > 1 or (not read and len(tables) > 1) or (read and tables and not _is_celeba(read[0].name)):
        names = [table.name for table in read] + [shown(file.name) for file in tables]
        first = shlex.quote(names[0])
        why = "".join(f". {warning}" for table in read for warning in table.warnings if "no cameras" in warning)
        raise UserError(
            f"{shown(store.path, 200)} holds several label files ({', '.join(names[:6])}); name the one to use, or "
            f"`{NONE}`: --labels {first}, to train --set data.label_file={first}{why}"
        )
    if read:
        unused = [f"{shown(file.name)} lies beside {read[0].name} and is not used" for file in tables]
        return _from_table(read[0], entries, unused)
    return _from_table(tables[0].table(store), entries, []) if tables else _from_folders(entries)


def _is_celeba(name: str) -> bool:
    return PurePosixPath(name).name in CELEBA


def _known(store: Store, texts: Sequence[str]) -> list[_File]:
    """Label files of well-known names: every dataset.json, and one list of CelebA's, which often lies there twice."""
    inside = sorted(texts, key=lambda text: (text.count("/"), text))
    stylegan = [_File(text) for text in inside if PurePosixPath(text).name == STYLEGAN]
    celeba = [_File(text) for name in CELEBA for text in inside if PurePosixPath(text).name == name]
    beside = [store.path.parent / name for name in CELEBA]
    celeba += [_File(str(path), path) for path in beside if path.is_file()]
    return stylegan + celeba[:1]


def _tables(texts: Sequence[str], entries: Sequence[str]) -> list[_File]:
    """Tables of any other name at the top."""
    root = common_root(entries)
    found = [text for text in texts if PurePosixPath(text).suffix.lower() == ".csv" and not _is_celeba(text)]
    return [_File(text) for text in found if "/" not in text.removeprefix(root)]


def _wanted(store: Store, texts: Sequence[str], wanted: str) -> _File:
    if wanted in texts:
        return _File(wanted)
    path = Path(wanted).expanduser()
    if not path.is_file():
        inside = f"; in {shown(store.path, 200)} there are: {', '.join(map(shown, texts[:20]))}" if texts else ""
        raise UserError(f"there is no label file {shown(wanted, 200)}{inside}")
    return _File(wanted, path)


def _from_table(table: LabelTable, entries: Sequence[str], warnings: list[str]) -> Labels:
    if not table.columns:
        return Labels(origin=f"{table.name}, which gives no labels")
    found = match(table, entries)
    return Labels(table.columns, found.rows, table.name, found.left_out, warnings + found.warnings)


def _joined(labels: Labels, cameras: Labels) -> Labels:
    """Labels and cameras of the pictures that have both."""
    if not labels.names:
        return cameras
    rows = {
        name: np.concatenate([row, cameras.rows[name]]) for name, row in labels.rows.items() if name in cameras.rows
    }
    left_out = {item.name: item for item in (*labels.left_out, *cameras.left_out)}
    origin = f"{labels.origin} and the cameras of {cameras.origin}"
    warnings = labels.warnings + cameras.warnings
    return Labels([*labels.names, *cameras.names], rows, origin, list(left_out.values()), warnings)


def _from_folders(entries: Sequence[str]) -> Labels:
    """Class folders: every image lies in one of at least two folders. Folders of running numbers are no classes."""
    root = common_root(entries)
    tops = [entry.removeprefix(root).split("/") for entry in entries]
    classes = sorted({parts[0] for parts in tops if len(parts) > 1})
    if not classes:
        return Labels()
    if all(_SHARD.fullmatch(name) for name in classes):
        return Labels(origin=f"no labels: folders of running numbers ({_some(classes)}) are not read as classes")
    stray = [entry for entry, parts in zip(entries, tops, strict=True) if len(parts) == 1]
    if stray:
        folders = _some(classes)
        warning = (
            f"{len(stray)} images lie beside the folders {folders} ({_some(stray)}), so the folders are not read as "
            "classes; move them into a folder or away if they are meant as classes"
        )
        return Labels(origin=f"no labels: {len(stray)} images lie beside the folders {folders}", warnings=[warning])
    if len(classes) < 2:
        return Labels()
    if len(classes) > MOST_LABELS:
        return Labels(warnings=[f"{len(classes):,} folders are more than {MOST_LABELS:,} and not read as classes"])
    rows = _one_hot_rows(entries, [parts[0] for parts in tops], classes)
    return Labels(classes, rows, "class folders", warnings=_inner_folders(tops, classes), classes=True)


def _inner_folders(tops: list[list[str]], classes: list[str]) -> list[str]:
    """A warning where folders lie in class folders, as in train/cat, train/dog, val/cat."""
    inner = sorted({parts[1] for parts in tops if len(parts) > 2})
    if not inner or all(_SHARD.fullmatch(name) for name in inner):
        return []
    return [
        f"the classes are the outer folders ({_some(classes)}), not those in them ({_some(inner)}); if those are "
        "meant, give one outer folder as the data"
    ]


def _some(names: Sequence[str]) -> str:
    return f"{', '.join(map(shown, names[:_SHOWN]))}{', ...' if len(names) > _SHOWN else ''}"


def _one_hot_rows(entries: Sequence[str], tops: list[str], classes: list[str]) -> dict[str, np.ndarray]:
    """Pictures of a class share one row, so that many classes cost no memory."""
    shared = dict(zip(classes, np.eye(len(classes), dtype=np.float32), strict=True))
    return {entry: shared[top] for entry, top in zip(entries, tops, strict=True)}
