"""What can be fitted and what can predict, whoever made it: said once.

Tools that fit models for their users (cross-validation, one model per class, chains) take a recipe: clinfa's
`Params`, an estimator of clinfa, or one that follows scikit-learn. `fit_copy` fits a copy of it, and
`predict_on` lets a model of either house answer a Dataset.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import sys
from typing import Any, ClassVar, Self, dataclass_transform

import numpy as np

from clinfa.arrays import is_dataset
from clinfa.base import Estimator, Params
from clinfa.errors import NotFittedError, twin
from clinfa.params import param, shown

__all__ = [
    "Recipe",
    "answer",
    "ask",
    "check_fitted",
    "fit_copy",
    "kind_of_model",
    "predict_on",
    "takes",
    "takes_datasets",
    "takes_weights",
    "unfitted_copy",
]

# What a user has set beside the parameters: metadata requests, the form of what `transform` returns.
_SETTINGS = {"_metadata_request", "_sklearn_output_config"}


@dataclass_transform(field_specifiers=(param,), frozen_default=True)
class Recipe:
    """What is immutable and returns a new model from each `fit`, besides `Params`.

    A concrete one declares its parameters as fields, by `params.param`.
    """

    _takes_datasets: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        dataclasses.dataclass(frozen=True)(cls)

    def check(self) -> Self:
        """Raise `InvalidParameterError` if a value is not allowed; else return self."""
        for field in dataclasses.fields(self):
            field.metadata["rule"].check(field.name, getattr(self, field.name), type(self).__name__)
        return self

    def replace(self, **changes: Any) -> Self:
        """A copy with some parameters changed."""
        return dataclasses.replace(self, **changes)


def unfitted_copy(recipe: Any) -> Any:
    """Something to call `fit` on without changing `recipe`.

    Parameters
    ----------
    recipe : Params, Recipe or estimator
        Estimators are clinfa's or scikit-learn's, fitted or not.

    Returns
    -------
    estimator or Recipe

    Raises
    ------
    TypeError
        If it is none of these.

    Examples
    --------
    >>> from clinfa.cluster import KMeans
    >>> from clinfa.recipes import unfitted_copy
    >>> unfitted_copy(KMeans(3).fit([[0.0], [1.0], [5.0]]))
    KMeans(n_clusters=3)
    """
    if isinstance(recipe, Params):
        return recipe.estimator()
    if isinstance(recipe, Recipe):
        return recipe
    if isinstance(recipe, type) or not (hasattr(recipe, "fit") and hasattr(recipe, "get_params")):
        hint = f" Pass {recipe.__name__}()." if isinstance(recipe, type) else ""
        raise TypeError(
            f"recipe must be an estimator of clinfa or scikit-learn, or clinfa's Params, "
            f"got {shown(recipe)}.{hint}"
        )
    if any(cls.__module__.partition(".")[0] == "sklearn" for cls in type(recipe).__mro__):
        from sklearn.base import clone

        return clone(recipe)
    new = type(recipe)(**{name: _value(v) for name, v in recipe.get_params(deep=False).items()})
    for name in _SETTINGS & vars(recipe).keys():
        setattr(new, name, copy.deepcopy(vars(recipe)[name]))
    return new


def _value(value: Any) -> Any:
    """A parameter's value as a copy; what is an estimator without what it has learned."""
    if hasattr(value, "get_params") and hasattr(value, "fit") and not isinstance(value, type):
        return unfitted_copy(value)
    return copy.deepcopy(value)


