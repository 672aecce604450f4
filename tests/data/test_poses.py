"""Cameras from elsewhere: COLMAP, NeRF, dataset.json; what is odd about them is named; centering keeps what is seen."""

import json
import math

import pytest
import torch
from makers import png, write

from stylegenes.cameras import Cameras, orbit
from stylegenes.cli import main
from stylegenes.data.poses import Posed, centered, focus_of, oddities, read_poses
from stylegenes.errors import UserError
from stylegenes.synthesis.volume import cast_rays


def ring(n: int = 9, *, fov: float = 30.0) -> torch.Tensor:
    return orbit(torch.linspace(-80, 80, n), torch.linspace(0, 30, n), radius=2.7, fov=fov)


def colmap(folder, cameras: torch.Tensor, *, model: str = "PINHOLE", size=(640, 480), points: bool = True):
    """Write a text model of cameras whose central square has their intrinsics."""
    folder.mkdir(parents=True, exist_ok=True)
    side = min(size)
    focal = float(cameras[0, 16]) * side
    middle = f"{size[0] / 2} {size[1] / 2}"
    numbers = {"PINHOLE": f"{focal} {focal} {middle}", "SIMPLE_RADIAL": f"{focal} {middle} 0.01"}
    (folder / "cameras.txt").write_text(f"# cameras\n1 {model} {size[0]} {size[1]} {numbers.get(model, '1 2 3')}\n")
    lines = ["# images"]
    for i, pose in enumerate(Cameras.of(cameras.double()).pose):
        turn = pose[:3, :3].T
        shift = (-turn @ pose[:3, 3]).tolist()
        lines.append(f"{i + 1} {' '.join(map(str, quaternion(turn)))} {' '.join(map(str, shift))} 1 a b{i}.png")
        lines += ["1.5 2.5 7 3.5 4.5 -1"] if points else []
    (folder / "images.txt").write_text("\n".join(lines) + "\n")
    return folder


def quaternion(turn: torch.Tensor) -> list[float]:
    """w, x, y, z as the eigenvector of the largest eigenvalue (Bar-Itzhack 2000): no special cases."""
    m = turn
    k = torch.zeros(4, 4).double()
    k[0, 0] = m.trace()
    k[0, 1:] = torch.stack([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]])
    k[1:, 0] = k[0, 1:]
    k[1:, 1:] = m + m.T - m.trace() * torch.eye(3).double()
    return torch.linalg.eigh(k).eigenvectors[:, -1].tolist()


@pytest.mark.parametrize("points", [True, False])
@pytest.mark.parametrize("size", [(640, 480), (300, 500)])
def test_colmap(tmp_path, size, points):
    posed = read_poses(colmap(tmp_path, ring(), size=size, points=points))
    assert posed.names[3] == "a b3.png" and posed.notes == []
    torch.testing.assert_close(posed.cameras, ring(), atol=1e-5, rtol=0)
    assert read_poses(tmp_path / "images.txt").names == posed.names


def test_colmap_s_lenses(tmp_path):
    assert "distortion" in read_poses(colmap(tmp_path / "a", ring(), model="SIMPLE_RADIAL")).notes[0]
    with pytest.raises(UserError, match="FISHEYE is not read; known: SIMPLE_PINHOLE"):
        read_poses(colmap(tmp_path / "b", ring(), model="FISHEYE"))
    (tmp_path / "a" / "cameras.txt").unlink()
    with pytest.raises(UserError, match=r"cameras\.txt is missing"):
        read_poses(tmp_path / "a")


