"""Estimator: everything that scikit-learn's tools ask of an object, once. Its kinds are in kinds.py.

A concrete estimator declares its parameters as fields (`params.param`) and writes `_fit`, which returns a
frozen dataclass; its fields are published as attributes with a trailing underscore, all at once, after
nothing can fail any more. scikit-learn is imported only inside the methods that its own tools call.
"""

from __future__ import annotations

import copy
import dataclasses
import html
import inspect
import pickle
from collections.abc import Mapping
from typing import Any, ClassVar, Self, dataclass_transform

import numpy as np

from clinfa.arrays import Table, is_dataset, read_table, read_weights
from clinfa.errors import NotFittedError, twin
from clinfa.params import fitted, param, shown

__all__ = ["Estimator", "Params"]

_ROUTED = ("fit", "partial_fit", "predict", "score", "transform")


def _extra_arguments(cls: type, method: str) -> list[str]:
    """Arguments of a method beyond the records and targets: what metadata routing may pass."""
    function = getattr(cls, method, None)
    if function is None:
        return []
    names = list(inspect.signature(function).parameters)[1:]
    return [name for name in names if name not in ("X", "y", "Y")]


class _Requests(dict):
    """Aliases by method and argument; scikit-learn's `clone` copies them as it copies its own."""

    def __sklearn_clone__(self) -> _Requests:
        return copy.deepcopy(self)


def _request_setter(method: str) -> Any:
    def set_request(self: Any, **requests: Any) -> Any:
        allowed = _extra_arguments(type(self), method)
        if unknown := set(requests) - set(allowed):
            raise TypeError(
                f"Unexpected args: {unknown} in set_{method}_request. Accepted arguments are: {set(allowed)}"
            )
        asked = copy.deepcopy(self.__dict__.get("_metadata_request", _Requests()))
        asked.setdefault(method, {}).update(requests)
        self._metadata_request = asked
        return self

    set_request.__name__ = f"set_{method}_request"
    set_request.__doc__ = f"""Say which metadata a scikit-learn meta-estimator passes to `{method}`.

    Parameters
    ----------
    **requests : bool, None or str
        By argument: True to request it, False not to, None to raise if it is given, a str for an alias.

    Returns
    -------
    self
    """
    return set_request


