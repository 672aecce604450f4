"""Training an attribute classifier on any labeled data set, calibrating it, and testing it on pictures it never saw.

The papers' setting (StyleGAN, appendix C: the discriminator's architecture, learning rate 1e-3, batch 8, 150,000
images) is `paper_settings`; `quick_settings` is a small network that learns all attributes at once in minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import nn

from stylegenes.data.protocols import LabeledImages
from stylegenes.errors import UserError
from stylegenes.metrics.calibration import auc, expected_calibration_error, platt
from stylegenes.metrics.sources import to_float
from stylegenes.perception import CalibratedClassifier
from stylegenes.words import counted, did_you_mean

MIN_IMAGES = 20


@dataclass(frozen=True)
class ClassifierSettings:
    """How a classifier is trained.

    Attributes:
        network: spec of the network, without sizes.
        images: pictures shown in training, counting repeats.
        batch: pictures a step.
        lr: Adam's learning rate at the start; it falls to zero along a cosine where `decay` is set.
        decay: whether the learning rate falls.
        mirror: whether pictures are flipped at random.
        held_out: share of the data for calibration, and again for the test.
        seed: seed of split, order and weights.
    """

    network: dict[str, Any] = field(default_factory=lambda: {"name": "multihead"})
    images: int = 60_000
    batch: int = 64
    lr: float = 2e-3
    decay: bool = True
    mirror: bool = True
    held_out: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.images < self.batch or self.batch < 1:
            raise UserError(
                f"training takes at least one batch of {max(self.batch, 1)} pictures; got {self.images} pictures"
            )


def quick_settings(images: int = 60_000, seed: int = 0) -> ClassifierSettings:
    """All attributes in one small network."""
    return ClassifierSettings(images=images, seed=seed)


def paper_settings(images: int = 150_000, seed: int = 0, **network: Any) -> ClassifierSettings:
    """The papers' network and schedule; `network` overrides sizes of the discriminator (channel_base, ...)."""
    spec = {"name": "discriminator", **network}
    return ClassifierSettings(spec, images=images, batch=8, lr=1e-3, decay=False, seed=seed)


@dataclass(frozen=True)
class AttributeReport:
    """How well one attribute is told, on the test split.

    Attributes:
        name: the attribute.
        frequency: share of positives.
        auc: area under the ROC curve; None where the split holds one class only.
        accuracy: share of right answers at probability 0.5.
        majority: accuracy of always answering the more frequent class.
        calibration_error: expected calibration error, 15 bins.
    """

    name: str
    frequency: float
    auc: float | None
    accuracy: float
    majority: float
    calibration_error: float


@dataclass(frozen=True)
class ClassifierReport:
    """The test of a classifier.

    Attributes:
        attributes: one report each.
        num_train: pictures trained on.
        num_calibration: pictures that calibration was fitted on.
        num_test: pictures tested on.
    """

    attributes: list[AttributeReport]
    num_train: int
    num_calibration: int
    num_test: int

    @property
    def mean_auc(self) -> float:
        """The mean over the attributes whose AUC is defined; NaN if there is none."""
        known = [a.auc for a in self.attributes if a.auc is not None]
        return sum(known) / len(known) if known else float("nan")

    @property
    def mean_accuracy(self) -> float:
        """The mean accuracy over the attributes."""
        return sum(a.accuracy for a in self.attributes) / len(self.attributes)

    @property
    def mean_calibration_error(self) -> float:
        """The mean calibration error over the attributes."""
        return sum(a.calibration_error for a in self.attributes) / len(self.attributes)

    def to_json(self) -> dict[str, Any]:
        """The same as plain values, with the means."""
        means = {"mean_auc": self.mean_auc, "mean_accuracy": self.mean_accuracy}
        return {**means, "mean_calibration_error": self.mean_calibration_error, **asdict(self)}


@dataclass(frozen=True)
class Trained:
    """A classifier in eval mode and its test."""

    classifier: CalibratedClassifier
    report: ClassifierReport


@dataclass(frozen=True)
class Split:
    """Disjoint int64 indices of a data set."""

    train: torch.Tensor
    calibration: torch.Tensor
    test: torch.Tensor


OnStep = Callable[[int, float], None]
"""Called after a step with the pictures seen so far and the loss."""


