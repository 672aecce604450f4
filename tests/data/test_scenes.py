"""The scenes: exact depth, labels that are seen, cameras that fit, and the word that opens them."""

import json
import math

import numpy as np
import pytest
import torch

from stylegenes.cameras import orbit, why_no_cameras
from stylegenes.cli.main import run
from stylegenes.data import open_dataset
from stylegenes.data.decode import View
from stylegenes.data.export import export_scenes
from stylegenes.data.scenes.domain import ATTRIBUTES, RADIUS, sample
from stylegenes.data.scenes.solids import KINDS, Solid, meet, shoot
from stylegenes.data.scenes.source import SceneOptions, SceneSource
from stylegenes.errors import UserError
from stylegenes.synthesis.volume import cast_rays


def camera(yaw: float = 0.0, pitch: float = 0.0, fov: float = 19.0) -> np.ndarray:
    return orbit(torch.tensor([yaw]), torch.tensor([pitch]), radius=RADIUS, fov=fov)[0].numpy()


INSIDE = {
    "ball": lambda p: (p**2).sum(1) < 1,
    "box": lambda p: np.abs(p).max(1) < 1,
    "cylinder": lambda p: (p[:, 0] ** 2 + p[:, 2] ** 2 < 1) & (np.abs(p[:, 1]) < 1),
    "cone": lambda p: (p[:, 0] ** 2 + p[:, 2] ** 2 < ((1 - p[:, 1]) / 2) ** 2) & (np.abs(p[:, 1]) < 1),
}


@pytest.mark.parametrize("kind", KINDS)
def test_rays_meet_solids_where_marching_finds_them(kind):
    """Against steps of 1/2000 along each ray with the solid's inside as its definition; normals face the ray."""
    rng = np.random.default_rng(0)
    center, half = np.array([0.1, -0.05, 0.2]), np.array([0.3, 0.2, 0.25])
    solid = Solid(kind, tuple(center), tuple(half), (1, 1, 1))
    origins = rng.normal(size=(300, 3))
    origins = 2 * origins / np.linalg.norm(origins, axis=1, keepdims=True)
    directions = center + rng.uniform(-1, 1, (300, 3)) * half * 1.2 - origins
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    hit = meet(solid, origins, directions)
    steps = np.linspace(0.5, 3.5, 6001)
    local = (origins[:, None] + steps[:, None] * directions[:, None] - center) / half
    inside = INSIDE[kind](local.reshape(-1, 3)).reshape(300, -1)
    expected = np.where(inside.any(1), steps[inside.argmax(1)], np.inf)
    grazing = inside.sum(1) < 20
    assert (np.isfinite(hit.distance) == np.isfinite(expected))[~grazing | ~inside.any(1)].mean() > 0.99
    both = np.isfinite(hit.distance) & np.isfinite(expected) & ~grazing
    assert both.sum() > 100 and np.abs(hit.distance[both] - expected[both]).max() < 2e-3
    assert ((hit.normal * directions).sum(1)[both] < 1e-6).all()


def test_depth_and_colors_of_a_ball():
    ball = Solid("ball", (0, 0, 0), (0.3, 0.3, 0.3), (1.0, 0.0, 0.0))
    shot = shoot([ball], camera(), 33)
    assert shot.depth[16, 16] == pytest.approx(RADIUS - 0.3)
    assert np.isinf(shot.depth[0, 0]) and shot.color[0, 0].tolist() == [1, 1, 1]
    tangent = math.tan(math.asin(0.3 / RADIUS)) / math.tan(math.radians(19 / 2))
    assert np.isfinite(shot.depth).mean() == pytest.approx(math.pi / 4 * tangent**2, rel=0.03)
    assert shot.color[..., 1][np.isfinite(shot.depth)].max() < 1


def test_the_nearer_solid_hides_the_other_from_either_side():
    solids = [Solid("ball", (0, 0, z), (0.1,) * 3, color) for z, color in ((0.3, (1, 0, 0)), (-0.3, (0, 0, 1)))]
    front, back = (shoot(solids, camera(yaw), 15) for yaw in (0.0, 180.0))
    assert front.color[7, 7, 0] > 0 == front.color[7, 7, 2] and back.color[7, 7, 2] > 0 == back.color[7, 7, 0]
    assert front.depth[7, 7] == pytest.approx(RADIUS - 0.4) == back.depth[7, 7]


