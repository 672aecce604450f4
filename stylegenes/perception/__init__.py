"""Frozen judges with a declared input range and size."""

from stylegenes.perception.base import AttributeClassifier, FeatureExtractor, PerceptualDistance

__all__ = ["AttributeClassifier", "FeatureExtractor", "PerceptualDistance"]
