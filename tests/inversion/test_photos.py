"""Files as targets: formats, modes, sizes, parts, and what is said of bad ones."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from stylegenes.data.decode import View
from stylegenes.errors import UserError
from stylegenes.inversion.photos import Crop, load_photos, photo_of


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
    for name in ("x/me.png", "y/me.png", "y/me.bmp", "x/x-me.png", "x/you.png", "y/y-me-1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (9, 9)).save(tmp_path / name)
    named = load_photos([tmp_path / "x", tmp_path / "y" / "me.png"], resolution=8)
    assert named.names() == ["x-me-1", "x-me-2", "you", "y-me"]
    names = load_photos([tmp_path / "y", tmp_path / "x"], resolution=8).names()
    assert len(set(names)) == 6 and names[:3] == ["y-me-2", "y-me-3", "y-me-1"]


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
    # Between bars a long photo becomes smaller, and is not named.
    assert not load_photos([tmp_path], resolution=16, fit="letterbox").enlarged
    assert len(load_photos([tmp_path], resolution="120x4", fit="letterbox").enlarged) == 1


def framed(size, box, mode="RGB"):
    """The bytes of a blue picture with a part in red."""
    picture = Image.new("RGB", size, "blue")
    picture.paste("red", box)
    file = io.BytesIO()
    picture.convert(mode).save(file, "PNG")
    return file.getvalue()


PARTS = [
    (32, (90, 60), Crop(50, 20, 30), (50, 20, 80, 50)),
    ("48x32", (90, 60), Crop(12, 7, 60), (12, 7, 72, 47)),
    ("32x48", (90, 60), Crop(12, 3, 38), (12, 3, 50, 60)),
    ("32x48", (40, 300), Crop(0, 240, 40), (0, 240, 40, 300)),
    ("128x16", (300, 11), Crop(110, 0, 80), (110, 0, 190, 10)),
    ("16x128", (7, 90), Crop(1, 8, 5), (1, 8, 6, 48)),
    ("48x32", (9, 6), Crop(0, 0, 9), (0, 0, 9, 6)),
]


@pytest.mark.parametrize(("resolution", "size", "crop", "box"), PARTS)
def test_a_part_is_all_that_the_target_shows(resolution, size, crop, box):
    width, height = View(resolution).size.width, View(resolution).size.height
    target = photo_of(framed(size, box), resolution=resolution, crop=crop)
    assert target.images.shape == (1, 3, height, width)
    assert target.images[0, 0].min() > 0.99 and target.images[0, 2].max() < -0.99
    larger = width <= crop.size
    assert target.enlarged == (
        [] if larger else [f"this part has only {said(box)}; it is enlarged to this model's {resolution}"]
    )
    gray = photo_of(framed(size, box, "LA"), resolution=resolution, crop=crop, channels=2).images
    assert gray.shape == (1, 2, height, width) and gray[0, 1].min() == 1


def said(box):
    return f"{box[2] - box[0]}x{box[3] - box[1]} pixels"


def test_a_part_between_pixels_is_that_very_part():
    ramp = np.broadcast_to(np.arange(0, 240, 2, dtype=np.uint8)[:, None, None], (120, 100, 3))
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(ramp)).save(file, "PNG")
    given = lambda top: photo_of(file.getvalue(), resolution="32x24", crop=Crop(4.25, top, 64)).images * 127.5 + 127.5  # noqa: E731
    # Rows of two pixels, 2 levels each: the first of the part lies between levels 2 * top and 2 * top + 2.
    assert given(10)[0, 0, 5].mean() == pytest.approx(2 * (10 + 10.5), abs=0.51)
    assert given(10.5)[0, 0, 5].mean() - given(10)[0, 0, 5].mean() == pytest.approx(1, abs=0.51)
    assert given(33)[0, 0, 12].mean() - given(10)[0, 0, 12].mean() == pytest.approx(46, abs=0.51)


@pytest.mark.parametrize("resolution", [32, "48x32", "32x48", "128x16", "16x128"])
@pytest.mark.parametrize("size", [(300, 200), (40, 300), (1, 1), (5, 1), (1, 40), (47, 31)])
def test_the_largest_part_is_what_is_taken_where_none_is_given(resolution, size):
    shape = View(resolution).size
    width = min(size[0], size[1] * shape.width / shape.height)
    pixels = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    middle = Crop((size[0] - width) // 2, (size[1] - width * shape.height / shape.width) // 2, width)
    part = photo_of(file.getvalue(), resolution=resolution, crop=middle)
    whole = photo_of(file.getvalue(), resolution=resolution)
    assert part.images.shape == whole.images.shape and bool(part.enlarged) == bool(whole.enlarged)
    if min(size) < 30:
        return
    # Filters see beyond the central part and not beyond one that is asked for, which shows along its edges.
    inner = (..., slice(shape.height // 4, -shape.height // 4), slice(shape.width // 4, -shape.width // 4))
    assert (part.images[inner] - whole.images[inner]).abs().mean() < 0.05


@pytest.mark.parametrize("resolution", [32, "48x32", "32x48"])
@pytest.mark.parametrize(
    "crop", [Crop(40, 0, 60), Crop(0, 45, 60), Crop(-1, 0, 20), Crop(0, -0.5, 20), Crop(0, 0, 0), Crop(0, 0, 91)]
)
def test_a_part_that_lies_outside_is_refused_with_what_fits(resolution, crop):
    most = {32: "60", "48x32": "90", "32x48": "40"}[resolution]
    with pytest.raises(UserError, match=rf"does not lie in a picture of 90 x 60; .* up to {most} pixels wide"):
        photo_of(framed((90, 60), (0, 0, 9, 9)), resolution=resolution, crop=crop)


def test_the_formats_are_named_in_words(tmp_path):
    (tmp_path / "notes.png").write_text("hello")
    with pytest.raises(UserError, match="save it as one of PNG, JPEG"):
        load_photos([tmp_path], resolution=8)
