"""Metrics: numbers about generators, each with a record of how it was obtained."""

from stylegenes.metrics import papers_network as _papers_network  # noqa: F401  (registers the papers' classifier)
from stylegenes.metrics.budget import Evaluate, budget
from stylegenes.metrics.classifier_files import (
    check_place,
    find_classifier,
    holds_classifier,
    load_classifier,
    save_classifier,
    shipped_classifiers,
)
from stylegenes.metrics.classifier_training import (
    ClassifierSettings,
    paper_settings,
    quick_settings,
    train_classifier,
)
from stylegenes.metrics.evaluation import Evaluator, Subject
from stylegenes.metrics.record import MetricRecord, append_record, compare, read_records

__all__ = [
    "ClassifierSettings",
    "Evaluate",
    "Evaluator",
    "MetricRecord",
    "Subject",
    "append_record",
    "budget",
    "check_place",
    "compare",
    "find_classifier",
    "holds_classifier",
    "load_classifier",
    "paper_settings",
    "quick_settings",
    "read_records",
    "save_classifier",
    "shipped_classifiers",
    "train_classifier",
]
