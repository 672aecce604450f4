"""Discriminators, one paper a file: pictures to logits."""

from stylegenes.discriminators.base import DISCRIMINATORS, Discriminator

__all__ = ["DISCRIMINATORS", "Discriminator"]
