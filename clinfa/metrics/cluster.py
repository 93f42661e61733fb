"""scikit-learn's `sklearn.metrics.cluster`: all scores of clusterings, and the tables they are made from."""

from __future__ import annotations

from clinfa.metrics import _clustering
from clinfa.metrics._clustering import *  # noqa: F403
from clinfa.metrics._contingency import contingency_matrix, pair_confusion_matrix

__all__ = [*_clustering.__all__, "contingency_matrix", "pair_confusion_matrix"]