@dataclass_transform(field_specifiers=(param, fitted))
class Estimator:
    """What all estimators share: parameters, checked reading of data, publishing, tags, repr."""

    _kind: ClassVar[str | None] = None  # scikit-learn's estimator_type
    _sparse: ClassVar[bool] = False  # whether CSR is accepted
    _absolute_weights: ClassVar[bool] = False  # whether a parameter is in units of weights, which may be < 0
    _finite: ClassVar[bool] = True  # whether NaN and infinity are refused
    _looks_late: ClassVar[bool] = False  # whether the algorithm itself finds those, in the same pass
    _takes_datasets: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(eq=False, repr=False)(cls)
        params = [f for f in dataclasses.fields(cls) if f.init]
        cls._rules = {f.name: f.metadata["rule"] for f in params}
        # (What has to be given has a default that is not allowed.)
        cls._allowed = {f.name: f.default for f in params if cls._rules[f.name].allows(f.default)}
        for method in _ROUTED:
            if _extra_arguments(cls, method):
                setattr(cls, f"set_{method}_request", _request_setter(method))

    # Parameters

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name; with `deep`, those of estimators among them too, as ``name__inner``."""
        out = {name: getattr(self, name) for name in self._rules}
        if deep:
            for name, value in list(out.items()):
                if hasattr(value, "get_params") and not isinstance(value, type):
                    out |= {f"{name}__{k}": v for k, v in value.get_params().items()}
        return out

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; ``name__inner`` reaches into an estimator among them.

        Raises
        ------
        ValueError
            If a name is not a parameter.
        """
        inner: dict[str, dict[str, Any]] = {}
        for name in params:
            if name.partition("__")[0] not in self._rules:
                raise ValueError(
                    f"Invalid parameter {name.partition('__')[0]!r} for estimator {self}. "
                    f"Valid parameters are: {list(self._rules)!r}."
                )
        for name, value in params.items():
            own, nested, rest = name.partition("__")
            if nested:
                inner.setdefault(own, {})[rest] = value
            else:
                setattr(self, own, value)
        for own, settings in inner.items():
            value = getattr(self, own)
            if not hasattr(value, "set_params"):
                raise ValueError(
                    f"Invalid parameter {own + '__' + next(iter(settings))!r} for estimator {self}: "
                    f"its {own!r} is {shown(value)}, which has no parameters."
                )
            value.set_params(**settings)
        return self

    def _check_params(self) -> None:
        for name, rule in self._rules.items():
            value = getattr(self, name)
            if value is not self._allowed.get(name, rule) and not rule.allows(value):
                rule.check(name, value, type(self).__name__)

    @classmethod
    def params(cls, **params: Any) -> Params:
        """An immutable recipe for such an estimator: see `Params`."""
        return Params(cls, params)

    # Fitting

    def _run_fit(self, X: Any, sample_weight: Any = None) -> Self:
        self._check_params()
        table, weights = self._read_fit(X, sample_weight)
        return self._publish(self._fit(table, weights), table)

    def _read_fit(self, X: Any, sample_weight: Any) -> tuple[Table, np.ndarray]:
        owner, finite = type(self).__name__, self._finite and not self._looks_late
        if is_dataset(X):
            sample_weight = X.weights if sample_weight is None else sample_weight
            table = read_table(
                X.records, owner, sparse=self._sparse, finite=finite, given_names=X.feature_names
            )
        else:
            table = read_table(X, owner, sparse=self._sparse, finite=finite)
        return table, read_weights(sample_weight, table.n, owner)

    def _publish(self, result: Any, table: Table, **more: Any) -> Self:
        """Set everything that was learned at once, so that nobody sees half of it."""
        state = {
            name if name[0] == "_" else f"{name}_": getattr(result, name)
            for name in result.__dataclass_fields__
        }
        state |= {"n_features_in_": table.d} | more
        if table.names is None:
            self.__dict__.pop("feature_names_in_", None)
        else:
            state["feature_names_in_"] = table.names
        self.__dict__.update(state)
        return self

    def _read_new(self, X: Any) -> Table:
        """Records for a fitted estimator."""
        self._check_fitted()
        return read_table(
            X.records if is_dataset(X) else X,
            type(self).__name__,
            sparse=self._sparse,
            finite=self._finite and not self._looks_late,
            names=self.__dict__.get("feature_names_in_"),
            width=self.n_features_in_,
            given_names=X.feature_names if is_dataset(X) else None,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_sklearn_version" in state:  # its class was found under a name that means ours at the moment
            raise pickle.UnpicklingError(
                f"This is scikit-learn's {type(self).__name__}, saved without clinfa.patch_sklearn. Load it "
                f"without the patch too."
            )
        self.__dict__.update(state)

    def __sklearn_is_fitted__(self) -> bool:
        return "n_features_in_" in self.__dict__

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise twin(NotFittedError)(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with appropriate "
                f"arguments before using this estimator."
            )

    # How it shows itself

    def _changed(self) -> dict[str, Any]:
        """The parameters that differ from their defaults."""
        out = {}
        for field in dataclasses.fields(self):
            if not field.init:
                continue
            value, default = getattr(self, field.name), field.default
            same = value is default or (type(value) is type(default) and _equal(value, default))
            if not same:
                out[field.name] = value
        return out

    def __repr__(self) -> str:
        changed = ", ".join(f"{k}={_short(v)}" for k, v in self._changed().items())
        return f"{type(self).__name__}({changed})"

    def _repr_html_(self) -> str:
        """Parameters and fitted attributes as two small tables."""
        changed = self._changed()
        rows = [
            (name, _short(getattr(self, name)), "font-weight:600" if name in changed else "")
            for name in self._rules
        ]
        fitted = [(k, _summary(v), "") for k, v in vars(self).items() if k.endswith("_") and k[0] != "_"]
        title = f"{type(self).__name__}{'' if fitted else ' (not fitted)'}"
        return (
            f"<details open><summary><b>{html.escape(title)}</b></summary>"
            f"{_html_table('Parameters', rows)}{_html_table('Fitted', fitted) if fitted else ''}</details>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    # What scikit-learn's tools ask

    def _takes(self) -> tuple[bool, bool]:
        """Whether it takes sparse records, and such with gaps."""
        return bool(self._sparse), not self._finite

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import (
            ClassifierTags,
            InputTags,
            RegressorTags,
            Tags,
            TargetTags,
            TransformerTags,
        )

        kind = self._kind
        sparse, gaps = self._takes()
        return Tags(
            estimator_type=kind,
            target_tags=TargetTags(required=kind in ("classifier", "regressor")),
            transformer_tags=(
                TransformerTags(preserves_dtype=["float64", "float32"])
                if hasattr(self, "transform")
                else None
            ),
            classifier_tags=ClassifierTags() if kind == "classifier" else None,
            regressor_tags=RegressorTags() if kind == "regressor" else None,
            input_tags=InputTags(sparse=sparse, allow_nan=gaps),
        )

    def get_metadata_routing(self) -> Any:
        """What this estimator wants routed to it, as scikit-learn's own object."""
        from sklearn.utils.metadata_routing import MetadataRequest

        request = MetadataRequest(owner=self)
        asked = self.__dict__.get("_metadata_request", {})
        for method in _ROUTED:
            for name in _extra_arguments(type(self), method):
                alias = asked.get(method, {}).get(name)
                getattr(request, method).add_request(param=name, alias=alias)
        return request


class Params:
    """An immutable, reusable recipe for an estimator: the way the deck fits.

    Parameters
    ----------
    estimator : type
    params : mapping

    Examples
    --------
    >>> from clinfa.cluster import KMeans
    >>> from clinfa.datasets import load_iris
    >>> recipe = KMeans.params(n_clusters=3, random_state=0)
    >>> model = recipe.fit(load_iris())
    >>> model.cluster_centers_.shape
    (3, 4)
    """

    __slots__ = ("_estimator", "_params")

    def __init__(self, estimator: type[Estimator], params: Mapping[str, Any]):
        estimator(**params)  # names are checked at once, values by `check` and `fit`
        object.__setattr__(self, "_estimator", estimator)
        object.__setattr__(self, "_params", dict(params))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"Params are immutable. Use .replace({name}=...) for a changed copy.")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._estimator._rules:
            raise AttributeError(f"{self._estimator.__name__} has no parameter {name!r}.")
        return getattr(self._estimator(**self._params), name)

    def __delattr__(self, name: str) -> None:
        raise AttributeError("Params are immutable.")

    def __reduce__(self) -> tuple:
        return Params, (self._estimator, self._params)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Params) or self._estimator is not other._estimator:
            return NotImplemented if not isinstance(other, Params) else False
        mine, theirs = self.estimator().get_params(False), other.estimator().get_params(False)
        return all(mine[name] is theirs[name] or _equal(mine[name], theirs[name]) for name in mine)

    def __hash__(self) -> int:
        return hash(self._estimator)

    def __repr__(self) -> str:
        inner = repr(self.estimator())
        name = self._estimator.__name__
        return f"{name}.params{inner[len(name) :]}"

    def estimator(self) -> Estimator:
        """A new, unfitted estimator."""
        return self._estimator(**self._params)

    def replace(self, **changes: Any) -> Params:
        """A copy with some parameters changed."""
        return Params(self._estimator, self._params | changes)

    def check(self) -> Self:
        """Raise `InvalidParameterError` if a value is not allowed; else return self."""
        self.estimator()._check_params()
        return self

    def fit(self, X: Any, y: Any = None, **how: Any) -> Any:
        """A new estimator, fitted. Arguments as for its `fit`."""
        return self.estimator().fit(X, y, **how)

    def fit_with(self, model: Any, X: Any, y: Any = None, **how: Any) -> Any:
        """The model updated with more data, as a new one; None starts from nothing.

        Without `classes`, a classifier that starts from nothing takes those of its first data for all.

        Raises
        ------
        TypeError
            If the estimator cannot learn step by step, or `model` is another kind of estimator.
        """
        cls = self._estimator
        if not hasattr(cls, "partial_fit"):
            raise TypeError(f"{cls.__name__} cannot be fitted step by step: it has no partial_fit.")
        new = self.estimator()
        if model is None and cls._kind == "classifier" and "classes" not in how:
            return new.fit(X, y, **how)
        if model is not None:
            if type(model) is not cls:
                raise TypeError(f"model must be a {cls.__name__} or None, got {type(model).__name__}.")
            learned = {k: v for k, v in vars(model).items() if k not in cls._rules}
            new.__dict__.update(copy.deepcopy(learned))
        return new.partial_fit(X, y, **how)


def _equal(a: Any, b: Any) -> bool:
    try:
        return bool(np.array_equal(a, b, equal_nan=isinstance(a, float)))
    except TypeError:
        return False


def _short(value: Any) -> str:
    return shown(value) if isinstance(value, np.ndarray) and value.size > 6 else _trim(repr(value))


def _trim(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def _summary(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 1:
        return f"{value.dtype} array of shape {value.shape}"
    return _trim(repr(value))


def _html_table(title: str, rows: list[tuple[str, str, str]]) -> str:
    cells = "".join(
        f"<tr style='{style}'><td style='text-align:left'>{html.escape(name)}</td>"
        f"<td style='text-align:left'><code>{html.escape(text)}</code></td></tr>"
        for name, text, style in rows
    )
    return f"<table><thead><tr><th colspan=2 style='text-align:left'>{title}</th></tr></thead>{cells}</table>"
