"""Walks through the latent as films: from keyframe to keyframe, in a loop, and to music.

Every frame is a code string (see `styles`), made before anything is drawn: what a frame shows is known by its string
alone, and can be drawn again from it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count as count_from
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch

from stylegenes.drawing import DrawSettings, Way, codes_of_seeds
from stylegenes.errors import UserError, shown
from stylegenes.generator import Generator
from stylegenes.notation import parse_seeds, read_codes
from stylegenes.pictures import enlarge, save_animation, visible_scale
from stylegenes.sheets import CARRIERS, FPS, Carried, Origin
from stylegenes.sound import Band, Sound, loudness
from stylegenes.styles import between, check_texts, draw_texts, settled
from stylegenes.words import check_known

Ease = Literal["smooth", "linear"]
SECONDS = 3.0
"""From one keyframe to the next, where nothing else says how long."""
MOST_FRAMES = 500_000
_SEED = re.compile(r"\d{1,18}")
_DIGITS = 6
"""Decimals of a share in a frame's code string; a millionth of a way is beyond any picture's 256 shades."""


@dataclass(frozen=True)
class Keyframe:
    """A code, and when it is reached.

    Attributes:
        code: the code string.
        time: in seconds; None spreads keyframes evenly.
    """

    code: str
    time: float | None = None


@dataclass(frozen=True)
class WalkSettings:
    """How a walk goes.

    Attributes:
        seconds: its length; None for the sound's, or else 3 from one keyframe to the next.
        fps: frames a second.
        ease: `smooth` slows down at each keyframe, `linear` does not.
        way: the latent's own, through the code's own space (`code`), or straight in W (`w`).
        loop: whether it returns to the first keyframe, so that the end is followed by the beginning.
    """

    seconds: float | None = None
    fps: float = FPS
    ease: Ease = "smooth"
    way: Way = "own"
    loop: bool = True

    def __post_init__(self) -> None:
        check_known("ease", self.ease, get_args(Ease))
        check_known("way", self.way, get_args(Way))
        if not 1 <= self.fps <= 240:
            raise UserError(f"{self.fps:g} frames a second are not possible; give 1 to 240")
        if self.seconds is not None:
            check_length(self.seconds, self.fps)


def check_length(seconds: float, fps: float) -> None:
    """Refuse a walk of more frames than anybody waits for, whether its length is given or follows from something.

    Raises:
        UserError: for a length that is no number, or too much.
    """
    if not 0 < seconds * fps <= MOST_FRAMES:
        raise UserError(f"a walk of {seconds:g} seconds is not possible; it has 1 to {MOST_FRAMES:,} frames")


@dataclass(frozen=True)
class Pulse:
    """What sound does: the louder it is, the nearer a frame comes to one code.

    Attributes:
        sound: what is heard.
        towards: a seed or a code string; None takes the first seed that is no keyframe.
        strength: the share of the way at the loudest moment, from 0 to 1.
        band: which frequencies count.
    """

    sound: Sound
    towards: str | None = None
    strength: float = 0.4
    band: Band = "all"

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise UserError(f"a strength of {self.strength:g} is not possible; give 0 to 1")


@dataclass(frozen=True)
class Walk:
    """A film that is not drawn yet.

    Attributes:
        generator: makes the pictures.
        texts: the code string of every frame.
        drawing: truncation, noise and condition.
        origin: what the file says about all this.
        fps: frames a second.
        levels: how loud the sound is at each frame, [frames] in [0, 1]; zeros without a sound.
        sound: what is heard, or None.
        notes: sentences for whoever asked for it.
    """

    generator: Generator
    texts: list[str]
    drawing: DrawSettings
    origin: Origin
    fps: float
    levels: np.ndarray
    sound: Sound | None = None
    notes: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self) / self.fps

    def frames(self) -> Iterator[np.ndarray]:
        """The pictures [H, W, C], one after another; a frame like the one before is not drawn again."""
        last, picture = None, np.zeros(0)
        for text in self.texts:
            if text != last:
                (picture,) = draw_texts(self.generator, [text], self.drawing)
            last = text
            yield picture

    def save(self, path: str | Path, track: Callable[[Iterable[Any], str, int], Iterable[Any]] | None = None) -> Path:
        """Write an .mp4 with the sound (needs the package `av`), or a .gif or .webp without it. The file carries the
        code string of every frame.

        Raises:
            UserError: for another suffix, or .mp4 without `av`.
            OSError: when the file cannot be written.
        """
        scale = visible_scale(self.generator.synthesis.size.longer)
        frames = (enlarge(one, scale) for one in self.frames())
        shown_frames = frames if track is None else track(frames, "drawing", len(self))
        text = self.origin.text(self.texts)
        return save_animation(path, shown_frames, fps=self.fps, text=text, sound=self.sound)

    def record(self) -> dict[str, Any]:
        """Every frame's time, loudness and code string, ready for JSON."""
        about = {key.lower(): value for key, value in self.origin.text([]).items() if key not in ("Codes", "Software")}
        rows = [
            {"time": round(i / self.fps, 6), "loudness": round(float(level), 4), "code": text}
            for i, (text, level) in enumerate(zip(self.texts, self.levels, strict=True))
        ]
        return {**about, "fps": self.fps, "codes": rows}


