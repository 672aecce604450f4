"""What a scene is: a body of one solid, perhaps with a hat, with two eyes in front, and the camera that sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from stylegenes.cameras import orbit
from stylegenes.data.scenes.solids import Solid

RADIUS, FOV = 2.7, 21.0
"""Distance of the cameras from the origin, and their horizontal angle of view in degrees."""

COLORS = {
    "Red": (0.85, 0.20, 0.18),
    "Yellow": (0.95, 0.80, 0.20),
    "Green": (0.25, 0.65, 0.30),
    "Blue": (0.20, 0.40, 0.85),
}
HATS = {"Dark_Hat": (0.16, 0.15, 0.20), "Pink_Hat": (0.95, 0.50, 0.70)}
BODIES = {"Ball": "ball", "Box": "box", "Cylinder": "cylinder", "Cone": "cone"}
ATTRIBUTES = [*BODIES, *COLORS, "Large", "Tall", "Hat", "Pointed_Hat", *HATS, "Eyes"]
"""Columns of the labels."""

_JITTER = 0.04


@dataclass(frozen=True)
class Scene:
    """One scene.

    Attributes:
        solids: what is there; all of it lies within half a unit of the origin along every axis.
        yaw: degrees of the camera around the vertical axis.
        pitch: degrees of the camera above the horizon.
        shown: names of the attributes that it has.
    """

    solids: list[Solid]
    yaw: float
    pitch: float
    shown: frozenset[str]

    @property
    def label(self) -> np.ndarray:
        """Zeros and ones, float32 [len(ATTRIBUTES)]."""
        return np.array([name in self.shown for name in ATTRIBUTES], np.float32)

    @property
    def camera(self) -> np.ndarray:
        """float32 [25], see `stylegenes.cameras`."""
        return cameras([self])[0]


def sample(seed: int, index: int, *, yaw: int = 180) -> Scene:
    """Scene number `index` of the stream `seed`; it depends on nothing else.

    Args:
        seed: which stream, in [0, 2^64).
        index: which scene.
        yaw: cameras stand up to so many degrees to either side of the front, evenly, and 10 below to 40 above.
    """
    u = _uniforms(seed, index)
    body, color = _pick(list(BODIES), u[0]), _pick(list(COLORS), u[1])
    shown = {body, color} | {name for name, chance in (("Large", u[2]), ("Tall", u[3]), ("Hat", u[4])) if chance < 0.5}
    width, height = 0.24 if "Large" in shown else 0.16, 0.27 if "Tall" in shown else 0.16
    paint = _jittered(COLORS[color], u[5:8])
    solids = [Solid(BODIES[body], (0.0, -0.12, 0.0), (width, height, width), paint)]
    if "Hat" in shown:
        shown |= {_pick(list(HATS), u[8])} | ({"Pointed_Hat"} if u[9] < 0.5 else set())
        solids += _hat(body, -0.12 + height, width, shown, u[10:13])
    if u[13] < 0.7:
        shown.add("Eyes")
        solids += _eyes(body, width, height)
    return Scene(solids, (2 * u[14] - 1) * yaw, u[15] * 50 - 10, frozenset(shown))


def cameras(scenes: Sequence[Scene]) -> np.ndarray:
    """The cameras of scenes, float32 [N, 25]."""
    yaw, pitch = torch.tensor([[scene.yaw, scene.pitch] for scene in scenes], dtype=torch.float64).T
    return orbit(yaw, pitch, radius=RADIUS, fov=FOV).numpy().astype(np.float32)


def _hat(body: str, top: float, width: float, shown: set[str], u: np.ndarray) -> list[Solid]:
    """A cone or a cylinder with a brim on top of the body; on a cone it sits lower, where the cone is wide enough."""
    paint = _jittered(HATS["Dark_Hat" if "Dark_Hat" in shown else "Pink_Hat"], u)
    reach = 0.6 * width
    seat = top - (0.12 if body == "Cone" else 0.02)
    kind = "cone" if "Pointed_Hat" in shown else "cylinder"
    brim = Solid("cylinder", (0.0, seat + 0.015, 0.0), (1.45 * reach, 0.015, 1.45 * reach), paint)
    return [brim, Solid(kind, (0.0, seat + 0.12, 0.0), (reach, 0.11, reach), paint)]


def _eyes(body: str, width: float, height: float) -> list[Solid]:
    """Two dark balls on the front, on the side of +z, where the body's surface is."""
    y, x = 0.3, 0.4
    room = {"Ball": (1 - y**2 - x**2) ** 0.5, "Box": 1.0, "Cylinder": (1 - x**2) ** 0.5, "Cone": 0.0}[body]
    if body == "Cone":
        y, x = -0.2, 0.25
        room = (((1 - y) / 2) ** 2 - x**2) ** 0.5
    size = 0.2 * width
    return [
        Solid("ball", (side * x * width, -0.12 + y * height, room * width), (size, size, size), (0.08, 0.08, 0.1))
        for side in (-1, 1)
    ]


def _pick(names: list[str], uniform: float) -> str:
    return names[int(uniform * len(names))]


def _jittered(color: tuple[float, float, float], u: np.ndarray) -> tuple[float, float, float]:
    """A color moved by up to 0.04 in each channel."""
    red, green, blue = np.clip(np.array(color) + (2 * u - 1) * _JITTER, 0, 1).tolist()
    return red, green, blue


def _uniforms(seed: int, index: int) -> np.ndarray:
    """16 numbers in [0, 1), fixed by the definition of Philox."""
    raw = np.random.Philox(key=np.array([seed, index], np.uint64)).random_raw(16)
    return (raw >> np.uint64(11)) * 2.0**-53
