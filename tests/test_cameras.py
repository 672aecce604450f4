"""Cameras: conventions, orbits, mirroring, and what is no camera."""

import pytest
import torch

from stylegenes.cameras import Cameras, fov_of, intrinsics_of, mirrored, orbit, why_no_cameras
from stylegenes.errors import UserError
from stylegenes.synthesis.volume import cast_rays


def some(n: int = 6) -> torch.Tensor:
    torch.manual_seed(2)
    cameras = orbit(torch.rand(n) * 360, torch.rand(n) * 60 - 30, radius=2.7, fov=20, pivot=(0.1, 0.0, 0.2))
    cameras[:, 16 + 1] = 0.03
    cameras[:, 16 + 2] = 0.45
    return cameras


def test_the_front_camera_looks_down_the_z_axis():
    cameras = Cameras.of(orbit(torch.zeros(1), torch.zeros(1), radius=2.0, fov=30))
    assert cameras.position[0].tolist() == [0, 0, 2] and cameras.direction[0].tolist() == [0, 0, -1]
    rays = cast_rays(cameras.packed(), 2)
    right_below = rays.directions[0, 3]
    assert right_below[0] > 0 > right_below[1], "x goes to the right and rows go down"


def test_yaw_and_pitch_are_angles():
    cameras = Cameras.of(orbit(torch.tensor([90.0, 0.0]), torch.tensor([0.0, 30.0]), radius=1.0, fov=30))
    torch.testing.assert_close(cameras.position[0], torch.tensor([1.0, 0, 0]), atol=1e-6, rtol=0)
    assert cameras.position[1, 1].item() == pytest.approx(0.5)


@pytest.mark.parametrize("fov", [5.0, 13.37, 90.0])
def test_fov_is_horizontal(fov):
    camera = orbit(torch.zeros(1), torch.zeros(1), radius=2.0, fov=fov)
    assert fov_of(camera).item() == pytest.approx(fov, rel=1e-5)
    assert camera[0, 16] * 2 * torch.tan(torch.tensor(fov / 2).deg2rad()) == pytest.approx(1.0)


def test_the_official_numbers_of_the_faces():
    """EG3D's 18.837 degrees are diagonal: the focal length is 4.26 widths, 13.37 degrees across."""
    assert intrinsics_of(13.37)[0, 0].item() == pytest.approx(4.2647, abs=0.01)


def test_a_mirrored_camera_sees_the_mirrored_world_in_the_flipped_picture():
    camera = some()
    rays, flipped = cast_rays(camera, 8), cast_rays(mirrored(camera), 8)
    sign = torch.tensor([-1.0, 1, 1])
    for ours, theirs in ((rays.origins, flipped.origins), (rays.directions, flipped.directions)):
        grid = ours.unflatten(1, (8, 8)).flip(2).flatten(1, 2)
        torch.testing.assert_close(grid * sign, theirs, atol=1e-5, rtol=0)
    torch.testing.assert_close(mirrored(mirrored(camera)), camera)
    assert why_no_cameras(mirrored(camera)) is None


def test_straight_up_and_down_are_cameras_too():
    assert why_no_cameras(orbit(torch.zeros(2), torch.tensor([90.0, -90.0]), radius=2.0, fov=30)) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c[:, :24], "shape"),
        (lambda c: c * float("nan"), "not finite"),
        (lambda c: c + (torch.arange(25) == 12), "last row of a pose"),
        (lambda c: c * (1 + (torch.arange(25) == 0)), "no rotation"),
        (lambda c: c * torch.where((torch.arange(25) < 12) & (torch.arange(25) % 4 == 0), -1.0, 1.0), "mirrors"),
        (lambda c: c + (torch.arange(25) == 22), "intrinsics"),
        (lambda c: c * torch.where(torch.arange(25) == 16, -1.0, 1.0), "focal"),
    ],
)
def test_what_is_no_camera_is_named(change, reason):
    assert why_no_cameras(some()) is None
    assert reason in why_no_cameras(change(some()))


def test_shapes_are_checked():
    with pytest.raises(UserError, match="25"):
        Cameras.of(torch.zeros(3, 16))
