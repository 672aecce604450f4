"""The table of avatar domains."""

from stylegenes.data.avatars.avataaars import AVATAAARS
from stylegenes.data.avatars.domain import Domain

DOMAINS: dict[str, Domain] = {domain.style: domain for domain in (AVATAAARS,)}
