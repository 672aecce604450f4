"""The work of `stylegenes pca`, `noise` and `interpolate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import save_file

from stylegenes.analysis.interpolation import PathSpace, path
from stylegenes.analysis.latent_files import save_components
from stylegenes.analysis.latent_plots import plot_components, plot_noise, write_figure
from stylegenes.analysis.moves import move
from stylegenes.analysis.noise_study import noise_study
from stylegenes.analysis.pca import Components, extremes, principal_components
from stylegenes.analysis.samples import latent_spaces
from stylegenes.cli.console import say, show_table
from stylegenes.cli.opened import Opened, evenly, open_model, write_strip
from stylegenes.errors import UserError
from stylegenes.files import atomic_path, write_table
from stylegenes.notation import parse_layers
from stylegenes.pictures import ANIMATIONS, STILLS, enlarge, save_animation, visible_scale
from stylegenes.records import repeated
from stylegenes.survey import fingerprint
from stylegenes.words import counted

if TYPE_CHECKING:
    from stylegenes.cli import interpolate as interpolate_verb
    from stylegenes.cli import noise as noise_verb
    from stylegenes.cli import pca as pca_verb

_COLUMNS = 7
_ENDS = 5
_FPS = 24


def run_pca(args: pca_verb.Args) -> None:
    """Everything that `stylegenes pca` does."""
    if min(args.samples, args.components) < 1:
        raise UserError(f"--samples and --components must be positive; got {args.samples} and {args.components}")
    opened = open_model(args.snapshot, args.label, args.device)
    layers = parse_layers(args.layers, opened.generator)
    codes = opened.generator.sample(args.samples, opened.random(args.seed))
    spaces = latent_spaces(opened.generator, codes, condition=opened.condition)
    coordinates = spaces.get(args.space, spaces["w"])
    if args.samples <= coordinates.shape[1]:
        raise UserError(
            f"--samples is {args.samples}; components of {coordinates.shape[1]} numbers need more than that"
        )
    found = principal_components("w" if coordinates is spaces["w"] else "z", coordinates)
    save_components(args.out / "components", found, fingerprint(opened.generator))
    rows = [
        {"component": i + 1, "variance": float(v), "explained": float(e)}
        for i, (v, e) in enumerate(zip(found.variance, found.explained, strict=True))
    ]
    write_table(args.out / "variance.csv", rows)
    write_figure(args.out / "variance.png", plot_components(found, coordinates))
    show_table(rows[: max(8, args.components)], f"components of {found.space}, {args.samples} codes")
    say(f"{found.needed(0.8)} of {len(rows)} components hold 80% of the variance, {found.needed(0.95)} hold 95%")
    shown = range(1, min(args.components, len(found.basis)) + 1)
    _write_extremes(args.out / "extremes.png", opened, codes, found, coordinates, shown)
    _write_component_strips(args.out / "strips.png", opened, codes[:1], found, args.strength, layers, shown)
    say(f"components, tables and pictures in {args.out}")


def _write_extremes(
    out: Path, opened: Opened, codes: torch.Tensor, found: Components, coordinates: torch.Tensor, shown: range
) -> None:
    pictures, captions = [], []
    for component in shown:
        ends = extremes(found, coordinates, component, _ENDS)
        rows = torch.cat([ends.low.flip(0), ends.high.flip(0)])
        pictures += opened.pictures(opened.ws(codes[rows]))
        captions += [f"pc{component} low"] * len(ends.low) + [f"pc{component} high"] * len(ends.high)
    write_strip(out, pictures, len(pictures) // len(shown), captions, opened.generator.synthesis.resolution)


def _write_component_strips(
    out: Path,
    opened: Opened,
    code: torch.Tensor,
    found: Components,
    strength: float,
    layers: list[int],
    shown: range,
) -> None:
    """A row a component: one code moved along it."""
    strengths = [strength * position for position in evenly(_COLUMNS)]
    ws = opened.ws(code)
    moved, captions = [], []
    for component in shown:
        for amount in strengths:
            if found.space == "w":
                moved.append(move(ws, found.vector(component), amount, layers))
            else:
                chosen = torch.tensor([i in layers for i in range(ws.shape[1])], device=ws.device)[None, :, None]
                moved.append(torch.where(chosen, opened.ws(code + amount * found.vector(component)), ws))
            captions.append(f"pc{component} {amount:+.2g}")
    pictures = opened.pictures(torch.cat(moved))
    write_strip(out, pictures, _COLUMNS, captions, opened.generator.synthesis.resolution)


def run_noise(args: noise_verb.Args) -> None:
    """Everything that `stylegenes noise` does."""
    opened = open_model(args.snapshot, args.label, args.device)
    codes = opened.codes(args.seeds, args.codes)
    effects = noise_study(
        opened.generator,
        opened.ws(codes),
        random=opened.random(args.seed),
        boundary=args.boundary,
        draws=args.draws,
        condition=repeated(opened.condition, len(codes)),
    )
    rows = [
        {"picture": row, "noise": effect.case.name, "mean deviation": float(effect.deviation[row].mean())}
        | {"largest deviation": float(effect.deviation[row].max())}
        for row in range(len(codes))
        for effect in effects
    ]
    write_table(args.out / "noise.csv", rows)
    with atomic_path(args.out / "deviation.safetensors") as part:
        save_file({effect.case.name: effect.deviation.cpu().contiguous() for effect in effects}, part)
    for row in range(len(codes)):
        write_figure(args.out / f"noise-{row}.png", plot_noise(effects, row))
    show_table(rows, f"deviation of pixels in [-1, 1] over {args.draws} draws of the noise")
    coarse = effects[1].case.max_resolution
    say(f"coarse is up to {coarse} px; tables, maps and a figure a picture in {args.out}")


def run_interpolate(args: interpolate_verb.Args) -> None:
    """Everything that `stylegenes interpolate` does."""
    suffix = args.out.suffix.lower()
    if suffix not in (*STILLS, *ANIMATIONS):
        raise UserError(f"--out ends in {suffix!r}; here it can end in {', '.join({*STILLS, *ANIMATIONS})}")
    if args.steps < 1:
        raise UserError(f"--steps is {args.steps}; at least 1 step from code to code is needed")
    opened = open_model(args.snapshot, args.label, args.device)
    codes = opened.codes(args.seeds, args.codes)
    if len(codes) < 2:
        raise UserError("at least two codes are needed to go between; give more --seeds or --codes")
    spaces: list[PathSpace] = ["code", "w"] if args.space == "both" else [args.space]
    ways = [_way(opened, codes, args.steps, space) for space in spaces]
    if len(ways) == 2 and np.array_equal(ways[0], ways[1]):
        say("this latent's own way is the straight one in W; it is drawn once")
        spaces, ways = spaces[1:], ways[1:]
    resolution = opened.generator.synthesis.resolution
    if suffix in STILLS:
        captions = [space if i == 0 else "" for space, way in zip(spaces, ways, strict=True) for i in range(len(way))]
        write_strip(args.out, [picture for way in ways for picture in way], len(ways[0]), captions, resolution)
    else:
        frames = [np.concatenate(pictures, axis=1) for pictures in zip(*ways, strict=True)]
        save_animation(args.out, [enlarge(frame, visible_scale(resolution)) for frame in frames], fps=_FPS)
    steps = counted(args.steps, "step")
    say(f"{len(codes)} codes, {steps} from each to the next, in {args.out} ({' and '.join(spaces)})")


def _way(opened: Opened, codes: torch.Tensor, steps: int, space: PathSpace) -> list[np.ndarray]:
    times = [i / steps for i in range(steps)]
    ws = [
        path(opened.generator, start, end, times, space, opened.condition)
        for start, end in zip(codes[:-1].split(1), codes[1:].split(1), strict=True)
    ]
    return opened.pictures(torch.cat([*ws, opened.ws(codes[-1:])]))
