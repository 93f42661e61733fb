"""How good predictions are, asked of the dataset that holds them: `prediction.r2(truth)`.

The receiver is the prediction and the argument the truth. The arithmetic is `clinfa.metrics`'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import clinfa  # (its sub-modules are loaded when they are first used)
from clinfa.arrays import is_dataset

if TYPE_CHECKING:
    from clinfa.metrics import ConfusionMatrix, Roc

__all__ = ["Measures"]


class Measures:
    """The measures of a `Dataset`; the truth's weights count, or else the prediction's."""

    records: Any
    targets: Any
    weights: Any

    def _with_truth(self, truth: Any) -> tuple[Any, Any, Any]:
        """Truth, prediction and weights as the functions of `clinfa.metrics` take them."""
        if self.targets is None:
            raise ValueError("This dataset has no targets to compare with the truth.")
        weights = self.weights
        if is_dataset(truth):
            if truth.targets is None:
                raise ValueError("The truth is a Dataset without targets.")
            weights = truth.weights if truth.weights is not None else weights
            truth = truth.targets
        return truth, self.targets, weights

    def confusion_matrix(self, truth: Any, labels: Any = None) -> ConfusionMatrix:
        """How often each label was predicted for each true one: see `clinfa.metrics.ConfusionMatrix`.

        Parameters
        ----------
        truth : Dataset or array-like of shape (n_samples,)
        labels : array-like, optional
            Which labels, in which order; by default all that occur.
        """
        true, said, weights = self._with_truth(truth)
        return clinfa.metrics.ConfusionMatrix(true, said, labels=labels, weights=weights)

    def roc(self, truth: Any, positive: Any = None) -> Roc:
        """The receiver operating characteristic of predicted scores: see `clinfa.metrics.Roc`.

        Parameters
        ----------
        truth : Dataset or array-like of shape (n_samples,)
            Labels.
        positive : label, optional
            The label that high scores stand for: by default the greater one of two.
        """
        true, said, weights = self._with_truth(truth)
        return clinfa.metrics.Roc(true, said, positive=positive, weights=weights)

    def log_loss(self, truth: Any) -> float:
        """Mean of minus the logarithm of the probability that was given to the true label."""
        true, said, weights = self._with_truth(truth)
        return clinfa.metrics.log_loss(true, said, sample_weight=weights)

    def brier_score(self, truth: Any) -> float:
        """Mean squared difference between probabilities and what came true."""
        true, said, weights = self._with_truth(truth)
        return clinfa.metrics.brier_score_loss(true, said, sample_weight=weights)

    def _error(self, function: Any, truth: Any, weighted: bool = True) -> Any:
        """A number for one target, an array for several."""
        true, said, weights = self._with_truth(truth)
        how: dict[str, Any] = {"sample_weight": weights} if weighted else {}
        if np.ndim(said) < 2:
            return function(true, said, **how)
        return function(true, said, multioutput="raw_values", **how)

    def max_error(self, truth: Any) -> Any:
        """The greatest absolute error."""
        true, said, _ = self._with_truth(truth)
        if np.ndim(said) < 2:
            return clinfa.metrics.max_error(true, said)
        true, said = np.asarray(true), np.asarray(said)
        return np.array([clinfa.metrics.max_error(true[:, j], said[:, j]) for j in range(said.shape[1])])

    def mean_absolute_error(self, truth: Any) -> Any:
        """Mean of the absolute errors."""
        return self._error(clinfa.metrics.mean_absolute_error, truth)

    def mean_squared_error(self, truth: Any) -> Any:
        """Mean of the squared errors."""
        return self._error(clinfa.metrics.mean_squared_error, truth)

    def root_mean_squared_error(self, truth: Any) -> Any:
        """Square root of the mean squared error."""
        return self._error(clinfa.metrics.root_mean_squared_error, truth)

    def mean_squared_log_error(self, truth: Any) -> Any:
        """Mean squared difference of log(1 + y)."""
        return self._error(clinfa.metrics.mean_squared_log_error, truth)

    def median_absolute_error(self, truth: Any) -> Any:
        """Median of the absolute errors."""
        return self._error(clinfa.metrics.median_absolute_error, truth)

    def mean_absolute_percentage_error(self, truth: Any) -> Any:
        """Mean of the absolute errors, each as a share of the true value."""
        return self._error(clinfa.metrics.mean_absolute_percentage_error, truth)

    def smape(self, truth: Any) -> Any:
        """Symmetric mean absolute percentage error, from 0 to 200."""
        return self._error(clinfa.metrics.symmetric_mean_absolute_percentage_error, truth)

    def r2(self, truth: Any) -> Any:
        """Coefficient of determination."""
        return self._error(clinfa.metrics.r2_score, truth)

    def explained_variance(self, truth: Any) -> Any:
        """Share of the truth's variance that the prediction explains."""
        return self._error(clinfa.metrics.explained_variance_score, truth)

    def silhouette_score(self, **how: Any) -> float:
        """How well the targets, as clusters, separate the records: see `clinfa.metrics.silhouette_score`."""
        return clinfa.metrics.silhouette_score(self.records, self.targets, **how)
