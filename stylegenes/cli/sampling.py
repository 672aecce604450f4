"""The work of `stylegenes sample`: from its options to codes, pictures and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from stylegenes.cli.console import say, track
from stylegenes.devices import pick_device
from stylegenes.drawing import BANDS, Look, band_layers, codes_of_seeds, draw, draw_between, draw_mixed
from stylegenes.errors import UserError
from stylegenes.files import write_json
from stylegenes.generator import Generator
from stylegenes.notation import parse_labels, parse_noise, parse_psi, parse_seeds, read_codes
from stylegenes.pictures import ANIMATIONS, STILLS
from stylegenes.records import Condition
from stylegenes.sheets import FPS, MOVING, Carried, Origin, Sheet, codes_record, origin_of
from stylegenes.snapshot import Snapshot, load_snapshot
from stylegenes.survey import fingerprint
from stylegenes.words import counted

if TYPE_CHECKING:
    from stylegenes.cli.sample import Args

_SHOWN = 8


@dataclass(frozen=True)
class Sampler:
    """A model with the codes to draw and how to draw them.

    Attributes:
        generator: the model.
        codes: [N, ...] codes to draw.
        names: what each is called: `seed 3`, or the beginning of its string.
        look: truncation, noise and condition.
        origin: what the files say about all this.
    """

    generator: Generator
    codes: torch.Tensor
    names: list[str]
    look: Look
    origin: Origin

    @property
    def strings(self) -> list[str]:
        """The code string of every code."""
        return self.generator.latent.to_strings(self.codes)

    def sheet(self, pictures: Sequence[np.ndarray], captions: Sequence[str], columns: int | None = None) -> Sheet:
        """Pictures of these codes, on one sheet."""
        return Sheet(pictures, self.strings, self.origin, captions, columns)


def check_options(args: Args) -> None:
    """Refuse options that exclude each other, before the model is loaded.

    Raises:
        UserError: names the pair and what to do.
    """
    if sum(option is not None for option in (args.seeds, args.codes, args.count)) > 1:
        raise UserError("--seeds, --codes and --count each say which pictures to draw; give one of them")
    if args.wish.where is not None and args.codes is not None:
        raise UserError("--where draws new codes, --codes names old ones; give one of them")
    if args.mix is not None and args.interpolate is not None:
        raise UserError("--mix and --interpolate are two different pictures; give one of them")
    if args.count is not None and args.count < 1:
        raise UserError(f"--count is {args.count}; at least 1 picture can be drawn")
    if args.interpolate is not None and args.interpolate < 1:
        raise UserError(f"--interpolate is {args.interpolate}; at least 1 step from code to code is needed")
    suffix = "" if args.out is None else args.out.suffix.lower()
    allowed = (*STILLS, *MOVING) if args.interpolate is not None else STILLS
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
    generator, data = snapshot.generator, snapshot.card.data
    found = Carried([]) if args.codes is None else read_codes(args.codes)
    look = _look(args, snapshot, found.origin)
    if args.codes is not None:
        codes, names = generator.latent.from_strings(found.codes), [string[:10] for string in found.codes]
    else:
        default = 8 if args.mix else 4 if args.interpolate else 16
        seeds = parse_seeds(args.seeds) if args.seeds is not None else list(range(args.count or default))
        codes = codes_of_seeds(generator, seeds) if args.wish.where is None else _wished(args, snapshot, seeds, look)
        names = [f"seed {seed}" for seed in seeds]
    wished = {} if args.wish.where is None else {"Where": args.wish.where, "Temperature": f"{args.wish.temperature:g}"}
    wished |= {name.capitalize(): f"{value:g}" for name, value in args.side.given.items()}
    weights = fingerprint(generator)
    origin = origin_of(snapshot.card.name, weights, look, data.label_names if data else (), wished)
    if found.origin is not None and (warning := found.origin.warning(origin.model, weights)):
        say(f"note: {warning}")
    return Sampler(generator, codes, names, look, origin)


def _look(args: Args, snapshot: Snapshot, recorded: Origin | None) -> Look:
    """How to draw: as the options say, else as the file of the codes says, else plainly."""
    generator, used = snapshot.generator, []
    psi, noise, labels = args.psi, args.noise, [args.label]
    if recorded is not None and psi is None and recorded.psi != "1":
        psi, used = recorded.psi, [f"psi {recorded.psi}"]
    if recorded is not None and noise is None and recorded.noise != "const":
        noise, used = recorded.noise, [*used, f"noise {recorded.noise}"]
    if recorded is not None and args.label is None and generator.label_dim and recorded.labels:
        labels, used = list(recorded.labels), [*used, f"label {', '.join(recorded.labels)}"]
    if used:
        say(f"drawn as {args.codes} says: {', '.join(used)}")
    rows = parse_labels(labels, generator.label_dim, snapshot.card.data)
    camera = None
    if args.side.given:
        camera = generator.synthesis.camera_at(args.side.yaw or 0.0, args.side.pitch or 0.0, args.side.fov)
    condition = Condition(None if rows is None else rows.to(generator.device), camera)
    value, cutoff = parse_psi(psi or "1")
    return Look(value, cutoff, parse_noise(noise or "const"), condition)


def _wished(args: Args, snapshot: Snapshot, seeds: Sequence[int], look: Look) -> torch.Tensor:
    # Imported here, since most samples need no statistics.
    from stylegenes.cli.wishing import wished_codes

    assert args.wish.where is not None
    return wished_codes(args.snapshot, snapshot, args.wish.where, args.wish.temperature, seeds, look)


def write_samples(sampler: Sampler, out: Path | None) -> Path:
    """One grid, or a folder of single files, with the codes beside. Says where."""
    out = out or Path(f"{sampler.origin.model}-samples.png")
    pictures = list(track(draw(sampler.generator, sampler.codes, sampler.look), "drawing", len(sampler.codes)))
    sheet = sampler.sheet(pictures, sampler.names)
    if not out.suffix:
        files = [f"{name.replace(' ', '')}.png" for name in sampler.names]
        sheet.save_each(out, files)
        _write_codes(sampler, out / "codes.json", files)
        say(f"{counted(len(files), 'picture')} in {out}, their codes in {out / 'codes.json'}")
        return out
    sheet.save(out)
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
    out = out or Path(f"{sampler.origin.model}-mixing-{band}.png")
    origin = replace(sampler.origin, more={**sampler.origin.more, "Mixing": band})
    Sheet(cells, sampler.strings, origin, captions, len(columns) + 1).save(out)
    say(f"style mixing ({', '.join(bands)} styles from the top row) in {out}")
    return out


def write_interpolation(sampler: Sampler, out: Path | None, steps: int) -> Path:
    """The way from each code to the next: rows of a strip, or an endless animation that returns to the first.

    Raises:
        UserError: with fewer than two codes.
    """
    if len(sampler.codes) < 2:
        raise UserError("--interpolate needs at least two codes to go between")
    out = out or Path(f"{sampler.origin.model}-interpolation.png")
    moving = out.suffix.lower() in MOVING
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
        sampler.sheet(frames, []).save(out)
        say(f"{counted(len(frames), 'frame')} ({len(frames) / FPS:.1f} s) between {len(sampler.codes)} codes in {out}")
        return out
    captions = [
        name for start, end in pairs for name in (sampler.names[start], *[""] * (steps - 1), sampler.names[end])
    ]
    sampler.sheet(frames, captions, len(times)).save(out)
    say(f"a strip of {len(frames)} pictures between {len(sampler.codes)} codes in {out}")
    return out


def _write_codes(sampler: Sampler, path: Path, files: list[str]) -> None:
    write_json(path, codes_record(sampler.origin, sampler.names, files, sampler.strings))


def _show_codes(sampler: Sampler) -> None:
    """Print the code strings where they are short enough to copy, as a genome's are."""
    rows = list(zip(sampler.names, sampler.strings, strict=True))
    if len(rows[0][1]) <= 240:
        for name, string in rows[:_SHOWN]:
            say(f"{name:<10} {string}")
        if len(rows) > _SHOWN:
            say(f"... and {len(rows) - _SHOWN} more")
