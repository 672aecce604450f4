"""what this machine can do, how fast, and what is missing for which feature

Examples:
  stylegenes doctor
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Args:
    """What this machine can do, how fast, and what is missing for which feature."""

    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Look at the machine, time training, list what is there and what is missing.

    Raises:
        UserError: for a device that this machine does not have.
    """
    from stylegenes.cli import examination
    from stylegenes.cli.console import say
    from stylegenes.devices import pick_device

    device = pick_device(args.device)
    for key, value in examination.machine(device).items():
        say(f"{key:<10} {value}")
    say(f"{'measuring':<10} real training steps, for some seconds ...")
    for key, value in examination.advise(device).lines().items():
        say(f"{key:<10} {value}")
    say("")
    for feature in examination.features():
        say(feature.line())
