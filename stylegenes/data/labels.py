"""Labels for the images of a store: from dataset.json, attribute tables, or the names of class folders."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from stylegenes.data.packed import LeftOut
from stylegenes.data.stores import Store
from stylegenes.data.tables import parse_table
from stylegenes.errors import UserError

CELEBA = ("list_attr_celeba.txt", "list_attr_celeba.csv")
STYLEGAN = "dataset.json"
NONE = "none"

_SHARD = re.compile(r"\d{4,}")


@dataclass(frozen=True)
class Labels:
    """One row of numbers for each image that has one.

    Attributes:
        names: names of the columns; empty without labels.
        rows: by entry name, float32 [L].
        origin: where they come from, in words.
        left_out: images without a row, or with one that cannot be read.
    """

    names: list[str] = field(default_factory=list)
    rows: Mapping[str, np.ndarray] = field(default_factory=dict)
    origin: str = "no labels"
    left_out: list[LeftOut] = field(default_factory=list)

    def matrix(self, names: Sequence[str]) -> np.ndarray:
        """The rows of the given entries, float32 [N, L]."""
        if not self.names:
            return np.zeros((len(names), 0), np.float32)
        return np.stack([self.rows[name] for name in names])


def find_labels(store: Store, entries: Sequence[str], texts: Sequence[str], wanted: str | None = None) -> Labels:
    """The labels of a store's images.

    Looked for in this order: what `wanted` names; the StyleGAN tools' dataset.json; CelebA's attribute list, also
    beside the folder; the only CSV at the top; class folders.

    Args:
        store: where the images lie.
        entries: names of the images.
        texts: names of the text files in the store.
        wanted: a file in the store or on disk, `none` for no labels, or None to look.

    Raises:
        UserError: for a label file that is missing or cannot be read.
    """
    if wanted == NONE:
        return Labels()
    if wanted is not None:
        return _from_file(wanted, _content(store, texts, wanted), entries)
    for name in (STYLEGAN, *CELEBA):
        inside = sorted((text for text in texts if PurePosixPath(text).name == name), key=len)
        if inside:
            return _from_file(inside[0], store.read(inside[0]), entries)
    beside = [store.path.parent / name for name in CELEBA if (store.path.parent / name).is_file()]
    if beside:
        return _from_file(str(beside[0]), beside[0].read_bytes(), entries)
    tables = [text for text in texts if PurePosixPath(text).suffix == ".csv" and "/" not in strip_root(text, entries)]
    if len(tables) == 1:
        return _from_file(tables[0], store.read(tables[0]), entries)
    if tables:
        raise UserError(f"{store.path} holds several tables ({', '.join(tables)}); name one as labels, or `{NONE}`")
    return _from_folders(entries)


def strip_root(name: str, entries: Sequence[str]) -> str:
    """A name without the folders that all entries share."""
    root = common_root(entries)
    return name.removeprefix(root)


def common_root(names: Sequence[str]) -> str:
    """The folder that all names lie in, with a slash at its end; empty when there is none."""
    parents = [PurePosixPath(name).parent.parts for name in (min(names), max(names))] if names else [(), ()]
    shared = 0
    while shared < min(map(len, parents)) and parents[0][shared] == parents[1][shared]:
        shared += 1
    return "".join(f"{part}/" for part in parents[0][:shared])


def _content(store: Store, texts: Sequence[str], wanted: str) -> bytes:
    if wanted in texts:
        return store.read(wanted)
    if not Path(wanted).is_file():
        inside = f"; in {store.path} there are: {', '.join(texts)}" if texts else ""
        raise UserError(f"there is no label file {wanted}{inside}")
    return Path(wanted).read_bytes()


def _from_file(name: str, content: bytes, entries: Sequence[str]) -> Labels:
    path = PurePosixPath(name)
    if path.suffix == ".json":
        table, names = _parse_json(name, content)
    else:
        parsed = parse_table(name, content)
        table, names = parsed.rows, parsed.columns
    if not names:
        return Labels(origin=f"{name}, which gives no labels")
    return _match(name, names, table, entries)


def _parse_json(name: str, content: bytes) -> tuple[dict[str, np.ndarray | str], list[str]]:
    """The StyleGAN tools' `{"labels": [["00000/img.png", 3], ...]}`; numbers are classes, lists are vectors."""
    try:
        pairs = json.loads(content)["labels"] or []
        labels = {str(key): value for key, value in pairs}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f'{name} is no label file of the StyleGAN tools, {{"labels": [[name, label], ...]}}') from error
    if not labels:
        return {}, []
    values = list(labels.values())
    if all(isinstance(value, int) and value >= 0 for value in values):
        count = max(values) + 1
        return {key: _one_hot(value, count) for key, value in labels.items()}, [f"class_{i}" for i in range(count)]
    try:
        rows = {key: np.array(value, np.float32) for key, value in labels.items()}
        length = {row.shape for row in rows.values()}
        ((columns,),) = length
    except (ValueError, TypeError) as error:
        raise UserError(f"{name}: labels must be all class numbers, or all vectors of one length") from error
    return dict(rows), [f"label_{i}" for i in range(columns)]


def _match(origin: str, names: list[str], table: Mapping[str, np.ndarray | str], entries: Sequence[str]) -> Labels:
    """Find each entry's row: by its full name, below the shared folder, or by its file name alone."""
    rows: dict[str, np.ndarray] = {}
    left_out: list[LeftOut] = []
    root = common_root(entries)
    for entry in entries:
        keys = (entry, entry.removeprefix(root), PurePosixPath(entry).name, PurePosixPath(entry).stem)
        row = next((table[key] for key in keys if key in table), f"no row in {origin}")
        if isinstance(row, str):
            left_out.append(LeftOut(entry, row, f"add it to {origin}, or open the data with labels={NONE}"))
        else:
            rows[entry] = row
    if entries and not rows:
        raise UserError(
            f"{origin} names none of the images (it has {next(iter(table), 'no row')}, the data {entries[0]})"
        )
    return Labels(names, rows, origin, left_out)


def _from_folders(entries: Sequence[str]) -> Labels:
    """Class folders: every image lies in one of at least two folders. Folders of running numbers are no classes."""
    root = common_root(entries)
    tops = [entry.removeprefix(root).split("/") for entry in entries]
    classes = sorted({parts[0] for parts in tops if len(parts) > 1})
    if len(classes) < 2 or any(len(parts) == 1 for parts in tops) or all(_SHARD.fullmatch(name) for name in classes):
        return Labels()
    index = {name: number for number, name in enumerate(classes)}
    rows = {entry: _one_hot(index[parts[0]], len(classes)) for entry, parts in zip(entries, tops, strict=True)}
    return Labels(classes, rows, "class folders")


def _one_hot(index: int, count: int) -> np.ndarray:
    row = np.zeros(count, np.float32)
    row[index] = 1
    return row
