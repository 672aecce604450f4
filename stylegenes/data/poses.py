"""Cameras from elsewhere: COLMAP's text models, NeRF's transforms.json, EG3D's dataset.json; what is odd about them.

All become cameras as `stylegenes.cameras` defines them. Poses of a reconstruction have no origin, no size and no up of
their own, so they are moved to stand around the origin (`centered`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import normalize

from stylegenes.cameras import NUMBERS, Cameras, fov_of, why_no_cameras
from stylegenes.errors import UserError
from stylegenes.files import read_json, write_json

_FOCALS = {"SIMPLE_PINHOLE": 1, "PINHOLE": 2, "SIMPLE_RADIAL": 1, "RADIAL": 1, "OPENCV": 2, "FULL_OPENCV": 2}
"""COLMAP's camera models that are read, and how many focal lengths each begins with."""
_STRAIGHT = ("SIMPLE_PINHOLE", "PINHOLE")
_OPENGL = torch.tensor([1.0, -1.0, -1.0, 1.0])
RADIUS = 2.7
"""Distance that cameras are moved to, of which a box of side one is a comfortable part."""


@dataclass(frozen=True)
class Posed:
    """Pictures whose cameras are known.

    Attributes:
        names: of the pictures.
        cameras: float32 [N, 25].
        source: where they come from, in words.
        notes: what is to be known about them, in sentences.
    """

    names: list[str]
    cameras: torch.Tensor
    source: str
    notes: list[str] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write EG3D's dataset.json, {"labels": [[name, 25 numbers], ...]}, all or nothing."""
        write_json(path, {"labels": [list(pair) for pair in zip(self.names, self.cameras.tolist(), strict=True)]})


def read_poses(path: Path) -> Posed:
    """The cameras of a file, or of a folder that holds one of the known files.

    Raises:
        UserError: when there is none, or it cannot be read; says what was looked for.
    """
    known: dict[str, Callable[[Path], Posed]] = {
        "dataset.json": _eg3d,
        "transforms.json": _nerf,
        "transforms_train.json": _nerf,
        "images.txt": _colmap,
    }
    places = [path] if path.is_file() else [path / name for name in known]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise UserError(f"{path} has no cameras; looked for {', '.join(known)}")
    try:
        read = known.get(found.name) or (_colmap if found.suffix == ".txt" else _by_content(found))
        posed = read(found)
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RuntimeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{found} is damaged or no file of cameras ({error!r})") from error
    if not posed.names:
        raise UserError(f"{found} names no picture")
    return posed


def _by_content(path: Path) -> Callable[[Path], Posed]:
    return _nerf if "frames" in read_json(path) else _eg3d


def _eg3d(path: Path) -> Posed:
    pairs = [(str(name), row) for name, row in read_json(path)["labels"] if row is not None]
    short = next((name for name, row in pairs if not isinstance(row, list) or len(row) < NUMBERS), None)
    if short is not None:
        raise UserError(f"{path}: the label of {short} is no camera of {NUMBERS} numbers")
    return Posed([name for name, _ in pairs], torch.tensor([row[:NUMBERS] for _, row in pairs]), str(path))


def _nerf(path: Path) -> Posed:
    """Camera-to-world in OpenGL's axes; one angle of view for all, or intrinsics in pixels for all or each."""
    content = read_json(path)
    if not content["frames"]:
        raise UserError(f"{path} names no picture")
    poses = torch.tensor([frame["transform_matrix"] for frame in content["frames"]], dtype=torch.float64)
    if poses.shape[1:] != (4, 4):
        raise UserError(f"{path}: a transform_matrix is 4x4, with a last row of 0 0 0 1; got {list(poses.shape[1:])}")
    intrinsics = torch.stack([_nerf_intrinsics({**content, **frame}) for frame in content["frames"]])
    cameras = Cameras(poses * _OPENGL.double(), intrinsics).packed().float()
    bent = any(content.get(key) for key in ("k1", "k2", "p1", "p2"))
    names = [str(frame["file_path"]).removeprefix("./") for frame in content["frames"]]
    return Posed(names, cameras, str(path), [_BENT] if bent else [])


