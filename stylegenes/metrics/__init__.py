"""Metrics: numbers about generators, each with a record of how it was obtained."""

from stylegenes.metrics import papers_network as _papers_network  # noqa: F401  (registers the papers' classifier)
from stylegenes.metrics.classifier_files import load_classifier, save_classifier
from stylegenes.metrics.classifier_training import (
    ClassifierSettings,
    paper_settings,
    quick_settings,
    train_classifier,
)

__all__ = [
    "ClassifierSettings",
    "load_classifier",
    "paper_settings",
    "quick_settings",
    "save_classifier",
    "train_classifier",
]
