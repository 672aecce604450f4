"""From where photos were seen, as a user says it: 25 numbers, or a file of cameras that names the photos."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path, PurePosixPath

import torch

from stylegenes.cameras import NUMBERS, why_no_cameras
from stylegenes.data.poses import Posed, read_poses
from stylegenes.errors import UserError, shown
from stylegenes.inversion.photos import Photos

GivenCameras = torch.Tensor | Sequence[float] | str | PathLike[str]
"""25 numbers, or [N, 25]; text of 25 numbers; or a file (or its folder): 25 numbers, dataset.json, NeRF's, COLMAP's."""

_MOST = 1 << 16
"""Bytes up to which a file can be one of 25 numbers."""


def cameras_of(photos: Photos, given: GivenCameras) -> torch.Tensor:
    """The camera of each photo, float32 [N, 25].

    Raises:
        UserError: for what are no cameras, a file that does not name a photo, or another number of them than of photos.
    """
    if isinstance(given, str | PathLike):
        return _read(photos, given)
    try:
        numbers = torch.as_tensor(given, dtype=torch.float32)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"cameras are {NUMBERS} numbers each; got {shown(given, 60)}") from error
    return _checked(photos, numbers[None] if numbers.ndim == 1 else numbers, "the cameras")


def given_cameras(
    photos: Photos,
    cameras: GivenCameras | None,
    view: Mapping[str, float],
    camera_at: Callable[[Mapping[str, float]], torch.Tensor | None],
) -> torch.Tensor | None:
    """The camera of each photo [N, 25] where cameras or angles tell it, or None where it is to be sought.

    Args:
        photos: the photos.
        cameras: see `cameras_of`.
        view: yaw, pitch and fov in degrees; an angle of view alone says nothing of where the camera stands.
        camera_at: makes a camera [1, 25] of these, or refuses.

    Raises:
        UserError: for both at once, and as `cameras_of` and `camera_at` do.
    """
    angles = camera_at(view)
    if cameras is not None and view:
        raise UserError("cameras and angles (yaw, pitch, fov) both say from where photos are seen; give one of the two")
    if cameras is not None:
        return cameras_of(photos, cameras)
    return cameras_of(photos, angles) if angles is not None and set(view) != {"fov"} else None


def _read(photos: Photos, given: str | PathLike[str]) -> torch.Tensor:
    numbers = _numbers(str(given))
    if numbers is not None:
        return _checked(photos, numbers, "the camera")
    path = Path(given).expanduser()
    if path.is_file() and path.stat().st_size <= _MOST:
        try:
            numbers = _numbers(path.read_text("utf-8"))
        except UnicodeDecodeError:
            numbers = None
        if numbers is not None:
            return _checked(photos, numbers, str(path))
    if not path.exists():
        raise UserError(f"{shown(given, 60)} is neither {NUMBERS} numbers nor a file or folder of cameras")
    posed = read_poses(path)
    rows = [_row_of(photo, posed) for photo in photos.paths]
    return _checked(photos, posed.cameras[torch.tensor(rows)], posed.source)


def _numbers(text: str) -> torch.Tensor | None:
    """Numbers between commas, blanks or brackets, [1, K]; None where there is anything else."""
    parts = re.split(r"[\s,;\[\]]+", text.strip(" \t\r\n,;[]"))
    try:
        return torch.tensor([[float(part) for part in parts]], dtype=torch.float32)
    except ValueError:
        return None


def _checked(photos: Photos, cameras: torch.Tensor, source: str) -> torch.Tensor:
    reason = why_no_cameras(cameras)
    if reason is not None:
        raise UserError(f"{source}: these are no cameras: {reason}")
    if len(cameras) not in (1, len(photos.paths)):
        raise UserError(f"{source}: {len(cameras)} cameras for {len(photos.paths)} photos; give one, or one for each")
    return cameras.float().expand(len(photos.paths), -1)


def _row_of(photo: Path, posed: Posed) -> int:
    """The row whose name is the end of the photo's path, with or without its suffix; the longest such name counts."""
    places = (PurePosixPath(photo.resolve().as_posix()), PurePosixPath(photo.resolve().with_suffix("").as_posix()))
    fitting = []
    for row, name in enumerate(posed.names):
        parts = PurePosixPath(name).parts
        if any(parts and place.parts[-len(parts) :] == parts for place in places):
            fitting.append((len(parts), row))
    if not fitting:
        first = ", ".join(shown(name, 40) for name in posed.names[:3])
        raise UserError(f"{posed.source} has no camera for {photo}; it names {len(posed.names)} pictures: {first} ...")
    return max(fitting)[1]
