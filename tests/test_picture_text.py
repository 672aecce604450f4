"""What pictures say about themselves is read without their pixels: of any size, and before a bomb goes off."""

import io
import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from stylegenes.errors import UserError
from stylegenes.pictures import read_text, save_animation, save_picture
from stylegenes.sheets import free_path, made_by_what

SIDE = 14_000
"""Pixels of a side of which Pillow opens no picture."""
TEXT = {"Made": "sample --seeds 0-170", "Codes": "abc\ndéf"}


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def large_png(*, before: bytes = b"", after: bytes = b"", pixels: bytes = b"no pixels") -> bytes:
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", pixels) + after + chunk(b"IEND", b"")


def texts() -> bytes:
    """As Pillow writes them."""
    return b"".join(chunk(b"iTXt", key.encode() + b"\0\0\0\0\0" + value.encode()) for key, value in TEXT.items())


def exif() -> bytes:
    block = Image.Exif()
    block[0x010E] = json.dumps(TEXT)
    return block.tobytes()


def large_webp() -> bytes:
    side = (SIDE - 1).to_bytes(3, "little")
    parts = [(b"VP8X", b"\x08\0\0\0" + side + side), (b"VP8L", b"odd"), (b"EXIF", exif())]
    body = b"".join(kind + struct.pack("<I", len(one)) + one + b"\0" * (len(one) % 2) for kind, one in parts)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def large_gif() -> bytes:
    said = json.dumps(TEXT).encode()
    blocks = b"".join(bytes([len(said[i : i + 50])]) + said[i : i + 50] for i in range(0, len(said), 50))
    head = b"GIF89a" + struct.pack("<HHBBB", SIDE, SIDE, 0x80, 0, 0) + bytes(6)
    loops, control = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0", b"!\xf9\x04\0\0\0\0\0"
    return head + loops + b"!\xfe" + blocks + b"\0" + control + b",and so on"


LARGE = {
    "before.png": large_png(before=texts()),
    "after.png": large_png(after=texts()),
    "exif.png": large_png(before=chunk(b"eXIf", exif())),
    "a.webp": large_webp(),
    "a.gif": large_gif(),
}


@pytest.mark.parametrize("name", LARGE)
def test_files_of_any_size_are_read_without_their_pixels(tmp_path, monkeypatch, name):
    path = tmp_path / name
    path.write_bytes(LARGE[name])
    with pytest.raises(Image.DecompressionBombError):
        Image.open(path)
    monkeypatch.setattr(Image, "open", lambda *given: pytest.fail("a picture was opened"))
    assert read_text(path) == TEXT
    assert made_by_what(path) == TEXT["Made"]
    assert free_path(path, TEXT["Made"]) == path
    assert free_path(path, "another") == path.with_stem(f"{path.stem}-2")


def test_a_sheet_of_our_own_beyond_the_limit_is_read(tmp_path):
    path = save_picture(tmp_path / "a.png", np.zeros((SIDE, SIDE, 1), np.uint8), TEXT)
    assert read_text(path) == TEXT and free_path(path, TEXT["Made"]) == path


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.gif"])
def test_pictures_of_every_mode_and_text_are_read_as_pillow_reads_them(tmp_path, name, place):
    rng = np.random.default_rng(place)
    said = [TEXT, {"A": ""}, {"A": "x" * 70_000, "B=": "ü\u2028\t", "C": "-1"}, {}][place]
    frames = list(rng.integers(0, 255, (3, 5, 7, [1, 3, 4, 3][place]), np.uint8))
    write = {"a.gif": lambda path: save_animation(path, frames, text=said)}
    path = write.get(name, lambda path: save_picture(path, frames[0], said))(tmp_path / name)
    assert read_text(path) == said
    if name == "a.webp":
        assert read_text(save_animation(path, frames, text=said)) == said


def test_text_of_other_programs_is_read(tmp_path):
    info = PngInfo()
    info.add_text("Plain", "as it is")
    info.add_text("Packed", "z" * 1000, zip=True)
    info.add_itxt("Far", "öst", zip=True)
    Image.new("P", (3, 3)).save(tmp_path / "a.png", pnginfo=info)
    assert read_text(tmp_path / "a.png") == {"Plain": "as it is", "Packed": "z" * 1000, "Far": "öst"}
    for name, options in [("jpeg", {}), ("tiff", {}), ("bmp", None)]:
        exif = Image.Exif()
        exif[0x010E] = json.dumps(TEXT)
        Image.new("RGB", (3, 3)).save(tmp_path / name, name, **({} if options is None else {"exif": exif}))
        assert read_text(tmp_path / name) == ({} if options is None else TEXT)


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
def test_files_that_were_cut_short_are_refused(tmp_path, name, share):
    whole = LARGE[name]
    (tmp_path / name).write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UserError, match="cannot be read as a picture"):
        read_text(tmp_path / name)


@pytest.mark.parametrize("name", LARGE)
def test_damaged_files_are_read_or_refused_in_words(tmp_path, name):
    whole = LARGE[name]
    for place in range(8, len(whole)):
        (tmp_path / name).write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            read_text(tmp_path / name)
        except UserError as error:
            assert "cannot be read as a picture" in str(error)


def test_a_bomb_of_another_format_is_not_decoded(tmp_path):
    file = io.BytesIO()
    Image.new("1", (8, 8)).save(file, "BMP")
    content = bytearray(file.getvalue())
    content[18:26] = struct.pack("<II", SIDE, SIDE)
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UserError, match="cannot be read as a picture"):
        read_text(tmp_path / "a.png")
    assert free_path(tmp_path / "a.png", "mine") == tmp_path / "a-2.png"
    packed = zlib.compress(bytes(100_000_000))
    (tmp_path / "b.png").write_bytes(large_png(after=chunk(b"zTXt", b"A\0\0" + packed)))
    with pytest.raises(UserError, match="cannot be read as a picture"):
        read_text(tmp_path / "b.png")


@pytest.mark.parametrize("kind", range(17))
def test_damaged_exif_of_others_is_passed_over(kind, tmp_path):
    """Whatever type a tag claims to have: a photo carries no codes, and is nothing of ours."""
    entry = struct.pack("<HHII", 0x0110, kind, 1, 0x7FC00000)
    block = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)
    path = tmp_path / "photo.png"
    Image.new("RGB", (4, 4)).save(path, "JPEG", exif=block)
    assert "Model" not in read_text(path)