@pytest.mark.parametrize("pixels", [False, True])
def test_nerf(tmp_path, pixels):
    poses = Cameras.of(ring()).pose * torch.tensor([1.0, -1, -1, 1])
    frames = [{"file_path": f"./train/r_{i}", "transform_matrix": pose.tolist()} for i, pose in enumerate(poses)]
    focal = 0.5 / math.tan(math.radians(15))
    lens = {"fl_x": focal * 480, "fl_y": focal * 480, "cx": 320, "cy": 240, "w": 640, "h": 480}
    content = {"frames": frames, **(lens if pixels else {"camera_angle_x": math.radians(30)})}
    (tmp_path / "transforms.json").write_text(json.dumps(content))
    posed = read_poses(tmp_path)
    assert posed.names[0] == "train/r_0"
    torch.testing.assert_close(posed.cameras, ring(), atol=1e-5, rtol=0)


def test_dataset_json_there_and_back(tmp_path, opened):
    names = [f"{i}.png" for i in range(9)]
    Posed(names, ring(), "test").save(tmp_path / "dataset.json")
    assert torch.equal(read_poses(tmp_path).cameras, ring())
    for i, name in enumerate(names):
        (tmp_path / name).write_bytes(png(i))
    dataset = opened(tmp_path)
    assert dataset.label_names == [] and torch.equal(dataset.cameras(range(9)), ring())


def test_labels_may_follow_a_camera(tmp_path, opened):
    rows = torch.cat([ring(2), torch.tensor([[1.0, 0.0], [0.0, 1.0]])], dim=1)
    content = json.dumps({"labels": [["a.png", rows[0].tolist()], ["b.png", rows[1].tolist()]]}).encode()
    dataset = opened(write(tmp_path / "d", {"a.png": png(1), "b.png": png(2), "dataset.json": content}))
    assert dataset.labels(range(2)).tolist() == [[1, 0], [0, 1]] and torch.equal(dataset.cameras(range(2)), ring(2))


def test_25_numbers_that_are_no_camera_stay_labels_and_are_named(tmp_path, opened):
    content = json.dumps({"labels": [["a.png", [1.0] * 25], ["b.png", [2.0] * 25]]}).encode()
    dataset = opened(write(tmp_path / "d", {"a.png": png(1), "b.png": png(2), "dataset.json": content}))
    assert dataset.label_dim == 25 and dataset.cameras([0]) is None
    assert any("no cameras: the last row of a pose" in warning for warning in dataset.description.warnings)


@pytest.fixture
def opened(tmp_path):
    from stylegenes.data import open_dataset

    return lambda source: open_dataset(source, resolution=8, cache_dir=tmp_path / "cache", workers=1)


def test_centering_changes_no_angle_between_rays_and_distances_in_one_proportion():
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1)))[0]
    turn = turn * turn.det().sign()
    poses = Cameras.of(ring())
    pose = poses.pose.clone()
    pose[:, :3, :3] = turn @ poses.pose[:, :3, :3]
    pose[:, :3, 3] = poses.position @ turn.T * 5 + torch.tensor([3.0, -2, 7])
    moved = Posed([str(i) for i in range(9)], Cameras(pose, poses.intrinsics).packed(), "test")
    assert any("not centered: the cameras look at (3.00, -2.00, 7.00)" in text for text in oddities(moved.cameras))
    back = centered(moved)
    assert oddities(back.cameras) == [] and focus_of(back.cameras).norm() < 1e-4
    found = Cameras.of(back.cameras)
    torch.testing.assert_close(found.position.norm(dim=1), torch.full((9,), 2.7), atol=1e-4, rtol=0)
    assert found.position.mean(dim=0)[2] > 1 and abs(found.position.mean(dim=0)[0]) < 1e-4
    before, after = cast_rays(moved.cameras, 4), cast_rays(back.cameras, 4)
    torch.testing.assert_close(before.directions @ before.directions.mT, after.directions @ after.directions.mT,
                               atol=1e-5, rtol=0)  # fmt: skip


