"""Discriminators, one paper a file: pictures to logits."""

from stylegenes.discriminators.base import DISCRIMINATORS, Discriminator
from stylegenes.discriminators.stylegan2 import StyleGAN2Discriminator

__all__ = ["DISCRIMINATORS", "Discriminator", "StyleGAN2Discriminator"]