def test_pixels_are_those_of_the_renderer():
    """The same rays as the networks cast."""
    view = torch.from_numpy(camera(25.0, 15.0))[None]
    ball = Solid("ball", (0.12, 0.2, 0.1), (0.05,) * 3, (0, 0, 0))
    depth = shoot([ball], view[0].numpy(), 32).depth
    rays = cast_rays(view, 32)
    seen = np.isfinite(depth)
    points = (rays.origins[0] + torch.from_numpy(depth.ravel()[:, None]) * rays.directions[0]).numpy()[seen.ravel()]
    assert seen.sum() > 5
    np.testing.assert_allclose(np.linalg.norm(points - [0.12, 0.2, 0.1], axis=1), 0.05, atol=1e-4)


def test_scenes_fit_the_box_and_every_picture():
    for index in range(200):
        scene = sample(0, index)
        for solid in scene.solids:
            assert np.all(np.abs(solid.center) + np.array(solid.half) <= 0.5)
    edges = [shoot(scene.solids, scene.camera, 16).depth for scene in (sample(1, i) for i in range(60))]
    rims = np.stack([np.concatenate([d[0], d[-1], d[:, 0], d[:, -1]]) for d in edges])
    assert np.isfinite(rims).mean() < 0.005


def test_labels_say_what_is_drawn():
    shown = [sample(3, index).shown for index in range(400)]
    share = {name: np.mean([name in s for s in shown]) for name in ATTRIBUTES}
    assert all(0.1 < share[name] < 0.8 for name in ATTRIBUTES), share
    assert all(sum(name in s for name in ("Ball", "Box", "Cylinder", "Cone")) == 1 for s in shown)
    assert all(sum(name in s for name in ("Red", "Yellow", "Green", "Blue")) == 1 for s in shown)
    for index in range(40):
        scene = sample(3, index)
        kinds = [solid.kind for solid in scene.solids]
        assert (
            kinds[0]
            == {"Ball": "ball", "Box": "box", "Cylinder": "cylinder", "Cone": "cone"}[
                next(name for name in ("Ball", "Box", "Cylinder", "Cone") if name in scene.shown)
            ]
        )
        assert len(kinds) == 1 + 2 * ("Hat" in scene.shown) + 2 * ("Eyes" in scene.shown)
        assert (scene.solids[0].half[0] > 0.2) == ("Large" in scene.shown)
        assert (scene.solids[0].half[1] > 0.2) == ("Tall" in scene.shown)


def test_eyes_are_seen_from_the_front_and_not_from_behind():
    scene = next(s for s in (sample(0, i) for i in range(50)) if {"Eyes", "Box"} <= s.shown and "Hat" not in s.shown)
    front, back = (shoot(scene.solids, camera(yaw), 48).color for yaw in (0.0, 180.0))
    assert (front.max(axis=2) < 0.3).sum() > 6 and (back.max(axis=2) < 0.3).sum() == 0


def test_the_word_opens_pictures_labels_and_cameras(tmp_path):
    data = open_dataset("scenes:n=12,seed=1,yaw=60", resolution=16, cache_dir=tmp_path, workers=1)
    assert data.label_names == ATTRIBUTES and data.labels(range(12)).shape == (12, len(ATTRIBUTES))
    cameras = data.cameras(range(12))
    assert why_no_cameras(cameras) is None
    angles = torch.atan2(cameras[:, 3], cameras[:, 11]).rad2deg()
    assert angles.abs().max() <= 60 and angles.std() > 15
    source = SceneSource(SceneOptions(12, 1, 60), View(16))
    scene = source.scene(5)
    assert np.array_equal(data.images([5])[0].numpy(), source.load(5).pixels)
    assert np.array_equal(data.labels([5])[0].numpy(), scene.label) and np.array_equal(cameras[5].numpy(), scene.camera)
    again = open_dataset("scenes:n=6,seed=1,yaw=60", resolution=16, cache_dir=tmp_path, workers=1)
    assert torch.equal(again.images(range(6)), data.images(range(6))), "a prefix of the larger set"
    assert open_dataset("avatars:n=2", resolution=16, cache_dir=tmp_path, workers=1).cameras([0]) is None


