"""Sound: every common .wav is read as the same samples, and loudness follows what is heard, neither early nor late."""

import warnings

import numpy as np
import pytest
from scipy.io import wavfile

from stylegenes import UserError
from stylegenes.sound import SMOOTHING, Sound, loudness, read_sound


def tone(seconds, rate, hertz, amplitude):
    time = np.arange(round(seconds * rate)) / rate
    return time, (amplitude(time) * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 11111])
@pytest.mark.parametrize("fps", [12, 24, 29.97, 60])
def test_loudness_follows_the_envelope_at_every_rate(rate, fps):
    time, samples = tone(3, rate, 440, lambda t: 0.1 + 0.8 * np.sin(np.pi * t / 3) ** 2)
    frames = round(3 * fps)
    level = loudness(Sound(samples[:, None], rate), frames, fps)
    truth = np.interp(np.arange(frames) / fps, time, 0.1 + 0.8 * np.sin(np.pi * time / 3) ** 2)
    assert level.shape == (frames,)
    assert level.max() == 1
    # At the ends half of the window is silence.
    inner = slice(round(SMOOTHING * fps) + 1, -round(SMOOTHING * fps) - 1)
    assert np.abs(level - truth / truth.max())[inner].max() < 0.05


@pytest.mark.parametrize("at", [0.5, 1.0, 1.37])
def test_a_beat_is_loudest_when_it_is_heard(at):
    _, samples = tone(2, 22050, 100, lambda t: np.exp(-((t - at) ** 2) / 0.002))
    level = loudness(Sound(samples[:, None], 22050), 48, 24)
    assert abs(level.argmax() / 24 - at) <= 1 / 24
    assert level[[0, -1]].max() < 0.01


@pytest.mark.parametrize(("band", "hertz"), [("low", 80), ("middle", 700), ("high", 5000)])
def test_a_band_hears_its_own(band, hertz):
    """Three tones, one after another; each band is loud while its own sounds and quiet otherwise."""
    order = {80: 0, 700: 1, 5000: 2}
    parts = [tone(1, 22050, other, lambda t: np.ones_like(t) * 0.5)[1] for other in order]
    level = loudness(Sound(np.concatenate(parts)[:, None], 22050), 72, 24, band=band)
    thirds = level.reshape(3, 24)[:, 4:-4].mean(axis=1)
    assert thirds.argmax() == order[hertz]
    assert np.sort(thirds)[1] < 0.1 * thirds.max()


def test_silence_and_what_is_shorter_than_the_film_are_quiet():
    assert not loudness(Sound(np.zeros((8000, 1), np.float32), 8000), 24, 24).any()
    assert not loudness(Sound(np.zeros((1, 2), np.float32), 8000), 24, 24, band="low").any()
    _, samples = tone(1, 8000, 300, np.ones_like)
    assert not loudness(Sound(samples[:, None], 8000), 48, 24)[28:].any()


@pytest.mark.parametrize("band", ["all", "low"])
def test_every_channel_is_heard(band):
    """Channels of opposite sign cancel in their sum; to whoever listens they are as loud as equal ones."""
    _, samples = tone(2, 8000, 100, lambda t: np.sin(np.pi * t / 2) ** 2)
    alone = loudness(Sound(samples[:, None], 8000), 48, 24, band=band)
    for others in ([samples], [-samples], [-samples, 0 * samples], [samples, -samples, -samples]):
        many = Sound(np.stack([samples, *others], axis=1), 8000)
        assert np.allclose(loudness(many, 48, 24, band=band), alone, atol=1e-6)


