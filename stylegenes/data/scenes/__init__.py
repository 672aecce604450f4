"""Colored solids seen by known cameras: the avatars of three dimensions, drawn here, with exact labels and depth."""
