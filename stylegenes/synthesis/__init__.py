"""Synthesis networks, one paper a file: ws to pictures."""

from stylegenes.synthesis.base import SYNTHESES, SynthesisNetwork
from stylegenes.synthesis.eg3d import EG3DSynthesis
from stylegenes.synthesis.fastgan import FastGANSynthesis
from stylegenes.synthesis.progan import ProGANSynthesis
from stylegenes.synthesis.r3gan import R3GANSynthesis
from stylegenes.synthesis.stylegan1 import StyleGAN1Synthesis
from stylegenes.synthesis.stylegan2 import StyleGAN2Synthesis
from stylegenes.synthesis.stylegan3 import StyleGAN3Synthesis

__all__ = [
    "SYNTHESES",
    "EG3DSynthesis",
    "FastGANSynthesis",
    "ProGANSynthesis",
    "R3GANSynthesis",
    "StyleGAN1Synthesis",
    "StyleGAN2Synthesis",
    "StyleGAN3Synthesis",
    "SynthesisNetwork",
]
