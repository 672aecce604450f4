"""The table of avatar domains."""

from stylegenes.data.avatars.avataaars import AVATAAARS
from stylegenes.data.avatars.domain import Domain
from stylegenes.data.avatars.open_peeps import OPEN_PEEPS
from stylegenes.data.avatars.pixel_art import PIXEL_ART
from stylegenes.data.avatars.voxel_art import VOXEL_ART

DOMAINS: dict[str, Domain] = {domain.style: domain for domain in (AVATAAARS, OPEN_PEEPS, PIXEL_ART, VOXEL_ART)}
"""Every style that `avatars:style=...` takes."""
