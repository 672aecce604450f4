"""Orthogonal wavelets (Daubechies 1992) and the filters that augmentation makes of them."""

from __future__ import annotations

import numpy as np

SYM6 = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
"""Scaling filter of the symlet with six vanishing moments; its squares sum to one."""

SYM2 = tuple((np.array([1, 3, 3, 1]) + np.sqrt(3) * np.array([1, 1, -1, -1])) / (4 * np.sqrt(2)))
"""Scaling filter of the wavelet with two vanishing moments, in closed form."""


def geometry_filter() -> np.ndarray:
    """The low-pass filter [12] of geometric transforms: sym6 at unit sum."""
    return np.array(SYM6) / np.sum(SYM6)


def band_filters(bands: int = 4) -> np.ndarray:
    """Zero-phase filters [bands, taps] that split a signal by octaves and sum to a unit impulse.

    Row 0 keeps the lowest frequencies, up to pi / 2^(bands - 1); the last row the highest octave. The low-pass filter
    is the autocorrelation of sym2, the high-pass its complement; each further octave repeats the split on the filter
    stretched by two.
    """
    scaling = np.array(SYM2)
    low = np.convolve(scaling, scaling[::-1]) / 2
    high = low * (-1.0) ** (np.arange(len(low)) - len(low) // 2)
    rows, passed = [], np.ones(1)
    for level in range(bands - 1):
        rows.append(np.convolve(passed, _stretch(high, 2**level)))
        passed = np.convolve(passed, _stretch(low, 2**level))
    rows.append(passed)
    return np.stack([np.pad(row, (len(passed) - len(row)) // 2) for row in reversed(rows)])


def _stretch(taps: np.ndarray, factor: int) -> np.ndarray:
    """Put factor - 1 zeros between the taps."""
    stretched = np.zeros((len(taps) - 1) * factor + 1)
    stretched[::factor] = taps
    return stretched
