"""From where a 3D model is seen, as options of commands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CameraAngles:
    """From where a 3D model is seen."""

    yaw: float | None = None
    """degrees of the camera around the vertical axis; 0 is in front, 90 the right side"""
    pitch: float | None = None
    """degrees of the camera above the horizon"""
    fov: float | None = None
    """horizontal angle of view in degrees; smaller is nearer"""

    @property
    def given(self) -> dict[str, float]:
        """The angles that were given, by name."""
        angles = {"yaw": self.yaw, "pitch": self.pitch, "fov": self.fov}
        return {name: value for name, value in angles.items() if value is not None}
