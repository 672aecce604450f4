"""Perceptual path length (StyleGAN, section 4.1, Eq. 2 and 3): how far pictures move for a small step of the latent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, get_args

import torch

from stylegenes.data.protocols import LabelSource
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.metrics.row_pass import RowPass
from stylegenes.metrics.sources import block_seed, draw_condition, draws_identity
from stylegenes.perception import PerceptualDistance
from stylegenes.records import Condition, Noise

Space = Literal["z", "w"]
Sampling = Literal["full", "end"]


@dataclass(frozen=True)
class PathSettings:
    """Which paths are measured.

    Attributes:
        space: `z`, the latent's own path between two codes (slerp for Gaussians, the line between codes for genomes),
            or `w`, the line between two w.
        sampling: steps anywhere on the path (`full`) or at its beginning (`end`).
        epsilon: length of a step as a share of the path.
        crop: keep the middle half of the picture, where a face is, before measuring.
        reject: share of the shortest and, again, of the longest that are left out. 0 by default: the paper has none.
        max_size: pictures of twice this many pixels, or more, are averaged down before they are compared, by the
            largest whole number that leaves this many: 512 become 256, and 500 stay.
    """

    space: Space = "w"
    sampling: Sampling = "full"
    epsilon: float = 1e-4
    crop: bool = False
    reject: float = 0.0
    max_size: int = 256

    def __post_init__(self) -> None:
        if self.space not in get_args(Space) or self.sampling not in get_args(Sampling):
            raise UserError(f"path length takes space z or w, sampling full or end; got {self.space}, {self.sampling}")
        if not (0 < self.epsilon < 1 and 0 <= self.reject < 0.5):
            raise UserError(f"epsilon must lie in (0, 1), reject in [0, 0.5); got {self.epsilon}, {self.reject}")


@dataclass(frozen=True)
class PathLengthEstimate:
    """The estimate.

    Attributes:
        mean: mean of d / epsilon^2.
        standard_error: of the mean.
        num: pairs measured.
        num_kept: pairs left after rejection.
    """

    mean: float
    standard_error: float
    num: int
    num_kept: int


def path_length(
    generator: Generator,
    distance: PerceptualDistance,
    settings: PathSettings,
    *,
    num: int,
    seed: int = 0,
    batch: int = 16,
    psi: float = 1.0,
    labels: LabelSource | None = None,
) -> PathLengthEstimate:
    """Measure `num` steps in memory, by one process; arguments as for `path_pass`.

    `generator`, `distance`, `settings`, `seed`, `batch`, `psi` and `labels` are as for `path_pass`.
    """
    steps = path_pass(generator, distance, settings, num=num, seed=seed, batch=batch, psi=psi, labels=labels)
    return summarize(steps.run().flatten(), settings.reject)


def path_pass(
    generator: Generator,
    distance: PerceptualDistance,
    settings: PathSettings,
    *,
    num: int,
    seed: int = 0,
    batch: int = 16,
    psi: float = 1.0,
    labels: LabelSource | None = None,
) -> RowPass:
    """A pass over `num` steps. Noise inputs are the stored ones, so that only the latent moves the picture.

    Args:
        generator: in eval mode.
        distance: says how far two pictures are apart, on the generator's device.
        settings: which paths.
        num: pairs of pictures.
        seed: of all draws.
        batch: pairs at once; the draws depend on it.
        psi: truncation of both pictures; the path itself is untruncated.
        labels: a data set whose labels condition the pictures, for a conditional model.

    Returns:
        A pass of rows of one number: d / epsilon^2.

    Raises:
        UserError: for fewer than two pairs; when it runs, for a conditional model without labels.
    """
    if num < 2:
        raise UserError(f"a path length needs at least two pairs; got {num}")

    @torch.no_grad()
    def make(start: int, stop: int) -> torch.Tensor:
        rng = torch.Generator().manual_seed(block_seed(seed, start))
        return _measure(generator, distance, settings, stop - start, rng, psi, labels).double()[:, None].cpu()

    measured_by = {"distance": distance.name, "weights": distance.weights_hash, "psi": psi, **asdict(settings)}
    return RowPass(
        name=f"ppl_{settings.space}_{settings.sampling}" + ("_crop" if settings.crop else ""),
        identity={**draws_identity(generator, labels, num, seed, batch), **measured_by},
        num=num,
        dim=1,
        batch=batch,
        make=make,
    )


def summarize(lengths: torch.Tensor, reject: float) -> PathLengthEstimate:
    """Mean and standard error of lengths [N] without the `reject` share at either end."""
    ordered = lengths.sort().values
    cut = int(len(ordered) * reject)
    kept = ordered[cut : len(ordered) - cut]
    error = kept.std().item() / len(kept) ** 0.5
    return PathLengthEstimate(kept.mean().item(), error, len(lengths), len(kept))


def _measure(
    generator: Generator,
    distance: PerceptualDistance,
    settings: PathSettings,
    n: int,
    rng: torch.Generator,
    psi: float,
    labels: LabelSource | None,
) -> torch.Tensor:
    """d / epsilon^2 of `n` steps, [n]."""
    condition = draw_condition(generator, labels, n, rng)
    start, end = generator.sample(n, rng), generator.sample(n, rng)
    t = torch.rand(n, 1, generator=rng) if settings.sampling == "full" else torch.zeros(n, 1)
    t = (t * (1 - settings.epsilon)).to(generator.latent.mean(condition))
    ends = (start, end, condition)
    steps = [_PATHS[settings.space](generator, *ends, at) for at in (t, t + settings.epsilon)]
    first, second = (_picture(generator, w, condition, psi, settings) for w in steps)
    return distance(first, second) / settings.epsilon**2


def _z_path(
    generator: Generator, start: torch.Tensor, end: torch.Tensor, condition: Condition | None, t: torch.Tensor
) -> torch.Tensor:
    return generator.latent.path(start, end, t, condition)


def _w_path(
    generator: Generator, start: torch.Tensor, end: torch.Tensor, condition: Condition | None, t: torch.Tensor
) -> torch.Tensor:
    return torch.lerp(generator.latent(start, condition), generator.latent(end, condition), t)


_PATHS = {"z": _z_path, "w": _w_path}


def _picture(
    generator: Generator, w: torch.Tensor, condition: Condition | None, psi: float, settings: PathSettings
) -> torch.Tensor:
    ws = generator.truncate(generator.broadcast(w), psi, condition=condition)
    image = generator.synthesis(ws, condition, noise=Noise("const")).image
    if settings.crop:
        image = center_crop(image)
    factor = max(image.shape[-2:]) // settings.max_size
    return torch.nn.functional.avg_pool2d(image, factor) if factor > 1 else image


def center_crop(images: torch.Tensor) -> torch.Tensor:
    """The middle half of pictures [N, C, H, W] in both directions, [N, C, H // 2, W // 2]."""
    height, width = images.shape[-2:]
    top, left = height // 4, width // 4
    return images[..., top : top + height // 2, left : left + width // 2]
