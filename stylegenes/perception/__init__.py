"""Frozen networks: feature extractors, perceptual distances, attribute classifiers."""

from stylegenes.perception.base import (
    ATTRIBUTE_NETWORKS,
    DISTANCES,
    EXTRACTORS,
    AttributeClassifier,
    AttributeNetwork,
    FeatureExtractor,
    PerceptualDistance,
)
from stylegenes.perception.classifiers import CalibratedClassifier, MultiHead
from stylegenes.perception.distances import PerceptualLite0, PerceptualSqueezeNet, PerceptualVGG16, reported_distance
from stylegenes.perception.inception import InceptionFeatures
from stylegenes.perception.lite0 import Lite0Features, Lite0Trunk
from stylegenes.perception.lpips import LPIPS
from stylegenes.perception.scorers import ModuleScorer, Scoring, TableScorer, exported_scorer, onnx_scorer, scorer_of
from stylegenes.perception.squeezenet import SqueezeNetFeatures

__all__ = [
    "ATTRIBUTE_NETWORKS",
    "DISTANCES",
    "EXTRACTORS",
    "LPIPS",
    "AttributeClassifier",
    "AttributeNetwork",
    "CalibratedClassifier",
    "FeatureExtractor",
    "InceptionFeatures",
    "Lite0Features",
    "Lite0Trunk",
    "ModuleScorer",
    "MultiHead",
    "PerceptualDistance",
    "PerceptualLite0",
    "reported_distance",
    "PerceptualSqueezeNet",
    "PerceptualVGG16",
    "Scoring",
    "SqueezeNetFeatures",
    "TableScorer",
    "exported_scorer",
    "onnx_scorer",
    "scorer_of",
]