def split(n: int, held_out: float, seed: int) -> Split:
    """A random split of `n` pictures that is the same for the same seed."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    size = max(1, round(n * held_out))
    return Split(order[2 * size :], order[:size], order[size : 2 * size])


def train_classifier(
    data: LabeledImages,
    settings: ClassifierSettings,
    *,
    attributes: list[str] | None = None,
    device: torch.device | str = "cpu",
    on_step: OnStep = lambda seen, loss: None,
) -> Trained:
    """Train on one part of `data`, calibrate on the second, test on the third.

    Args:
        data: labeled pictures; labels are 0 or 1.
        settings: network and schedule.
        attributes: the label columns to learn; None for all.
        device: where to train.
        on_step: progress.

    Raises:
        UserError: when the data has no labels, too few pictures, or no such attribute.
    """
    columns = label_columns(data, attributes)
    parts = split(len(data), settings.held_out, settings.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        names = [data.label_names[i] for i in columns]
        classifier = CalibratedClassifier(
            settings.network, names, resolution=data.resolution, image_channels=data.channels
        )
    classifier.to(device)
    _fit(classifier, data, parts.train, columns, settings, on_step)
    classifier.eval().requires_grad_(False)
    fitted = platt(predict_logits(classifier, data, parts.calibration), labels_of(data, parts.calibration, columns))
    classifier.scale.copy_(fitted.scale)
    classifier.shift.copy_(fitted.shift)
    return Trained(classifier, evaluate_classifier(classifier, data, parts, columns))


def label_columns(data: LabeledImages, attributes: list[str] | None) -> list[int]:
    """The columns of the wanted attributes.

    Raises:
        UserError: as `train_classifier`.
    """
    if data.label_dim == 0:
        raise UserError(f"{data.source} has no labels; a classifier needs attribute labels (CSV, CelebA, avatars)")
    if len(data) < MIN_IMAGES:
        raise UserError(f"{data.source} has {counted(len(data), 'picture')}; a classifier needs at least {MIN_IMAGES}")
    unknown = sorted(set(attributes or []) - set(data.label_names))
    if unknown:
        raise UserError(
            f"no attribute {', '.join(unknown)} in {data.source}{did_you_mean(unknown[0], data.label_names, 'it has')}"
        )
    return [data.label_names.index(name) for name in (attributes or data.label_names)]


def labels_of(data: LabeledImages, indices: torch.Tensor, columns: list[int]) -> torch.Tensor:
    """Labels [N, A] of some pictures as 0 or 1; CelebA's -1 counts as 0."""
    return (data.labels(indices)[:, columns] > 0.5).float()


def _fit(
    classifier: CalibratedClassifier,
    data: LabeledImages,
    indices: torch.Tensor,
    columns: list[int],
    settings: ClassifierSettings,
    on_step: OnStep,
) -> None:
    optimizer = torch.optim.Adam(classifier.network.parameters(), lr=settings.lr)
    steps = max(1, settings.images // settings.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps) if settings.decay else None
    rng = torch.Generator().manual_seed(settings.seed)
    device = classifier.scale.device
    classifier.train()
    for step in range(steps):
        chosen = indices[torch.randint(len(indices), (settings.batch,), generator=rng)]
        images = to_float(data.images(chosen)).to(device)
        if settings.mirror:
            flip = torch.rand(len(images), generator=rng).to(device) < 0.5
            images = torch.where(flip[:, None, None, None], images.flip(3), images)
        labels = labels_of(data, chosen, columns).to(device)
        loss = nn.functional.binary_cross_entropy_with_logits(classifier.logits(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
        on_step((step + 1) * settings.batch, loss.item())


@torch.no_grad()
def predict_logits(classifier: CalibratedClassifier, data: LabeledImages, indices: torch.Tensor) -> torch.Tensor:
    """Uncalibrated logits [N, A] on the CPU."""
    device = classifier.scale.device
    return torch.cat([classifier.logits(to_float(data.images(i)).to(device)).cpu() for i in indices.split(64)])


def evaluate_classifier(
    classifier: CalibratedClassifier, data: LabeledImages, parts: Split, columns: list[int]
) -> ClassifierReport:
    """Test the calibrated probabilities on the test split.

    Args:
        classifier: calibrated, on its device.
        data: pictures with labels.
        parts: which pictures are in which split.
        columns: of the data's labels, one for each attribute of the classifier.
    """
    logits = predict_logits(classifier, data, parts.test)
    probability = torch.sigmoid(logits * classifier.scale.cpu() + classifier.shift.cpu())
    labels = labels_of(data, parts.test, columns)
    reports = [report_attribute(name, probability[:, i], labels[:, i]) for i, name in enumerate(classifier.attributes)]
    return ClassifierReport(reports, len(parts.train), len(parts.calibration), len(parts.test))


def report_attribute(name: str, probability: torch.Tensor, labels: torch.Tensor) -> AttributeReport:
    """The report of one attribute from its probabilities [N] and labels [N]."""
    frequency = labels.mean().item()
    return AttributeReport(
        name=name,
        frequency=frequency,
        auc=auc(probability, labels),
        accuracy=((probability > 0.5) == (labels > 0.5)).float().mean().item(),
        majority=max(frequency, 1 - frequency),
        calibration_error=expected_calibration_error(probability, labels),
    )
