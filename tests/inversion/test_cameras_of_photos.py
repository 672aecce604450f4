"""Inversion through cameras, from the command to the tuned model: given in any way, or found with the code."""

import numpy as np
import pytest
import torch
from crew import together
from latent_toys import PooledDistance
from PIL import Image
from safetensors.torch import load_file

from stylegenes.cameras import orbit, stands_of
from stylegenes.cli import main
from stylegenes.errors import UserError
from stylegenes.files import write_json
from stylegenes.generator import Generator
from stylegenes.inversion.cameras import CameraSettings
from stylegenes.inversion.inversion import InversionSettings
from stylegenes.inversion.invert import invert
from stylegenes.inversion.objective import Objective
from stylegenes.inversion.photos import Photos
from stylegenes.inversion.posing import cameras_of
from stylegenes.inversion.projection import w_statistics
from stylegenes.inversion.quantize import quantize
from stylegenes.pictures import to_uint8
from stylegenes.records import Condition, Noise
from stylegenes.shares import Share
from stylegenes.snapshot import Card, save_snapshot
from stylegenes.synthesis.eg3d import EG3DSynthesis

SIDES = orbit(torch.tensor([50.0, -40.0]), torch.tensor([10.0, 0.0]), radius=2.7, fov=20.0)
QUICK = CameraSettings(yaws=(0.0, 90.0), tries=2, steps=2, keep=1)


@pytest.fixture(scope="module")
def model() -> Generator:
    """A random model with a genome that reads cameras, whose sides differ."""
    torch.manual_seed(5)
    spec = {"name": "eg3d", **EG3DSynthesis.example_spec(16, 8), "fov": 20.0}
    latent = {"name": "genome", "w_dim": 8, "num_genes": 4, "num_variants": 8, "camera": True}
    G = Generator.from_spec({"latent": latent, "synthesis": spec}).eval().requires_grad_(False)
    torch.nn.init.normal_(G.latent.pose.out.weight, std=20)
    for block in G.synthesis.backbone.blocks:
        block.to_rgb.weight *= 2
    G.synthesis.decoder.out.weight *= 4
    return G


@pytest.fixture(scope="module")
def photos(model, tmp_path_factory) -> Photos:
    """Two pictures that the model makes from two sides."""
    ws = model.express(model.sample(2, torch.Generator().manual_seed(1)))
    images = model.synthesis(ws, Condition(camera=SIDES), noise=Noise("const")).image.clamp(-1, 1)
    folder = tmp_path_factory.mktemp("photos")
    paths = [folder / "a" / "one.png", folder / "b" / "two.png"]
    for path, pixels in zip(paths, to_uint8(images), strict=True):
        path.parent.mkdir()
        Image.fromarray(pixels).save(path)
    return Photos(paths, images, [], [])


def _invert(model, photos, space, **options):
    settings = InversionSettings(space, steps=4, tuning_steps=2, batch=1, calibrate=0)
    return invert(model, photos, settings, Objective(PooledDistance()), **options)


@pytest.mark.parametrize("space", ["w", "w+", "genome", "codebook", "pti"])
def test_every_space_sees_each_photo_through_its_camera(space, model, photos):
    """The pictures that are shown are the ones that were compared, each from its own side."""
    found = _invert(model, photos, space, cameras=SIDES)
    assert torch.equal(found.cameras, SIDES)
    assert found.errors["yaw"] == pytest.approx([50, -40], abs=1e-3)
    assert found.errors["pitch"] == pytest.approx([10, 0], abs=1e-3)
    owner = model if found.tuned is None else found.tuned.generator
    ws = owner.express(found.genotypes) if space == "codebook" else found.ws
    row = "w" if space == "genome" else space
    expected = to_uint8(owner.synthesis(ws, Condition(camera=SIDES), noise=Noise("const")).image)
    assert np.abs(np.stack(found.rows[row]).astype(int) - expected.astype(int)).max() <= 1
    swapped = to_uint8(owner.synthesis(ws, Condition(camera=SIDES.flip(0)), noise=Noise("const")).image)
    assert np.abs(swapped.astype(int) - expected.astype(int)).max() > 5
    assert {"yaw", "pitch"} <= set(found.summary[0])


def test_found_cameras_are_kept_and_told(model, photos, tmp_path):
    said: list[str] = []
    found = _invert(model, photos, "w", search=QUICK, work=tmp_path, on_note=said.append)
    assert "sought from 2 sides" in said[0]
    again = _invert(model, photos, "w", search=QUICK, work=tmp_path)
    assert torch.equal(found.cameras, again.cameras)
    kept = list((tmp_path / "state").glob("cameras-*/*.json"))
    assert len(kept) == 2
    for path in kept:
        write_json(path, {"camera": SIDES[0].tolist()})
    with pytest.raises(UserError, match="holds another projection"):
        _invert(model, photos, "w", search=QUICK, work=tmp_path)
    found.save(tmp_path / "out")
    assert torch.equal(load_file(tmp_path / "out" / "latents.safetensors")["cameras"], found.cameras)
    assert torch.allclose(cameras_of(photos, tmp_path / "out"), found.cameras)
    assert "yaw" in (tmp_path / "out" / "results.csv").read_text().split("\n")[0]


