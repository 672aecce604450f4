"""Sound that pictures move to: reading it, and how loud it is at each frame."""

from __future__ import annotations

import math
import warnings
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import scipy

from stylegenes.errors import UserError, shown
from stylegenes.files import check_regular

Band = Literal["all", "low", "middle", "high"]
EDGES: dict[Band, tuple[float, float]] = {
    "all": (0.0, float("inf")),
    "low": (0.0, 200.0),
    "middle": (200.0, 2000.0),
    "high": (2000.0, float("inf")),
}
"""Bands of frequencies, from and to, in Hz: low is the drum and the bass."""
SMOOTHING = 0.12
"""Seconds over which loudness is averaged, so that pictures do not tremble with the sound's own waves."""
PLAYED = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
"""Rates in Hz that AAC has; others are brought to the first."""
MOST_RATE = 1_000_000
"""Samples a second that a file may say it has; a quarter of that is the most that is sold."""
_ORDER = 4


@dataclass(frozen=True)
class Sound:
    """A recording.

    Attributes:
        samples: float32 [T, channels] in [-1, 1], at least one.
        rate: samples a second.
    """

    samples: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.rate

    def played(self) -> Sound:
        """The same with one channel or two, at a rate that players know."""
        samples, rate = self.samples[:, :2], self.rate
        if rate not in PLAYED:
            common = math.gcd(rate, PLAYED[0])
            rate, samples = PLAYED[0], scipy.signal.resample_poly(samples, PLAYED[0] // common, rate // common, axis=0)
        return Sound(np.asarray(samples, np.float32).clip(-1, 1), rate)


def read_sound(path: str | Path) -> Sound:
    """A .wav of whole or floating-point numbers; other formats where the package `av` is installed.

    Raises:
        UserError: when there is no such file, it is no sound, or it is empty.
    """
    path = Path(path)
    check_regular(path)
    sound = _read_wav(path) if path.suffix.lower() == ".wav" else _read_other(path)
    if not len(sound.samples):
        raise UserError(f"{path} holds no sound: it is empty")
    if not np.isfinite(sound.samples).all():
        raise UserError(f"{path} holds samples that are no numbers")
    return sound


def loudness(sound: Sound, frames: int, fps: float, *, band: Band = "all", loop: bool = False) -> np.ndarray:
    """How loud a sound is at each frame, relative to its loudest one.

    The root of the mean square in one band, over all channels (whose sum may be silent where each is loud) and over
    a window of one frame to either side, smoothed by a symmetric window of `SMOOTHING` seconds, so that it is neither
    early nor late.

    Args:
        sound: what is heard.
        frames: how many there are; frame i is at i / fps seconds.
        fps: frames a second.
        band: which frequencies count.
        loop: whether the end is followed by the beginning.

    Returns:
        [frames] in [0, 1]; all 0 where there is only silence.
    """
    heard = np.zeros(len(sound.samples))
    for channel in sound.samples.T:
        heard += _filtered(channel.astype(np.float64), sound.rate, band) ** 2 / sound.samples.shape[1]
    length = round(frames / fps * sound.rate)
    heard = np.pad(heard, (0, max(0, length - len(heard))))[: max(length, 1)]
    half = max(1, round(sound.rate / fps))
    squares = np.pad(heard, half, mode="wrap" if loop and len(heard) >= half else "constant")
    total = np.concatenate([[0.0], squares.cumsum()])
    begin = np.minimum(np.round(np.arange(frames) / fps * sound.rate).astype(int), len(heard) - 1)
    power = (total[begin + 2 * half] - total[begin]) / (2 * half)
    smooth = _smoothed(np.sqrt(power.clip(0)), max(1, round(SMOOTHING * fps)) // 2, loop)
    loudest = smooth.max()
    # What a filter leaves of silence is no sound.
    return smooth / loudest if loudest > 1e-6 else np.zeros(frames)


def _smoothed(values: np.ndarray, half: int, loop: bool) -> np.ndarray:
    kernel = np.hanning(2 * half + 3)[1:-1]
    padded = np.pad(values, half, mode="wrap" if loop and len(values) >= half else "edge")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")


def _filtered(mono: np.ndarray, rate: int, band: Band) -> np.ndarray:
    low, high = EDGES[band]
    low, high = (low if low > 0 else None), (high if high < 0.45 * rate else None)
    if low is None and high is None:
        return mono
    if low is not None and low >= 0.45 * rate:
        return np.zeros_like(mono)
    kind, edges = ("lowpass", high) if low is None else ("highpass", low) if high is None else ("band", (low, high))
    # Forward and backward, so that nothing is delayed; short sounds are too short for its usual padding.
    sections = scipy.signal.butter(_ORDER, edges, kind, fs=rate, output="sos")
    return scipy.signal.sosfiltfilt(sections, mono, padlen=min(1000, len(mono) - 1))


def _read_wav(path: Path) -> Sound:
    wavfile = scipy.io.wavfile
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)
            warnings.filterwarnings("error", message="Reached EOF")
            rate, data = wavfile.read(path)
    except wavfile.WavFileWarning as error:
        raise UserError(f"{path} is cut short: {shown(error, 200)}; get the file again") from error
    except (ValueError, EOFError, OSError, wave.Error, IndexError, KeyError, TypeError, ZeroDivisionError) as error:
        raise UserError(f"{path} cannot be read as a .wav: {shown(error, 200)}") from error
    except Exception as error:
        # The reader's own errors for damaged headers are of no class that can be named in all its versions.
        raise UserError(f"{path} is damaged: {shown(error, 200)}") from error
    samples = data[:, None] if data.ndim == 1 else data
    if samples.dtype == np.uint8:
        scaled = (samples.astype(np.float32) - 128) / 128
    elif samples.dtype.kind == "i":
        scaled = samples.astype(np.float32) / float(2 ** (8 * samples.dtype.itemsize - 1))
    else:
        scaled = samples.astype(np.float32)
    if not 1 <= rate <= MOST_RATE:
        raise UserError(f"{path} is damaged: it says {rate:,} samples a second")
    return Sound(scaled, int(rate))


def _read_other(path: Path) -> Sound:
    try:
        import av
        import av.error
    except ImportError as error:
        raise UserError(
            f"{path} is no .wav; other sounds need the package 'av': pip install 'stylegenes[video]'"
        ) from error
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise UserError(f"{path} holds no sound")
            resampler, parts = av.AudioResampler(format="fltp"), []
            for frame in container.decode(container.streams.audio[0]):
                parts += [one.to_ndarray().T for one in resampler.resample(frame)]
            rate: Any = container.streams.audio[0].rate
    except (av.error.FFmpegError, OSError) as error:
        raise UserError(f"{path} cannot be read as sound: {shown(error, 200)}") from error
    return Sound(np.concatenate(parts).astype(np.float32) if parts else np.zeros((0, 1), np.float32), int(rate))
