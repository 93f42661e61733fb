"""What ensembles of named models share: the list of them, and records that each model reads for itself."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from clinfa.arrays import Table, column_names, is_dataset, is_sparse, read_weights
from clinfa.base import Estimator, Params
from clinfa.bunch import Bunch
from clinfa.kinds import Transformer
from clinfa.names import categories_of
from clinfa.params import Rule, param, shown
from clinfa.recipes import Recipe, kind_of_model, takes

__all__ = [
    "Named",
    "Raw",
    "Whole",
    "align",
    "estimator_rule",
    "fit_on",
    "read_raw",
    "seeded",
    "tree",
    "weights_or_none",
]


@dataclass(frozen=True)
class Raw:
    """Records as they were passed: pipelines inside may want text, categories, names of columns."""

    X: Any
    n: int
    d: int | None
    names: np.ndarray | None

    @property
    def size(self) -> int:
        """About how many values."""
        return self.n * (self.d or 1)


def read_raw(X: Any) -> Raw:
    """Count records; all else is left to who reads them.

    Raises
    ------
    ValueError, TypeError
        If X is nothing that has rows.
    """
    records, names = X, None
    if is_dataset(X):
        records = X.records
        names = None if X.feature_names is None else np.asarray(X.feature_names, object)
    elif type(X) is not np.ndarray:
        names = column_names(X)
        if isinstance(X, np.ndarray) and not np.ma.is_masked(X):
            X = records = X.view(np.ndarray)
        elif not (is_sparse(X) or hasattr(X, "shape")):
            X = records = _as_array(X)
    shape = getattr(records, "shape", None)
    if not shape:
        raise ValueError(f"Expected 2D array for X, got {shown(X)} instead.")
    if not shape[0]:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={tuple(shape)}) while a minimum of 1 is required."
        )
    return Raw(X, int(shape[0]), int(shape[1]) if len(shape) > 1 else None, names)


def _as_array(X: Any) -> Any:
    """Lists, and whoever can make an array of itself, read once for all."""
    array = np.asarray(X)
    if not array.ndim:
        raise ValueError(f"Expected 2D array for X, got {shown(X)} instead.")
    return array


def align(P: np.ndarray, known: Any, k: int, fill: float = 0.0) -> np.ndarray:
    """Columns of a model that may not have met all of k classes, at their places among all of them.

    Parameters
    ----------
    P : ndarray of shape (n, n_known)
    known : array-like of shape (n_known,)
        Numbers of the classes that it has met.
    k : int
    fill : float
        What it says of the others.
    """
    known = np.asarray(known).astype(np.int64)
    if P.shape[1] == k or len(known) != P.shape[1]:
        return P
    out = np.full((len(P), k), fill, P.dtype)
    out[:, known] = P
    return out


def _list() -> Rule:
    return Rule("a list of (str, estimator) tuples", lambda v: isinstance(v, list | tuple))


class Whole(Estimator):
    """Hands records on as they were passed: the models inside read them."""

    def _read_fit(self, X: Any, sample_weight: Any) -> tuple[Any, np.ndarray]:
        raw = read_raw(X)
        sample_weight = X.weights if is_dataset(X) and sample_weight is None else sample_weight
        return raw, read_weights(sample_weight, raw.n, type(self).__name__)

    def _read_new(self, X: Any) -> Any:
        self._check_fitted()
        return read_raw(X)

    def _publish(self, result: Any, table: Table | Raw, **more: Any) -> Self:
        super()._publish(result, table, **more)
        if table.d is None:  # documents, say, which have no columns
            del self.__dict__["n_features_in_"]
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return "estimators_" in self.__dict__


class Named(Whole, Transformer):
    """Models in a list of (name, model), of which each may be left out by the word "drop"."""

    _part_kinds: ClassVar[tuple[str, ...]] = ()  # what the models must be, where it matters

    estimators: Any = param(None, _list(), positional=True)

    @property
    def named_estimators(self) -> Bunch:
        """The models as they were given, by name."""
        return Bunch(self.estimators)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name; with `deep`, the models by theirs, and their parameters as ``name__inner``."""
        out = super().get_params(deep=False)
        if not deep:
            return out
        for name, value in [*out.items(), *_pairs(self.estimators)]:
            if name not in out:
                out[name] = value
            if hasattr(value, "get_params") and not isinstance(value, type):
                out |= {f"{name}__{k}": v for k, v in value.get_params().items()}
        return out

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name, models by theirs; ``name__inner`` reaches into them.

        Raises
        ------
        ValueError
            If a name is neither.
        """
        if "estimators" in params:
            self.estimators = params.pop("estimators")
        pairs = _pairs(self.estimators)
        names = [name for name, _ in pairs]
        changed = {name: params.pop(name) for name in list(params) if name in names}
        if changed:
            self.estimators = pairs = [(name, changed.get(name, value)) for name, value in pairs]
        inner: dict[str, dict[str, Any]] = {}
        for name in list(params):
            own, nested, rest = name.partition("__")
            if nested and own in names:
                inner.setdefault(own, {})[rest] = params.pop(name)
        super().set_params(**params)
        for own, settings in inner.items():
            value = dict(pairs)[own]
            if not hasattr(value, "set_params"):
                raise ValueError(
                    f"Invalid parameter {own + '__' + next(iter(settings))!r} for estimator {self}: "
                    f"{own!r} is {shown(value)}, which has no parameters."
                )
            value.set_params(**settings)
        return self

    def _parts(self) -> list[tuple[str, Any]]:
        """The models that were not dropped, with their names; all checked."""
        given = self.estimators
        if not given or len(_pairs(given)) < len(given):
            raise ValueError(
                "Invalid 'estimators' attribute, 'estimators' should be a non-empty list of (string, "
                f"estimator) tuples. Got {shown(given)}."
            )
        names = [name for name, _ in given]
        if len(set(names)) < len(names):
            raise ValueError(f"Names provided are not unique: {names!r} in 'estimators'.")
        if taken := sorted(set(names) & set(self._rules)):
            raise ValueError(f"Estimator names conflict with constructor arguments: {taken!r}")
        if wrong := [name for name in names if "__" in name]:
            raise ValueError(f"Estimator names must not contain __: got {wrong!r}")
        parts = [(name, part) for name, part in given if not _dropped(part)]
        if not parts:
            raise ValueError("All estimators are dropped. At least one is required to be an estimator.")
        for name, part in parts:
            self._check_part(name, part)
        return parts

    def _check_part(self, name: str, part: Any) -> None:
        if isinstance(part, type) or not hasattr(part, "fit"):
            raise ValueError(f"{name!r} in 'estimators' must be an estimator or a recipe, got {shown(part)}.")
        kind = kind_of_model(part)
        if self._part_kinds and kind not in self._part_kinds and not isinstance(part, Recipe):
            wanted = " or a ".join(self._part_kinds)
            raise ValueError(f"The estimator {type(part).__name__} should be a {wanted} ({name!r}).")

    def _all_named(self, fitted: Sequence[Any]) -> Bunch:
        """Fitted models by name, and "drop" where there is none."""
        models = iter(fitted)
        return Bunch({name: "drop" if _dropped(part) else next(models) for name, part in self.estimators})

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Fit, and return what `transform` makes of the same records.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        ndarray
            What `transform` returns.
        """
        return self.fit(X, y, sample_weight=sample_weight).transform(X)

    def _check_names_in(self, input_features: Any) -> np.ndarray:
        """Names of the columns that came in, checked against those of `fit`."""
        self._check_fitted()
        known = self.__dict__.get("feature_names_in_")
        d = self.__dict__.get("n_features_in_", 0)
        if input_features is None:
            return np.array([f"x{i}" for i in range(d)], object) if known is None else known
        given = np.asarray(input_features, dtype=object)
        if known is not None and not np.array_equal(known, given):
            raise ValueError("input_features is not equal to feature_names_in_")
        if len(given) != d:
            raise ValueError(
                f"input_features should have length equal to number of features ({d}), got {len(given)}"
            )
        return given

    def _takes(self) -> tuple[bool, bool]:
        each = [takes(part) or (False, False) for _, part in _pairs(self.estimators) if not _dropped(part)]
        return bool(each) and all(one for one, _ in each), bool(each) and all(two for _, two in each)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