def fit_copy(recipe: Any, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """A new model, fitted; the recipe stays as it is.

    Parameters
    ----------
    recipe : Params, Recipe or estimator
        clinfa's, or an estimator that follows scikit-learn.
    X : array-like or Dataset
        The records. A Dataset's targets and weights are used unless others are given.
    y : array-like, optional
    sample_weight : array-like of shape (n_samples,), optional

    Returns
    -------
    model

    Raises
    ------
    TypeError
        If `recipe` cannot be fitted, or if there are weights and its `fit` takes none.

    Examples
    --------
    >>> from clinfa import Dataset
    >>> from clinfa.cluster import KMeans
    >>> from clinfa.recipes import fit_copy
    >>> model = fit_copy(KMeans.params(n_clusters=1), Dataset([[0.0], [3.0]], weights=[1.0, 2.0]))
    >>> model.cluster_centers_
    array([[2.]])
    """
    new = unfitted_copy(recipe)
    if is_dataset(X):
        y = X.targets if y is None else y
        sample_weight = X.weights if sample_weight is None else sample_weight
        X = X if takes_datasets(new) else X.records
    if sample_weight is None:
        return new.fit(X, y)
    if not takes_weights(new):
        raise TypeError(
            f"The data have sample weights, but {type(new).__name__}.fit takes no sample_weight: it, or a "
            f"model inside it, does not support sample weights. Weights are never dropped silently: fit "
            f"without them by Dataset.with_weights(None)."
        )
    return new.fit(X, y, sample_weight=sample_weight)


def predict_on(model: Any, dataset: Any, method: str = "predict") -> Any:
    """What a model of clinfa or scikit-learn predicts for a Dataset, as a Dataset.

    Parameters
    ----------
    model : fitted model
    dataset : Dataset
    method : str, default "predict"
        Which method to ask: "predict_proba", ...

    Returns
    -------
    Dataset
        The same records, weights and names; the predictions are the targets.

    Raises
    ------
    TypeError
        If `dataset` is not a Dataset, or the model lacks the method.

    Examples
    --------
    >>> from clinfa import Dataset
    >>> from clinfa.cluster import KMeans
    >>> from clinfa.recipes import predict_on
    >>> model = KMeans(1).fit([[0.0], [4.0]])
    >>> predict_on(model, Dataset([[1.0], [9.0]])).targets
    array([0, 0], dtype=int32)
    """
    if not is_dataset(dataset):
        raise TypeError(f"dataset must be a Dataset, got {shown(dataset)}.")
    out = ask(model, method, dataset)
    return out if is_dataset(out) else dataset.with_targets(out)


def ask(model: Any, method: str, X: Any) -> Any:
    """`model.method(X)`, in which a Dataset reaches those who do not know it as its records."""
    function = getattr(model, method, None)
    if function is None:
        raise TypeError(f"{type(model).__name__} has no method {method!r}.")
    return function(X.records if is_dataset(X) and not takes_datasets(model) else X)


def takes_datasets(model: Any) -> bool:
    """Whether a model knows what a Dataset is: clinfa's do."""
    return getattr(model, "_takes_datasets", False)


def takes_weights(model: Any) -> bool:
    """Whether the `fit` of a model or recipe takes sample weights, and so do the models inside it."""
    arguments = inspect.signature(model.fit).parameters
    if "sample_weight" in arguments:
        return all(takes_weights(part) for part in _inside(model))
    # With its metadata routing on, scikit-learn's Pipeline and the like hand them on, or say why not.
    theirs = sys.modules.get("sklearn")
    return (
        theirs is not None
        and theirs.get_config()["enable_metadata_routing"]
        and any(a.kind is a.VAR_KEYWORD for a in arguments.values())
    )


def _inside(model: Any) -> list[Any]:
    """The models among the parameters of one of clinfa's."""
    if isinstance(model, Recipe):
        values = [getattr(model, field.name) for field in dataclasses.fields(model)]
    elif isinstance(model, Estimator):
        values = list(model.get_params(deep=False).values())
    else:
        return []
    for value in list(values):
        if isinstance(value, list | tuple):  # of names and models
            values += [pair[1] for pair in value if isinstance(pair, list | tuple) and len(pair) == 2]
    found = [v.estimator() if isinstance(v, Params) else v for v in values]
    return [v for v in found if hasattr(v, "fit") and not isinstance(v, type)]


def answer(model: Any, method: str, X: Any) -> np.ndarray:
    """What a model says, as an array also where X is a Dataset."""
    out = ask(model, method, X)
    return np.asarray(out.targets if is_dataset(out) else out)


def check_fitted(model: Any, where: str) -> None:
    """Raise unless it is a model that can predict.

    Raises
    ------
    TypeError
        If it has no `predict`.
    NotFittedError
        If it was not fitted.
    """
    if isinstance(model, type) or not hasattr(model, "predict"):
        raise TypeError(f"{where} must be a fitted model with a predict method, got {shown(model)}.")
    if hasattr(model, "__sklearn_is_fitted__"):
        fitted = model.__sklearn_is_fitted__()
    else:  # by scikit-learn's convention; who is no estimator cannot be unfitted
        fitted = not hasattr(model, "get_params") or any(
            name.endswith("_") and name[0] != "_" for name in vars(model)
        )
    if not fitted:
        raise twin(NotFittedError)(f"{where} is not fitted yet: {shown(model)}. Fit it first.")


def kind_of_model(model: Any) -> str | None:
    """ "classifier", "regressor", "clusterer", ..., as scikit-learn calls what a model or recipe is.

    None where it does not say.
    """
    if isinstance(model, Params):
        return model._estimator._kind
    if isinstance(model, Estimator):
        return model._kind
    if hasattr(model, "__sklearn_tags__"):
        return model.__sklearn_tags__().estimator_type
    return getattr(model, "_estimator_type", None)


def takes(model: Any) -> tuple[bool, bool] | None:
    """Whether a model or recipe takes sparse records, and such with gaps; None where it does not say.

    Others' models of models see for themselves whether there may be gaps: scikit-learn's pipelines do not
    say, even where their first step fills them.
    """
    if isinstance(model, Estimator | Params):
        return (model.estimator() if isinstance(model, Params) else model)._takes()
    if isinstance(model, type) or not hasattr(model, "__sklearn_tags__"):
        return None
    tags = model.__sklearn_tags__().input_tags
    outer = any(hasattr(model, name) for name in ("steps", "estimator", "estimators"))
    return bool(tags.sparse), bool(tags.allow_nan) or outer
