"""The work of `stylegenes sample`: from its options to codes, pictures and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from stylegenes import __version__
from stylegenes.cli.console import pick_device, say, track
from stylegenes.drawing import BANDS, Look, band_layers, codes_of_seeds, draw, draw_between, draw_mixed
from stylegenes.errors import UserError
from stylegenes.files import write_json
from stylegenes.generator import Generator
from stylegenes.notation import parse_codes, parse_label, parse_psi, parse_seeds
from stylegenes.pictures import ANIMATIONS, STILLS, enlarge, grid, save_animation, save_picture, visible_scale
from stylegenes.records import Condition
from stylegenes.snapshot import Card, Snapshot, load_snapshot
from stylegenes.words import counted

if TYPE_CHECKING:
    from stylegenes.cli.sample import Args

FPS = 24
_SHOWN = 8
_MOVING_ONLY = tuple(suffix for suffix in ANIMATIONS if suffix not in STILLS)


@dataclass(frozen=True)
class Sampler:
    """A model with the codes to draw and how to draw them.

    Attributes:
        generator: the model.
        card: where it comes from.
        codes: [N, ...] codes to draw.
        names: what each is called: `seed 3`, or the beginning of its string.
        look: truncation, noise and condition.
        record: the options that the files carry along.
    """

    generator: Generator
    card: Card
    codes: torch.Tensor
    names: list[str]
    look: Look
    record: dict[str, Any]

    @property
    def strings(self) -> list[str]:
        """The code string of every code."""
        return self.generator.latent.to_strings(self.codes)

    @property
    def scale(self) -> int:
        """How many times a grid enlarges its pictures."""
        return visible_scale(self.generator.synthesis.resolution)

    def text(self, strings: Sequence[str]) -> dict[str, str]:
        """What a picture of these codes says about itself."""
        options = {key.capitalize(): str(value) for key, value in self.record.items() if value is not None}
        return {"Software": f"stylegenes {__version__}", **options, "Codes": "\n".join(strings)}


def check_options(args: Args) -> None:
    """Refuse options that exclude each other, before the model is loaded.

    Raises:
        UserError: names the pair and what to do.
    """
    if sum(option is not None for option in (args.seeds, args.codes, args.count)) > 1:
        raise UserError("--seeds, --codes and --count each say which pictures to draw; give one of them")
    if args.where is not None and args.codes is not None:
        raise UserError("--where draws new codes, --codes names old ones; give one of them")
    if args.mix is not None and args.interpolate is not None:
        raise UserError("--mix and --interpolate are two different pictures; give one of them")
    if args.count is not None and args.count < 1:
        raise UserError(f"--count is {args.count}; at least 1 picture can be drawn")
    if args.interpolate is not None and args.interpolate < 1:
        raise UserError(f"--interpolate is {args.interpolate}; at least 1 step from code to code is needed")
    suffix = "" if args.out is None else args.out.suffix.lower()
    allowed = (*STILLS, *_MOVING_ONLY) if args.interpolate is not None else STILLS
    if suffix and suffix not in allowed:
        hint = "; an animation needs --interpolate" if suffix in ANIMATIONS else ""
        raise UserError(f"--out ends in {suffix}; here it can end in {', '.join(allowed)}{hint}")
    if not suffix and args.out is not None and (args.mix or args.interpolate):
        raise UserError(f"--out {args.out} has no suffix; a grid or strip is one file, like {args.out}.png")


def open_sampler(args: Args) -> Sampler:
    """Load the snapshot and collect the codes.

    Raises:
        UserError: for a bad snapshot, seed, code, label or device.
    """
    snapshot = load_snapshot(args.snapshot, pick_device(args.device))
    generator = snapshot.generator
    label = parse_label(args.label, generator.label_dim, snapshot.card.data)
    condition = Condition(label=None if label is None else label.to(generator.device))
    if args.codes is not None:
        strings = parse_codes(args.codes)
        codes = generator.latent.from_strings(strings)
        names = [string[:10] for string in strings]
    else:
        default = 8 if args.mix else 4 if args.interpolate else 16
        seeds = parse_seeds(args.seeds) if args.seeds is not None else list(range(args.count or default))
        codes = codes_of_seeds(generator, seeds) if args.where is None else _wished(args, snapshot, seeds)
        names = [f"seed {seed}" for seed in seeds]
    psi, cutoff = parse_psi(args.psi)
    record = {
        "model": snapshot.card.name,
        "where": args.where,
        "temperature": None if args.where is None else args.temperature,
        "psi": args.psi,
        "noise": args.noise,
        "label": args.label,
    }
    return Sampler(generator, snapshot.card, codes, names, Look(psi, cutoff, args.noise, condition), record)


def _wished(args: Args, snapshot: Snapshot, seeds: Sequence[int]) -> torch.Tensor:
    # Imported here, since most samples need no statistics.
    from stylegenes.cli.wishing import wished_codes

    assert args.where is not None
    return wished_codes(args.snapshot, snapshot, args.where, args.temperature, seeds, args.noise)


def write_samples(sampler: Sampler, out: Path | None) -> Path:
    """One grid, or a folder of single files, with the codes beside. Says where."""
    out = out or Path(f"{sampler.card.name}-samples.png")
    pictures = track(draw(sampler.generator, sampler.codes, sampler.look), "drawing", len(sampler.codes))
    if not out.suffix:
        return _write_files(sampler, out, pictures)
    sheet = grid(list(pictures), captions=sampler.names, scale=sampler.scale)
    save_picture(out, sheet, sampler.text(sampler.strings))
    _write_codes(sampler, out.with_suffix(".json"), [out.name] * len(sampler.codes))
    _show_codes(sampler)
    listing = out.with_suffix(".json")
    say(f"{counted(len(sampler.codes), 'picture')} in {out}; all {len(sampler.codes)} codes are in {listing}")
    return out


def write_mixing(sampler: Sampler, out: Path | None, band: str) -> Path:
    """Style mixing: a first row and column of sources, and where they cross, the row's picture with one band exchanged.

    Raises:
        UserError: with fewer than two codes, or for a network that has no such layers.
    """
    if len(sampler.codes) < 2:
        raise UserError("--mix needs at least two codes: rows come from the first half, columns from the second")
    half = (len(sampler.codes) + 1) // 2
    rows, columns = sampler.codes[:half], sampler.codes[half:]
    sources = list(draw(sampler.generator, sampler.codes, sampler.look))
    bands = BANDS if band == "all" else (band,)
    cells, captions = [], []
    for one in bands:
        layers = band_layers(sampler.generator, one)
        mixed = draw_mixed(sampler.generator, rows, columns, layers, sampler.look)
        body = list(track(mixed, f"mixing {one} styles", len(rows) * len(columns)))
        cells += [np.full_like(sources[0], 255), *sources[half:]]
        captions += [f"{one} from", *sampler.names[half:]]
        for row in range(len(rows)):
            cells += [sources[row], *body[row * len(columns) : (row + 1) * len(columns)]]
            captions += [sampler.names[row], *[""] * len(columns)]
    out = out or Path(f"{sampler.card.name}-mixing-{band}.png")
    sheet = grid(cells, columns=len(columns) + 1, captions=captions, scale=sampler.scale)
    save_picture(out, sheet, {**sampler.text(sampler.strings), "Mixing": band})
    say(f"style mixing ({', '.join(bands)} styles from the top row) in {out}")
    return out


def write_interpolation(sampler: Sampler, out: Path | None, steps: int) -> Path:
    """The way from each code to the next: rows of a strip, or an endless animation that returns to the first.

    Raises:
        UserError: with fewer than two codes.
    """
    if len(sampler.codes) < 2:
        raise UserError("--interpolate needs at least two codes to go between")
    out = out or Path(f"{sampler.card.name}-interpolation.png")
    moving = out.suffix.lower() in _MOVING_ONLY
    pairs = [(i, (i + 1) % len(sampler.codes)) for i in range(len(sampler.codes) - (not moving))]
    times = [i / steps for i in range(steps + (not moving))]
    frames = [
        frame
        for start, end in track(pairs, "interpolating", len(pairs))
        for frame in draw_between(
            sampler.generator, sampler.codes[start : start + 1], sampler.codes[end : end + 1], times, sampler.look
        )
    ]
    if moving:
        save_animation(out, [enlarge(frame, sampler.scale) for frame in frames], fps=FPS)
        say(f"{counted(len(frames), 'frame')} ({len(frames) / FPS:.1f} s) between {len(sampler.codes)} codes in {out}")
        return out
    captions = [
        name for start, end in pairs for name in (sampler.names[start], *[""] * (steps - 1), sampler.names[end])
    ]
    sheet = grid(frames, columns=len(times), captions=captions, scale=sampler.scale)
    save_picture(out, sheet, sampler.text(sampler.strings))
    say(f"a strip of {len(frames)} pictures between {len(sampler.codes)} codes in {out}")
    return out


def _write_files(sampler: Sampler, folder: Path, pictures: Iterator[np.ndarray]) -> Path:
    files = []
    for picture, name, string in zip(pictures, sampler.names, sampler.strings, strict=True):
        files.append(f"{name.replace(' ', '')}.png")
        save_picture(folder / files[-1], picture, sampler.text([string]))
    _write_codes(sampler, folder / "codes.json", files)
    say(f"{counted(len(files), 'picture')} in {folder}, their codes in {folder / 'codes.json'}")
    return folder


def _write_codes(sampler: Sampler, path: Path, files: list[str]) -> None:
    rows = [
        {"name": name, "file": file, "code": string}
        for name, file, string in zip(sampler.names, files, sampler.strings, strict=True)
    ]
    write_json(path, {**sampler.record, "codes": rows})


def _show_codes(sampler: Sampler) -> None:
    """Print the code strings where they are short enough to copy, as a genome's are."""
    rows = list(zip(sampler.names, sampler.strings, strict=True))
    if len(rows[0][1]) <= 240:
        for name, string in rows[:_SHOWN]:
            say(f"{name:<10} {string}")
        if len(rows) > _SHOWN:
            say(f"... and {len(rows) - _SHOWN} more")
