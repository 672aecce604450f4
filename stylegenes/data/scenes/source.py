"""Scenes of colored solids as a source of images with cameras."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
from PIL import Image

from stylegenes.cameras import CAMERA_NAMES
from stylegenes.data.decode import View, to_pixels
from stylegenes.data.description import LeftOut
from stylegenes.data.hashing import hash_of
from stylegenes.data.options import StreamOptions
from stylegenes.data.scenes.domain import ATTRIBUTES, Scene, cameras, sample
from stylegenes.data.scenes.solids import shoot
from stylegenes.data.source import Picture, Source
from stylegenes.errors import UserError
from stylegenes.size import square_side

WORD = "scenes"


@dataclass(frozen=True)
class SceneOptions(StreamOptions):
    """Which scenes: `scenes` or `scenes:n=4000,seed=1,yaw=60`.

    Attributes:
        yaw: cameras stand up to so many degrees to either side of the front; 180 is all around.

    Raises:
        UserError: for a number that is not allowed.
    """

    word: ClassVar[str] = WORD
    yaw: int = 180

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.yaw <= 180:
            raise UserError(f"scenes: yaw is {self.yaw}; it must lie in [0, 180]")


class SceneSource(Source):
    """Scenes `0, ..., n - 1` of a stream, drawn when they are loaded."""

    def __init__(self, options: SceneOptions, view: View) -> None:
        self.options = options
        self.description = str(options)
        self.parameters = {**asdict(options), **view.parameters, "scenes": 1}
        square_side(view.resolution, "scenes are seen through cameras of one angle of view")
        self.size, self.channels, self._view = view.size, view.channels, view
        self.label_names = [*ATTRIBUTES, *CAMERA_NAMES]
        self.left_out = []
        self.label_origin = "what was drawn"
        self.license = "drawn by stylegenes, CC0"

    @property
    def names(self) -> list[str]:
        """`000000.png` and so on."""
        return self.options.names

    def fingerprint(self) -> str:
        """Hash of the options and of a few scenes' labels and cameras, which notices a change of the tables."""
        probe = self._rows(min(64, self.options.n)).tolist()
        return hash_of({"parameters": self.parameters, "names": self.label_names, "probe": probe})

    def labels(self) -> np.ndarray:
        """Attributes and cameras of all scenes, float32 [N, A + 25]."""
        return self._rows(self.options.n)

    def load(self, index: int) -> Picture | LeftOut:
        """Draw scene number `index`."""
        scene = self.scene(index)
        color = shoot(scene.solids, scene.camera, self.size.width).color
        pixels = np.rint(color * 255).astype(np.uint8)
        return Picture(to_pixels(Image.fromarray(pixels), self._view))

    def scene(self, index: int) -> Scene:
        """Scene number `index`, with its solids."""
        return sample(self.options.seed, index, yaw=self.options.yaw)

    def _rows(self, count: int) -> np.ndarray:
        scenes = [self.scene(index) for index in range(count)]
        return np.concatenate([np.stack([scene.label for scene in scenes]), cameras(scenes)], axis=1)
