"""EG3D's dual discriminator: "Efficient Geometry-aware 3D Generative Adversarial Networks" (Chan et al. 2022).

It judges the picture together with the rendered picture that it was made of, resized to the same size, so that the two
agree; and it is told the camera, so that a picture's view is the one it was drawn from (section 4.3).
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from stylegenes.cameras import NUMBERS
from stylegenes.discriminators.base import DISCRIMINATORS, Discriminator
from stylegenes.discriminators.stylegan2 import Architecture, StyleGAN2Discriminator
from stylegenes.errors import UserError
from stylegenes.layers import HostBuffers
from stylegenes.ops.bilinear import check_resizing, resize, resize_as
from stylegenes.ops.fir import Taps, setup_filter
from stylegenes.records import Condition, ImageBatch
from stylegenes.shape import Count, Few, Pixels, Positive
from stylegenes.size import Resolution, square_side


@DISCRIMINATORS.register("dual")
class DualDiscriminator(HostBuffers, Discriminator):
    """Pairs of a picture and its rendered picture to one logit each, by StyleGAN2's discriminator.

    Raises:
        UserError: for sizes that do not fit.
    """

    def __init__(
        self,
        resolution: Resolution,  # height and width of the pictures in pixels, from 8 on
        label_dim: int = 0,  # length of the label, 0 for none
        *,
        camera: bool = False,  # whether it is told the camera
        image_channels: Count = 3,  # color channels of the pictures
        rendering_resolution: Pixels = 64,  # height and width of the rendered picture; a schedule may change it
        channel_base: int = 32768,  # channels at resolution r are channel_base // r ...
        channel_max: int = 512,  # ... but at most these
        architecture: Architecture = "resnet",  # resnet (residual), orig (plain) or skip (colors at every resolution)
        activation: str = "lrelu",  # activation of the layers
        resample_filter: Taps = (1, 3, 3, 1),  # low-pass filter of the downsampling
        conv_clamp: Positive | None = None,  # bound on the absolute value of the convolutions; None sets none
        mbstd_group_size: Count | None = 4,  # samples a group of the minibatch standard deviation; None takes the batch
        mbstd_num_channels: int = 1,  # channels of it, 0 for none
        label_features: int | None = None,  # length of what label and camera become; None takes the channels at 4 px
        label_depth: Few = 8,  # layers of their mapping network
        label_embed: int | None = None,  # width of their embedding; None takes label_features
        label_hidden: int | None = None,  # width of its layers; None takes label_features
        label_activation: str = "lrelu",  # activation of its layers
        label_lr_multiplier: Positive = 0.01,  # learning rate of its layers relative to the optimizer's
        resizing: str | float = "antialiased",  # of real pictures to rendered ones, see ops.bilinear.resize_as
    ) -> None:
        super().__init__()
        side = square_side(resolution, "the dual discriminator judges what cameras of one angle of view see")
        if rendering_resolution < 1:
            raise UserError(f"rendering_resolution must be at least 1; got {rendering_resolution}")
        self.resolution, self.image_channels, self.label_dim = side, image_channels, label_dim
        self.reads_camera, self.resizing = camera, check_resizing(resizing)
        self.network = StyleGAN2Discriminator(
            side,
            label_dim + camera * NUMBERS,
            image_channels=2 * image_channels,
            channel_base=channel_base,
            channel_max=channel_max,
            architecture=architecture,
            activation=activation,
            resample_filter=resample_filter,
            conv_clamp=conv_clamp,
            mbstd_group_size=mbstd_group_size,
            mbstd_num_channels=mbstd_num_channels,
            label_features=label_features,
            label_depth=label_depth,
            label_embed=label_embed,
            label_hidden=label_hidden,
            label_activation=label_activation,
            label_lr_multiplier=label_lr_multiplier,
        )
        self.group_size = self.network.group_size
        self.on_host = ("rendering",)
        self.rendering: torch.Tensor
        self.resample_filter: torch.Tensor
        self.register_buffer("rendering", torch.tensor(rendering_resolution))
        self.register_buffer("resample_filter", setup_filter((1, 3, 3, 1)), persistent=False)

    def prepare(self, batch: ImageBatch) -> ImageBatch:
        """With the picture at the size of rendered ones beside it, where there is none."""
        if batch.raw is not None:
            return batch
        return replace(batch, raw=resize_as(batch.image, int(self.rendering), self.resizing, self.resample_filter))

    def forward(self, batch: ImageBatch) -> torch.Tensor:
        """Logits [N, 1], at least float32.

        Raises:
            UserError: when pictures, labels or cameras have another shape than this network's.
        """
        image = self.check_image(batch.image)
        raw = self.prepare(batch).raw
        assert raw is not None, "prepared batches have a rendered picture"
        pair = torch.cat([image, resize(raw, self.size.width).to(image.dtype)], dim=1)
        return self.network(ImageBatch(pair, condition=Condition(label=self._told(batch))))

    def _told(self, batch: ImageBatch) -> torch.Tensor | None:
        """What the logits are projected on, [N, label_dim + 25], or None."""
        told = [self.check_label(batch)] if self.label_dim else []
        if self.reads_camera:
            told.append(self.check_camera(batch).to(told[0] if told else batch.image))
        return torch.cat(told, dim=1) if told else None

    def check_camera(self, batch: ImageBatch) -> torch.Tensor:
        """The cameras [N, 25] of a batch.

        Raises:
            UserError: when they are missing or have another shape.
        """
        camera = batch.condition.camera
        if camera is None or camera.shape != (len(batch), NUMBERS):
            found = "none was given" if camera is None else f"they have shape {list(camera.shape)}"
            raise UserError(f"this discriminator needs cameras [{len(batch)}, {NUMBERS}]; {found}")
        return camera

    def render_at(self, resolution: int) -> None:
        """Pictures are rendered at resolution x resolution pixels from here on."""
        self.rendering.fill_(max(resolution, 1))

    def stages(self) -> list[nn.Module]:
        """The parts of its network from the image end to the logits."""
        return self.network.stages()