def walk(
    generator: Generator,
    keyframes: Sequence[Keyframe],
    settings: WalkSettings,
    drawing: DrawSettings,
    origin: Origin,
    pulse: Pulse | None = None,
) -> Walk:
    """Plan a film.

    Args:
        generator: the model.
        keyframes: at least one, and two where there is no pulse; all with times or none.
        settings: how it goes.
        drawing: truncation, noise and one condition.
        origin: what the file will say.
        pulse: the sound it moves to.

    Raises:
        UserError: for keyframes that cannot be, or code strings of another model.
    """
    if len(keyframes) < 2 and (pulse is None or not keyframes):
        raise UserError("a walk needs two keyframes or more to go between; one alone moves by --sound")
    path = _Path.plan(keyframes, settings, pulse.sound.seconds if pulse else None)
    check_length(path.seconds, settings.fps)
    ends = [_end(generator, one.code, settings.way, drawing) for one in keyframes]
    count = max(1, round(path.seconds * settings.fps))
    step = 1 / settings.fps if settings.loop or count == 1 else path.seconds / (count - 1)
    places = [path.at(i * step) for i in range(count)]
    texts = [_text(generator, ends[a], ends[b], share, settings) for a, b, share in places]
    levels = np.zeros(count)
    if pulse is not None:
        levels = loudness(pulse.sound, count, settings.fps, band=pulse.band, loop=settings.loop)
        goal = _end(generator, _goal(generator, pulse, keyframes), "own", drawing)
        texts = [between(one, goal, _share(pulse.strength * level)) for one, level in zip(texts, levels, strict=True)]
    return Walk(generator, texts, drawing, origin, settings.fps, levels, pulse.sound if pulse else None)


def carried_by(text: str) -> Carried | None:
    """What the file carries that the text names; None where it names none.

    Raises:
        UserError: for a file that is missing or holds no codes.
    """
    return read_codes(text) if Path(text).suffix.lower() in (*CARRIERS, ".txt") else None


def parse_keyframes(generator: Generator, text: str) -> list[Keyframe]:
    """Keyframes of text: seeds `3,8,5`, code strings, either with times `0:3,2.5:8,6:5`, or a file that carries codes.

    Raises:
        UserError: for text of another form, or code strings of another model.
    """
    carried = carried_by(text)
    if carried is not None:
        found = [Keyframe(code) for code in carried.codes]
    else:
        found = [_keyframe(generator, part) for part in _parts(text)]
    check_texts(generator, [one.code for one in found])
    return found


def code_of(generator: Generator, text: str) -> str:
    """The code string of a seed, or the string itself."""
    if not _SEED.fullmatch(text):
        return text
    return generator.latent.to_strings(codes_of_seeds(generator, [int(text)]))[0]


def _goal(generator: Generator, pulse: Pulse, keyframes: Sequence[Keyframe]) -> str:
    if pulse.towards is not None:
        check_texts(generator, [goal := code_of(generator, pulse.towards)])
        return goal
    taken = {one.code for one in keyframes}
    return next(code for code in (code_of(generator, str(seed)) for seed in count_from(0)) if code not in taken)


