"""Platt scaling: probabilities from scores."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from clinfa.arrays import is_dataset, read_weights
from clinfa.blas import matmul
from clinfa.composing._parts import score_method, scores
from clinfa.dataset import Pr
from clinfa.errors import ConvergenceWarning, twin
from clinfa.params import at_least, between, param, positive
from clinfa.recipes import Recipe, check_fitted
from clinfa.targets import Labels, check_lengths, read_labels, read_values

__all__ = ["Platt", "PlattModel"]

_ORDER = ("decision_function", "predict_proba", "predict")
_GRADIENT = 1e-5  # of the loss, where it is taken for zero


class Platt(Recipe):
    """Turns the scores of a model of two classes into probabilities, by a logistic curve.

    The probability of the second class at score f is ``1 / (1 + exp(a * f + b))``; a and b minimise the
    cross-entropy [1]_ by Newton's method with a line search [2]_.

    Parameters
    ----------
    max_iter : int, default 100
        Most iterations.
    min_step : float, default 1e-10
        The shortest share of a Newton step that the line search tries.
    sigma : float, default 1e-12
        Added to the diagonal of the Hessian.

    References
    ----------
    .. [1] J. Platt, Probabilistic outputs for support vector machines, in: Advances in Large Margin
       Classifiers, MIT Press 1999.
    .. [2] H.-T. Lin, C.-J. Lin and R. C. Weng, A note on Platt's probabilistic outputs for support vector
       machines, Machine Learning 68, 2007.

    Examples
    --------
    >>> from clinfa.composing import Platt
    >>> model = Platt().fit([-2.0, -1.0, 1.0, 2.0], [False, False, True, True])
    >>> model.predict_proba([-2.0, 0.0, 2.0]).round(2)
    array([[0.79, 0.21],
           [0.5 , 0.5 ],
           [0.21, 0.79]])
    """

    max_iter: int = param(100, at_least(1))
    min_step: float = param(1e-10, positive())
    sigma: float = param(1e-12, between(0))

    def fit(self, scores: Any, y: Any, sample_weight: Any = None) -> PlattModel:
        """The curve for some scores and what they should have said.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
        y : array-like of shape (n_samples,)
            Labels of two classes; the second in order is that of high scores.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        PlattModel

        Raises
        ------
        InvalidParameterError
            If a parameter is not allowed.
        ValueError, TypeError
            If the data are not allowed, or there are not two classes.
        """
        self.check()
        return self._fit(None, _one_column(scores), y, sample_weight)

    def fit_with(self, model: Any, X: Any, y: Any = None, sample_weight: Any = None) -> PlattModel:
        """A model of two classes with its scores made probabilities.

        Parameters
        ----------
        model : fitted model
            Its `decision_function` is calibrated, else its `predict_proba`, else the floats that it predicts.
        X : array-like or Dataset of shape (n_samples, n_features)
            Records, best such as the model was not fitted on. A Dataset's targets and weights are used unless
            others are given.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        PlattModel

        Raises
        ------
        InvalidParameterError
            If a parameter is not allowed.
        ValueError, TypeError
            If the data are not allowed, there are not two classes, or the model gives no scores.
        NotFittedError
            If the model was not fitted.
        """
        self.check()
        check_fitted(model, "model")
        if is_dataset(X):
            y = X if y is None else y
            sample_weight = X.weights if sample_weight is None else sample_weight
        return self._fit(model, _scores_of(model, X), y, sample_weight)

    def _fit(self, model: Any, f: np.ndarray, y: Any, sample_weight: Any) -> PlattModel:
        labels = read_labels(y, "Platt")
        if labels.n_classes != 2:
            raise ValueError(f"Platt needs labels of two classes, got {labels.n_classes} class(es).")
        check_lengths(f, labels.codes)
        weights = read_weights(sample_weight, len(f), "Platt")
        a, b = self._minimise(f, labels, weights if len(weights) else np.ones(len(f)))
        return PlattModel(a, b, labels.classes, model)

    def _minimise(self, f: np.ndarray, labels: Labels, w: np.ndarray) -> tuple[float, float]:
        # Scores of any size: these lie within [-1, 1], and the slope takes the power of two back.
        exponent = int(np.frexp(np.abs(f).max())[1])
        f = np.ldexp(f, -exponent)
        above = labels.codes == 1
        many, few = float(w[above].sum()), float(w[~above].sum())
        target = np.where(above, (many + 1) / (many + 2), 1 / (few + 2))
        a, b = 0.0, float(np.log((few + 1) / (many + 1)))
        loss = _loss(a * f + b, target, w)
        for _ in range(int(self.max_iter)):
            p = _probability(a * f + b)
            slope = w * (target - p)
            gradient = np.array([matmul(f, slope), slope.sum()])
            if (np.abs(gradient) < _GRADIENT).all():
                break
            curve = w * p * (1 - p)
            h11, h12 = matmul(f * f, curve) + self.sigma, matmul(f, curve)
            h22 = curve.sum() + self.sigma
            det = h11 * h22 - h12 * h12
            step = -np.array([h22 * gradient[0] - h12 * gradient[1], h11 * gradient[1] - h12 * gradient[0]])
            step /= det
            descent, share = float(matmul(gradient, step)), 1.0
            while share >= self.min_step:
                tried = _loss((a + share * step[0]) * f + (b + share * step[1]), target, w)
                if tried < loss + 1e-4 * share * descent:
                    break
                share /= 2
            else:
                self._warn("The line search of Platt found no step that helps", gradient)
                break
            a, b, loss = a + share * float(step[0]), b + share * float(step[1]), tried
        else:
            self._warn(f"Platt did not converge in max_iter={self.max_iter} iterations", gradient)
        return float(np.ldexp(a, -exponent)), b

    def _warn(self, what: str, gradient: np.ndarray) -> None:
        warnings.warn(
            f"{what}: the gradient is {np.abs(gradient).max():.1e}, to be below {_GRADIENT:g}.",
            twin(ConvergenceWarning),
            stacklevel=5,
        )


def _loss(z: np.ndarray, target: np.ndarray, w: np.ndarray) -> float:
    """Weighted cross-entropy of 1 / (1 + exp(z)), without overflow."""
    return float(matmul(w, np.log1p(np.exp(-np.abs(z))) + np.where(z >= 0, target, target - 1) * z))


def _probability(z: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, e, 1.0) / (1 + e)


def _one_column(values: Any) -> np.ndarray:
    values = read_values(values, "Platt", "scores")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or not len(values):
        raise ValueError(f"scores must be one number for each record, got shape {values.shape}.")
    return values.astype(np.float64)


def _scores_of(model: Any, X: Any) -> np.ndarray:
    return _one_column(scores(model, score_method(model, _ORDER, "model"), X, "model"))


@dataclass(frozen=True, eq=False)
class PlattModel:
    """A fitted `Platt`: a logistic curve over scores, or over the model that gives them.

    Parameters
    ----------
    a, b : float
        The probability of the second class at score f is ``1 / (1 + exp(a * f + b))``.
    classes_ : ndarray of shape (2,)
    model : fitted model or None
        Gives the scores; without it, scores are what is passed in place of records.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.composing import PlattModel
    >>> PlattModel(-1.0, 0.0, np.array([False, True])).predict_proba([0.0])
    array([[0.5, 0.5]])
    """

    _takes_datasets: ClassVar[bool] = True

    a: float
    b: float
    classes_: np.ndarray
    model: Any = None

    def predict_proba(self, X: Any) -> Any:
        """The probabilities of both classes.

        Parameters
        ----------
        X : array-like or Dataset of shape (n_samples, n_features), or scores of shape (n_samples,)
            Records for `model`, or scores if there is none.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, 2)
            A Dataset whose targets are these, as `clinfa.Pr`, where X is one.
        """
        if self.model is None:
            f = _one_column(X.records if is_dataset(X) else X)
        else:
            f = _scores_of(self.model, X)
        with np.errstate(over="ignore"):
            z = self.a * f + self.b
        out = np.stack([_probability(-z), _probability(z)], axis=1)
        if is_dataset(X):
            return X.with_targets(Pr(out), [str(label) for label in self.classes_])
        return out

    def predict(self, X: Any) -> Any:
        """The more likely class; the first where both are.

        Parameters
        ----------
        X
            As for `predict_proba`.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            A Dataset with those targets where X is one.
        """
        out = self.predict_proba(X)
        P = np.asarray(out.targets if is_dataset(out) else out)
        labels = self.classes_[P.argmax(axis=1)]
        return X.with_targets(labels, class_names=X.class_names) if is_dataset(X) else labels
