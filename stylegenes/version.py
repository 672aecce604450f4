"""The version of the package, as it is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("stylegenes")
except PackageNotFoundError:  # a bare copy of the sources, without an installation
    __version__ = "0+unknown"
