"""Pictures of any number of channels: arrays, pages of a TIFF, alpha; whatever cannot be read is refused."""

import io
import zipfile

import lmdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from stylegenes.data import open_dataset
from stylegenes.data.bands import BadImageError
from stylegenes.data.check import check_source
from stylegenes.data.decode import View, decode
from stylegenes.data.files import FileSource
from stylegenes.data.packed import PackedDataset
from stylegenes.data.stores import open_store
from stylegenes.errors import UserError


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def tiff(*pages: np.ndarray) -> bytes:
    file, images = io.BytesIO(), [Image.fromarray(page) for page in pages]
    images[0].save(file, "TIFF", save_all=True, append_images=images[1:])
    return file.getvalue()


def levels(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(256, size=shape, dtype=np.uint8)


@settings(deadline=None, max_examples=50)
@given(st.data(), st.integers(1, 9), st.integers(1, 9), st.integers(1, 8))
def test_an_array_of_the_right_size_is_read_as_it_is(data, height, width, channels):
    pixels = data.draw(arrays(np.uint8, (height, width, channels)))
    if channels in (2, 4):
        pixels[:, :, -1] = 255
    size = f"{width}x{height}"
    assert np.array_equal(decode(npy(pixels), View(size, channels=channels)), pixels.transpose(2, 0, 1))
    columns = np.asfortranarray(pixels)
    assert np.array_equal(decode(npy(columns), View(size, channels=channels)), pixels.transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[0, 257, 65535]], np.uint16), [0, 1, 255]),
        (np.array([[0, 257, 65535]], ">u2"), [0, 1, 255]),
        (np.array([[0, 0.5, 1]], np.float32), [0, 128, 255]),
        (np.array([[0, 0.5, 1]], np.float16), [0, 128, 255]),
        (np.array([[False, True, True]]), [0, 255, 255]),
    ],
)
def test_numbers_become_levels(array, expected):
    assert decode(npy(array), View("3x1", channels=1)).ravel().tolist() == expected


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.array([[0, 1.01]]), "floats from 0 to 1.01"),
        (np.array([[-0.1, 1]]), "floats from -0.1 to 1"),
        (np.array([[0, np.nan]]), "floats from nan"),
        (np.zeros((2, 2), np.int64), "an array of int64"),
        (np.zeros((2, 2), np.uint32), "an array of uint32"),
        (np.zeros((2, 2), complex), "an array of complex128"),
        (np.zeros((2, 2), "U3"), "an array of <U3"),
        (np.zeros((2, 2), "M8[s]"), "an array of datetime64"),
        (np.array([[None]]), "Python objects"),
        (np.zeros(4, np.uint8), r"shape \[4\]"),
        (np.zeros((), np.uint8), r"shape \[\]"),
        (np.zeros((0, 4), np.uint8), r"shape \[0, 4\]"),
        (np.zeros((4, 4, 65), np.uint8), r"shape \[4, 4, 65\]"),
        (np.zeros((2, 4, 4, 3), np.uint8), r"shape \[2, 4, 4, 3\]"),
    ],
)
def test_other_arrays_are_refused_with_the_reason(array, reason):
    for channels in (1, 3, 5):
        with pytest.raises(BadImageError, match=reason):
            decode(npy(array), View(4, channels=channels))


def test_an_array_is_never_larger_than_its_file(tmp_path):
    whole = npy(levels(8, 8, 5))
    huge = whole.replace(b"(8, 8, 5)", b"(9**8,99)"[:9])
    claims = whole.replace(b"(8, 8, 5), }", b"(80000, 80000, 5), }"[:12])
    for damaged in (whole[:-1], whole + b"x", whole[:9], b"\x93NUMPY", b"\x93NUMPY\x09\x00", huge, claims):
        with pytest.raises(BadImageError):
            decode(damaged, View(8, channels=5))


def test_pages_of_a_tiff_are_channels_side_by_side():
    pages = [levels(6, 8, seed=i) for i in range(5)]
    assert np.array_equal(decode(tiff(*pages), View("8x6", channels=5)), np.stack(pages))
    color, more = levels(6, 8, 3), [levels(6, 8, 3, seed=1)]
    expected = np.concatenate([color, *more], axis=2).transpose(2, 0, 1)
    assert np.array_equal(decode(tiff(color, *more), View("8x6", channels=6)), expected)
    deep = [page.astype(np.uint16) * 257 for page in pages]
    assert np.array_equal(decode(tiff(*deep), View("8x6", channels=5)), np.stack(pages))
    with pytest.raises(BadImageError, match="pages differ in size: 8x6 and 6x6"):
        decode(tiff(*pages, levels(6, 6)), View("8x6", channels=6))
    with pytest.raises(BadImageError, match="has 5 channels, and 6 are asked for; ask for 5 channels"):
        decode(tiff(*pages), View("8x6", channels=6))
    assert decode(tiff(*pages), View("8x6", channels=1)).shape == (1, 6, 8)


def test_alpha_is_kept_where_it_is_asked_for_and_white_where_not():
    pixels = np.full((4, 6, 4), 10, np.uint8)
    pixels[:, :3, 3], pixels[:, 3:, 3] = 255, 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    found = {channels: decode(file.getvalue(), View("6x4", channels=channels)) for channels in (1, 2, 3, 4)}
    assert {channels: pixels.shape[0] for channels, pixels in found.items()} == {1: 1, 2: 2, 3: 3, 4: 4}
    for channels in (2, 4):
        assert (found[channels][-1, :, :3] == 255).all() and (found[channels][-1, :, 3:] == 0).all()
    for channels in (1, 3):
        assert (found[channels][:, :, 3:] == 255).all() and (found[channels][:, :, :3] == 10).all()
    framed = decode(file.getvalue(), View(6, "letterbox", channels=4))
    assert (framed[3, 0] == 0).all() and (framed[3, 2, :2] == 255).all()


