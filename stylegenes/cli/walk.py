"""a walk through the latent as a film: from keyframe to keyframe, in a loop, to music

Examples:
  stylegenes walk runs/0001 --keyframes 3,8,5 --out walk.mp4            three seconds each, and back to the first
  stylegenes walk runs/0001 --keyframes 0:3,2.5:8,6:5 --seconds 8       seconds:seed; a code string will do as well
  stylegenes walk runs/0001 --keyframes faces.png --no-loop --ease linear --out walk.gif
  stylegenes walk runs/0001 --keyframes 3,8 --sound song.wav --strength 0.5   as long as the song, louder is further
  stylegenes walk runs/0001 --keyframes 3 --sound song.wav --band low --towards 12   one face that nods with the bass

Every frame's code string is in the film and in the .json beside it; sample --codes draws it again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from stylegenes.errors import UserError

if TYPE_CHECKING:
    from stylegenes.walks import Pulse


@dataclass(frozen=True)
class SoundOptions:
    """What is heard, and what it does."""

    sound: Path | None = None
    """a .wav (mp3, flac and others with stylegenes[video]): the film is as long, moves to it and carries it"""
    strength: float = 0.4
    """how far the loudest moment pulls towards another code, from 0 to 1"""
    towards: str | None = None
    """that code: a seed or a code string (default: the first seed that is no keyframe)"""
    band: Literal["all", "low", "middle", "high"] = "all"
    """what counts: all, low (below 200 Hz: drum and bass), middle, or high (above 2000 Hz)"""

    def pulse(self) -> Pulse | None:
        """What is heard, read; None without a sound.

        Raises:
            UserError: for a file that is no sound, or options that need one.
        """
        from stylegenes.sound import read_sound
        from stylegenes.walks import Pulse

        if self.sound is None:
            given = [name for name in ("strength", "towards", "band") if getattr(self, name) != getattr(SILENT, name)]
            if given:
                raise UserError(f"--{given[0]} says what a sound does, and there is none; add --sound FILE")
            return None
        return Pulse(read_sound(self.sound), self.towards, self.strength, self.band)


SILENT = SoundOptions()
"""No sound."""


@dataclass(frozen=True)
class Args:
    """A walk through the latent as a film."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    keyframes: str = "0-3"
    """seeds, code strings, or either with its second, TIME:SEED; or a file that carries codes"""
    seconds: float | None = None
    """length (default: the sound's, or 3 from each keyframe to the next)"""
    fps: float = 24.0
    """frames a second"""
    ease: Literal["smooth", "linear"] = "smooth"
    """slow down at each keyframe, or not"""
    space: Literal["own", "code", "w"] = "own"
    """the latent's own way; through the code's own space (z on a great arc); or straight in W"""
    loop: bool = True
    """return to the first keyframe, so that the film can be repeated"""
    music: Annotated[SoundOptions, tyro.conf.arg(name="")] = field(default_factory=SoundOptions)
    """what is heard, and what it does"""
    psi: str | None = None
    """truncation, as in sample"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """.mp4, .gif or .webp (default: MODEL-walk.mp4, or the next free name)"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Plan the film, draw it, and say where it is.

    Raises:
        UserError: for keyframes, a sound or settings that cannot be.
    """
    from stylegenes.cli.console import say, track
    from stylegenes.cli.places import made_by, picture_place
    from stylegenes.files import write_json
    from stylegenes.model import open_model
    from stylegenes.pictures import ANIMATIONS
    from stylegenes.walks import WalkSettings
    from stylegenes.words import counted

    if args.out is not None and args.out.suffix.lower() not in ANIMATIONS:
        raise UserError(f"--out {args.out} must end in {', '.join(ANIMATIONS)}")
    settings = WalkSettings(args.seconds, args.fps, args.ease, args.space, args.loop)
    model = open_model(args.snapshot, label=args.label, device=args.device)
    out = picture_place(args, f"{model.card.name}-walk.mp4", (".json",))
    film = model.walk(args.keyframes, settings, args.music.pulse(), psi=args.psi, made=made_by(args))
    for note in film.notes:
        say(note)
    film.save(out, track)
    listing = out.with_suffix(".json")
    write_json(listing, film.record())
    heard = "" if film.sound is None else " with the sound" if out.suffix.lower() == ".mp4" else ", without its sound"
    if film.sound is not None and not film.levels.any():
        where = "" if args.music.band == "all" else f" in the band {args.music.band}"
        say(f"note: nothing is heard{where} of {args.music.sound}, so no frame is pulled")
    say(f"{counted(len(film), 'frame')} ({film.seconds:.1f} s){heard} in {out}; the code of each is in {listing}")