@pytest.mark.parametrize(
    ("wrong", "message"), [("n=0", "at least 1"), ("yaw=181", r"\[0, 180\]"), ("style=x", "no op")]
)
def test_options_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(UserError, match=message):
        SceneOptions.parse(f"scenes:{wrong}")


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_scenes_as_files_for_anybody(name, tmp_path):
    """Pictures, attributes and cameras come back as they were; dataset.json is what EG3D's own code reads."""
    from zipfile import ZipFile

    source = SceneSource(SceneOptions(n=6, seed=3), View(16))
    export_scenes(source, tmp_path / name, depth=True, workers=1, track=lambda items, what, count: items)
    if name.endswith("zip"):
        ZipFile(tmp_path / name).extractall(tmp_path / "out")
    written = json.loads((tmp_path / "out" / "dataset.json").read_text())["labels"]
    assert [pair[0] for pair in written] == source.names and {len(pair[1]) for pair in written} == {25}
    found, drawn = (
        open_dataset(str(place), resolution=16, cache_dir=tmp_path / "cache", workers=1)
        for place in (tmp_path / name, "scenes:n=6,seed=3")
    )
    everything = torch.arange(6)
    assert torch.equal(found.images(everything), drawn.images(everything))
    assert torch.allclose(found.cameras(everything), drawn.cameras(everything))
    assert torch.equal(found.labels(everything), drawn.labels(everything)) and found.label_names == drawn.label_names
    assert not found.description.left_out, "depth is no picture"
    depth = np.load(tmp_path / "out" / "depth" / "000002.npy", allow_pickle=False)
    scene = source.scene(2)
    assert depth.dtype == np.float32
    assert np.array_equal(depth, shoot(scene.solids, scene.camera, 16).depth.astype(np.float32))
    with pytest.raises(UserError, match="exists already"):
        export_scenes(source, tmp_path / name, depth=False, workers=1, track=lambda items, what, count: items)


def test_scenes_by_the_command(tmp_path, capsys):
    line = ["data", "scenes", "--out", str(tmp_path / "s"), "--n", "3", "--resolution", "8", "--workers", "1"]
    assert run([*line, "--no-depth"]) == 0
    assert "3 scenes with cameras and 15 attributes" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "s").iterdir())[-2:] == ["attributes.csv", "dataset.json"]
    assert run(["data", "check", str(tmp_path / "s"), "--resolution", "8"]) == 0
    assert run(["data", "scenes", "--out", str(tmp_path / "t"), "--n", "0"]) == 1
    assert run(["data", "scenes", "--out", str(tmp_path / "t"), "--yaw", "181"]) == 1


def test_pictures_without_a_camera_are_left_out(tmp_path):
    """And those without a row of the table beside it; everything else is joined."""
    source = SceneSource(SceneOptions(n=6), View(8))
    export_scenes(source, tmp_path / "s", depth=False, workers=1, track=lambda items, what, count: items)
    pairs = json.loads((tmp_path / "s" / "dataset.json").read_text())["labels"]
    (tmp_path / "s" / "dataset.json").write_text(json.dumps({"labels": [*pairs[:3], [pairs[3][0], None]]}))
    lines = (tmp_path / "s" / "attributes.csv").read_text().splitlines()
    (tmp_path / "s" / "attributes.csv").write_text("\n".join([lines[0], *lines[2:]]))
    data = open_dataset(str(tmp_path / "s"), resolution=8, cache_dir=tmp_path / "cache", workers=1)
    assert len(data) == 2
    assert torch.allclose(data.cameras(torch.arange(2)), torch.from_numpy(source.labels()[1:3, -25:]))
    assert torch.equal(data.labels(torch.arange(2)), torch.from_numpy(source.labels()[1:3, :-25]))
