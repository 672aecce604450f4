"""Discriminators, one paper a file: pictures to logits."""

from stylegenes.discriminators.base import DISCRIMINATORS, Discriminator
from stylegenes.discriminators.dual import DualDiscriminator
from stylegenes.discriminators.progan import ProGANDiscriminator
from stylegenes.discriminators.projected import ProjectedDiscriminator
from stylegenes.discriminators.r3gan import R3GANDiscriminator
from stylegenes.discriminators.stylegan2 import StyleGAN2Discriminator

__all__ = [
    "DISCRIMINATORS",
    "Discriminator",
    "DualDiscriminator",
    "ProGANDiscriminator",
    "ProjectedDiscriminator",
    "R3GANDiscriminator",
    "StyleGAN2Discriminator",
]
