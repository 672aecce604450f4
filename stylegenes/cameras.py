"""Cameras as 25 numbers: where they stand, where they look, and how wide.

A camera is the row-major 4x4 matrix that takes camera coordinates to world coordinates, followed by the row-major 3x3
matrix of its intrinsics in units of the picture's width. Camera coordinates are OpenCV's: x to the right, y down, z
into the picture. The world has y up, and a camera in front stands on the positive z axis. So are the cameras of EG3D
("Efficient Geometry-aware 3D Generative Adversarial Networks", Chan et al. 2022).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn.functional import normalize

from stylegenes.errors import UserError

NUMBERS = 25
"""Numbers of a camera."""
CAMERA_NAMES = tuple(f"camera_{i:02d}" for i in range(NUMBERS))
"""Columns behind the labels of a data set, in which the cameras are."""

NARROWEST = 1e-3
"""The smallest angle of view in degrees."""
_PARALLEL = 1e-6


@dataclass(frozen=True)
class Cameras:
    """Cameras, unpacked.

    Attributes:
        pose: [N, 4, 4], camera to world.
        intrinsics: [N, 3, 3], for a picture of width and height one.
    """

    pose: torch.Tensor
    intrinsics: torch.Tensor

    @classmethod
    def of(cls, camera: torch.Tensor) -> Cameras:
        """Unpack [N, 25].

        Raises:
            UserError: for another shape.
        """
        if camera.ndim != 2 or camera.shape[1] != NUMBERS:
            raise UserError(f"cameras are [N, {NUMBERS}] (4x4 pose and 3x3 intrinsics); got {list(camera.shape)}")
        return cls(camera[:, :16].reshape(-1, 4, 4), camera[:, 16:].reshape(-1, 3, 3))

    def packed(self) -> torch.Tensor:
        """[N, 25]."""
        return torch.cat([self.pose.flatten(1), self.intrinsics.flatten(1)], dim=1)

    @property
    def position(self) -> torch.Tensor:
        """Where the cameras stand, [N, 3]."""
        return self.pose[:, :3, 3]

    @property
    def direction(self) -> torch.Tensor:
        """Where they look, unit vectors [N, 3]."""
        return self.pose[:, :3, 2]


def look_at(position: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Poses [N, 4, 4] of upright cameras at `position` [N, 3] that look at `target` [N, 3] or [3].

    A camera that looks straight up or down has the world's x axis to its right.
    """
    forward = normalize(target - position, dim=1)
    up = torch.tensor([0.0, 1.0, 0.0], dtype=position.dtype, device=position.device).expand_as(forward)
    right = torch.cross(forward, up, dim=1)
    sideways = torch.tensor([1.0, 0.0, 0.0], dtype=position.dtype, device=position.device)
    right = torch.where(right.norm(dim=1, keepdim=True) < _PARALLEL, sideways, normalize(right, dim=1))
    down = torch.cross(forward, right, dim=1)
    pose = torch.eye(4, dtype=position.dtype, device=position.device).repeat(len(position), 1, 1)
    pose[:, :3] = torch.stack([right, down, forward, position], dim=2)
    return pose


def intrinsics_of(fov: float) -> torch.Tensor:
    """Intrinsics [3, 3], on the CPU, of a camera that sees `fov` degrees from the left to the right edge.

    Raises:
        UserError: for an angle that no picture has.
    """
    if not NARROWEST <= fov < 180:
        raise UserError(f"a camera sees between 0 and 180 degrees from left to right, {NARROWEST} or more; got {fov}")
    focal = 0.5 / math.tan(math.radians(fov) / 2)
    return torch.tensor([[focal, 0, 0.5], [0, focal, 0.5], [0, 0, 1]], device="cpu")


def fov_of(camera: torch.Tensor) -> torch.Tensor:
    """The horizontal angle of view in degrees, [N], of cameras [N, 25]."""
    return 2 * torch.atan(0.5 / Cameras.of(camera).intrinsics[:, 0, 0]).rad2deg()


def orbit(
    yaw: torch.Tensor,
    pitch: torch.Tensor,
    *,
    radius: float,
    fov: float,
    pivot: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> torch.Tensor:
    """Cameras [N, 25] on a sphere around the origin.

    Args:
        yaw: degrees around the y axis, [N]; positive shows the right side (from +x).
        pitch: degrees above the horizon, [N].
        radius: distance from the origin.
        fov: horizontal angle of view in degrees.
        pivot: the point looked at.
    """
    yaw, pitch = torch.broadcast_tensors(yaw.deg2rad(), pitch.deg2rad())
    position = radius * torch.stack([pitch.cos() * yaw.sin(), pitch.sin(), pitch.cos() * yaw.cos()], dim=1)
    pose = look_at(position, torch.tensor(pivot, dtype=position.dtype, device=position.device))
    intrinsics = intrinsics_of(fov).to(position).expand(len(position), 3, 3)
    return Cameras(pose, intrinsics).packed()


@dataclass(frozen=True)
class Stands:
    """Where cameras stand around the origin: yaw in [-180, 180) and pitch in degrees, distance in world units, [N]."""

    yaw: torch.Tensor
    pitch: torch.Tensor
    radius: torch.Tensor


def stands_of(camera: torch.Tensor) -> Stands:
    """Where cameras [N, 25] stand; see `orbit`."""
    x, y, z = Cameras.of(camera).position.unbind(1)
    radius = torch.stack([x, y, z]).norm(dim=0)
    pitch = (y / radius.clamp(min=1e-12)).clamp(-1, 1).asin().rad2deg()
    return Stands((torch.atan2(x, z).rad2deg() + 180) % 360 - 180, pitch, radius)


def mirrored(camera: torch.Tensor) -> torch.Tensor:
    """The cameras [N, 25] that see the world mirrored at x = 0 in a picture flipped left to right."""
    cameras = Cameras.of(camera)
    flip = torch.diag(torch.tensor([-1.0, 1, 1, 1], dtype=camera.dtype, device=camera.device))
    intrinsics = cameras.intrinsics.clone()
    intrinsics[:, 0, 1] *= -1
    intrinsics[:, 0, 2] = 1 - intrinsics[:, 0, 2]
    return Cameras(flip @ cameras.pose @ flip, intrinsics).packed()


def why_no_cameras(numbers: torch.Tensor) -> str | None:
    """What keeps rows [N, 25] from being cameras, in words, or None."""
    if numbers.ndim != 2 or numbers.shape[1] != NUMBERS:
        return f"they have shape {list(numbers.shape)}, not [N, {NUMBERS}]"
    cameras = Cameras.of(numbers.double())
    if not torch.isfinite(numbers).all():
        return "some numbers are not finite"
    if (cameras.pose[:, 3] - torch.tensor([0.0, 0, 0, 1]).double()).abs().max() > 1e-4:
        return "the last row of a pose is not 0 0 0 1"
    rotation = cameras.pose[:, :3, :3]
    if (rotation @ rotation.mT - torch.eye(3).double()).abs().max() > 1e-2:
        return "the 3x3 part of a pose is no rotation"
    if rotation.det().min() < 0:
        return "the 3x3 part of a pose mirrors"
    if (cameras.intrinsics[:, 2] - torch.tensor([0.0, 0, 1]).double()).abs().max() > 1e-4:
        return "the last row of the intrinsics is not 0 0 1"
    if cameras.intrinsics[:, 0, 0].min() <= 0 or cameras.intrinsics[:, 1, 1].min() <= 0:
        return "a focal length is not positive"
    return None
