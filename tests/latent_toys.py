"""Small generators and judges with known answers, for the tests of directions and of inversion."""

import torch
from torch import nn

from stylegenes.generator import Generator
from stylegenes.latents import LATENTS
from stylegenes.perception import AttributeClassifier, PerceptualDistance
from stylegenes.records import ImageBatch, Noise
from stylegenes.synthesis import SynthesisNetwork


class LinearSynthesis(SynthesisNetwork):
    """A picture that is a linear function of ws, plus one noise image a layer."""

    def __init__(self, w_dim: int = 16, *, noise_strength: float = 0.0) -> None:
        super().__init__()
        self.resolution, self.image_channels, self.w_dim, self.num_ws = 8, 3, w_dim, 2
        self.layer_resolutions = [4, 8]
        random = torch.Generator().manual_seed(7)
        size = self.image_channels * self.resolution**2
        self.basis = nn.Parameter(torch.randn(2, w_dim, size, generator=random) * 0.2 / w_dim**0.5)
        self.noise_strength = noise_strength
        for size in self.layer_resolutions:
            self.register_buffer(f"noise_{size}", torch.randn(size, size, generator=random))

    def forward(self, ws, condition=None, *, noise=None):
        flat = torch.einsum("nlw,lwp->np", ws, self.basis)
        image = flat.view(len(ws), self.image_channels, self.resolution, self.resolution)
        for size in self.layer_resolutions:
            image = image + self.noise_strength * self._noise(size, len(ws), noise or Noise("random"))
        return ImageBatch(image)

    def _noise(self, size: int, n: int, noise: Noise) -> torch.Tensor:
        mode = noise.mode_at(size)
        values = torch.zeros(n, 1, size, size)
        if mode == "const":
            values = getattr(self, f"noise_{size}").expand(n, 1, size, size)
        elif mode == "random":
            values = torch.randn(n, 1, size, size, generator=noise.generator)
        return nn.functional.interpolate(values, size=self.resolution, mode="nearest")

    def noise_buffers(self):
        return {f"noise_{size}": getattr(self, f"noise_{size}") for size in self.layer_resolutions}


class SignClassifier(AttributeClassifier):
    """Attribute k: the sign of the picture's product with the k-th of some patterns [A, C*H*W]."""

    name, weights_hash, resolution = "sign", "0" * 64, 8

    def __init__(self, patterns: torch.Tensor, sharpness: float = 50.0) -> None:
        super().__init__()
        self.patterns, self.sharpness = patterns, sharpness
        self.attributes = [f"sign_{k}" for k in range(len(patterns))]

    def forward(self, images):
        return torch.sigmoid(self.sharpness * images.flatten(1) @ self.patterns.T)


class PooledDistance(PerceptualDistance):
    """Mean squared difference of 2x2 means."""

    name, weights_hash = "toy_pooled", "0" * 64

    def forward(self, a, b):
        pool = nn.functional.avg_pool2d
        return (pool(a, 2) - pool(b, 2)).square().flatten(1).mean(dim=1)


def toy_generator(latent: dict, *, noise_strength: float = 0.0) -> Generator:
    built = LATENTS.build(latent)
    return Generator(built, LinearSynthesis(built.w_dim, noise_strength=noise_strength)).eval().requires_grad_(False)


GENOME = {"name": "genome", "w_dim": 16, "num_genes": 4, "num_variants": 6}
GAUSSIAN = {"name": "gaussian", "w_dim": 16}
MAPPING = {"name": "mapping", "w_dim": 16, "depth": 2, "lr_multiplier": 1.0}


def coordinate_classifier(generator: Generator, coordinates: list[list[int]]) -> SignClassifier:
    """Attributes that are the signs of sums of chosen coordinates of w, for a picture of equal ws and no noise."""
    basis = generator.synthesis.basis.sum(dim=0)
    inverse = torch.linalg.pinv(basis)  # picture to w
    patterns = torch.stack([inverse[:, chosen].sum(dim=1) for chosen in coordinates])
    return SignClassifier(patterns)
