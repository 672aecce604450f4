"""Which attributes a classifier cannot tell, by its own test; and the one warning about them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache

from stylegenes.perception.base import AttributeClassifier

POOR_AUC = 0.7
"""Below this area under the ROC curve (0.5: chance, 1: always right) an attribute is not told well enough."""

logger = logging.getLogger(__name__)


def doubts(classifier: AttributeClassifier, names: Iterable[str]) -> list[str]:
    """The attributes among `names` that its test found it to tell badly, or could not test, each with the reason.

    A classifier without a record of a test (a scorer of the user's own) gives no reason to doubt.
    """
    found = []
    for name in dict.fromkeys(names):
        auc = classifier.tested.get(name, 1.0)
        if auc is None:
            found.append(f"{name} (never tested: the test pictures all had it or all had not)")
        elif not auc >= POOR_AUC:
            found.append(f"{name} (AUC {auc:.2f})")
    return found


def warn_of_doubts(classifier: AttributeClassifier, names: Iterable[str]) -> None:
    """Log a warning for the attributes that work is about to rely on and should not; once in a process for the same."""
    if found := doubts(classifier, names):
        _warn(classifier.name, classifier.weights_hash, ", ".join(found))


@cache
def _warn(classifier: str, weights_hash: str, attributes: str) -> None:
    logger.warning(
        "%s tells some attributes little better than chance (AUC 0.5), by its own test: %s. What is asked of them may "
        "not be what comes; more or better labels give a better classifier (stylegenes classifier)",
        classifier,
        attributes,
    )
