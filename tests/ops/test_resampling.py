"""Resampling by matrices equals resampling by filters, for any sizes."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylegenes.ops.fir import upfirdn2d
from stylegenes.ops.resampling import fir_matrix, reflection_matrix, resample

FEW = settings(max_examples=30, deadline=None)


@FEW
@given(
    size=st.integers(3, 14),
    count=st.integers(1, 9),
    up=st.integers(1, 4),
    down=st.integers(1, 3),
    before=st.integers(-2, 9),
    after=st.integers(-2, 9),
    flip=st.booleans(),
)
def test_matrix_is_the_filter(size, count, up, down, before, after, flip):
    if size * up + before + after < count:
        return
    x, taps = torch.randn(1, 2, size, size, dtype=torch.float64), torch.randn(count, dtype=torch.float64)
    matrix = fir_matrix(taps, size, up=up, down=down, padding=(before, after), flip=flip)
    expected = upfirdn2d(x, taps, up=up, down=down, padding=(before, after, before, after), flip_filter=flip)
    torch.testing.assert_close(resample(x, matrix, matrix), expected)


@FEW
@given(size=st.integers(2, 9), data=st.data())
def test_reflection(size, data):
    before, after = (data.draw(st.integers(0, size - 1)) for _ in range(2))
    x = torch.randn(1, 1, size, dtype=torch.float64)
    padded = torch.nn.functional.pad(x, [before, after], mode="reflect")
    torch.testing.assert_close(x @ reflection_matrix(size, before, after, x).T, padded)
