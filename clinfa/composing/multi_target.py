"""One model for each column of the targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from clinfa.arrays import is_dataset
from clinfa.composing._parts import common_width
from clinfa.recipes import answer, check_fitted

__all__ = ["MultiTargetModel"]


class MultiTargetModel:
    """Predicts several targets, each by a model of its own.

    Parameters
    ----------
    models : iterable of fitted models
        Of clinfa or scikit-learn, of any kinds; column j of what is predicted is what model j predicts.
    target_names : sequence of str, optional
        One for each model.

    Attributes
    ----------
    models : tuple
    target_names : list of str or None

    Raises
    ------
    ValueError
        If there are no models, they expect different numbers of columns, or the names are not as many.
    TypeError
        If a model cannot predict.
    NotFittedError
        If a model was not fitted.

    Examples
    --------
    >>> from clinfa.composing import MultiTargetModel
    >>> from clinfa.naive_bayes import GaussianNB
    >>> X = [[0.0], [1.0], [10.0], [11.0]]
    >>> fits = [GaussianNB().fit(X, y) for y in (["low", "low", "high", "high"], ["a", "a", "b", "b"])]
    >>> MultiTargetModel(fits, ["level", "letter"]).predict([[10.5]])
    array([['high', 'b']], dtype='<U4')
    """

    _takes_datasets: ClassVar[bool] = True

    def __init__(self, models: Iterable[Any], target_names: Sequence[str] | None = None):
        self.models = tuple(models)
        if not self.models:
            raise ValueError("models is empty: there must be a model for each target.")
        for j, model in enumerate(self.models):
            check_fitted(model, f"Model {j}")
        width = common_width(self.models, "a MultiTargetModel")
        if width is not None:
            self.n_features_in_ = width
        if target_names is not None and len(target_names) != len(self.models):
            raise ValueError(f"target_names has {len(target_names)} names for {len(self.models)} models.")
        self.target_names = None if target_names is None else list(target_names)

    def predict(self, X: Any) -> Any:
        """What each model predicts for each record.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        targets : ndarray of shape (n_samples, n_models)
            Of a type that holds all of them: objects where some are strings and others are not. A Dataset
            with those targets where X is one.

        Raises
        ------
        ValueError
            If a model predicts several targets itself.
        """
        columns = [answer(model, "predict", X) for model in self.models]
        for j, column in enumerate(columns):
            if column.ndim > 1 and column.shape[1:] != (1,):
                raise ValueError(
                    f"Model {j} must predict one target, but its predictions are {column.shape}."
                )
        texts = {column.dtype.kind in "UO" for column in columns}
        dtype = np.dtype(object) if len(texts) > 1 else np.result_type(*columns)
        out = np.empty((len(columns[0]), len(columns)), dtype)
        for j, column in enumerate(columns):
            out[:, j] = column.ravel()
        if not is_dataset(X):
            return out
        return X.with_targets(out, self.target_names)

    def __repr__(self) -> str:
        names = self.target_names or range(len(self.models))
        each = ", ".join(f"{n}: {type(m).__name__}" for n, m in zip(names, self.models, strict=True))
        return f"MultiTargetModel({each})"
