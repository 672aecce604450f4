"""Walks: eased, looping, to music, through every latent; every frame is its code string."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import wavfile

from stylegenes import UserError
from stylegenes.cli import main
from stylegenes.generator import Generator
from stylegenes.model import Model
from stylegenes.sheets import read_sheet
from stylegenes.snapshot import Card, Snapshot, save_snapshot
from stylegenes.sound import Sound
from stylegenes.styles import read_styles
from stylegenes.walks import Pulse, WalkSettings

LATENTS = {
    "genome": {"name": "genome", "w_dim": 16, "num_genes": 4, "num_variants": 8},
    "mapping": {"name": "mapping", "z_dim": 8, "w_dim": 16, "depth": 2},
    "gaussian": {"name": "gaussian", "w_dim": 16},
}
SYNTHESIS = {"name": "stylegan2", "resolution": 8, "w_dim": 16, "channel_base": 64, "channel_max": 8}


def model(latent="genome", **more):
    torch.manual_seed(0)
    generator = Generator.from_spec({"latent": {**LATENTS[latent], **more}, "synthesis": SYNTHESIS})
    return Model("none", Snapshot(generator.eval().requires_grad_(False), None, Card("toy")))


def ws_of(film):
    return read_styles(film.generator, film.texts, film.drawing)


def beat(seconds=2.0, rate=8000, hertz=100):
    time = np.arange(round(seconds * rate)) / rate
    return Sound((np.sin(np.pi * time) ** 4 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)[:, None], rate)


WAYS = [("genome", "own"), ("genome", "code"), ("genome", "w")]
WAYS += [("mapping", "own"), ("mapping", "code"), ("mapping", "w"), ("gaussian", "own"), ("gaussian", "w")]


@pytest.mark.parametrize(("latent", "way"), WAYS)
def test_a_walk_meets_its_keyframes_and_returns(latent, way):
    toy = model(latent)
    film = toy.walk("3,8,5", WalkSettings(seconds=3, fps=8, way=way))
    ws, keys = ws_of(film), toy.choose(seeds=[3, 8, 5]).ws
    assert len(film) == 24
    assert torch.allclose(ws[[0, 8, 16]], keys, atol=1e-5)
    jumps = (ws.roll(-1, 0) - ws).flatten(1).norm(dim=1)
    assert jumps[-1] < 1.5 * jumps.max() and jumps[[7, 15, 23]].max() < 0.5 * jumps.max(), "slow at each keyframe"
    middle = torch.lerp(keys[0], keys[1], 0.5)
    straight = torch.allclose(ws[4], middle, atol=1e-4)
    assert straight == (way == "w" or latent == "genome" or (latent, way) == ("mapping", "own"))


@pytest.mark.parametrize(("latent", "way"), WAYS)
def test_every_frame_is_drawn_again_from_its_string_alone(latent, way):
    film = model(latent).walk("1,2", WalkSettings(seconds=1, fps=4, way=way), Pulse(beat(1), strength=0.5))
    again = model(latent)
    for text, frame in zip(film.texts, film.frames(), strict=True):
        assert np.array_equal(again.pictures([text])[0], frame)


def test_linear_walks_at_one_speed_and_without_a_loop_ends_at_the_last():
    film = model().walk("3,8", WalkSettings(seconds=2, fps=8, ease="linear", loop=False))
    ws, keys = ws_of(film), model().choose(seeds=[3, 8]).ws
    assert torch.allclose(ws[[0, -1]], keys, atol=1e-5)
    steps = (ws[1:] - ws[:-1]).flatten(1).norm(dim=1)
    assert steps.max() / steps.min() < 1.001


def test_times_of_keyframes_are_kept_and_a_loop_goes_over_the_end():
    toy = model()
    film = toy.walk("0.5:3,1.5:8", WalkSettings(seconds=2, fps=8, ease="linear"))
    ws, keys = ws_of(film), toy.choose(seeds=[3, 8]).ws
    assert torch.allclose(ws[[4, 12]], keys, atol=1e-5)
    assert torch.allclose(ws[0], keys.mean(dim=0), atol=1e-5), "half of the way from the last to the first"
    held = toy.walk("0.5:3,1.5:8", WalkSettings(seconds=2, fps=8, loop=False))
    assert torch.allclose(ws_of(held)[0], keys[0], atol=1e-5) and torch.allclose(ws_of(held)[-1], keys[1], atol=1e-5)


@pytest.mark.parametrize("seconds", [1.0, 2.0, 2.5])
@pytest.mark.parametrize("fps", [8, 24, 29.97])
def test_a_walk_to_music_is_as_long_and_pulls_as_loud(seconds, fps):
    toy = model()
    film = toy.walk("3", WalkSettings(fps=fps), Pulse(beat(seconds), towards="12", strength=0.6))
    assert len(film) == round(seconds * fps)
    assert abs(film.seconds - seconds) <= 0.5 / fps
    start, goal = toy.choose(seeds=[3, 12]).ws
    share = ((ws_of(film) - start) * (goal - start)).flatten(1).sum(dim=1) / (goal - start).square().sum()
    assert np.allclose(share.numpy(), 0.6 * film.levels, atol=1e-4)
    assert film.levels.max() == 1
    assert abs(film.levels.argmax() / fps % 1 - 0.5) <= 1 / fps, "a beat each second, at its middle"


def test_a_strength_of_nothing_is_the_walk_without_sound():
    silent, still = (Pulse(beat(), strength=0.0), Pulse(Sound(np.zeros((16000, 1), np.float32), 8000)))
    plain = model().walk("3,8", WalkSettings(seconds=2, fps=8)).texts
    assert model().walk("3,8", WalkSettings(fps=8), silent).texts == plain
    assert model().walk("3,8", WalkSettings(fps=8), still).texts == plain


def test_keyframes_may_be_mixtures_and_style_vectors():
    toy = model()
    a, b = toy.choose(seeds=[1, 2]).strings
    mixed = f"{a}~{b}@0-1"
    film = toy.walk(f"{mixed},{b}", WalkSettings(seconds=1, fps=4), Pulse(beat(1), towards=mixed, strength=0.3))
    plain = toy.walk(f"{mixed},{b}", WalkSettings(seconds=1, fps=4))
    assert torch.allclose(ws_of(plain)[0], read_styles(toy.generator, [mixed], toy.plain_drawing)[0], atol=1e-5)
    assert torch.isfinite(ws_of(film)).all()


@pytest.mark.parametrize("suffix", ["mp4", "gif", "webp"])
def test_the_file_carries_the_string_of_every_frame(tmp_path, suffix):
    pytest.importorskip("av")
    film = model().walk("3,8", WalkSettings(fps=12), Pulse(beat(1)))
    path = film.save(tmp_path / f"a.{suffix}")
    assert read_sheet(path).codes == film.texts
    if suffix != "mp4":
        with Image.open(path) as image:
            assert image.n_frames <= 12
        return
    import av

    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 12
        lengths = {one.type: float(one.duration * one.time_base) for one in container.streams}
    assert lengths["video"] == pytest.approx(1, abs=0.01) and lengths["audio"] == pytest.approx(1, abs=0.05)
    with av.open(str(path)) as container:
        heard = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)[0]
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    rate = 8000
    assert np.fft.rfftfreq(len(heard), 1 / rate)[spectrum.argmax()] == pytest.approx(100, abs=5), "and it is the sound"


@pytest.mark.parametrize(
    ("keyframes", "settings", "words"),
    [
        ("3", {}, "two keyframes or more"),
        ("0:3,8", {}, "give all of them a time, or none"),
        ("1:3,1:8", {}, "begin at 0 or later and grow"),
        ("-1:3,1:8", {}, "begin at 0 or later and grow"),
        ("nan:3,1:8", {}, "begin at 0 or later and grow"),
        ("0:3,5:8", {"seconds": 4}, "the last keyframe is at 5 s, and the walk is 4 s long"),
        ("0:3,4:8", {"seconds": 4}, "make it longer"),
        ("0:3,1e9:8", {"fps": 5}, "a walk of 1e\\+09 seconds is not possible; it has 1 to 500,000 frames"),
        ("0:3,1e300:8", {"loop": False}, "is not possible"),
        ("x:3,4:8", {}, "is no keyframe"),
        ("3,nonsense", {}, "nonsense"),
        ("3,8", {"fps": 0}, "0 frames a second are not possible"),
        ("3,8", {"fps": float("nan")}, "frames a second are not possible"),
        ("3,8", {"seconds": 0}, "a walk of 0 seconds is not possible"),
        ("3,8", {"seconds": 1e9}, "not possible"),
    ],
)
def test_what_cannot_be_is_refused(keyframes, settings, words):
    with pytest.raises(UserError, match=words):
        model().walk(keyframes, WalkSettings(**settings))


@pytest.mark.parametrize(("band", "told"), [("all", "heard of"), ("high", "heard in the band high of")])
def test_a_sound_that_is_silent_is_said_to_be(tmp_path, monkeypatch, capsys, band, told):
    monkeypatch.chdir(tmp_path)
    save_snapshot("toy", model().generator, Card("toy"))
    wavfile.write("quiet.wav", 3000, np.zeros(3000, np.int16))
    line = ["walk", "toy", "--keyframes", "0-2", "--sound", "quiet.wav", "--fps", "3", "--band", band, "--out", "a.gif"]
    assert main.run(line) == 0
    assert f"note: nothing is {told} quiet.wav, so no frame is pulled" in capsys.readouterr().out


def test_the_command_writes_film_and_list_and_the_list_draws_it_again(tmp_path, monkeypatch, capsys):
    pytest.importorskip("av")
    monkeypatch.chdir(tmp_path)
    save_snapshot("toy", model().generator, Card("toy"))
    sound = beat(1)
    wavfile.write("beat.wav", sound.rate, sound.samples)
    line = ["walk", "toy", "--keyframes", "0-2", "--sound", "beat.wav", "--fps", "6", "--strength", "0.5"]
    assert main.run(line) == 0
    assert "6 frames (1.0 s) with the sound in toy-walk.mp4" in capsys.readouterr().out
    rows = json.loads((tmp_path / "toy-walk.json").read_text())["codes"]
    assert [row["time"] for row in rows] == pytest.approx([i / 6 for i in range(6)], abs=1e-5)
    assert main.run(["sample", "toy", "--codes", "toy-walk.json", "--out", "again"]) == 0
    assert len(list((tmp_path / "again").glob("*.png"))) == 6
    assert main.run([*line[:4], "--out", "b.gif", "--fps", "2", "--seconds", "2"]) == 0
    assert main.run(["walk", "toy", "--band", "low"]) == 1
    assert "add --sound FILE" in capsys.readouterr().err
    assert main.run(["walk", "toy", "--out", "a.png"]) == 1
    assert "must end in .gif, .webp, .mp4" in capsys.readouterr().err