@settings(deadline=None, max_examples=40)
@given(*[st.integers(1, 40)] * 4, st.sampled_from(["crop", "letterbox"]))
def test_a_picture_of_one_color_stays_so_wherever_it_is_cut(width, height, wide, high, fit):
    view = View(f"{wide}x{high}", fit, channels=5)
    pixels = decode(npy(np.full((height, width, 5), 77, np.uint8)), view)
    assert pixels.shape == (5, high, wide)
    if fit == "crop" or view.keeps_shape(width, height):
        assert (pixels == 77).all()


def test_a_crop_takes_the_middle_of_the_wanted_shape():
    columns = np.repeat(np.arange(12, dtype=np.uint8)[None], 4, axis=0)
    assert decode(npy(columns), View("6x4", channels=1))[0, 0].tolist() == list(range(3, 9))
    assert decode(npy(columns.T), View("4x6", channels=1))[0, :, 0].tolist() == list(range(3, 9))


def files() -> dict[str, bytes]:
    return {f"{i}.npy": npy(levels(16, 24, 5, seed=i)) for i in range(4)} | {
        "4.tif": tiff(*levels(5, 16, 24, seed=4)),
        "gray.npy": npy(levels(16, 24)),
        "color.npy": npy(levels(16, 24, 3)),
    }


def stores(tmp_path) -> dict[str, object]:
    folder, archive, base = tmp_path / "folder", tmp_path / "all.zip", tmp_path / "base"
    folder.mkdir()
    with zipfile.ZipFile(archive, "w") as zipped, lmdb.open(str(base)) as env, env.begin(write=True) as txn:
        for name, content in files().items():
            (folder / name).write_bytes(content)
            zipped.writestr(name, content)
            txn.put(name.encode(), content)
    return {"folder": folder, "zip": archive, "LMDB": base}


def test_a_source_of_five_channels_opens_is_checked_and_packed(tmp_path):
    for kind, path in stores(tmp_path).items():
        dataset = open_dataset(path, resolution="24x16", channels=5, cache_dir=tmp_path / "cache", workers=1)
        assert (len(dataset), dataset.channels, dataset.resolution) == (5, 5, "24x16")
        assert np.array_equal(dataset.images([2])[0].numpy(), levels(16, 24, 5, seed=2).transpose(2, 0, 1))
        left_out = {item.name: item.reason for item in dataset.description.left_out}
        assert left_out == {
            "gray.npy": "has 1 channel, and 5 are asked for",
            "color.npy": "has 3 channels, and 5 are asked for",
        }
        assert dataset.originals.formats == {"NPY": 4, "TIFF": 1} and not dataset.originals.not_square
        checked = check_source(
            FileSource(open_store(path), View("24x16", channels=5)), workers=1, track=lambda items, *_: items
        )
        assert (checked.report.good, len(checked.report.bad), checked.report.kind) == (5, 2, kind)
        assert checked.report.modes == {"NPY 5 channels": 4, "TIFF 5 channels": 1}
        assert checked.pictures.shape == (5, 16, 24, 5)
        again = open_dataset(dataset.folder, resolution="24x16")
        assert (again.channels, again.content_hash) == (5, dataset.content_hash)
        assert PackedDataset.open(dataset.folder, verify_all=True).size.notation == "24x16"
        with pytest.raises(UserError, match="packed at 24x16 px with 5 channels, asked for are 16x24 px and 5"):
            open_dataset(dataset.folder, resolution="16x24")


def test_of_pages_that_are_channels_none_is_said_to_be_left_out(tmp_path):
    """With up to four channels the first page is the picture; with more all of them are."""
    (tmp_path / "photos").mkdir()
    for seed in range(3):
        data = tiff(levels(8, 8, 3, seed=seed), levels(8, 8, 3, seed=seed + 9))
        (tmp_path / "photos" / f"{seed}.tif").write_bytes(data)
    for channels, animated in ((3, 3), (1, 3), (6, 0)):
        source = FileSource(open_store(tmp_path / "photos"), View(8, channels=channels))
        report = check_source(source, workers=1, track=lambda items, *_: items).report
        assert (report.good, report.animated) == (3, animated)
        found = open_dataset(tmp_path / "photos", resolution=8, channels=channels, cache_dir=tmp_path / "cache")
        assert found.originals.animated == animated


def test_a_folder_that_asks_for_too_few_channels_says_how_many_it_has(tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.npy").write_bytes(npy(levels(16, 24, 5, seed=i)))
    with pytest.raises(UserError, match="has 5 channels, and 3 are asked for"):
        open_dataset(tmp_path, resolution="24x16", cache_dir=tmp_path / "cache", workers=1)


def test_drawn_sets_come_in_every_shape_they_can(tmp_path):
    shape = {"resolution": "24x16", "cache_dir": tmp_path, "workers": 1}
    clear = open_dataset("avatars:n=3", channels=4, **shape)
    assert clear.images([0]).shape == (1, 4, 16, 24) and clear.images([0])[0, 3].min() == 255
    assert open_dataset("avatars:n=3", **shape).images([0]).shape == (1, 3, 16, 24)
    with pytest.raises(UserError, match="drawn with 1 to 4 channels; got 5"):
        open_dataset("avatars:n=3", channels=5, **shape)
    with pytest.raises(UserError, match=r"scenes are seen through cameras .* square"):
        open_dataset("scenes:n=3", **shape)
