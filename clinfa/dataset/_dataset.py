"""Dataset: records, targets, weights and names, carried together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from clinfa.arrays import is_sparse
from clinfa.dataset import _files
from clinfa.dataset._measures import Measures
from clinfa.dataset._parts import Cuts
from clinfa.dataset._select import columns, is_frame
from clinfa.dataset._summaries import Summaries
from clinfa.dataset.pr import Pr

__all__ = ["Dataset"]

_FIELDS = ("records", "targets", "weights", "feature_names", "target_names", "class_names")


class Dataset(Cuts, Summaries, Measures):
    """Records with their targets, weights and names.

    Goes in wherever an estimator takes ``X, y``; then a Dataset comes out of `predict` (with the predictions
    as targets) and of `transform` (with the results as records). Whatever is made from a Dataset keeps the
    weights and names of what it keeps, and shares memory where it can.

    Parameters
    ----------
    records : array-like, dataframe or sparse matrix of shape (n_samples, n_features)
    targets : array-like of shape (n_samples,) or (n_samples, n_targets), optional
        Ints, strs and bools are labels, `Pr` are probabilities, other floats are values.
    weights : array-like of shape (n_samples,), optional
        How often each record counts.
    feature_names : sequence of str, optional
        Taken from the columns of a dataframe where not given.
    target_names : sequence of str, optional
        One for each column of the targets.
    class_names : sequence of str, optional
        What the labels 0, 1, ... stand for.

    Attributes
    ----------
    records, targets, weights, feature_names, target_names, class_names
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

    def __init__(
        self,
        records: Any,
        targets: Any = None,
        weights: Any = None,
        feature_names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
    ):
        if isinstance(records, Dataset):
            raise TypeError("records must be an array, a dataframe or a sparse matrix, got a Dataset.")
        self.records = _array_like(records)
        if len(getattr(self.records, "shape", ())) != 2:
            raise ValueError(f"records must have two dimensions, got shape {np.shape(records)}.")
        self.targets = None if targets is None else _array_like(targets)
        self.weights = None if weights is None else np.asarray(weights)
        if feature_names is None and hasattr(records, "columns"):
            names = records.column_names if hasattr(records, "column_names") else records.columns
            feature_names = [str(name) for name in names]
        self.feature_names = _names("feature_names", feature_names, self.n_features)
        self.target_names = _names("target_names", target_names, self.n_targets or None)
        self.class_names = class_names
        for name, value in (("targets", self.targets), ("weights", self.weights)):
            shape = np.shape(value)
            fits = len(shape) in ((1,) if name == "weights" else (1, 2)) and shape[0] == self.n_samples
            if value is not None and not fits:
                raise ValueError(
                    f"{name} must have one entry for each of the {self.n_samples} records, got shape {shape}."
                )

    # From tables

    @classmethod
    def from_frame(
        cls, frame: Any, target: str | Sequence[str] | None = None, weights: str | None = None
    ) -> Dataset:
        """From a dataframe (pandas, polars or pyarrow), some of whose columns are no records.

        Parameters
        ----------
        frame : dataframe
        target : str or sequence of str, optional
            The column, or columns, of the targets.
        weights : str, optional
            The column of the weights.

        Raises
        ------
        ValueError
            If there is no such column.

        Examples
        --------
        >>> import pandas as pd
        >>> from clinfa import Dataset
        >>> frame = pd.DataFrame({"height": [1.8, 1.6], "weight": [80.0, 55.0], "sex": ["m", "f"]})
        >>> Dataset.from_frame(frame, target="sex").feature_names
        ['height', 'weight']
        """
        if not is_frame(frame):
            raise ValueError(f"frame must be a dataframe, got a {type(frame).__name__}.")
        names = list(frame.column_names if hasattr(frame, "column_names") else frame.columns)
        single = not isinstance(target, list | tuple)
        asked = [] if target is None else [target] if single else list(target)
        for role, name in [("target", t) for t in asked] + ([("weights", weights)] if weights else []):
            if name not in names:
                raise ValueError(f"{role}={name!r}: there is no such column, only {names}.")
        kept = np.array([i for i, name in enumerate(names) if name not in [*asked, weights]], int)
        return cls(
            columns(frame, kept),
            None if not asked else _column(frame, asked[0]) if single else _frame_values(frame, asked),
            None if weights is None else _column(frame, weights),
            target_names=[str(name) for name in asked] or None,
        )

    @classmethod
    def from_csv(
        cls,
        path: str | Path,
        target: str | int | Sequence[str] | None = None,
        weights: str | None = None,
        features: Sequence[str] | None = None,
        *,
        delimiter: str | None = None,
        header: bool | None = None,
    ) -> Dataset:
        """From a text file with one record a line; it may be compressed by gzip.

        An empty field is NaN. A target column may be text; whole numbers in it are labels.

        Parameters
        ----------
        path : str or Path
        target : str, int or sequence of str, optional
            The column, or columns, of the targets, by name or number.
        weights : str, optional
            The column of the weights.
        features : sequence of str, optional
            The columns of the records; all others by default.
        delimiter : str, optional
            What stands between fields; by default whichever of ``,`` ``;`` tab and ``|`` the first line has
            most of.
        header : bool, optional
            Whether the first line holds names; by default it does unless all of its fields are numbers.

        Raises
        ------
        FileNotFoundError, IsADirectoryError
            If there is no such file.
        ValueError
            If it cannot be read, has no such column, or a column of the records holds text.
        """
        table = _files.read_csv(path, delimiter, header)
        return cls(**_files.pick(table, path, target, weights, features))

    @classmethod
    def from_parquet(
        cls,
        path: str | Path,
        target: str | int | Sequence[str] | None = None,
        weights: str | None = None,
        features: Sequence[str] | None = None,
    ) -> Dataset:
        """From a Parquet file, by way of pyarrow.

        Parameters
        ----------
        path, target, weights, features
            As for `from_csv`.

        Raises
        ------
        ImportError
            Without pyarrow.
        FileNotFoundError, IsADirectoryError, ValueError
            As `from_csv`.
        """
        return cls(**_files.pick(_files.read_parquet(path, None), path, target, weights, features))

    # What it holds

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

    @property
    def target_kind(self) -> str | None:
        """What the targets are, by their type: "probability", "float" or "label"; None without targets."""
        if self.targets is None:
            return None
        if isinstance(self.targets, Pr):
            return "probability"
        return "float" if np.asarray(self.targets).dtype.kind == "f" else "label"

    def weight_for(self, at: int) -> float:
        """The weight of a record; 1 without weights."""
        return 1.0 if self.weights is None else float(self.weights[at])

    # The same with something else

    @property
    def _column_names(self) -> list[str] | None:
        """The names of the targets' columns, whatever a subclass calls `target_names`."""
        return self.target_names

    def _with(self, **changes: Any) -> Dataset:
        fields = {name: getattr(self, name) for name in _FIELDS} | {"target_names": self._column_names}
        return Dataset(**fields | changes)

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

    def with_targets(
        self,
        targets: Any,
        target_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
    ) -> Dataset:
        """The same with other targets; records, weights and feature names stay.

        Parameters
        ----------
        targets : array-like of shape (n_samples,) or (n_samples, any)
        target_names : sequence of str, optional
            By default those of the old targets where the number of columns is the same.
        class_names : sequence of str, optional
            By default none: other targets may have other classes.
        """
        if target_names is None and targets is not None:
            shape = np.shape(targets)
            same = len(shape) > 0 and (shape[1] if len(shape) > 1 else 1) == self.n_targets
            target_names = self._column_names if same else None
        return self._with(targets=targets, target_names=target_names, class_names=class_names)

    def with_weights(self, weights: Any) -> Dataset:
        """The same with other weights (None for none)."""
        return self._with(weights=weights)

    def with_feature_names(self, names: Sequence[str] | None) -> Dataset:
        """The same with other names of the features."""
        return self._with(feature_names=names)

    def with_target_names(self, names: Sequence[str] | None) -> Dataset:
        """The same with other names of the targets."""
        return self._with(target_names=names)

    def map_targets(self, function: Callable[[Any], Any] | Mapping[Any, Any]) -> Dataset:
        """The same with every target replaced by what a function or a mapping makes of it.

        Parameters
        ----------
        function : callable or mapping
            Called once for each different target, with a Python value.

        Raises
        ------
        KeyError
            If a mapping lacks a target.

        Examples
        --------
        >>> from clinfa.datasets import load_iris
        >>> load_iris().map_targets(lambda label: label == 1).label_frequencies()
        {False: 100.0, True: 50.0}
        """
        targets = self._targets()
        look_up = function if callable(function) else function.__getitem__
        try:
            different, at = np.unique(targets, return_inverse=True)
        except TypeError as error:  # None among strings
            raise ValueError(f"Targets of several types cannot be told apart: {error}.") from error
        mapped = np.array([look_up(value) for value in different.tolist()])
        if len(different) == 0:
            mapped = different
        return self.with_targets(mapped[at].reshape(targets.shape))

    def into_single_target(self) -> Dataset:
        """The same with targets of shape (n_samples,) where they are (n_samples, 1).

        Raises
        ------
        ValueError
            If there is not exactly one target.
        """
        if self.n_targets != 1:
            raise ValueError(f"There must be one target, got {self.n_targets}.")
        return self._with(targets=self._targets().reshape(-1))

    def copy(self) -> Dataset:
        """The same in memory of its own."""
        return self.take(np.arange(self.n_samples))

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
    if isinstance(value, np.ndarray) or is_sparse(value) or is_frame(value):
        return value
    return value if hasattr(value, "to_numpy") and hasattr(value, "shape") else np.asarray(value)


def _column(frame: Any, name: str) -> Any:
    column = frame[name]
    return column if hasattr(column, "shape") else column.to_numpy()


def _frame_values(frame: Any, names: list[str]) -> np.ndarray:
    return np.column_stack([np.asarray(_column(frame, name)) for name in names])


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
