"""turn foreign weights (StyleGAN2, StyleGAN3, EG3D, ProjectedGAN, R3GAN) into a snapshot, executing nothing of the file

Network pickles of the official PyTorch releases (.pkl) and rosinality's StyleGAN2 checkpoints (.pt) are read.

Examples:
  stylegenes import ffhq.pkl models/ffhq --license CC-BY-NC-SA-4.0
  stylegenes import 550000.pt models/mine
  stylegenes import network-snapshot.pkl models/mine --discriminator     to go on training from it
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class Args:
    """Turn foreign weights of StyleGAN2, StyleGAN3, EG3D, ProjectedGAN or R3GAN into a snapshot."""

    source: tyro.conf.Positional[Path]
    """network pickle of the official PyTorch code (.pkl) or checkpoint of rosinality's (.pt)"""
    out: tyro.conf.Positional[Path]
    """snapshot folder to write"""
    network: str = "G_ema"
    """which generator of the file"""
    discriminator: bool = False
    """take the discriminator D too, to go on training from it"""
    license: str = "unspecified"
    """terms of the weights, for the card; the official ones are mostly non-commercial"""


def run(args: Args) -> None:
    """Read, convert, write and say where.

    Raises:
        UserError: for a file that asks for more than data, and for networks that do not fit.
    """
    from stylegenes.cli.console import say
    from stylegenes.interop.official import import_weights
    from stylegenes.snapshot import Card, place_for_snapshot, save_snapshot

    place_for_snapshot(args.out)
    found = import_weights(args.source, args.network, discriminator=args.discriminator)
    generator = found.generator
    card = Card(name=args.source.stem, license=args.license, notes=f"imported from {args.source.name}, {args.network}")
    save_snapshot(args.out, generator, card, discriminator=found.discriminator)
    count = sum(parameter.numel() for parameter in generator.parameters())
    kind = generator.synthesis.spec["name"]
    say(f"{args.out}: {kind}, {generator.synthesis.resolution} pixels, {count / 1e6:.1f} million parameters")
