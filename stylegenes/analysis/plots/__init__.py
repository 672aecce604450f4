"""Figures of the analyses: restrained, readable in print, safe for the color-blind."""
