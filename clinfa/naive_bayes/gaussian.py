"""Gaussian naive Bayes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from clinfa._core import naive_bayes
from clinfa.arrays import Table, is_dataset, read_weights
from clinfa.kinds import ProbabilisticClassifier
from clinfa.naive_bayes._moments import Moments
from clinfa.params import between, fitted, none, param, shown, vector
from clinfa.targets import Labels, read_labels, read_labels_together

__all__ = ["GaussianFit", "GaussianNB"]

# Bounds in units of a column's frame, wide enough to concern nobody, so that no square overflows: how far
# from the middle a value is told from one farther off, and what a variance may be.
_REACH = 2.0**100
_LEAST_VARIANCE, _MOST_VARIANCE = 2.0**-800, 2.0**900
_LANES = 16  # rows that the kernels work on side by side


@dataclass(frozen=True, slots=True)
class GaussianFit:
    """What fitting found."""

    class_count: np.ndarray  # (k,)
    class_prior: np.ndarray  # (k,)
    theta: np.ndarray  # (k, d)
    var: np.ndarray  # (k, d)
    epsilon: float
    _moments: Moments
    _panel: np.ndarray  # (k, d, 2)  1 / sigma and mu / sigma, in the frame
    _level: np.ndarray  # (k,)       log of the prior and of the density at its peak


class GaussianNB(ProbabilisticClassifier):
    """Gaussian naive Bayes: within a class, the columns are independent and normal.

    Means and variances of each class are gathered in one pass over the data, and from pieces that arrive one
    by one [1]_.

    Parameters
    ----------
    priors : array-like of shape (n_classes,), optional
        Prior probabilities of the classes; their share of the weight by default.
    var_smoothing : float, default 1e-9
        This share of the largest variance of all columns is added to every variance.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    class_count_ : ndarray of shape (n_classes,)
        The weight of the records of each class.
    class_prior_ : ndarray of shape (n_classes,)
    theta_ : ndarray of shape (n_classes, n_features)
        The means.
    var_ : ndarray of shape (n_classes, n_features)
        The variances, smoothed.
    epsilon_ : float
        What was added to the variances.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    Notes
    -----
    Computation is in double precision, with a shift and a scale for each column: data far off the origin, or
    of any size, lose nothing. `epsilon_` is the share of the variance of all that was seen, by weight; so
    learning in pieces gives what learning at once gives, and a record of weight 2 is two records.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub and R. J. LeVeque, Algorithms for computing the sample variance, The
       American Statistician 37, 1983.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.naive_bayes import GaussianNB
    >>> iris = load_iris()
    >>> model = GaussianNB().fit(iris)
    >>> round(model.score(iris), 2)
    0.96
    >>> model.predict_proba([[5.0, 3.4, 1.5, 0.2]]).round(3)
    array([[1., 0., 0.]])
    """

    priors: Any = param(None, vector("n_classes") | none())
    var_smoothing: float = param(1e-9, between(0))

    classes_: np.ndarray = fitted()
    class_count_: np.ndarray = fitted()
    class_prior_: np.ndarray = fitted()
    theta_: np.ndarray = fitted()
    var_: np.ndarray = fitted()
    epsilon_: float = fitted()

    def _fit(self, table: Table, labels: Labels, weights: np.ndarray) -> GaussianFit:
        moments = Moments.of(table, labels.codes, labels.n_classes, weights)
        return self._from_moments(moments, table.dtype)

    def partial_fit(self, X: Any, y: Any = None, classes: Any = None, sample_weight: Any = None) -> Self:
        """Learn from one batch, going on from what is known already.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)
            The batch.
        y : array-like of shape (n_samples,)
            Its labels.
        classes : array-like of shape (n_classes,), optional
            All labels that may ever come; needed in the first call.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed, or do not match the batches before.
        """
        self._check_params()
        owner = type(self).__name__
        first = not self.__sklearn_is_fitted__()
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        known = None if classes is None else read_labels(classes, owner, "classes").classes
        if first:
            table, weights = self._read_fit(X, sample_weight)
        else:
            if known is not None and not np.array_equal(known, self.classes_):
                raise ValueError(
                    f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                    f"{self.classes_!r}"
                )
            known = self.classes_
            table = self._read_new(X)
            sample_weight = X.weights if is_dataset(X) and sample_weight is None else sample_weight
            weights = read_weights(sample_weight, table.n, owner)
            table = Table(table.X, self.__dict__.get("feature_names_in_"), table.column_range)
        y = self._read_targets(X, y, table)
        _, (codes,) = read_labels_together({"y": y}, owner, known)
        if (codes < 0).any():
            raise ValueError(
                f"The target label(s) {np.unique(y[codes < 0])} in y do not exist in the initial classes "
                f"{known}"
            )
        if first:
            result = self._from_moments(Moments.of(table, codes, len(known), weights), table.dtype)
        else:
            seen = self._moments
            frame = seen.frame.covering(table.column_range)
            more = Moments.of(table, codes, len(known), weights, frame)
            result = self._from_moments(seen.joined(more), self.theta_.dtype)
        return self._publish(result, table, classes_=known)

    def _from_moments(self, moments: Moments, dtype: np.dtype) -> GaussianFit:
        """The model that moments make."""
        frame, mass = moments.frame, moments.mass
        share = mass / mass.sum() if self.priors is None else _checked_priors(self.priors, len(mass))
        smoothing, own, overall = float(self.var_smoothing), moments.variance, moments.overall_variance
        # Deviations are in range where their squares are not.
        widest = np.ldexp(np.sqrt(overall), frame.exponent).argmax()
        apart = frame.exponent[widest] - frame.exponent
        seen = (mass > 0)[:, None]
        with np.errstate(over="ignore", under="ignore", divide="ignore"):
            extra = np.ldexp(smoothing * overall[widest], 2 * apart)
            variance = np.minimum(np.maximum(own + extra, _LEAST_VARIANCE), _MOST_VARIANCE)
            epsilon = np.ldexp(smoothing * overall[widest], 2 * frame.exponent[widest])
            mean = moments.mean
            if not seen.all():  # what was not seen is said to lie at the origin, as in scikit-learn
                origin = np.clip(np.ldexp(-frame.shift, -frame.exponent), -_REACH, _REACH)
                mean = np.where(seen, mean, origin)
            sharpness = 1 / np.sqrt(variance)
            log_sigma = np.log(variance) / 2 + frame.exponent * np.log(2)
            level = np.log(share) - (log_sigma + np.log(2 * np.pi) / 2).sum(axis=1)
            return GaussianFit(
                np.ldexp(mass, moments.unit).astype(dtype),
                share.astype(dtype),
                np.where(seen, frame.shift + np.ldexp(moments.mean, frame.exponent), 0.0).astype(dtype),
                (np.ldexp(own, 2 * frame.exponent) + epsilon).astype(dtype),
                float(epsilon),
                moments,
                np.stack([sharpness, mean * sharpness], axis=-1),
                level,
            )

    # Predicting

    def _codes(self, table: Table) -> np.ndarray:
        out = np.empty(table.n, np.int64)
        self._run(naive_bayes.most_likely, table, 1.0, out)
        return out

    def _proba(self, table: Table) -> np.ndarray:
        return self._posteriors(table, 2)

    def _log_proba(self, table: Table) -> np.ndarray:
        return self._posteriors(table, 1)

    def predict_joint_log_proba(self, X: Any) -> Any:
        """The logarithm of prior times density of each class, for each record.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)

        Returns
        -------
        logarithms : ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`. A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        out = self._posteriors(self._read_new(X), 0)
        return X.with_targets(out, self._class_names()) if is_dataset(X) else out

    def _posteriors(self, table: Table, what: int) -> np.ndarray:
        out = np.empty((table.n, len(self._level)), table.dtype)
        self._run(naive_bayes.posteriors, table, 6.0, out, what)
        return out

    def _run(self, kernel: Any, table: Table, class_ns: float, out: np.ndarray, *how: int) -> None:
        frame, panel, level = self._moments.frame, self._panel, self._level
        k, d = len(level), table.d
        cut = table.stripes((0.15 * k + 1.0) * d + class_ns * k + 2)
        scratch, scale = np.empty((cut.width(), (d + k) * _LANES)), frame.scale
        cut.run(
            lambda cursor, limit, slot: kernel(
                table.X, frame.shift, scale, _REACH, panel, level, *how, cut.bounds, cursor, limit,
                scratch[slot], out,
            )
        )  # fmt: skip


def _checked_priors(priors: Any, k: int) -> np.ndarray:
    try:
        values = np.asarray(priors, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"priors must be numbers, got {shown(priors)}.") from error
    if values.shape != (k,):
        raise ValueError(
            f"Number of priors must match number of classes. Got priors of shape {values.shape} for {k} "
            f"classes."
        )
    if not np.isclose(values.sum(), 1.0):
        raise ValueError(f"The sum of the priors should be 1. Got {values.sum()}.")
    if (values < 0).any():
        raise ValueError(f"Priors must be non-negative. Got priors={shown(priors)}.")
    return values