def _dropped(part: Any) -> bool:
    return isinstance(part, str) and part == "drop"


def _pairs(given: Any) -> list[tuple[str, Any]]:
    """Those of a list that are a name and something."""
    if not isinstance(given, list | tuple):
        return []
    return [
        (item[0], item[1])
        for item in given
        if isinstance(item, list | tuple) and len(item) == 2 and isinstance(item[0], str)
    ]


def weights_or_none(weights: np.ndarray) -> np.ndarray | None:
    """What `fit` is told: nothing where there are no weights."""
    return weights if len(weights) else None


def is_estimator(value: Any) -> bool:
    """Whether it can be fitted and then predicts: an instance or a recipe, no class."""
    return not isinstance(value, type) and (
        isinstance(value, Params | Recipe) or (hasattr(value, "fit") and hasattr(value, "get_params"))
    )


def estimator_rule() -> Rule:
    return Rule("an estimator or a recipe", is_estimator)


def fit_on(model: Any, X: Any, y: np.ndarray, **how: Any) -> Any:
    """What `fit` leads to: a new model of a recipe; of others itself, whatever their `fit` returns."""
    out = model.fit(X, y, **how)
    return out if isinstance(model, Recipe) else model


def seeded(model: Any, own: int | tuple[int, int]) -> Any:
    """The model with `own` for its seed, and seeds that follow from it for models inside it."""
    if isinstance(model, Recipe):
        return model
    names = [name for name in sorted(model.get_params()) if name.rpartition("__")[2] == "random_state"]
    if names:
        more = np.random.Generator(np.random.PCG64(own)).integers(2**31 - 1, size=len(names))
        model.set_params(**{name: int(value) for name, value in zip(names, more, strict=True)})
    return model


def with_columns(model: Any, table: Table, which: np.ndarray | None = None) -> Any:
    """The model with `categorical_features` as a mask of what it gets: these columns, without names.

    Raises
    ------
    ValueError
        If there are no such columns, or if their types were to tell which they are.
    """
    given = None if isinstance(model, Recipe) else getattr(model, "categorical_features", None)
    if given is None:
        return model
    if isinstance(given, str):
        if isinstance(model, Estimator):
            raise ValueError(
                f"categorical_features={given!r} is not possible for the models of an ensemble, which do not "
                "see the dataframe: give the columns as a mask, numbers or names."
            )
        return model
    mask = categories_of(given, [] if table.names is None else list(table.names), table.d)
    mask = mask if which is None else mask[which]
    return model.set_params(categorical_features=mask if mask.any() else None)


def tree(name: str, **how: Any) -> Any:
    """A decision tree, loaded only where one is asked for: what is bagged and boosted by default."""
    return getattr(importlib.import_module("clinfa.tree"), name)(**how)