def _parts(text: str) -> list[str]:
    if set(text) <= set("0123456789-, "):
        return [str(seed) for seed in parse_seeds(text, "keyframes")]
    return [part.strip() for part in text.split(",") if part.strip()]


def _keyframe(generator: Generator, part: str) -> Keyframe:
    time, colon, code = part.rpartition(":")
    try:
        return Keyframe(code_of(generator, code.strip()), float(time) if colon else None)
    except ValueError as error:
        raise UserError(
            f"{shown(part, 60)!r} is no keyframe; write SEED, CODE, SECONDS:SEED or SECONDS:CODE, with commas between"
        ) from error


@dataclass(frozen=True)
class _Path:
    """When which keyframe is where.

    Attributes:
        times: of the keyframes, ascending.
        seconds: of the whole walk.
        settings: how it goes.
    """

    times: list[float]
    seconds: float
    settings: WalkSettings

    @classmethod
    def plan(cls, keyframes: Sequence[Keyframe], settings: WalkSettings, sound: float | None) -> _Path:
        given = [one.time for one in keyframes if one.time is not None]
        legs = max(len(keyframes) - (not settings.loop), 1)
        seconds = settings.seconds or sound
        if not given:
            seconds = seconds or SECONDS * legs
            return cls([i * seconds / legs for i in range(len(keyframes))], seconds, settings)
        if len(given) < len(keyframes):
            raise UserError("some keyframes have times and some have none; give all of them a time, or none")
        if given[0] < 0 or not all(math.isfinite(t) for t in given) or any(b <= a for a, b in pairwise(given)):
            raise UserError(
                f"times of keyframes begin at 0 or later and grow; got {', '.join(f'{t:g}' for t in given)}"
            )
        last = given[-1] + (SECONDS if settings.loop else 0)
        seconds = seconds or last or SECONDS
        if given[-1] > seconds or (settings.loop and len(given) > 1 and given[-1] - given[0] >= seconds):
            raise UserError(
                f"the last keyframe is at {given[-1]:g} s, and the walk is {seconds:g} s long"
                + (" and returns to the first; make it longer (--seconds)" if settings.loop else "")
            )
        return cls(given, seconds, settings)

    @cached_property
    def _legs(self) -> list[tuple[float, float, int, int]]:
        """From when to when, between which keyframes; of a loop, the one over the end too."""
        last = len(self.times) - 1
        legs = [(a, b, i, i + 1) for i, (a, b) in enumerate(pairwise(self.times))]
        return [*legs, (self.times[-1], self.times[0] + self.seconds, last, 0)] if self.settings.loop else legs

    def at(self, time: float) -> tuple[int, int, float]:
        """From which keyframe to which, and what share of the way."""
        if self.settings.loop:
            time = self.times[0] + (time - self.times[0]) % self.seconds
        for begin, end, first, second in self._legs:
            if begin <= time < end:
                share = (time - begin) / (end - begin)
                return first, second, share * share * (3 - 2 * share) if self.settings.ease == "smooth" else share
        place = 0 if time < self.times[0] else len(self.times) - 1
        return place, place, 0.0


def _end(generator: Generator, text: str, way: Way, drawing: DrawSettings) -> str:
    """A keyframe's string as the end of a way; mixtures become their style vectors, and so do codes on the way in W."""
    return settled(generator, text, drawing, most=-1 if way == "w" else 0)


def _text(generator: Generator, start: str, end: str, share: float, settings: WalkSettings) -> str:
    share = _share(share)
    if settings.way != "code" or share in (0, 1) or start == end:
        return between(start, end, share)
    latent = generator.latent
    with torch.no_grad():
        code = latent.interpolate(latent.from_strings([start]), latent.from_strings([end]), share)
    # A latent whose codes have no others between them goes by their style vectors.
    return between(start, end, share) if latent.num_genes else latent.to_strings(code)[0]


def _share(value: float) -> float:
    return round(float(value), _DIGITS)
