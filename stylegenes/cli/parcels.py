"""A folder as a few files of bounded size, to be carried from one machine to the next, and back."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stylegenes.errors import UserError
from stylegenes.files import read_object, write_json
from stylegenes.shape import check

MANIFEST = "parcel.json"
FORMAT = "stylegenes-parcel-1"
PART_BYTES, MOST_BYTES, MOST_PARTS = 15 * 2**20, 56 * 2**20, 5
"""Bytes of a part, of all parts together, and how many parts there are at most."""


def write_parcel(folder: Path, files: Iterable[Path], out: Path) -> list[Path]:
    """Write some files of `folder` as `parcel-0.bin`, `parcel-1.bin` ... and a list with checksums into `out`.

    Parts of an earlier parcel are replaced; the list is written last, so that a parcel without one is incomplete.

    Raises:
        UserError: when they are too large.
    """
    content = _tar(folder, files)
    if len(content) > MOST_BYTES:
        raise UserError(
            f"{folder} takes {len(content) / 2**20:.1f} MiB, and a parcel {MOST_BYTES >> 20} at most; choose smaller "
            "networks (--set model.synthesis.channel_max=96, the same for the discriminator)"
        )
    out.mkdir(parents=True, exist_ok=True)
    for old in [out / MANIFEST, *out.glob("parcel-*.bin")]:
        old.unlink(missing_ok=True)
    parts = [content[start : start + PART_BYTES] for start in range(0, len(content), PART_BYTES)]
    paths = [out / f"parcel-{i}.bin" for i in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        path.write_bytes(part)
    listed = [
        {"name": path.name, "bytes": len(part), "sha256": hashlib.sha256(part).hexdigest()}
        for path, part in zip(paths, parts, strict=True)
    ]
    write_json(out / MANIFEST, {"format": FORMAT, "parts": listed})
    return [*paths, out / MANIFEST]


def open_parcel(parcel: Path, folder: Path) -> None:
    """Join a parcel into `folder`, over files of the same names.

    Raises:
        UserError: when a part is missing or damaged; `folder` is untouched.
    """
    content = io.BytesIO(b"".join(_parts(parcel)))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=content) as tar:
            tar.extractall(folder, filter="data")
    except tarfile.TarError as error:
        raise UserError(f"{parcel} cannot be unpacked: {error}") from error


def _parts(parcel: Path) -> list[bytes]:
    if not (parcel / MANIFEST).exists():
        raise UserError(f"{parcel} has no {MANIFEST}: it is no parcel, or not all of it was brought along")
    manifest = read_object(parcel / MANIFEST)
    if manifest.get("format") != FORMAT:
        raise UserError(f"{parcel / MANIFEST} is of format {manifest.get('format')!r}; this version reads {FORMAT!r}")
    parts = []
    listed = check(manifest.get("parts"), list[dict[str, Any]], f"parts in {parcel / MANIFEST}")
    for entry in listed:
        path = parcel / Path(str(entry.get("name"))).name
        if not path.exists():
            raise UserError(f"{path} is missing; bring all {len(listed)} parts along")
        part = path.read_bytes()
        if hashlib.sha256(part).hexdigest() != entry.get("sha256"):
            raise UserError(f"{path} is damaged: its checksum does not match; copy it again")
        parts.append(part)
    return parts


def _tar(folder: Path, files: Iterable[Path]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for file in files:
            tar.add(file, file.relative_to(folder).as_posix())
    return content.getvalue()
