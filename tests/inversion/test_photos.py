"""Files as targets: formats, modes, sizes, and what is said of bad ones."""

import numpy as np
import pytest
import torch
from PIL import Image

from stylegenes.errors import UserError
from stylegenes.inversion.photos import load_photos


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK", "I;16"])
def test_any_mode_becomes_a_target(tmp_path, mode):
    source = Image.new("L" if mode == "I;16" else mode if mode != "P" else "RGB", (40, 30))
    suffix = ".jpg" if mode == "CMYK" else ".png"
    picture = Image.fromarray(np.full((30, 40), 30000, np.uint16)) if mode == "I;16" else source.convert(mode)
    picture.save(tmp_path / f"a{suffix}")
    photos = load_photos([tmp_path / f"a{suffix}"], resolution=16)
    assert photos.images.shape == (1, 3, 16, 16)
    assert photos.images.abs().max() <= 1 and not photos.refused


def test_crop_keeps_the_middle_and_letterbox_keeps_all(tmp_path):
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, :20, 0] = pixels[:, 20:40, 1] = pixels[:, 40:, 2] = 255
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    cropped = load_photos([tmp_path], resolution=12).images[0]
    boxed = load_photos([tmp_path], resolution=12, fit="letterbox").images[0]
    assert (cropped[1] > 0.85).all() and (cropped[0] < -0.85).all()
    assert boxed[0].max() > 0.5 and boxed[2].max() > 0.5 and (boxed[:, 0] == boxed[0, 0, 0]).all()
    assert load_photos([tmp_path], resolution=12, channels=1).images.shape == (1, 1, 12, 12)


def test_a_folder_is_a_batch_and_bad_files_are_named(tmp_path):
    for name in ("b", "a"):
        Image.new("RGB", (9, 9)).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    (tmp_path / "notes.txt").write_text("ignored")
    photos = load_photos([tmp_path, tmp_path / "a.png"], resolution=8)
    assert [path.name for path in photos.paths] == ["a.png", "b.png"] and photos.names() == ["a", "b"]
    assert [bad.path.name for bad in photos.refused] == ["broken.jpg"] and photos.refused[0].reason
    assert torch.equal(photos.images[0], photos.images[1])


def test_same_stems_get_different_names(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (9, 9)).save(tmp_path / folder / "me.png")
    assert load_photos([tmp_path / "x", tmp_path / "y"], resolution=8).names() == ["me-0", "me-1"]


def test_what_cannot_be_used_is_said_clearly(tmp_path):
    with pytest.raises(UserError, match="no photos were given"):
        load_photos([], resolution=8)
    with pytest.raises(UserError, match="no file or folder"):
        load_photos([tmp_path / "nothing.png"], resolution=8)
    with pytest.raises(UserError, match="holds no image files"):
        load_photos([tmp_path], resolution=8)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(UserError, match=r"none of 1 files is a usable picture: .*broken\.png"):
        load_photos([tmp_path / "broken.png"], resolution=8)
    with pytest.raises(UserError, match="fit 'stretch'"):
        load_photos([tmp_path], resolution=8, fit="stretch")


def test_a_photo_smaller_than_the_target_is_named(tmp_path):
    Image.new("RGB", (90, 3)).save(tmp_path / "line.png")
    Image.new("RGB", (90, 30)).save(tmp_path / "wide.png")
    photos = load_photos([tmp_path], resolution=16)
    assert len(photos.enlarged) == 1 and "line.png has only 90x3 pixels" in photos.enlarged[0]


def test_the_formats_are_named_in_words(tmp_path):
    (tmp_path / "notes.png").write_text("hello")
    with pytest.raises(UserError, match="save it as one of PNG, JPEG"):
        load_photos([tmp_path], resolution=8)
