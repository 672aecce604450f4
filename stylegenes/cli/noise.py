"""what a model's noise inputs do: none, coarse, fine, all, and where they change the picture

Examples:
  stylegenes noise runs/0001                        four codes, 100 draws of the noise
  stylegenes noise runs/0001 --seeds 7 --boundary 16
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class Args:
    """Study the noise inputs."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    seeds: str = "0-3"
    """seeds of the codes to study"""
    codes: str | None = None
    """code strings instead, or a file of them"""
    draws: int = 100
    """how often each picture is made"""
    boundary: int | None = None
    """the largest coarse resolution in pixels; an eighth of the picture's where nothing is given"""
    out: Path | None = None
    """folder to write (default: MODEL-noise, or the next free name)"""
    seed: int = 0
    """of the noise"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Draw, measure, write and say where.

    Raises:
        UserError: for a model without noise inputs, or too few draws.
    """
    import torch
    from safetensors.torch import save_file

    from stylegenes.analysis.latent_plots import plot_noise, write_figure
    from stylegenes.analysis.noise_study import noise_rows, noise_study
    from stylegenes.cli.console import say, show_table
    from stylegenes.cli.places import folder_place, made_by
    from stylegenes.files import atomic_path, write_table
    from stylegenes.model import open_model

    model = open_model(args.snapshot, label=args.label, device=args.device)
    choice = model.choose(seeds=None if args.codes else args.seeds, codes=args.codes)
    effects = noise_study(
        model.generator,
        choice.ws,
        random=torch.Generator().manual_seed(args.seed),
        boundary=args.boundary,
        draws=args.draws,
        condition=choice.conditions,
    )
    rows, out = noise_rows(effects), folder_place(args, f"{model.card.name}-noise")
    write_table(out / "noise.csv", rows)
    with atomic_path(out / "deviation.safetensors") as part:
        save_file({effect.case.name: effect.deviation.cpu().contiguous() for effect in effects}, part)
    for row, string in enumerate(choice.strings):
        text = choice.origin.made(made_by(args)).text([string])
        write_figure(out / f"noise-{row}.png", plot_noise(effects, row), text)
    show_table(rows, f"deviation of pixels in [-1, 1] over {args.draws} draws of the noise")
    say(f"coarse is up to {effects[1].case.max_resolution} px; tables, maps and a figure a picture in {out}")