def test_another_angle_of_view_is_sought_with(model, photos):
    settings = CameraSettings(yaws=(0.0,), tries=1, steps=1, keep=1, fov=35.0)
    found = _invert(model, photos, "w", search=settings)
    focal = found.cameras[:, 16]
    assert torch.allclose(focal, torch.full((2,), 0.5 / np.tan(np.radians(17.5)), dtype=focal.dtype))
    with pytest.raises(UserError, match="between 0 and 180"):
        CameraSettings(fov=0.0)


def test_what_the_view_adds_is_no_variant(model):
    codes = model.sample(5)
    assert torch.equal(quantize(model, model.express(codes)), codes)
    assert torch.allclose(w_statistics(model).mean, model.latent.mean(model.synthesis.seen(None, 1)))


def test_cameras_in_every_form(photos, tmp_path):
    rows = SIDES.tolist()
    dataset = {"labels": [["b/two.png", rows[1]], ["other.png", rows[0]], ["a/one.png", rows[0]]]}
    write_json(tmp_path / "dataset.json", dataset)
    write_json(tmp_path / "one.json", rows[0])
    (tmp_path / "one.txt").write_text("\n".join(str(number) for number in rows[0]))
    for given in (SIDES, rows, tmp_path, tmp_path / "dataset.json", str(tmp_path / "dataset.json")):
        assert torch.allclose(cameras_of(photos, given), SIDES)
    text = ",".join(str(number) for number in rows[0])
    for given in (SIDES[0], rows[0], text, f"[{text}]", tmp_path / "one.json", tmp_path / "one.txt"):
        assert torch.allclose(cameras_of(photos, given), SIDES[:1].expand(2, -1))
    # The longest name that fits counts, and suffixes may be left out, as NeRF's files do.
    write_json(tmp_path / "dataset.json", {"labels": [["one.png", rows[1]], ["a/one", rows[0]], ["two", rows[1]]]})
    assert torch.allclose(cameras_of(photos, tmp_path), SIDES)
    assert stands_of(SIDES).yaw.tolist() == pytest.approx([50, -40], abs=1e-3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("1,2,3", "shape \\[1, 3\\], not \\[N, 25\\]"),
        (",".join(["nan"] * 25), "not finite"),
        ([1.0] * 24, "not \\[N, 25\\]"),
        (["x"] * 25, "25 numbers each"),
        ([0.0] * 25, "last row of a pose"),
        (torch.zeros(2, 2, 25), "not \\[N, 25\\]"),
        (SIDES.repeat(2, 1)[:3], "3 cameras for 2 photos"),
        ("nowhere.json", "neither 25 numbers nor a file"),
        ("", "neither 25 numbers nor|has no cameras|these are no cameras"),
    ],
)
def test_what_is_no_camera(given, message, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        cameras_of(photos, given)


def test_a_photo_that_the_file_does_not_name(photos, tmp_path):
    write_json(tmp_path / "dataset.json", {"labels": [["a/one.png", SIDES[0].tolist()]]})
    with pytest.raises(UserError, match=r"has no camera for .*two\.png; it names 1 pictures: a/one\.png"):
        cameras_of(photos, tmp_path)


def test_through_the_command(model, photos, tmp_path, capsys):
    save_snapshot(tmp_path / "solid", model, Card(name="solid"))
    flat = {"name": "stylegan2", "resolution": 16, "w_dim": 8, "channel_base": 64, "channel_max": 8}
    latent = {key: value for key, value in model.latent.spec.items() if key != "camera"}
    save_snapshot(tmp_path / "flat", Generator.from_spec({"latent": latent, "synthesis": flat}), Card(name="flat"))
    line = ["--steps", "2", "--calibrate", "0", "--out", str(tmp_path / "out")]
    photo = str(photos.paths[0])
    assert main.run(["invert", str(tmp_path / "solid"), photo, "--yaw", "30", "--pitch", "5", *line]) == 0
    said = capsys.readouterr().out
    assert "yaw" in said and "30" in said
    for options, message in (
        (["solid", photo, "--yaw", "3", "--camera", "1,2"], "give one of the two"),
        (["solid", photo, "--yaw", "nan"], "--yaw is nan, which is no finite number"),
        (["solid", photo, "--fov", "0"], "between 0 and 180"),
        (["solid", photo, "--camera", "1,2"], "not [N, 25]"),
        (["flat", photo, "--yaw", "3"], "makes flat pictures"),
        (["flat", photo, "--camera", ",".join(map(str, SIDES[0].tolist()))], "makes flat pictures"),
    ):
        assert main.run(["invert", str(tmp_path / options[0]), *options[1:], *line]) == 1
        assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("space", ["w", "codebook"])
def test_several_processes_find_what_one_finds(space, count, model, photos, tmp_path):
    def work(share: Share):
        return _invert(model, photos, space, search=QUICK, work=tmp_path / "work", share=share)

    found = together(count, work)
    alone = _invert(model, photos, space, search=QUICK)
    assert found[1:] == [None] * (count - 1)
    assert torch.equal(found[0].ws, alone.ws) and torch.equal(found[0].cameras, alone.cameras)
    assert found[0].errors == alone.errors and found[0].codes == alone.codes


def test_processes_without_a_folder_are_refused(model, photos):
    with pytest.raises(UserError, match="need a folder"):
        together(2, lambda share: _invert(model, photos, "w", search=QUICK, share=share))
