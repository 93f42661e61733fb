"""Stages: regressors of one kind, each fitted to what those before it leave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa.arrays import is_dataset
from clinfa.ensemble._named import Whole, estimator_rule, seeded, tree, weights_or_none
from clinfa.kinds import Regressor, one_column
from clinfa.params import at_least, between, fitted, none, param, seed, verbosity
from clinfa.recipes import Recipe, answer, fit_copy, kind_of_model, takes, unfitted_copy
from clinfa.reports import reporter
from clinfa.rng import generator

__all__ = ["StagewiseRegressor"]


@dataclass(frozen=True)
class Result:
    estimators: list[Any]
    base: Any
    train_score: list[float]


class StagewiseRegressor(Whole, Regressor):
    """Regressors fitted one after another, each to the residuals that those before it leave.

    With many weak ones that is boosting by least squares. `clinfa.composing.ResidualChain` joins two models
    of any kinds; this is for many of one kind.

    Parameters
    ----------
    estimator : estimator, optional
        A regressor of clinfa or scikit-learn, or a recipe; by default a decision tree of depth 3.
    n_estimators : int, default 100
        How many stages.
    learning_rate : float, default 0.1
        How much of each prediction counts, in (0, 1]: the smaller, the more stages are needed, and the better
        they usually predict.
    base : estimator, optional
        What the first residuals are left by: a regressor or recipe; by default the mean of the targets.
    random_state : int, RandomState or Generator, optional
        For the regressors that draw.
    verbose : int, default 0
        Whether to report each stage.

    Attributes
    ----------
    estimators_ : list of fitted regressors
    base_ : fitted regressor, float or ndarray
        What stands before the first stage.
    train_score_ : list of float
        The mean squared error on the training records after each stage.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records have names.

    References
    ----------
    J. H. Friedman (2001). Greedy function approximation: a gradient boosting machine. Annals of Statistics
    29(5), 1189-1232.

    Examples
    --------
    >>> from clinfa.datasets import load_diabetes
    >>> from clinfa.ensemble import StagewiseRegressor
    >>> from clinfa.neighbors import KNeighborsRegressor
    >>> stages = StagewiseRegressor(KNeighborsRegressor(30), 20).fit(load_diabetes())
    >>> stages.train_score_[0] > stages.train_score_[-1]
    True
    """

    estimator: Any = param(None, estimator_rule() | none(), positional=True)
    n_estimators: int = param(100, at_least(1), positional=True)
    learning_rate: float = param(0.1, between(0, 1, closed="right"))
    base: Any = param(None, estimator_rule() | none())
    random_state: Any = param(None, seed())
    verbose: int = param(0, verbosity())

    estimators_: list[Any] = fitted()
    base_: Any = fitted()
    train_score_: list[float] = fitted()

    def _read_targets(self, X: Any, y: Any, table: Any) -> np.ndarray:
        given = super()._read_targets(X, y, table)
        return given if given.ndim == 2 and given.shape[1] > 1 else one_column(given, y)

    def _stage(self) -> Any:
        return tree("DecisionTreeRegressor", max_depth=3) if self.estimator is None else self.estimator

    def _takes(self) -> tuple[bool, bool]:
        return takes(self._stage()) or (False, False)

    def _fit(self, raw: Any, y: np.ndarray, weights: np.ndarray) -> Result:
        stage, w = self._stage(), weights_or_none(weights)
        for name, part in (("estimator", stage), ("base", self.base)):
            if part is not None and kind_of_model(part) != "regressor" and not isinstance(part, Recipe):
                raise ValueError(
                    f"The {name!r} parameter of StagewiseRegressor must be a regressor, got {part}."
                )
        shares = None if w is None else w / w.max()
        source, report = generator(self.random_state), reporter(self.verbose)
        start = int(source.random() * 2.0**53)
        if self.base is None:
            base = np.average(y, axis=0, weights=shares)
            told = np.broadcast_to(base, y.shape).astype(np.float64)
            base = base.astype(y.dtype) if y.ndim > 1 else float(base)
        else:
            base = fit_copy(self.base, raw.X, y, w)
            told = self._one(base, raw.X, y.shape).astype(np.float64)
        models, errors = [], []
        for at in range(int(self.n_estimators)):
            left = (y - told).astype(y.dtype, copy=False)
            model = fit_copy(seeded(unfitted_copy(stage), (start, at)), raw.X, left, w)
            told += float(self.learning_rate) * self._one(model, raw.X, y.shape)
            models.append(model)
            errors.append(float(np.average((y - told) ** 2, axis=0, weights=shares).mean()))
            report("stage %d of %d: mean squared error %g", at + 1, self.n_estimators, errors[-1])
        return Result(models, base, errors)

    @staticmethod
    def _one(model: Any, X: Any, shape: tuple[int, ...]) -> np.ndarray:
        """What one model predicts, in the shape of the targets."""
        out = answer(model, "predict", X)
        if out.size != np.prod(shape):
            raise ValueError(f"{type(model).__name__} predicts {out.shape} for targets of shape {shape}.")
        return out.reshape(shape)

    def _stages(self, raw: Any) -> Iterator[tuple[np.ndarray, np.dtype]]:
        """The sum after each stage, in one array that the next stage changes, and the type that it is of."""
        first = answer(self.estimators_[0], "predict", raw.X)
        if hasattr(self.base_, "predict"):
            told = self._one(self.base_, raw.X, first.shape).astype(np.float64)
        else:
            told = np.broadcast_to(self.base_, first.shape).astype(np.float64)
        dtype = np.result_type(first, np.float32)
        for at, model in enumerate(self.estimators_):
            told += float(self.learning_rate) * (self._one(model, raw.X, first.shape) if at else first)
            yield told, dtype

    def _values(self, raw: Any) -> np.ndarray:
        for told, dtype in self._stages(raw):
            last = told, dtype
        return last[0].astype(last[1], copy=False)

    def staged_predict(self, X: Any) -> Iterator[Any]:
        """What is predicted after each stage.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Yields
        ------
        values : ndarray of shape (n_samples,) or (n_samples, n_targets)
            A Dataset with those targets where X is one.
        """
        for told, dtype in self._stages(self._read_new(X)):
            out = told.astype(dtype)
            yield X.with_targets(out) if is_dataset(X) else out
