"""Synthesis networks, one paper a file: ws to pictures."""

from stylegenes.synthesis.base import SYNTHESES, SynthesisNetwork
from stylegenes.synthesis.stylegan2 import StyleGAN2Synthesis

__all__ = ["SYNTHESES", "StyleGAN2Synthesis", "SynthesisNetwork"]
