"""turn an official StyleGAN2 pickle into a snapshot, executing nothing of it

Examples:
  stylegenes import ffhq.pkl models/ffhq --license CC-BY-NC-SA-4.0
  stylegenes import network-snapshot.pkl models/mine --discriminator     to go on training from it
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

_POSITIONAL = ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels")


@dataclass(frozen=True)
class Args:
    """Turn an official StyleGAN2 pickle into a snapshot."""

    source: tyro.conf.Positional[Path]
    """network pickle of StyleGAN2-ADA or StyleGAN3's config stylegan2 (PyTorch), .pkl"""
    out: tyro.conf.Positional[Path]
    """snapshot folder to write"""
    network: str = "G_ema"
    """which generator of the pickle"""
    discriminator: bool = False
    """take the discriminator D too, to go on training from it"""
    license: str = "unspecified"
    """terms of the weights, for the card; the official ones are mostly non-commercial"""


def run(args: Args) -> None:
    """Read, convert, write and say where.

    Raises:
        UserError: for a pickle that names anything unknown, and for networks that do not fit.
    """
    from stylegenes.cli.console import say
    from stylegenes.interop.safe_pickle import find_module, read_pickle
    from stylegenes.interop.stylegan2 import discriminator_from_official, generator_from_official
    from stylegenes.snapshot import Card, place_for_snapshot, save_snapshot

    place_for_snapshot(args.out)
    content = read_pickle(args.source)
    found = find_module(content, args.network)
    generator = generator_from_official(found.kwargs(*_POSITIONAL), found.state_dict())
    judge = None
    if args.discriminator:
        found = find_module(content, "D")
        judge = discriminator_from_official(found.kwargs("c_dim", *_POSITIONAL[3:]), found.state_dict())
    card = Card(name=args.source.stem, license=args.license, notes=f"imported from {args.source.name}, {args.network}")
    save_snapshot(args.out, generator, card, discriminator=judge)
    count = sum(parameter.numel() for parameter in generator.parameters())
    say(f"{args.out}: {generator.synthesis.resolution} pixels, {count / 1e6:.1f} million parameters")
