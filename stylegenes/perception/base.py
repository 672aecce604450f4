"""The contract of frozen networks: feature extractors, perceptual distances, attribute classifiers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import nn

from stylegenes.registry import Registry


class FeatureExtractor(nn.Module, ABC):
    """A frozen network that describes pictures by numbers. It resizes its input itself.

    Attributes:
        name: how results are named after it (`lite0` gives `fd_lite0`).
        weights_hash: sha256 of the weights, part of every record made with it.
        feature_dim: length of the pooled feature vector.
        input_size: height and width in pixels that its input is resized to, or None for any.
        preprocessing: what is done to a picture before the network sees it, in words; part of every record.
        distance: name of the perceptual distance that goes with it, a key of DISTANCES.
    """

    name: str
    weights_hash: str
    feature_dim: int
    input_size: int | None
    preprocessing: str
    distance: str = "perceptual_lite0"

    @abstractmethod
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Pooled features [N, feature_dim] of pictures [N, C, H, W] in [-1, 1]; `to_rgb` says what is seen of C."""

    def metric_name(self, metric: str) -> str:
        """What a result is called: `fd` by `lite0` is `fd_lite0`. Only published networks take published names."""
        return f"{metric}_{self.name}"


class AttributeClassifier(nn.Module, ABC):
    """Calibrated probabilities of binary attributes.

    Attributes:
        name: what records call it.
        weights_hash: sha256 of the weights.
        attributes: the attribute names, in the order of the output's columns.
        resolution: of the pictures it was trained on, a number for squares, else `384x256`; it resizes others itself.
        tested: area under the ROC curve of each attribute on pictures kept apart, None where they were all alike;
            empty where no test is on record.
    """

    name: str
    weights_hash: str
    attributes: list[str]
    resolution: int | str
    tested: Mapping[str, float | None] = MappingProxyType({})

    @abstractmethod
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Probabilities [N, A] in [0, 1] of pictures [N, C, H, W] in [-1, 1]."""


class AttributeNetwork(nn.Module, ABC):
    """A network that an attribute classifier trains. Its constructor takes the counts and sizes as keywords.

    Constructor keywords that all of them take: num_attributes, resolution, image_channels.
    """

    @abstractmethod
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits [N, num_attributes] of pictures [N, image_channels, resolution, resolution] in [-1, 1]."""


class PerceptualDistance(nn.Module, ABC):
    """A distance between pictures in the feature maps of a frozen network.

    Attributes:
        name: `lpips` only where LPIPS's own network and heads are used, else `perceptual_<network>`.
        weights_hash: sha256 of the weights.
    """

    name: str
    weights_hash: str

    @abstractmethod
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Distance [N] between pictures a and b, both [N, C, H, W] in [-1, 1]; differentiable in both."""

    def metric_name(self, metric: str) -> str:
        """What a result is called: `ppl` by `perceptual_lite0` is `ppl_lite0`."""
        return f"{metric}_{self.name.removeprefix('perceptual_')}"


EXTRACTORS: Registry[FeatureExtractor] = Registry("feature extractor")
DISTANCES: Registry[PerceptualDistance] = Registry("perceptual distance")
ATTRIBUTE_NETWORKS: Registry[AttributeNetwork] = Registry("attribute network")
