"""A model, and a second one for what the first leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from clinfa.arrays import is_dataset
from clinfa.params import Rule, between, param
from clinfa.recipes import Recipe, answer, fit_copy, unfitted_copy
from clinfa.targets import read_values

__all__ = ["ResidualChain", "ResidualChainModel"]


def _recipe() -> Rule:
    return Rule("an estimator or a recipe", lambda v: hasattr(v, "fit") and not isinstance(v, type))


class ResidualChain(Recipe):
    """Fits a regressor, then another to the residuals of the first.

    What is predicted is ``base + nu * corrector``. Chains can be parts of chains; with many weak correctors
    that is boosting by least squares [1]_.

    Parameters
    ----------
    base : estimator or recipe
        Fitted to the targets: a regressor of clinfa or scikit-learn, or a chain.
    corrector : estimator or recipe
        Fitted to what `base` leaves.
    nu : float, default 1.0
        How much of the correction is applied, in (0, 1].

    References
    ----------
    .. [1] J. H. Friedman, Greedy function approximation: a gradient boosting machine, Annals of Statistics
       29, 2001.

    Examples
    --------
    >>> from clinfa.composing import ResidualChain
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 7.0]
    >>> chain = ResidualChain(LinearRegression(), DecisionTreeRegressor(random_state=0))
    >>> chain.fit(X, y).predict(X).round(6)
    array([0., 1., 2., 7.])
    """

    base: Any = param(None, _recipe(), positional=True)
    corrector: Any = param(None, _recipe(), positional=True)
    nu: float = param(1.0, between(0, 1, closed="right"))

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> ResidualChainModel:
        """A model of copies of both parts; this recipe and they stay as they are.

        Parameters
        ----------
        X : array-like or Dataset of shape (n_samples, n_features)
            A Dataset's targets and weights are used unless others are given.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        ResidualChainModel

        Raises
        ------
        InvalidParameterError
            If a parameter is not allowed.
        ValueError, TypeError
            If y are no numbers, or a part refuses the data.
        """
        self.check()
        parts = [unfitted_copy(self.base), unfitted_copy(self.corrector)]
        if is_dataset(X) and y is None:
            y = X.targets
        truth = read_values(y, "ResidualChain")
        base = fit_copy(parts[0], X, y, sample_weight)
        said = answer(base, "predict", X)
        if said.size != truth.size:
            raise ValueError(f"The base predicts {said.shape} for targets of shape {truth.shape}.")
        residuals = truth - said.reshape(truth.shape)
        return ResidualChainModel(base, fit_copy(parts[1], X, residuals, sample_weight), float(self.nu))


@dataclass(frozen=True)
class ResidualChainModel:
    """A fitted `ResidualChain`.

    Parameters
    ----------
    base, corrector : fitted models
    nu : float
        How much of the correction is applied.

    Examples
    --------
    >>> from clinfa.composing import ResidualChainModel
    >>> from sklearn.dummy import DummyRegressor
    >>> X = [[0.0], [1.0]]
    >>> parts = [DummyRegressor(strategy="constant", constant=c).fit(X, X) for c in (5.0, 2.0)]
    >>> ResidualChainModel(*parts, nu=0.5).predict(X)
    array([6., 6.])
    """

    _takes_datasets: ClassVar[bool] = True

    base: Any
    corrector: Any
    nu: float

    def predict(self, X: Any) -> Any:
        """What `base` predicts, corrected.

        Parameters
        ----------
        X : array-like or Dataset of shape (n_samples, n_features)

        Returns
        -------
        values : ndarray
            A Dataset with those targets where X is one.
        """
        first = answer(self.base, "predict", X)
        out = first + self.nu * np.reshape(answer(self.corrector, "predict", X), first.shape)
        return X.with_targets(out) if is_dataset(X) else out
