"""Small things that the tests of this room share."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from stylegenes.data.originals import Originals
from stylegenes.generator import Generator
from stylegenes.latents import Gaussian, Genome, Mapping
from stylegenes.perception import FeatureExtractor
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.synthesis import SynthesisNetwork


class Squares(SynthesisNetwork):
    """w paints the picture linearly: pixel p is the p-th row of a fixed matrix times w, scaled."""

    def __init__(self, w_dim: int = 4, resolution: int = 8, num_ws: int = 2, scale: float = 0.2) -> None:
        super().__init__()
        self.w_dim, self.resolution, self.num_ws, self.image_channels = w_dim, resolution, num_ws, 3
        self.layer_resolutions = [resolution] * num_ws
        rng = torch.Generator().manual_seed(5)
        self.register_buffer("paint", torch.randn(w_dim, 3 * resolution**2, generator=rng) * scale)
        self.spec = {"name": "squares"}

    def forward(self, ws, condition: Condition | None = None, *, noise: Noise | None = None) -> ImageBatch:
        image = (ws.mean(dim=1) @ self.paint).view(-1, 3, self.resolution, self.resolution)
        return ImageBatch(image.clamp(-1, 1))


def toy_generator(latent: str = "gaussian", w_dim: int = 4, **kwargs) -> Generator:
    latents = {
        "gaussian": lambda: Gaussian(w_dim),
        "genome": lambda: Genome(w_dim, 2, num_variants=5),
        "mapping": lambda: Mapping(w_dim, depth=2),
    }
    made = latents[latent]()
    made.spec = {"name": latent}
    return Generator(made, Squares(w_dim, **kwargs)).eval().requires_grad_(False)


class MeanColors(FeatureExtractor):
    """Average color of each quarter of the picture, [N, 12]: a judge that costs nothing."""

    name, weights_hash, feature_dim, input_size, preprocessing = "toy", "toy-hash", 12, None, "as it is"

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen += len(images)
        return torch.nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)


@dataclass
class Blobs:
    """Pictures whose attributes are plain: `Bright` shows in all pixels, `Red_Left` in a corner."""

    n: int = 400
    resolution: int = 8
    channels: int = 3
    seed: int = 0
    source: str = "blobs"
    content_hash: str = "blobs-hash"
    originals: Originals = field(default_factory=Originals)
    label_names: list[str] = field(default_factory=lambda: ["Bright", "Red_Left"])

    def __post_init__(self) -> None:
        rng = torch.Generator().manual_seed(self.seed)
        self.y = (torch.rand(self.n, len(self.label_names), generator=rng) < 0.4).float()
        x = torch.randn(self.n, 3, self.resolution, self.resolution, generator=rng) * 20 + 90
        if self.label_names:
            x += 30 * self.y[:, :1, None, None]
            x[:, 0, :4, :4] += 80 * self.y[:, 1, None, None]
        self.x = x.clamp(0, 255).to(torch.uint8)

    @property
    def label_dim(self) -> int:
        return len(self.label_names)

    def __len__(self) -> int:
        return self.n

    def images(self, indices: torch.Tensor) -> torch.Tensor:
        return self.x[indices]

    def labels(self, indices: torch.Tensor) -> torch.Tensor:
        return self.y[indices]
