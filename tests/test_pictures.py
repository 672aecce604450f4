"""Pictures on disk: what is written reads back, and what cannot be written is refused in words."""

import builtins

import numpy as np
import pytest
import torch
from PIL import Image

from stylegenes import UserError
from stylegenes.pictures import enlarge, grid, read_text, save_animation, save_picture, to_uint8


def _pictures(n, channels=3, height=8, width=8):
    return list(np.random.default_rng(0).integers(0, 256, (n, height, width, channels), np.uint8))


def test_to_uint8_maps_the_ends_and_clips():
    images = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0]).reshape(5, 1, 1, 1)
    assert to_uint8(images).ravel().tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_a_picture_reads_back_with_its_text(tmp_path, channels, suffix):
    (picture,) = _pictures(1, channels)
    if channels == 4:
        picture[:, :, 3] = 255
    path = save_picture(tmp_path / f"a{suffix}", picture, {"Model": "gené", "Codes": "abc\ndef"})
    assert read_text(path) == {"Model": "gené", "Codes": "abc\ndef"}
    read = np.asarray(Image.open(path).convert(["L", "RGB", "RGBA"][channels // 2]))
    assert np.array_equal(read.reshape(picture.shape), picture)


def test_a_grid_puts_each_picture_in_its_place():
    pictures = _pictures(5, height=8, width=6)
    sheet = grid(pictures, columns=3, scale=2)
    assert sheet.shape == (2 * 18 + 2, 3 * 14 + 2, 3)
    assert np.array_equal(sheet[2 + 18 : 2 + 18 + 16, 2 + 14 : 2 + 14 + 12], enlarge(pictures[4], 2))
    assert (sheet[2 + 18 :, 2 + 28 :] == 255).all(), "the empty place is paper"


def test_captions_are_drawn_and_shortened_to_the_width():
    pictures = [np.zeros((32, 32, 3), np.uint8)] * 2
    sheet = grid(pictures, captions=["a name that is much longer than the picture is wide", ""])
    below = sheet[2 + 32 : 2 + 32 + 14]
    assert (below[:, 2:34] < 128).any()
    assert (below[:, 36:68] == 255).all()


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation_has_all_its_frames(tmp_path, suffix):
    path = save_animation(tmp_path / f"a{suffix}", _pictures(5), fps=10)
    with Image.open(path) as image:
        assert image.n_frames == 5


def test_mp4_has_all_its_frames_also_of_odd_size(tmp_path):
    av = pytest.importorskip("av")
    path = save_animation(tmp_path / "a.mp4", _pictures(6, height=33, width=35))
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert [frame.shape for frame in frames] == [(34, 36, 3)] * 6


def test_mp4_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "av":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UserError, match=r"stylegenes\[video\]"):
        save_animation(tmp_path / "a.mp4", _pictures(2))
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_wrong_suffixes_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"\.tiff.*\.png, \.webp"):
        save_picture(tmp_path / "a.tiff", _pictures(1)[0])
    with pytest.raises(UserError, match=r"\.png.*\.gif"):
        save_animation(tmp_path / "a.png", _pictures(2))


def test_text_of_something_else_is_refused_or_empty(tmp_path):
    (tmp_path / "a.png").write_text("not a picture")
    with pytest.raises(UserError, match="cannot be read"):
        read_text(tmp_path / "a.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    assert read_text(tmp_path / "plain.png") == {}
