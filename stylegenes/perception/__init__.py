"""Frozen judges: feature extractors, perceptual distances, attribute classifiers."""

from stylegenes.perception.base import DISTANCES, EXTRACTORS, AttributeClassifier, FeatureExtractor, PerceptualDistance
from stylegenes.perception.distances import PerceptualLite0
from stylegenes.perception.lite0 import Lite0Features, Lite0Trunk

__all__ = [
    "DISTANCES",
    "EXTRACTORS",
    "AttributeClassifier",
    "FeatureExtractor",
    "Lite0Features",
    "Lite0Trunk",
    "PerceptualDistance",
    "PerceptualLite0",
]
