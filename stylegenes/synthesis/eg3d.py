"""EG3D's generator: "Efficient Geometry-aware 3D Generative Adversarial Networks" (Chan et al. 2022).

A StyleGAN2 network draws three feature planes; a small decoder turns their mean at a point into color and density; a
camera's rays are composited into a small picture of features (`volume.py`), whose first channels are its colors; two
styled blocks make the full picture of it (sections 4.1 to 4.3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import torch

from stylegenes.cameras import NUMBERS, Cameras, fov_of, orbit
from stylegenes.errors import UserError
from stylegenes.layers import HostBuffers, Layer, Linear
from stylegenes.ops.bilinear import resize
from stylegenes.ops.convolution import quick_layout
from stylegenes.ops.fir import setup_filter, upsample2d
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.registry import Spec
from stylegenes.shape import Count, Few, Pixels, Positive
from stylegenes.size import Resolution, Size, square_side
from stylegenes.synthesis.base import SYNTHESES, SynthesisNetwork
from stylegenes.synthesis.stylegan2 import StyledConv, StyleGAN2Synthesis, ToRGB
from stylegenes.synthesis.volume import (
    Body,
    Field,
    Optics,
    Rays,
    Rendering,
    Strata,
    cast_rays,
    in_parts,
    render,
    sample_planes,
)

VIEWS = 1024
"""Cameras that a network remembers, to be seen from where training pictures were."""


class Decoder(Layer):
    """From the planes' features at a point to what is there: one hidden layer (section 4.1)."""

    def __init__(
        self,
        in_features: int,  # channels of a plane
        out_features: int,  # features of a point, colors first
        *,
        width: int = 64,  # of the hidden layer
        lr_multiplier: float = 1.0,  # learning rate relative to the optimizer's
    ) -> None:
        super().__init__()
        self.hidden = Linear(in_features, width, act="softplus", lr_multiplier=lr_multiplier)
        self.out = Linear(width, 1 + out_features, lr_multiplier=lr_multiplier)

    def forward(self, planes: torch.Tensor) -> Field:
        """Features [N, 3, C, M] of the planes at M points to what is there."""
        x = planes.mean(dim=1).transpose(1, 2)
        x = self.out(self.hidden(x.flatten(0, 1))).unflatten(0, (-1, x.shape[1]))
        # Colors may overshoot a little, so that black and white are reached (Mip-NeRF).
        return Field(torch.sigmoid(x[..., 1:]) * 1.002 - 0.001, x[..., 0])


