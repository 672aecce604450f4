"""Width and height as one value: how it is written, the grids that networks grow from, and what is nearest."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from math import log

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stylegenes.errors import UserError
from stylegenes.shape import as_record
from stylegenes.size import LARGEST, Resolution, Size, square_side

sides = st.integers(1, LARGEST)


@given(sides, sides)
def test_what_is_written_is_read_back(width, height):
    size = Size(width, height)
    assert Size.of(size.notation) == Size.of(f" {width} X {height} ") == Size.of(size) == size
    assert isinstance(size.notation, int) == (width == height)
    assert size.hw == (height, width) and size.pixels == width * height


@pytest.mark.parametrize("power", range(3, 12))
def test_squares_start_from_4x4(power):
    size = Size.of(2**power)
    assert [step.notation for step in size.steps()] == [4 << i for i in range(power - 1)]
    assert (size.start, size.aspect, size.doublings) == (Size(4, 4), Size(1, 1), power - 2)
    assert size.shape == "square" and size.doubled().halved() == size


@pytest.mark.parametrize(
    ("written", "start"),
    [("384x256", "3x2"), ("256x384", "2x3"), ("512x256", "4x2"), ("160x128", "5x4"), ("256x144", "16x9"),
     ("32x256", "1x8"), ("448x320", "7x5"), ("176x208", "11x13"), (96, 3)],
)  # fmt: skip
def test_other_shapes_start_from_a_grid_of_their_own(written, start):
    assert Size.of(written).start == Size.of(start)
    assert Size.of(written).steps()[0] == Size.of(start)


@given(st.integers(1, 16), st.integers(1, 16), st.integers(1, 9))
def test_every_step_doubles_the_one_before(columns, rows, doublings):
    size = Size(columns, rows).doubled(doublings)
    assume(size.fits())
    steps = size.steps()
    assert steps[-1] == size and all(after == before.doubled() for before, after in pairwise(steps))
    assert size.halved(size.doublings).doubled(size.doublings) == size


@cache
def fitting(least: int) -> list[Size]:
    return [size for size in (Size(*pair) for pair in product(range(1, 160), repeat=2)) if size.fits(least)]


@settings(deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([4, 8, 16]))
def test_the_nearest_are_the_nearest(width, height, least):
    size = Size(width, height)
    assume(not size.fits(least))

    def change(other: Size) -> float:
        return abs(log(other.width / width)) + abs(log(other.height / height))

    best = min(change(other) for other in fitting(least) if other.square or not size.square)
    found = size.nearest(least)
    assert len(found) == 3 and all(other.fits(least) for other in found)
    assert change(found[0]) == pytest.approx(best)
    with pytest.raises(UserError, match=f"pictures of {size} px do not fit: .* {found[0]}, "):
        size.steps(least)


@pytest.mark.parametrize(
    "written",
    ["", "384x", "x256", "-1x4", "0x0", "4x0", "0", "huge", "3.5", "1x2x3", "99999x8", "9" * 40, 0, -3, 10**9],
)
def test_what_is_no_size_is_refused_in_words(written):
    with pytest.raises(UserError, match=r"is no size; give one number|must be from 1 to 16,384 pixels; got"):
        Size.of(written)


def test_records_hold_the_one_spelling():
    @dataclass
    class Holder:
        resolution: Resolution

    assert as_record(Holder, {"resolution": "64 x 64"}, "it") == Holder(64)
    assert as_record(Holder, {"resolution": "96X64"}, "it") == Holder("96x64")
    for wrong in ("96x", 0, 1.5, None, True):
        with pytest.raises(UserError, match="it: resolution"):
            as_record(Holder, {"resolution": wrong}, "it")


def test_who_needs_squares_says_why():
    assert square_side(64, "cameras") == 64
    with pytest.raises(UserError, match=r"cameras of one view, so its pictures are square; got 96x64: set .*=64"):
        square_side("96x64", "cameras of one view")


@pytest.mark.parametrize(
    ("photo", "longer", "size"),
    [
        ((60, 40), 32, "24x16"),
        ((6000, 4000), 256, "192x128"),
        ((4000, 6000), 512, "256x384"),
        ((1920, 1080), 256, "256x144"),
        ((1503, 1000), 64, "48x32"),
        ((777, 777), 32, "32"),
    ],
)
def test_a_size_near_a_shape_is_one_that_networks_make(photo, longer, size):
    found = Size.near(*photo, longer)
    assert str(found) == size and found.fits()


@pytest.mark.parametrize("photo", [(1700, 100), (100, 9000), (1000, 1040)])
def test_shapes_that_no_small_grid_has_have_no_size(photo):
    assert Size.near(*photo, 256) is None