def _nerf_intrinsics(values: dict[str, Any]) -> torch.Tensor:
    if "fl_x" not in values:
        angle = float(values["camera_angle_x"])
        if not 0 < angle < math.pi:
            raise UserError(f"camera_angle_x is {angle:g}; it is the angle of view in radians, between 0 and pi")
        focal = 0.5 / math.tan(angle / 2)
        return torch.tensor([[focal, 0, 0.5], [0, focal, 0.5], [0, 0, 1]], dtype=torch.float64)
    width, height = float(values["w"]), float(values["h"])
    focals = float(values["fl_x"]), float(values.get("fl_y", values["fl_x"]))
    center = float(values.get("cx", width / 2)), float(values.get("cy", height / 2))
    return cropped_intrinsics(focals, center, (width, height))


_BENT = "lens distortion is left out; undistort the pictures for exact cameras"


def _colmap(path: Path) -> Posed:
    """World-to-camera as quaternion and translation, two lines a picture; cameras.txt lies beside."""
    models = {line[0]: line[1:] for line in _lines(path.with_name("cameras.txt"))}
    lines = _lines(path)[::2] if _has_points(path) else _lines(path)
    names, poses, intrinsics, bent = [], [], [], set[str]()
    for line in lines:
        model, *sizes = models[line[8]]
        if model not in _FOCALS:
            raise UserError(f"{path}: camera model {model} is not read; known: {', '.join(_FOCALS)}")
        numbers = [float(number) for number in sizes]
        focal, count = numbers[2], _FOCALS[model]
        focals, center = (focal, numbers[1 + count]), (numbers[2 + count], numbers[3 + count])
        intrinsics.append(cropped_intrinsics(focals, center, (numbers[0], numbers[1])))
        poses.append(_inverse_pose([float(number) for number in line[1:8]]))
        names.append(" ".join(line[9:]))
        bent |= {model} - set(_STRAIGHT)
    cameras = Cameras(torch.stack(poses), torch.stack(intrinsics)).packed().float() if names else torch.zeros(0, 25)
    return Posed(names, cameras, str(path), [_BENT] if bent else [])


def _lines(path: Path) -> list[list[str]]:
    if not path.is_file():
        raise UserError(f"{path} is missing; COLMAP's text model has cameras.txt and images.txt side by side")
    rows = path.read_text("utf-8").splitlines()
    return [row.split() for row in rows if not row.lstrip().startswith("#") and (row.strip() or "images" in path.name)]


def _has_points(path: Path) -> bool:
    """Whether each picture's line is followed by one of its points, as COLMAP writes it."""
    lines = _lines(path)
    return len(lines) > 1 and len(lines) % 2 == 0 and not _is_picture(lines[1])


def _is_picture(line: list[str]) -> bool:
    return len(line) >= 10 and not line[9].lstrip("-").replace(".", "", 1).isdigit()


def _inverse_pose(numbers: list[float]) -> torch.Tensor:
    w, x, y, z = normalize(torch.tensor(numbers[:4], dtype=torch.float64), dim=0).tolist()
    turn = torch.tensor(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ],
        dtype=torch.float64,
    )
    pose = torch.eye(4, dtype=torch.float64)
    pose[:3, :3], pose[:3, 3] = turn.T, -turn.T @ torch.tensor(numbers[4:7], dtype=torch.float64)
    return pose


def cropped_intrinsics(
    focals: tuple[float, float], center: tuple[float, float], size: tuple[float, float]
) -> torch.Tensor:
    """Intrinsics in pixels as those [3, 3] of the central square, in units of its side, which `fit=crop` shows."""
    side = min(size)
    x, y = ((middle - (whole - side) / 2) / side for middle, whole in zip(center, size, strict=True))
    return torch.tensor([[focals[0] / side, 0, x], [0, focals[1] / side, y], [0, 0, 1]], dtype=torch.float64)


def focus_of(cameras: torch.Tensor) -> torch.Tensor:
    """The point [3] that the optical axes of cameras [N, 25] pass nearest to, in the least squares."""
    poses = Cameras.of(cameras.double())
    across = torch.eye(3).double() - poses.direction[:, :, None] * poses.direction[:, None]
    return torch.linalg.lstsq(across.sum(0), (across @ poses.position[..., None]).sum(0)).solution[:, 0]


