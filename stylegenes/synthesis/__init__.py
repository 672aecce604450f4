"""Synthesis networks, one paper a file: ws to pictures."""

from stylegenes.synthesis.base import SYNTHESES, SynthesisNetwork

__all__ = ["SYNTHESES", "SynthesisNetwork"]
