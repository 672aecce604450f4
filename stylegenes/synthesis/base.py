"""The contract of a synthesis network: style vectors in, pictures out."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

import torch

from stylegenes.errors import UserError
from stylegenes.layers import Layer
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.registry import Registry, Spec
from stylegenes.size import Size
from stylegenes.synthesis.volume import Body


class SynthesisNetwork(Layer, ABC):
    """Turns style vectors into pictures.

    Attributes:
        resolution: of the picture in pixels: a number for squares, else `384x256`.
        image_channels: color channels of the picture.
        w_dim: length of one style vector.
        num_ws: style vectors a picture takes; 1 is ordinary.
        layer_resolutions: for each of the num_ws style vectors, the longer side in pixels of the layer it drives.
        grows: whether `grow` does anything.
        label_dim: length of the label that the network itself reads, 0 for none; most leave labels to the latent.
        movable: whether its input can be moved and turned by `placed`.
        has_camera: whether its pictures are seen through the condition's camera (3D networks).
        steady: whether the same style vectors, condition and noise always make the same picture.
        box: side of the cube around the origin that a 3D network fills, in world units; 0 for flat ones.
        spec: the registry spec it was built from.
    """

    resolution: int | str
    image_channels: int
    w_dim: int
    num_ws: int
    layer_resolutions: list[int]
    label_dim: int = 0
    grows: bool = False
    movable: bool = False
    has_camera: bool = False
    steady: bool = True
    box: float = 0.0
    spec: Spec

    @property
    def size(self) -> Size:
        """Width and height of the picture."""
        return Size.of(self.resolution)

    @abstractmethod
    def forward(
        self, ws: torch.Tensor, condition: Condition | None = None, *, noise: Noise | None = None
    ) -> ImageBatch:
        """Synthesize pictures from ws [N, num_ws, w_dim]; `noise` None means `Noise("random")`."""

    def noise_buffers(self) -> dict[str, torch.Tensor]:
        """The stored noise images [H, W] by name, for `Noise("const")`; empty where a network has none."""
        return {}

    def observed(self) -> torch.Tensor:
        """Statistics [K] of the last forward in training mode that `settle` wants of the whole batch; none by default.

        Each is a mean over samples, so that training can average it over micro-batches and processes.
        """
        return torch.zeros(0)

    def settle(self, averaged: torch.Tensor) -> None:
        """Take in the statistics [K] of a step's batch, averaged. Once a step; nothing by default."""
        return

    @property
    def active_ws(self) -> int:
        """How many of the style vectors, the first ones, show in the picture: fewer while a network grows."""
        return self.num_ws

    def grow(self, level: float) -> bool:
        """Let pictures have 2^level pixels of detail, fractional while a resolution fades in (progressive growing).

        Pictures that are not square start from their own grid at level 2, and double with every level.

        Returns:
            Whether other layers take part than before. Networks that do not grow do nothing.
        """
        return False

    def enlarged(self, state: dict[str, torch.Tensor], resolution: int | str) -> dict[str, torch.Tensor]:
        """The state of the same network for smaller pictures of `resolution` pixels, as this one goes on from it.

        What the result lacks begins anew.

        Raises:
            UserError: for a network that cannot go on from a smaller one.
        """
        raise UserError(f"{type(self).__name__} cannot go on from {resolution} pixels; stylegan2's networks can")

    def widened(self, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The state of the same network with fewer channels, as this one goes on from it: with the same pictures.

        Raises:
            UserError: for a network that cannot go on from a narrower one.
        """
        raise UserError(f"{type(self).__name__} cannot go on from fewer channels; stylegan2's synthesis can")

    def placed(self, transform: torch.Tensor) -> AbstractContextManager[None]:
        """Within this context the input is seen through `transform` [3, 3] of the picture plane, then as before.

        It maps positions of the result to positions in the unmoved picture, in its longer sides around the center.

        Raises:
            UserError: for a network that is not `movable`.
        """
        raise UserError(f"the input of {type(self).__name__} cannot be moved; stylegan3's can")

    def seen(self, condition: Condition | None, n: int) -> Condition:
        """The condition of `n` pictures, with a camera of the network's own where it needs one and has none."""
        return condition or Condition()

    def draw_views(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor | None:
        """Cameras [n, 25] such as training pictures were seen through, or None for networks without a camera."""
        return None

    def camera_at(self, yaw: float, pitch: float, fov: float | None = None) -> torch.Tensor:
        """The camera [1, 25] at angles in degrees around what is shown.

        Args:
            yaw: around the vertical axis; 0 is in front, positive shows the right side (from +x).
            pitch: above the horizon.
            fov: horizontal angle of view; None takes the usual one.

        Raises:
            UserError: for a network without a camera.
        """
        raise UserError(f"{type(self).__name__} makes flat pictures, which are seen from one side; eg3d has a camera")

    def remember_views(self, cameras: torch.Tensor) -> None:
        """Take in the cameras [K, 25] of the training pictures; networks without a camera do nothing."""
        return

    def render_at(self, resolution: int) -> None:
        """Render resolution x resolution pixels from here on, before super-resolution.

        Raises:
            UserError: for a network that renders nothing.
        """
        raise UserError(f"{type(self).__name__} renders no volume; eg3d does")

    def body(self, ws: torch.Tensor) -> Body:
        """What ws [N, num_ws, w_dim] make, in space.

        Raises:
            UserError: for a network without a volume.
        """
        raise UserError(f"{type(self).__name__} has no volume; eg3d has")

    @classmethod
    def example_spec(cls, resolution: int | str, w_dim: int) -> Spec:
        """Keyword arguments of a small network, for trials: the usual sizes, where the constructor takes them."""
        usual = {"channel_base": 8 * Size.of(resolution).longer, "channel_max": 8, "num_layers": 4, "margin": 2}
        taken = inspect.signature(cls).parameters
        return {
            "resolution": resolution,
            "w_dim": w_dim,
            **{key: value for key, value in usual.items() if key in taken},
        }

    def check_ws(self, ws: torch.Tensor) -> None:
        """Refuse style vectors of another shape.

        Raises:
            UserError: when `ws` is not [N, num_ws, w_dim].
        """
        if ws.ndim != 3 or ws.shape[1:] != (self.num_ws, self.w_dim):
            raise UserError(f"ws has shape {list(ws.shape)}; this network needs [N, {self.num_ws}, {self.w_dim}]")

    def check_label(self, condition: Condition | None, n: int) -> torch.Tensor:
        """The label [n, label_dim] that the network needs.

        Raises:
            UserError: when it is missing or has another shape.
        """
        label = None if condition is None else condition.label
        if label is None:
            raise UserError(f"this network needs a label of length {self.label_dim}; none was given")
        if label.shape != (n, self.label_dim):
            raise UserError(f"label has shape {list(label.shape)}; this network needs [{n}, {self.label_dim}]")
        return label


SYNTHESES: Registry[SynthesisNetwork] = Registry("synthesis network")