def test_of_a_loop_the_end_is_followed_by_the_beginning():
    _, samples = tone(2, 8000, 200, lambda t: 0.5 + 0.5 * np.cos(np.pi * t))
    level = loudness(Sound(samples[:, None], 8000), 48, 24, loop=True)
    shifted = loudness(Sound(np.roll(samples, 8000)[:, None], 8000), 48, 24, loop=True)
    assert np.allclose(np.roll(level, 24), shifted, atol=1e-3)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_kind_of_wav_is_read_as_the_same_samples(tmp_path, kind, channels):
    wanted = np.random.default_rng(0).uniform(-0.9, 0.9, (500, channels))
    scale = {np.uint8: 128, np.int16: 2**15, np.int32: 2**31}.get(kind, 1)
    written = wanted * scale + (128 if kind == np.uint8 else 0)
    wavfile.write(tmp_path / "a.wav", 8000, (written.round() if scale > 1 else written).astype(kind))
    sound = read_sound(tmp_path / "a.wav")
    assert sound.rate == 8000 and sound.samples.shape == (500, channels) and sound.samples.dtype == np.float32
    assert np.abs(sound.samples - wanted).max() < (0.01 if kind == np.uint8 else 1e-4)
    assert sound.seconds == 500 / 8000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read as a .wav|is damaged"),
        (b"not a sound at all", "cannot be read as a .wav|is damaged"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "cannot be read as a .wav|is damaged"),
        (b"RIFF\xff\xff\xff\xffWAVEdata\xff\xff\xff\x7f", "cannot be read as a .wav|is damaged"),
    ],
)
def test_what_is_no_sound_is_refused_by_name(tmp_path, content, words):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(UserError, match=f"a.wav ({words})"):
        read_sound(tmp_path / "a.wav")


def test_missing_empty_and_broken_samples_are_refused(tmp_path):
    with pytest.raises(UserError, match="there is no file"):
        read_sound(tmp_path / "none.wav")
    wavfile.write(tmp_path / "empty.wav", 8000, np.zeros((0,), np.int16))
    with pytest.raises(UserError, match="empty"):
        read_sound(tmp_path / "empty.wav")
    wavfile.write(tmp_path / "nan.wav", 8000, np.full(9, np.nan, np.float32))
    with pytest.raises(UserError, match="no numbers"):
        read_sound(tmp_path / "nan.wav")


def test_a_file_that_was_cut_short_or_lies_about_its_rate_is_refused(tmp_path):
    wavfile.write(tmp_path / "a.wav", 8000, np.ones((8000, 2), np.int16))
    whole = (tmp_path / "a.wav").read_bytes()
    for length in (20_000, 46, 45):
        (tmp_path / "a.wav").write_bytes(whole[:length])
        with (
            warnings.catch_warnings(),
            pytest.raises(UserError, match=r"a\.wav (is cut short|is damaged|cannot be read)"),
        ):
            warnings.simplefilter("error")
            read_sound(tmp_path / "a.wav")
    wavfile.write(tmp_path / "a.wav", 1_073_741_823, np.ones((80, 2), np.int16))
    with pytest.raises(UserError, match="it says 1,073,741,823 samples a second"):
        read_sound(tmp_path / "a.wav")


def test_other_formats_are_read_where_av_is(tmp_path):
    av = pytest.importorskip("av")
    _, samples = tone(1, 8000, 440, lambda t: np.ones_like(t) * 0.5)
    with av.open(str(tmp_path / "a.flac"), "w") as container:
        stream = container.add_stream("flac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples[None] * 32767).astype(np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    sound = read_sound(tmp_path / "a.flac")
    assert sound.rate == 8000
    assert np.abs(sound.samples[:, 0] - samples).max() < 1e-3
    (tmp_path / "a.mp3").write_bytes(b"no sound")
    with pytest.raises(UserError, match=r"a\.mp3"):
        read_sound(tmp_path / "a.mp3")


@pytest.mark.parametrize(("rate", "played"), [(44100, 44100), (48000, 48000), (96000, 48000), (11111, 48000)])
def test_what_players_do_not_know_is_resampled(rate, played):
    _, samples = tone(0.5, rate, 300, lambda t: np.ones_like(t) * 0.5)
    heard = Sound(np.repeat(samples[:, None], 5, axis=1), rate).played()
    assert heard.rate == played and heard.samples.shape[1] == 2
    assert heard.seconds == pytest.approx(0.5, abs=1e-3)
