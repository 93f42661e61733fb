"""A Dataset that also answers to the names which scikit-learn's users write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from clinfa.dataset import Dataset

_BUNCH = ("data", "target", "frame", "feature_names", "target_names", "DESCR")


class ShippedDataset(Dataset):
    """A :class:`clinfa.Dataset` with the names of scikit-learn's bunches.

    Whatever takes a ``Dataset`` takes it. On top, ``data``, ``target``, ``frame``,
    ``feature_names``, ``target_names``, ``DESCR`` and the entries of `extras` can be read as
    attributes and as items.

    Parameters
    ----------
    records : ndarray of shape (n_samples, n_features)
        The features.
    targets : ndarray of shape (n_samples,) or (n_samples, n_targets), default=None
        What is to be predicted.
    weights : ndarray of shape (n_samples,), default=None
        One weight per sample.
    feature_names : sequence of str, default=None
        One name per feature.
    target_names : sequence of str, default=None
        One name per target column.
    class_names : array-like of shape (n_classes,), default=None
        One name per class, for a table that is for classification. Then `target_names` reads as
        these, which is what scikit-learn's loaders mean by it.
    description : str, default=""
        What the table holds and where it comes from; read as ``DESCR``.
    frame : DataFrame, default=None
        Records and targets side by side. Then `data` and `target` are its columns.
    extras : mapping of str to object, default=None
        Further entries.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> iris = load_iris()
    >>> iris.data is iris.records, iris["target"] is iris.targets
    (True, True)
    >>> print(iris.class_names)
    ['setosa' 'versicolor' 'virginica']
    """

    def __init__(
        self,
        records: Any,
        targets: Any = None,
        weights: Any = None,
        feature_names: Any = None,
        target_names: Any = None,
        *,
        class_names: Any = None,
        description: str = "",
        frame: Any = None,
        extras: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(records, targets, weights, feature_names, target_names, class_names)
        self._names_of_columns = self.target_names
        if class_names is not None:
            self.target_names = class_names
        if isinstance(feature_names, np.ndarray):  # kept, because scikit-learn's users index it
            self.feature_names = feature_names
        self._description = description
        self._extras = dict(extras or {})
        self._frame, self._data, self._target = frame, None, None
        if frame is not None:
            self._data = frame[list(feature_names)]
            rest = frame.drop(columns=list(feature_names))
            self._target = rest.iloc[:, 0] if rest.shape[1] == 1 else rest

    @property
    def data(self) -> Any:
        """The features: ``records``, or a data frame if the loader was asked for one."""
        return self.records if self._frame is None else self._data

    @property
    def target(self) -> Any:
        """The targets: ``targets``, or pandas' columns if the loader was asked for a frame."""
        return self.targets if self._frame is None else self._target

    @property
    def frame(self) -> Any:
        """Features and targets side by side; None unless the loader was asked for a frame."""
        return self._frame

    @property
    def DESCR(self) -> str:
        """What the table holds and where it comes from."""
        return self._description

    def keys(self) -> list[str]:
        """Names of all entries that can be read as items."""
        present = [name for name in _BUNCH if name == "frame" or getattr(self, name) is not None]
        return present + list(self._extras)

    def __contains__(self, key: object) -> bool:
        return key in self.keys()

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        return getattr(self, key)

    def __getattr__(self, name: str) -> Any:
        # called only for names that are not found otherwise; `_extras` itself is missing while
        # an object is being unpickled
        extras = vars(self).get("_extras", {})
        if name in extras:
            return extras[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def _column_names(self) -> list[str] | None:
        return self._names_of_columns