class SuperResolutionBlock(Layer):
    """Two styled convolutions and colors, at the resolution of its input or twice that."""

    def __init__(
        self,
        in_channels: int,  # channels of the features
        out_channels: int,  # channels of the result
        *,
        w_dim: int,  # length of w
        resolution: int,  # height and width of the result in pixels
        up: int,  # 1, or 2 to double
        image_channels: int,  # color channels
        conv_clamp: float | None,  # bound on the absolute value of every layer
    ) -> None:
        super().__init__()
        layer: dict[str, Any] = {"w_dim": w_dim, "conv_clamp": conv_clamp}
        self.up = up
        self.conv0 = StyledConv(in_channels, out_channels, size=Size.of(resolution), up=up, **layer)
        self.conv1 = StyledConv(out_channels, out_channels, size=Size.of(resolution), **layer)
        self.to_rgb = ToRGB(out_channels, image_channels, **layer)
        self.resample_filter: torch.Tensor
        self.register_buffer("resample_filter", setup_filter((1, 3, 3, 1)), persistent=False)

    def forward(
        self, x: torch.Tensor, image: torch.Tensor, w: torch.Tensor, noise: Noise
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Features and colors [N, C, H, W] to those [N, C', H up, W up], in the style w [N, w_dim].

        Args:
            x: features [N, C, H, W].
            image: colors [N, C, H, W].
            w: [N, w_dim].
            noise: how noise inputs are filled.
        """
        x = self.conv1(self.conv0(x, w, noise), w, noise)
        if self.up > 1:
            image = upsample2d(image, self.resample_filter)
        return x, image + self.to_rgb(x, w)


class SuperResolution(Layer):
    """From rendered features to the picture (section 4.3). Both blocks are styled by the last w.

    Raises:
        UserError: when the input does not double once or twice, or stay, to the resolution.
    """

    def __init__(
        self,
        in_channels: int,  # channels of the features, colors first
        resolution: int,  # height and width of the picture in pixels
        *,
        w_dim: int,  # length of w
        input_resolution: int,  # height and width that features are resized to, 1, 1/2 or 1/4 of the picture's
        channels: Sequence[int] = (128, 64),  # of the two blocks
        image_channels: Count = 3,  # color channels
        conv_clamp: Positive | None = None,  # bound on the absolute value of every layer
    ) -> None:
        super().__init__()
        if resolution not in (input_resolution, 2 * input_resolution, 4 * input_resolution) or len(channels) != 2:
            raise UserError(
                f"super-resolution makes {resolution} px of {resolution}, {resolution // 2} or {resolution // 4} px "
                f"with two numbers of channels; got {input_resolution} px and {list(channels)}"
            )
        self.input_resolution, self.image_channels = input_resolution, image_channels
        middle = resolution if resolution < 4 * input_resolution else 2 * input_resolution
        middle = middle if resolution != 2 * input_resolution else input_resolution
        block = partial(SuperResolutionBlock, w_dim=w_dim, image_channels=image_channels, conv_clamp=conv_clamp)
        self.block0 = block(in_channels, channels[0], resolution=middle, up=middle // input_resolution)
        self.block1 = block(channels[0], channels[1], resolution=resolution, up=resolution // middle)

    def forward(self, features: torch.Tensor, w: torch.Tensor, noise: Noise) -> torch.Tensor:
        """Features [N, C, h, w] in about [-1, 1] to pictures [N, image_channels, H, W]."""
        x = resize(features, self.input_resolution)
        image = x[:, : self.image_channels]
        x, image = self.block0(quick_layout(x), image, w, noise)
        return self.block1(x, image, w, noise)[1]


@SYNTHESES.register("eg3d")
class EG3DSynthesis(HostBuffers, SynthesisNetwork):
    """ws and a camera to pictures, with the rendered picture (`raw`) and its depth beside them.

    In evaluation mode rays are sampled in the middle of their strata, so that the same code and camera make the same
    picture. Without a camera the first of `views` is taken, which is the front view until training has shown others.

    Raises:
        UserError: for sizes that do not fit each other.
    """

    has_camera = True

    def __init__(
        self,
        resolution: Resolution,  # height and width of the picture in pixels
        w_dim: Count = 512,  # length of w
        *,
        image_channels: Count = 3,  # color channels of the picture
        plane_resolution: int = 256,  # height and width of a plane, a power of two
        plane_channels: int = 32,  # features of a plane
        channel_base: int = 32768,  # the planes' network has channel_base // r channels at resolution r ...
        channel_max: int = 512,  # ... but at most these
        conv_clamp: Positive | None = None,  # bound on the absolute value of their convolutions; None sets none
        rendering_resolution: Pixels = 64,  # height and width of the rendered picture; a schedule may change it
        samples: Few = 48,  # samples on a ray in the first pass
        importance: int = 48,  # and in the second
        near: float | None = None,  # depth where rays begin; None begins at the box
        far: float | None = None,  # depth where they end; None ends at the box
        box: float = 1.0,  # side of the cube around the origin that the planes cover
        disparity: bool = False,  # even steps in 1 / depth instead of depth; needs near and far
        white: bool = False,  # whether the background is white, else black
        decoder_width: int = 64,  # hidden units of the decoder
        decoder_features: int = 32,  # features of a point, colors first
        super_input: int | None = None,  # resolution that super-resolution begins at; None takes half the picture's
        super_channels: Sequence[int] = (128, 64),  # channels of its two blocks
        radius: float = 2.7,  # distance of the cameras from the origin where no others are known
        fov: float = 13.37,  # their horizontal angle of view in degrees
        pivot: Sequence[float] = (0.0, 0.0, 0.0),  # the point they look at
        yaw: float = 20.0,  # standard deviation of their angle around the vertical axis; 180 is all around
        pitch: float = 9.0,  # standard deviation of their angle above the horizon
        super_clamp: Positive | None = None,  # bound on the absolute value of their convolutions; None sets none
        super_noise: bool = True,  # whether super-resolution takes noise as the planes' network does, else none
        most_points: int = 2**20,  # points in memory at a time
        third_plane: Literal["zy", "zx"] = "zy",  # its axes; published weights have zx, which sees no y
        official: bool = False,  # repeat all slips of the published renderer, see volume.py
    ) -> None:
        super().__init__()
        resolution = square_side(resolution, "eg3d sees its volume through cameras of one angle of view")
        if min(rendering_resolution, plane_channels, decoder_width, most_points) < 1 or radius <= 0:
            raise UserError(
                "rendering_resolution, plane_channels, decoder_width and most_points must be at least 1 and radius "
                f"above 0; got {rendering_resolution=}, {plane_channels=}, {decoder_width=}, {most_points=}, {radius=}"
            )
        if decoder_features < image_channels or len(pivot) != 3:
            raise UserError(
                f"a point needs features for {image_channels} color channels and pivot three numbers; got "
                f"{decoder_features=}, pivot={list(pivot)}"
            )
        self.resolution, self.w_dim, self.image_channels = resolution, w_dim, image_channels
        self.most_points, self.plane_channels = most_points, plane_channels
        self.box, self.super_noise, self.steady = box, super_noise, not official
        self.published_planes = official or third_plane == "zx"
        self.optics = Optics(samples, importance, near, far, box, disparity, white, official)
        self.backbone = StyleGAN2Synthesis(
            plane_resolution,
            w_dim,
            image_channels=3 * plane_channels,
            channel_base=channel_base,
            channel_max=channel_max,
            conv_clamp=conv_clamp,
        )
        self.num_ws, self.layer_resolutions = self.backbone.num_ws, self.backbone.layer_resolutions
        self.decoder = Decoder(plane_channels, decoder_features, width=decoder_width)
        self.super_resolution = SuperResolution(
            decoder_features,
            resolution,
            w_dim=w_dim,
            input_resolution=super_input or resolution // 2,
            channels=super_channels,
            image_channels=image_channels,
            conv_clamp=super_clamp,
        )
        self.radius, self.fov, self.pivot = radius, fov, (pivot[0], pivot[1], pivot[2])
        self.on_host = ("rendering",)
        self.rendering: torch.Tensor
        self.views: torch.Tensor
        self.register_buffer("rendering", torch.tensor(rendering_resolution))
        self.register_buffer("views", self._poses(yaw, pitch))

    def _poses(self, yaw: float, pitch: float) -> torch.Tensor:
        """The front view, and others drawn around it, always the same."""
        rng = torch.Generator().manual_seed(0)
        where: dict[str, Any] = {"generator": rng, "device": "cpu"}
        around = torch.rand(VIEWS, **where) * 360 - 180 if yaw >= 180 else torch.randn(VIEWS, **where) * yaw
        above = (torch.randn(VIEWS, **where) * pitch).clamp(-89, 89)
        around[0] = above[0] = 0
        return orbit(around, above, radius=self.radius, fov=self.fov, pivot=self.pivot)

    def forward(
        self, ws: torch.Tensor, condition: Condition | None = None, *, noise: Noise | None = None
    ) -> ImageBatch:
        """Pictures [N, C, H, W] from ws [N, num_ws, w_dim] and the condition's cameras [N, 25].

        Raises:
            UserError: when `ws` or the cameras have another shape.
        """
        noise, condition = noise or Noise(), self.seen(condition, ws.shape[0])
        assert condition.camera is not None
        planes = self.planes(ws, noise)
        rendering = self.rendered(planes, condition.camera.to(planes), noise.generator)
        side = int(self.number("rendering"))
        features = rendering.features.transpose(1, 2).unflatten(2, (side, side))
        above = noise if self.super_noise else Noise("none")
        image = self.super_resolution(features.to(ws.dtype), ws[:, -1], above)
        return ImageBatch(
            image=image.contiguous(),
            raw=features[:, : self.image_channels],
            depth=rendering.depth[:, None].unflatten(2, (side, side)),
            condition=condition,
        )

    def planes(self, ws: torch.Tensor, noise: Noise | None = None) -> torch.Tensor:
        """The planes [N, 3, C, H, W] of ws [N, num_ws, w_dim]."""
        self.check_ws(ws)
        return self.backbone(ws, noise=noise).image.unflatten(1, (3, self.plane_channels))

    def at(self, planes: torch.Tensor, points: torch.Tensor) -> Field:
        """What is at points [N, M, 3] of planes [N, 3, C, H, W]. Never below float32."""
        with torch.autocast(planes.device.type, enabled=False):
            return self.decoder(sample_planes(planes, points, box=self.box, official=self.published_planes))

    def rendered(
        self,
        planes: torch.Tensor,
        camera: torch.Tensor,
        generator: torch.Generator | None = None,
        *,
        resolution: int | None = None,
    ) -> Rendering:
        """Planes [N, 3, C, H, W] through cameras [N, 25], at the usual or another resolution. Never below float32.

        Args:
            planes: [N, 3, C, H, W].
            camera: [N, 25].
            generator: draws where samples lie, in training or with the published optics.
            resolution: rays along each side of the picture; the usual one where None.
        """
        optics, still = self.optics, not (self.training or self.optics.official)

        def follow(rays: Rays, draws: Strata) -> Rendering:
            return render(partial(self.at, planes), rays, optics, draws)

        with torch.autocast(planes.device.type, enabled=False):
            rays = cast_rays(camera, resolution or int(self.number("rendering")))
            draws = Strata.centered(rays, optics) if still else Strata.random(rays, optics, generator)
            return in_parts(rays, optics, draws, self.most_points, follow)

    def body(self, ws: torch.Tensor) -> Body:
        """What ws [N, num_ws, w_dim] make, in space, with the stored noise."""
        planes = self.planes(ws, Noise("const"))

        def seen(camera: torch.Tensor, resolution: int) -> Rendering:
            one_for_all = planes.expand(len(camera), -1, -1, -1, -1) if len(planes) == 1 else planes
            return self.rendered(one_for_all, camera.to(planes), resolution=resolution)

        return Body(self.box, self.image_channels, partial(self.at, planes), seen)

    def seen(self, condition: Condition | None, n: int) -> Condition:
        """The condition with the first of `views` where it has no camera.

        Raises:
            UserError: for cameras of another shape.
        """
        condition = condition or Condition()
        if condition.camera is None:
            return Condition(condition.label, self.views[:1].expand(n, -1))
        if condition.camera.shape != (n, NUMBERS):
            raise UserError(f"cameras have shape {list(condition.camera.shape)}; this network needs [{n}, {NUMBERS}]")
        return condition

    def camera_at(self, yaw: float, pitch: float, fov: float | None = None) -> torch.Tensor:
        """The camera [1, 25] at angles in degrees on the sphere on which the first of `views` stands."""
        if not (math.isfinite(yaw) and -90 <= pitch <= 90):
            raise UserError(f"a camera stands at a finite yaw and a pitch of -90 to 90 degrees; got {yaw} and {pitch}")
        first, yaw = self.views[:1], yaw % 360
        angles = (torch.tensor([float(angle)], device=first.device) for angle in (yaw, pitch))
        radius = Cameras.of(first).position.norm().item()
        return orbit(*angles, radius=radius, fov=fov_of(first).item() if fov is None else fov, pivot=self.pivot)

    def render_at(self, resolution: int) -> None:
        """Render pictures of resolution x resolution pixels from here on, before super-resolution."""
        self.rendering.fill_(max(resolution, 1))

    def remember_views(self, cameras: torch.Tensor) -> None:
        """Take in up to `VIEWS` of the cameras [K, 25] of the training pictures, the most ordinary one first."""
        positions = cameras[:, [3, 7, 11]]
        ordinary = (positions - positions.mean(dim=0)).norm(dim=1).argmin()
        spread = torch.linspace(0, len(cameras) - 1, VIEWS - 1).round().long()
        self.views.copy_(cameras[torch.cat([ordinary[None], spread])])

    def draw_views(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Cameras [n, 25] drawn from `views`."""
        where = self.views.device if generator is None else generator.device
        return self.views[torch.randint(len(self.views), (n,), generator=generator, device=where).to(self.views.device)]

    def noise_buffers(self) -> dict[str, torch.Tensor]:
        """The stored noise pictures [H, W] by name."""
        return {name: buffer for name, buffer in self.named_buffers() if name.endswith("noise_const")}

    @classmethod
    def example_spec(cls, resolution: int | str, w_dim: int) -> Spec:
        """Keyword arguments of a small network, for trials."""
        return {
            "resolution": resolution,
            "w_dim": w_dim,
            "plane_resolution": 8,
            "plane_channels": 4,
            "channel_base": 64,
            "channel_max": 8,
            "rendering_resolution": Size.of(resolution).shorter // 2,
            "samples": 4,
            "importance": 4,
            "decoder_width": 8,
            "decoder_features": 4,
            "super_channels": [8, 8],
        }
