"""Measures of how good predictions and clusterings are: objects, and scikit-learn's functions."""

from clinfa.metrics._areas import average_precision_score, roc_auc_score
from clinfa.metrics._curves import (
    auc,
    confusion_matrix_at_thresholds,
    det_curve,
    metric_at_thresholds,
    precision_recall_curve,
    roc_curve,
)
from clinfa.metrics._probabilistic import (
    brier_score_loss,
    d2_brier_score,
    d2_log_loss_score,
    hinge_loss,
    log_loss,
)
from clinfa.metrics.roc import Roc

__all__ = [
    "Roc",
    "auc",
    "average_precision_score",
    "brier_score_loss",
    "confusion_matrix_at_thresholds",
    "d2_brier_score",
    "d2_log_loss_score",
    "det_curve",
    "hinge_loss",
    "log_loss",
    "metric_at_thresholds",
    "precision_recall_curve",
    "roc_auc_score",
    "roc_curve",
]