def centered(posed: Posed, *, radius: float = RADIUS) -> Posed:
    """The cameras moved, turned and scaled: they look at the origin, their up is y, and their mean stands in front.

    The mean distance becomes `radius`.

    Raises:
        UserError: for what are no cameras, or those that all stand in one place: they meet nowhere.
    """
    reason = why_no_cameras(posed.cameras)
    if reason is not None:
        raise UserError(f"{posed.source}: these are no cameras: {reason}")
    cameras = Cameras.of(posed.cameras.double())
    spread = (cameras.position - cameras.position[:1]).norm(dim=1).max()
    if spread <= 1e-6 * cameras.position.norm(dim=1).max():
        raise UserError(f"{posed.source}: cameras that stand in one place cannot be centered; at least two are needed")
    focus = focus_of(posed.cameras)
    up = normalize(-cameras.pose[:, :3, 1].mean(dim=0), dim=0)
    away = (cameras.position - focus).mean(dim=0)
    front = away - (away @ up) * up
    if front.norm() < 1e-6:
        front = torch.linalg.cross(up, cameras.pose[0, :3, 0])
    front = normalize(front, dim=0)
    turn = torch.stack([torch.linalg.cross(up, front), up, front])
    scale = radius / (cameras.position - focus).norm(dim=1).mean()
    pose = cameras.pose.clone()
    pose[:, :3, :3] = turn @ cameras.pose[:, :3, :3]
    pose[:, :3, 3] = (cameras.position - focus) @ turn.T * scale
    return replace(posed, cameras=Cameras(pose, cameras.intrinsics).packed().float())


def oddities(cameras: torch.Tensor) -> list[str]:
    """What is usually wrong with cameras [N, 25], each in a sentence with what to do; none where all is well."""
    reason = why_no_cameras(cameras)
    if reason is not None:
        return [f"these are no cameras: {reason}"]
    poses = Cameras.of(cameras.double())
    found, distance = [], poses.position.norm(dim=1).mean()
    if (poses.intrinsics[:, 0, 0].median() > 30) or (poses.intrinsics[:, 0, 2].abs().median() > 3):
        found.append("the intrinsics are in pixels; divide the first row by the width and the second by the height")
    towards = -(poses.direction * normalize(poses.position, dim=1)).sum(dim=1).mean()
    upright = -poses.pose[:, 1, 1].mean()
    if towards < -0.3:
        found.append(
            "the cameras look away from the origin: the poses have OpenGL's axes (y up, z backwards); OpenCV's are "
            "needed, so negate their second and third columns"
        )
    elif upright < -0.3:
        found.append("the cameras are upside down: y of the world points down; it must point up")
    if _spread(poses) > 3 * _spread(_inverted(poses)) and len(cameras) > 2:
        found.append("the poses are from world to camera; their inverses are needed")
    focus = focus_of(cameras)
    if len(cameras) > 2 and focus.norm() > 0.25 * distance:
        place = ", ".join(f"{x:.2f}" for x in focus.tolist())
        found.append(f"the world is not centered: the cameras look at ({place}), not at the origin")
    return found


def _spread(poses: Cameras) -> float:
    """How far the optical axes pass by the point nearest to all, in mean distances of the cameras from it."""
    focus = focus_of(poses.packed())
    away = focus - poses.position
    beside = away - (away * poses.direction).sum(dim=1, keepdim=True) * poses.direction
    return float(beside.norm(dim=1).mean() / away.norm(dim=1).mean())


def _inverted(poses: Cameras) -> Cameras:
    return Cameras(torch.linalg.inv(poses.pose), poses.intrinsics)


def summary(cameras: torch.Tensor) -> str:
    """Number, distances, angles and fields of view of cameras [N, 25], in a line."""
    x, y, z = Cameras.of(cameras).position.T
    yaw, distance = torch.atan2(x, z).rad2deg(), torch.stack([x, y, z]).norm(dim=0)
    pitch = torch.asin((y / distance).clamp(-1, 1)).rad2deg()
    ranges = [f"{name} {v.min():.3g} to {v.max():.3g}" for name, v in (("yaw", yaw), ("pitch", pitch))]
    fov = fov_of(cameras)
    return (
        f"{len(cameras)} cameras, distance {distance.min():.3g} to {distance.max():.3g}, {', '.join(ranges)}, angle of "
        f"view {fov.min():.3g} to {fov.max():.3g} degrees"
    )