def wrong(kind: str) -> torch.Tensor:
    poses = Cameras.of(ring())
    pose, intrinsics = poses.pose.clone(), poses.intrinsics.clone()
    if kind == "opengl":
        pose = pose * torch.tensor([1.0, -1, -1, 1])
    elif kind == "pixels":
        intrinsics[:, :2] *= 512
    elif kind == "inverse":
        pose = torch.linalg.inv(pose)
    elif kind == "down":
        pose = torch.diag(torch.tensor([-1.0, -1, 1, 1])) @ pose
    elif kind == "aside":
        pose[:, :3, 3] += torch.tensor([2.0, 0, 0])
    return Cameras(pose, intrinsics).packed()


@pytest.mark.parametrize(
    ("kind", "words"),
    [("right", None), ("opengl", "OpenGL's axes"), ("pixels", "in pixels"), ("inverse", "from world to camera"),
     ("down", "upside down"), ("aside", "not centered")],
)  # fmt: skip
def test_the_usual_mistakes_are_named(kind, words):
    found = oddities(wrong(kind))
    assert found == [] if words is None else any(words in text for text in found), found


def test_the_command_says_draws_and_converts(tmp_path, capsys):
    colmap(tmp_path / "sparse", wrong("aside"))
    out, picture = tmp_path / "dataset.json", tmp_path / "cameras.png"
    assert main.run(["data", "cameras", str(tmp_path / "sparse")]) == 0
    assert "not centered" in capsys.readouterr().out
    options = ["--center", "--out", str(out), "--picture", str(picture)]
    assert main.run(["data", "cameras", str(tmp_path / "sparse"), *options]) == 0
    said = capsys.readouterr().out
    assert "9 cameras, distance 2.7 to 2.7" in said and "as EG3D wants them" in said
    assert oddities(read_poses(out).cameras) == [] and picture.read_bytes()[:4] == b"\x89PNG"
    assert main.run(["data", "cameras", "scenes:n=20"]) == 0
    assert main.run(["data", "cameras", str(tmp_path)]) == 0
    assert main.run(["data", "cameras", "avatars:n=2"]) == 1
    for place in ("x.foo", "x", "x.svg", "x.png.foo"):
        assert main.run(["data", "cameras", "scenes:n=4", "--picture", str(tmp_path / place)]) == 1
        assert f"--picture {tmp_path / place} must end in .png" in capsys.readouterr().err
    assert main.run(["data", "cameras", "scenes:n=4", "--picture", str(tmp_path / "x.PNG")]) == 0


@pytest.mark.parametrize("content", ["{}", '{"frames": [{}]}', '{"labels": [["a", 3]]}', '{"labels": []}'])
def test_files_without_cameras_are_refused(tmp_path, content):
    for name in ("dataset.json", "transforms.json"):
        (tmp_path / name).write_text(content)
        with pytest.raises(UserError):
            read_poses(tmp_path / name)
    with pytest.raises(UserError, match="looked for dataset"):
        read_poses(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content",
    [
        {"frames": [], "camera_angle_x": 1},
        {"frames": None},
        {"frames": {}},
        {"frames": [5]},
        5,
        [],
        {"camera_angle_x": 0, "frames": [{"file_path": "a", "transform_matrix": torch.eye(4).tolist()}]},
        {"camera_angle_x": 1, "frames": [{"file_path": "a", "transform_matrix": torch.eye(4)[:3].tolist()}]},
        {"camera_angle_x": 50, "frames": [{"file_path": "a", "transform_matrix": torch.eye(4).tolist()}]},
        {"w": 0, "h": 0, "fl_x": 1, "frames": [{"file_path": "a", "transform_matrix": torch.eye(4).tolist()}]},
    ],
)
@pytest.mark.parametrize("name", ["transforms.json", "cameras.json"])
def test_transforms_that_are_none_are_refused(tmp_path, name, content):
    (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(UserError, match=rf"{name}|camera_angle_x"):
        read_poses(tmp_path / name)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_cameras_in_one_place_are_not_centered(count):
    cameras = orbit(torch.full([count], 30.0), torch.zeros(count), radius=3, fov=40)
    with pytest.raises(UserError, match="one place"):
        centered(Posed(["a"] * count, cameras, "here"))
