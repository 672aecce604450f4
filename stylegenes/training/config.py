"""The configuration of a run: one small tree of dataclasses, written to the run folder as resolved JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from stylegenes.data import Dataset, open_dataset
from stylegenes.data.order import Shuffle
from stylegenes.errors import UserError, shown
from stylegenes.records import NoiseMode
from stylegenes.registry import Spec
from stylegenes.shape import Range
from stylegenes.size import Resolution, Size
from stylegenes.training.ranges import check_ranges
from stylegenes.training.trackers import parse_trackers

Channels = Annotated[int, Range(1, 64)]


@dataclass(frozen=True)
class DataConfig:
    """What is learned.

    Attributes:
        source: a folder, zip or LMDB, or the word `avatars` for the embedded set.
        resolution: in pixels: a number for squares, else width x height, `384x256`.
        channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA, more of arrays; None takes RGB, or what a packed set has.
        fit: how pictures of another shape come to this one, `crop` or `letterbox`.
        mirror: whether images are shown flipped left to right half of the time.
        labels: whether the networks are conditioned on the data's labels.
        label_file: where labels come from: a file in the source or on disk, or `none`; None looks for one.
        shuffle: what each epoch is a permutation of, `all` pictures, or `shards` and what lies in some of them at a
            time, for shards that are not all kept here.

    Raises:
        UserError: for a name that no configuration can be written with.
    """

    source: str = "avatars"
    resolution: Resolution = 32
    channels: Channels | None = None
    fit: Literal["crop", "letterbox"] = "crop"
    mirror: bool = True
    labels: bool = False
    label_file: str | None = None
    shuffle: Shuffle = "all"

    def __post_init__(self) -> None:
        if isinstance(self.resolution, str):
            object.__setattr__(self, "resolution", Size.of(self.resolution).notation)
        for name, value in (("source", self.source), ("label_file", self.label_file or "")):
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise UserError(f"data.{name} {shown(value, 200)} is no name in UTF-8; rename it") from error

    @property
    def size(self) -> Size:
        """Width and height of the pictures."""
        return Size.of(self.resolution)

    def open(self) -> Dataset:
        """The pictures, packed now or found in the cache.

        Raises:
            UserError: for a source that is missing, empty or mostly bad.
        """
        return open_dataset(
            self.source, resolution=self.resolution, channels=self.channels, fit=self.fit, labels=self.label_file
        )


@dataclass(frozen=True)
class ModelConfig:
    """The networks, as registry specs. Resolution, channels and labels are filled in from the data."""

    latent: Spec
    synthesis: Spec
    discriminator: Spec


@dataclass(frozen=True)
class AugmentConfig:
    """What the discriminator sees is augmented with probability p.

    Attributes:
        pipe: keyword arguments of the augmentation pipe; None for no augmentation.
        p: the schedule of p, a registry spec.
    """

    pipe: Spec | None = None
    p: Spec = field(default_factory=lambda: {"name": "fixed", "value": 0.0})


@dataclass(frozen=True)
class AdamConfig:
    """Adam of one player, before the correction for lazy regularization.

    Attributes:
        lr: learning rate.
        beta1: decay of the mean of the gradient.
        beta2: decay of the mean of its square.
        eps: added to the root.
    """

    lr: float = 0.002
    beta1: float = 0.0
    beta2: float = 0.99
    eps: float = 1e-8


@dataclass(frozen=True)
class OptimizerConfig:
    """One Adam for each player, and schedules for both.

    Attributes:
        G: the generator's.
        D: the discriminator's.
        lr_scale: the schedule of a factor on both learning rates.
        beta2: the schedule of both decays of the mean square, in place of the constants; None for the constants.
    """

    G: AdamConfig = field(default_factory=AdamConfig)
    D: AdamConfig = field(default_factory=AdamConfig)
    lr_scale: Spec = field(default_factory=lambda: {"name": "fixed", "value": 1.0})
    beta2: Spec | None = None


@dataclass(frozen=True)
class BatchConfig:
    """How many images a step takes.

    Attributes:
        total: images a step, over all devices and nodes.
        micro: images in one forward pass of a device; None takes as many as fit in one (total / ranks).
        graphs: whether phases are replayed as CUDA graphs, where there is CUDA.
        deterministic: whether CUDA takes kernels that give the same bits every time, where it has them.
    """

    total: int = 32
    micro: int | None = None
    graphs: bool = True
    deterministic: bool = False


@dataclass(frozen=True)
class EmaConfig:
    """The running average of the generator.

    Attributes:
        half_life_kimg: thousand images after which half of an old average is left.
        rampup: bounds the half-life by this share of the images seen so far; None for no bound.
    """

    half_life_kimg: float = 10.0
    rampup: float | None = 0.05


@dataclass(frozen=True)
class IntervalConfig:
    """How often things happen. Zero turns one off, save for the state.

    Attributes:
        tick_seconds: between two status lines.
        state_seconds: between two writes of the state; what a kill can cost.
        snapshot_kimg: thousand images between two kept snapshots.
        keep_snapshots: how many of them are kept, the newest; 0 keeps all.
        image_kimg: thousand images between two image grids.
        keep_images: how many of them are kept, the first one and the newest; 0 keeps all.
        evaluate_kimg: thousand images between two evaluations, where the caller gave an evaluation.
        silence_seconds: without a sign of life after which another host counts as gone, which ends the sitting.
    """

    tick_seconds: float = 10.0
    state_seconds: float = 300.0
    snapshot_kimg: float = 200.0
    keep_snapshots: int = 5
    image_kimg: float = 50.0
    keep_images: int = 200
    evaluate_kimg: float = 200.0
    silence_seconds: float = 60.0


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides how a run goes, but not where (devices, folders).

    Attributes:
        recipe: the recipe that it comes from.
        data: what is learned.
        model: the networks.
        loss: the adversarial loss, a registry spec.
        regularizers: keyword arguments of every regularizer by its registered name.
        augment: augmentation of what the discriminator sees.
        optimizer: the optimizers.
        batch: the batch.
        ema: the running average of the generator.
        intervals: how often things happen.
        growth: the schedule of log2 of the resolution that is trained (progressive growing), or None for all of it.
        blur: the schedule of the standard deviation, in pixels, of the Gaussian through which the discriminator sees
            everything, or None for a clear view.
        rendering: the schedule of the resolution in pixels that 3D networks render at, rounded, or None for their own.
        pose_swap: the schedule of the probability that the latent is told another fake's camera than its own, or None
            for never; it matters to latents that read the camera.
        camera_noise: noise on the cameras that the discriminator is told, in standard deviations of the data's.
        penalty_scale: the schedule of a factor on all regularizers, or None for 1 throughout.
        mixing: probability of style mixing in a batch of fakes.
        noise: how the synthesis network fills its noise inputs during training.
        kimg: length of the run in thousand real images shown to the discriminator.
        seed: start of every random choice.
        init_from: a snapshot to start from (transfer learning), or None.
        tensorboard: whether TensorBoard's event files are written.
        trackers: other places that are told how it goes, with a comma between: wandb, trackio; or none.
        metrics: what the run measures of itself, as `stylegenes train --metrics` reads it; none for nothing.
        freeze_d: stages of the discriminator, from the image on, that are not trained.

    Raises:
        UserError: for a number that makes no sense.
    """

    recipe: str
    model: ModelConfig
    data: DataConfig = field(default_factory=DataConfig)
    loss: Spec = field(default_factory=lambda: {"name": "nonsaturating"})
    regularizers: dict[str, dict[str, Any]] = field(default_factory=lambda: {"r1": {}, "path_length": {}})
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    batch: BatchConfig = field(default_factory=BatchConfig)
    ema: EmaConfig = field(default_factory=EmaConfig)
    intervals: IntervalConfig = field(default_factory=IntervalConfig)
    growth: Spec | None = None
    blur: Spec | None = None
    rendering: Spec | None = None
    pose_swap: Spec | None = None
    camera_noise: float = 0.0
    penalty_scale: Spec | None = None
    mixing: float = 0.9
    noise: NoiseMode = "random"
    kimg: float = 25000.0
    seed: int = 0
    init_from: str | None = None
    freeze_d: int = 0
    tensorboard: bool = True
    trackers: str = "none"
    metrics: str = "fd@2k"

    def __post_init__(self) -> None:
        check_ranges(self)
        parse_trackers(self.trackers)

    def to_dict(self) -> dict[str, Any]:
        """The tree as plain dictionaries, ready for JSON."""
        return dataclasses.asdict(self)
