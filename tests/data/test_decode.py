"""Every format and mode becomes pixels; every bad file becomes a reason."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import encoded, picture, png
from PIL import Image

from stylegenes.data.decode import BadImageError, View, decode
from stylegenes.errors import UserError

VIEW = View(16)


@pytest.mark.parametrize(
    "format, mode, options",
    [
        ("PNG", "RGB", {}),
        ("PNG", "RGBA", {}),
        ("PNG", "L", {}),
        ("PNG", "LA", {}),
        ("PNG", "P", {}),
        ("JPEG", "RGB", {}),
        ("JPEG", "L", {}),
        ("JPEG", "CMYK", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGBA", {"lossless": True}),
        ("BMP", "RGB", {}),
        ("GIF", "P", {}),
        ("TIFF", "CMYK", {}),
        ("PPM", "RGB", {}),
    ],
)
def test_formats_and_modes_look_alike(format, mode, options):
    pixels = decode(encoded(picture(3, (16, 16)).convert(mode), format, **options), VIEW)
    assert pixels.shape == (3, 16, 16) and pixels.dtype == np.uint8
    expected = np.asarray(picture(3, (16, 16)).convert("L" if mode in ("L", "LA") else "RGB").convert("RGB"))
    # Palettes and JPEG lose a little; a wrong channel order or an inverted CMYK would be farther away.
    assert np.abs(pixels.transpose(1, 2, 0).astype(int) - expected).mean() < 25


def test_one_bit_becomes_black_and_white():
    bits = np.indices((16, 16)).sum(0) % 3 == 0
    assert np.array_equal(decode(encoded(Image.fromarray(bits)), VIEW)[2], bits * np.uint8(255))


def test_sixteen_bits_keep_their_range():
    values = np.linspace(0, 65535, 256).reshape(16, 16).astype(np.uint16)
    pixels = decode(encoded(Image.fromarray(values)), VIEW)
    assert np.array_equal(pixels[0], np.rint(values / 257).astype(np.uint8))
    assert np.array_equal(pixels[0], pixels[1])


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_becomes_white(mode):
    assert (decode(encoded(Image.new(mode, (16, 16))), VIEW) == 255).all()


def test_transparent_palette_becomes_white():
    image = Image.new("P", (16, 16), 0)
    image.putpalette([10, 20, 30] * 256)
    assert (decode(encoded(image, transparency=0), VIEW) == 255).all()


def test_exif_orientation_turns_the_picture():
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = decode(encoded(picture(1, (16, 16)), "PNG", exif=exif), VIEW)
    assert np.array_equal(turned, np.rot90(decode(png(1, (16, 16)), VIEW), k=-1, axes=(1, 2)))


def test_crop_takes_the_middle_and_letterbox_keeps_all():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200
    data = encoded(Image.fromarray(wide))
    assert (decode(data, View(10, "crop")) == 200).all()
    framed = decode(data, View(30, "letterbox", "box"))
    assert (framed[:, 10:20, 10:20] == 200).all() and framed.sum() == 200 * 3 * 100


def test_downsizing_antialiases():
    checks = np.indices((64, 64)).sum(0) % 2 * 255
    for name in ("lanczos", "bicubic", "bilinear", "box"):
        pixels = decode(encoded(Image.fromarray(checks.astype(np.uint8))), View(16, "crop", name))[:, 3:-3, 3:-3]
        assert np.abs(pixels.astype(int) - 127).max() <= 3, name


def test_one_channel():
    assert decode(png(), View(8, channels=1)).shape == (1, 8, 8)


@settings(max_examples=40, deadline=None)
@given(width=st.integers(1, 40), height=st.integers(1, 40), fit=st.sampled_from(["crop", "letterbox"]))
def test_any_shape_becomes_the_size(width, height, fit):
    assert decode(encoded(Image.new("RGB", (width, height), "red")), View(9, fit)).shape == (3, 9, 9)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_is_a_reason_and_never_a_crash(data):
    """Cut or changed bytes either still decode or are refused with a reason."""
    format = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"]))
    content = bytearray(encoded(picture(2), format))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    try:
        assert decode(bytes(content[:cut]), VIEW).shape == (3, 16, 16)
    except BadImageError as error:
        assert error.reason and error.fix


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_truncation_is_noticed(format):
    content = encoded(picture(2, (64, 64)), format)
    with pytest.raises(BadImageError, match="damaged"):
        decode(content[: len(content) // 2], VIEW)


def test_a_picture_that_claims_too_many_pixels_is_not_decoded():
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    with pytest.raises(BadImageError, match=r"more than .* pixels"):
        decode(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")), VIEW)


def test_other_content_is_refused():
    for content in (b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", b"<svg></svg>"):
        with pytest.raises(BadImageError):
            decode(content, VIEW)
    floats = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), np.float32)).save(floats, "TIFF")
    with pytest.raises(BadImageError, match="range"):
        decode(floats.getvalue(), VIEW)


@pytest.mark.parametrize(
    "wrong", [{"resolution": 0}, {"fit": "stretch"}, {"filter": "nearest"}, {"channels": 0}, {"channels": 65}]
)
def test_views_are_checked(wrong):
    with pytest.raises(UserError):
        View(**{"resolution": 8, **wrong})
