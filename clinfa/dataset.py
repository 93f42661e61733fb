"""Dataset: records, targets, weights and names, carried together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from clinfa.arrays import is_sparse

__all__ = ["Dataset"]


class Dataset:
    """Records with their targets, weights and names.

    Goes in wherever an estimator takes ``X, y``; then a Dataset comes out of `predict` (with the predictions
    as targets) and of `transform` (with the results as records).

    Parameters
    ----------
    records : array-like, dataframe or sparse matrix of shape (n_samples, n_features)
    targets : array-like of shape (n_samples,) or (n_samples, n_targets), optional
    weights : array-like of shape (n_samples,), optional
    feature_names : sequence of str, optional
        Taken from the columns of a dataframe where not given.
    target_names : sequence of str, optional
        One for each column of the targets.

    Attributes
    ----------
    records, targets, weights, feature_names, target_names
        As given; arrays where lists were.

    Raises
    ------
    ValueError
        If lengths do not match.

    Examples
    --------
    >>> from clinfa import Dataset
    >>> ds = Dataset([[1.0, 2.0], [3.0, 4.0]], targets=[0, 1], feature_names=["a", "b"])
    >>> ds
    Dataset(2 samples, 2 features, 1 target)
    >>> records, targets = ds
    >>> targets
    array([0, 1])
    """

    _is_clinfa_dataset: ClassVar[bool] = True
    __slots__ = ("__dict__", "feature_names", "records", "target_names", "targets", "weights")

    def __init__(
        self,
        records: Any,
        targets: Any = None,
        weights: Any = None,
        feature_names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
    ):
        if isinstance(records, Dataset):
            raise TypeError("records must be an array, a dataframe or a sparse matrix, got a Dataset.")
        self.records = _array_like(records)
        if len(getattr(self.records, "shape", ())) != 2:
            raise ValueError(f"records must have two dimensions, got shape {np.shape(records)}.")
        self.targets = None if targets is None else _array_like(targets)
        self.weights = None if weights is None else np.asarray(weights)
        if feature_names is None and hasattr(records, "columns"):
            feature_names = [str(name) for name in records.columns]
        self.feature_names = _names("feature_names", feature_names, self.n_features)
        self.target_names = _names("target_names", target_names, self.n_targets or None)
        for name, value in (("targets", self.targets), ("weights", self.weights)):
            shape = np.shape(value)
            fits = len(shape) in ((1,) if name == "weights" else (1, 2)) and shape[0] == self.n_samples
            if value is not None and not fits:
                raise ValueError(
                    f"{name} must have one entry for each of the {self.n_samples} records, got shape {shape}."
                )

    @property
    def n_samples(self) -> int:
        return self.records.shape[0]

    @property
    def n_features(self) -> int:
        return self.records.shape[1]

    @property
    def n_targets(self) -> int:
        """Columns of the targets; 0 without targets."""
        if self.targets is None:
            return 0
        shape = np.shape(self.targets)
        return shape[1] if len(shape) > 1 else 1

    def _with(self, **changes: Any) -> Dataset:
        fields = ("records", "targets", "weights", "feature_names", "target_names")
        return Dataset(**{name: getattr(self, name) for name in fields} | changes)

    def with_records(self, records: Any, feature_names: Sequence[str] | None = None) -> Dataset:
        """The same with other records; weights, targets and target names stay.

        Parameters
        ----------
        records : array-like of shape (n_samples, any)
        feature_names : sequence of str, optional
            By default those of the old records where the number of columns is the same.
        """
        if feature_names is None and not hasattr(records, "columns"):
            same = np.ndim(records) == 2 and np.shape(records)[1] == self.n_features
            feature_names = self.feature_names if same else None
        return self._with(records=records, feature_names=feature_names)

    def with_targets(self, targets: Any, target_names: Sequence[str] | None = None) -> Dataset:
        """The same with other targets; records, weights and feature names stay.

        Parameters
        ----------
        targets : array-like of shape (n_samples,) or (n_samples, any)
        target_names : sequence of str, optional
        """
        return self._with(targets=targets, target_names=target_names)

    def with_weights(self, weights: Any) -> Dataset:
        """The same with other weights (None for none)."""
        return self._with(weights=weights)

    def __iter__(self) -> Any:
        """``records, targets = dataset``."""
        return iter((self.records, self.targets))

    def __len__(self) -> int:
        return self.n_samples

    def __repr__(self) -> str:
        parts = [_count(self.n_samples, "sample"), _count(self.n_features, "feature")]
        if self.targets is not None:
            parts.append(_count(self.n_targets, "target"))
        if self.weights is not None:
            parts.append("weighted")
        return f"{type(self).__name__}({', '.join(parts)})"


def _array_like(value: Any) -> Any:
    """Arrays, dataframes and sparse matrices as they are; anything else as an array."""
    if isinstance(value, np.ndarray) or is_sparse(value) or hasattr(value, "columns"):
        return value
    return value if hasattr(value, "to_numpy") and hasattr(value, "shape") else np.asarray(value)


def _names(which: str, names: Sequence[str] | None, count: int | None) -> list[str] | None:
    if names is None:
        return None
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{which} must be a sequence of strings, got {names!r}.")
    if len(names) != count:
        raise ValueError(f"{which} has {len(names)} names for {count or 0} columns.")
    return list(names)


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
