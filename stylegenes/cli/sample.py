"""draw pictures from a snapshot

Examples:
  stylegenes sample runs/0001                                   16 pictures in one grid
  stylegenes sample runs/0001 --seeds 0-99 --out faces          100 files and their codes
  stylegenes sample runs/0001 --codes AbC...,XyZ...             the very pictures of these codes
  stylegenes sample runs/0001 --codes grid.png --psi 0.7        a grid again, nearer to the mean (else as it was)
  stylegenes sample runs/0001 --seeds 1-4,11-14 --mix coarse    4 x 4 style mixing
  stylegenes sample runs/0001 --seeds 3,8,5 --interpolate 24 --out way.gif
  stylegenes sample runs/0001 --seeds 0-7 --yaw 30 --pitch 10   a 3D model from the right and above
  stylegenes sample runs/0001 --where "Smiling=1,Eyeglasses=0"  pictures by wish, after stylegenes survey
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class Wish:
    """What pictures should show."""

    where: str | None = None
    """attributes wanted (1) or not (0), like "Smiling=1,Hat=0@0.3"; needs a survey; @ is a temperature of its own"""
    temperature: float = 0.5
    """of the wishes: lower is more accurate and less varied"""


@dataclass(frozen=True)
class Side:
    """From where a 3D model is seen."""

    yaw: float | None = None
    """degrees of the camera around the vertical axis; 0 is in front, 90 the right side"""
    pitch: float | None = None
    """degrees of the camera above the horizon"""
    fov: float | None = None
    """horizontal angle of view in degrees; smaller is nearer"""

    @property
    def given(self) -> dict[str, float]:
        """The angles that were given, by name."""
        angles = {"yaw": self.yaw, "pitch": self.pitch, "fov": self.fov}
        return {name: value for name, value in angles.items() if value is not None}


@dataclass(frozen=True)
class Args:
    """Draw pictures from a snapshot."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot) or name of a shipped model"""
    seeds: str | None = None
    """seeds and ranges of seeds, like 0-15,20; a seed always gives the same code"""
    codes: str | None = None
    """code strings with commas between, or a file of them: any picture that a command wrote, JSON, or .txt;
    write --codes=-x for a code that begins with a dash"""
    count: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """pictures when neither seeds nor codes are given: seeds 0 to count - 1 (default 16; 8 to mix, 4 to interpolate)"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """a name without suffix: a folder of single files; .png, .webp: one grid; .gif, .webp, .mp4: the interpolation"""
    wish: Annotated[Wish, tyro.conf.arg(name="")] = field(default_factory=Wish)
    """what the pictures should show"""
    psi: str | None = None
    """truncation: 1 (default) none, 0 the mean picture, negative opposites; a genome is pulled to its mean code;
    0.7:8 truncates the 8 leading layers only"""
    noise: Literal["const", "random", "none"] | None = None
    """noise inputs: as stored in the model (default), drawn anew for each code, or none"""
    mix: Literal["coarse", "middle", "fine", "all"] | None = None
    """style mixing grid: rows from the first half of the codes, with these styles taken from the second half"""
    interpolate: int | None = None
    """pictures from each code to the next: a strip, or an animation if --out is .gif, .webp or .mp4"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between, like Smiling,Male=0.5"""
    side: Annotated[Side, tyro.conf.arg(name="")] = field(default_factory=Side)
    """from where a 3D model is seen"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Draw, write and say where.

    Raises:
        UserError: for options that exclude each other, and whatever is wrong with them or the snapshot.
    """
    from stylegenes.cli import sampling

    sampling.check_options(args)
    sampler = sampling.open_sampler(args)
    if args.mix is not None:
        sampling.write_mixing(sampler, args.out, args.mix)
    elif args.interpolate is not None:
        sampling.write_interpolation(sampler, args.out, args.interpolate)
    else:
        sampling.write_samples(sampler, args.out)
