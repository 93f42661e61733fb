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

from clinfa.arrays import is_dataset
from clinfa.base import Params
from clinfa.params import param, shown

__all__ = ["Recipe", "fit_copy", "predict_on", "unfitted_copy"]

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
    if not _takes_weights(new):
        raise TypeError(
            f"The data have sample weights, but {type(new).__name__}.fit takes no sample_weight. Weights are "
            f"never dropped silently: fit without them by Dataset.with_weights(None)."
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


def _takes_weights(model: Any) -> bool:
    arguments = inspect.signature(model.fit).parameters
    if "sample_weight" in arguments:
        return True
    # With its metadata routing on, scikit-learn's Pipeline and the like hand them on, or say why not.
    theirs = sys.modules.get("sklearn")
    return (
        theirs is not None
        and theirs.get_config()["enable_metadata_routing"]
        and any(a.kind is a.VAR_KEYWORD for a in arguments.values())
    )
