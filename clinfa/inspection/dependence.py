"""Partial dependence: what a model predicts on average where some columns are held at a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from clinfa.arrays import is_dataset, read_weights
from clinfa.bunch import Bunch
from clinfa.inspection._columns import column, copied, filled, names_of, tabular
from clinfa.many import share, side_by_side
from clinfa.names import categories_of, columns_of
from clinfa.params import at_least, none, one_of
from clinfa.recipes import answer, check_fitted, kind_of_model

__all__ = ["partial_dependence"]

_AT_ONCE = 1 << 16  # values of copies of the records that a model is asked about together

METHODS = one_of("auto", "brute", "recursion")
KINDS = one_of("average", "individual", "both")
RESPONSES = one_of("auto", "predict_proba", "decision_function")


def partial_dependence(
    estimator: Any,
    X: Any,
    features: Any,
    *,
    sample_weight: Any = None,
    categorical_features: Any = None,
    feature_names: Sequence[str] | None = None,
    response_method: str = "auto",
    percentiles: tuple[float, float] = (0.05, 0.95),
    grid_resolution: int = 100,
    custom_values: Mapping[Any, Any] | None = None,
    method: str = "auto",
    kind: str = "average",
    n_jobs: int | None = None,
) -> Bunch:
    """What a fitted model predicts where some columns are held at each value of a grid.

    Parameters
    ----------
    estimator : fitted model
        A classifier or regressor of clinfa or scikit-learn.
    X : array-like, dataframe or Dataset of shape (n_samples, n_features)
        Whose other columns stay as they are, and whose values the grid is made of.
    features : int, str or sequence of these
        The columns that are held: their numbers or names.
    sample_weight : array-like of shape (n_samples,), optional
        For the average; by default those of a Dataset.
    categorical_features : array-like of bool, int or str, optional
        Which columns are categories: each that occurs is a point of the grid.
    feature_names : sequence of str, optional
        Names of the columns, if X has none.
    response_method : {"auto", "predict_proba", "decision_function"}, default "auto"
        What a classifier is asked; "auto" is the first of these that it has.
    percentiles : (float, float), default (0.05, 0.95)
        Between which of a column's values the grid lies.
    grid_resolution : int, default 100
        How many points for each column. If a column has fewer values, they are the grid.
    custom_values : mapping of int or str to array-like, optional
        The points for some of the columns.
    method : {"auto", "brute", "recursion"}, default "auto"
        "brute" asks the model about all records at each point. "recursion" takes the average from the nodes
        of the trees, weighted as they were in `fit`; only some models of trees can. "auto" is that where it
        is possible and only the average is wanted, without weights.
    kind : {"average", "individual", "both"}, default "average"
        Whether to return the average over the records, what is predicted for each, or both.
    n_jobs : int, optional
        Threads; all there are by default and below 1. Results do not depend on it.

    Returns
    -------
    result : Bunch
        `grid_values`, a list with the points of each column; `average` of shape (n_outputs,
        len(grid_values[0]), ...); `individual` of shape (n_outputs, n_samples, len(grid_values[0]), ...).
        There is one output for two classes, the second's; else one for each class, or each target.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed.

    References
    ----------
    J. H. Friedman (2001). Greedy function approximation: a gradient boosting machine. Annals of Statistics
    29(5), 1189-1232.

    A. Goldstein, A. Kapelner, J. Bleich, E. Pitkin (2015). Peeking inside the black box: visualizing
    statistical learning with plots of individual conditional expectation. Journal of Computational and
    Graphical Statistics 24(1), 44-65.

    Examples
    --------
    >>> from clinfa.datasets import load_diabetes
    >>> from clinfa.inspection import partial_dependence
    >>> from clinfa.neighbors import KNeighborsRegressor
    >>> diabetes = load_diabetes()
    >>> model = KNeighborsRegressor(20).fit(diabetes)
    >>> partial_dependence(model, diabetes, ["bmi"], grid_resolution=3).average.round(0)
    array([[128., 151., 177.]])
    """
    owner = "partial_dependence"
    for rule, name, value in (
        (RESPONSES, "response_method", response_method),
        (METHODS, "method", method),
        (KINDS, "kind", kind),
        (at_least(1), "grid_resolution", grid_resolution),
        (at_least(-(2**31)) | none(), "n_jobs", n_jobs),
    ):
        rule.check(name, value, owner)
    check_fitted(estimator, "estimator")
    what = kind_of_model(estimator)
    if what not in ("classifier", "regressor"):
        raise ValueError("'estimator' must be a fitted regressor or classifier.")
    if what == "classifier" and isinstance(estimator.classes_[0], np.ndarray):
        raise ValueError("Multiclass-multioutput estimators are not supported")
    if what == "regressor" and response_method != "auto":
        raise ValueError("The response_method parameter is ignored for regressors and must be 'auto'.")
    sample_weight = X.weights if is_dataset(X) and sample_weight is None else sample_weight
    records = tabular(X)
    names = names_of(records, X, feature_names)
    weights = None if sample_weight is None else read_weights(sample_weight, len(records), owner)
    given = [features] if isinstance(features, str | int | np.integer) else list(features)
    which = columns_of(given, names, records.shape[1])
    categories = categories_of(categorical_features, names, records.shape[1])
    called = which if len(which) != len(given) or isinstance(given[0], bool | np.bool_) else given
    axes = [
        _axis(records, j, bool(categories[j]), percentiles, grid_resolution, (custom_values or {}), name)
        for j, name in zip(which, called, strict=True)
    ]
    mesh = np.meshgrid(*[np.arange(len(axis)) for axis in axes], indexing="ij")
    grid = [axis[at.ravel()] for axis, at in zip(axes, mesh, strict=True)]
    sizes = [len(axis) for axis in axes]
    if _by_recursion(estimator, method, kind, weights, response_method):
        found = np.atleast_2d(
            estimator._compute_partial_dependence_recursion(np.stack(grid, axis=1), np.array(which))
        )
        return Bunch(grid_values=axes, average=found.reshape(-1, *sizes))
    ask = _asked(estimator, what, response_method)
    with share(n_jobs):
        average, each = _brute(estimator, ask, records, which, grid, weights, kind)
    out = Bunch(grid_values=axes)
    if kind != "individual":
        out["average"] = average.reshape(-1, *sizes)
    if kind != "average":
        out["individual"] = each.reshape(-1, len(records), *sizes)
    return out


def _by_recursion(model: Any, method: str, kind: str, weights: Any, response: str) -> bool:
    able = hasattr(model, "_compute_partial_dependence_recursion")
    if method == "recursion":
        if kind != "average":
            raise ValueError("The 'recursion' method only applies when 'kind' is set to 'average'")
        if weights is not None:
            raise ValueError("The 'recursion' method can only be applied when sample_weight is None.")
        if not able:
            raise ValueError(
                f"Only models of trees that can be followed support the 'recursion' method, and "
                f"{type(model).__name__} does not. Try using method='brute'."
            )
        if response not in ("auto", "decision_function"):
            raise ValueError(
                f"With the 'recursion' method, the response_method must be 'decision_function'. Got "
                f"{response}."
            )
        return True
    # (Boosting that starts from another model knows nothing of it in its trees.)
    plain = able and getattr(model, "init", None) is None and response in ("auto", "decision_function")
    return method == "auto" and plain and kind == "average" and weights is None


def _asked(model: Any, what: str, response: str) -> str:
    """Which method of the model to ask."""
    if what == "regressor":
        return "predict"
    for name in ("predict_proba", "decision_function") if response == "auto" else (response,):
        if hasattr(model, name):
            return name
    raise ValueError(f"{type(model).__name__} has none of the following attributes: {response}.")


def _brute(
    model: Any, method: str, records: Any, which: list[int], grid: list[np.ndarray], weights: Any, kind: str
) -> tuple[np.ndarray, np.ndarray]:
    """Averages (outputs, points), and what is predicted for each record (outputs, records, points)."""
    n, points = len(records), len(grid[0])
    frame = hasattr(records, "iloc")
    if not frame:
        records = _holding(records, grid)
    step = 1 if frame else max(1, min(points, _AT_ONCE // records.size))
    spare: list[Any] = []

    def work(low: int) -> tuple[np.ndarray, np.ndarray | None]:
        count = min(step, points - low)
        if count > 1:
            changed = np.tile(records, (count, 1))
        else:
            changed = spare.pop() if spare else copied(records)
        for j, values in zip(which, grid, strict=True):
            if count > 1:
                changed[:, j] = np.repeat(values[low : low + count], n)
            else:
                filled(changed, j, values[low])
        out = answer(model, method, changed)
        if count == 1:
            spare.append(changed)
        if out.ndim == 2 and out.shape[1] == 2 and method == "predict_proba":
            out = out[:, 1]
        out = out.reshape(count, n, -1)
        mean = np.average(out, axis=1, weights=weights)
        return mean, out if kind != "average" else None

    done = list(side_by_side(work, range(0, points, step), n * records.shape[1] * step, [model]))
    average = np.concatenate([mean for mean, _ in done]).T
    each = np.empty(0)
    if kind != "average":
        each = np.concatenate([out for _, out in done]).transpose(2, 1, 0)
    return average, each


def _holding(records: np.ndarray, grid: list[np.ndarray]) -> np.ndarray:
    """Records in a type that holds the grid's values too."""
    if records.dtype.kind in "iub" and any(values.dtype.kind == "f" for values in grid):
        return records.astype(np.float64)
    if records.dtype.kind in "U":
        return records.astype(object)
    return records


def _axis(
    records: Any, j: int, category: bool, percentiles: Any, count: int, custom: Mapping[Any, Any], name: Any
) -> np.ndarray:
    """The points of the grid along one column."""
    if not isinstance(percentiles, Iterable) or len(tuple(percentiles)) != 2:
        raise ValueError("'percentiles' must be a sequence of 2 elements.")
    low, high = percentiles
    if not (0 <= low <= 1 and 0 <= high <= 1):
        raise ValueError("'percentiles' values must be in [0, 1].")
    if low >= high:
        raise ValueError("percentiles[0] must be strictly less than percentiles[1].")
    if count <= 1:
        raise ValueError("'grid_resolution' must be strictly greater than 1.")
    if name in custom:
        values = custom[name]
        text = any(isinstance(v, str) for v in values)
        values = np.asarray(values, dtype=object if text else None)
        if values.ndim != 1:
            raise ValueError(
                f"The custom grid for some features is not a one-dimensional array. Feature {name}: "
                f"{values.ndim} dimensions"
            )
        return values
    values = column(records, j)
    if not category and values.dtype.kind in "iu":
        values = values.astype(np.float64)
    try:
        different = np.unique(values)
    except TypeError as error:
        raise ValueError(
            f"The column #{j} contains mixed data types. Finding unique categories fail due to sorting: fill "
            f"missing values first."
        ) from error
    if category or len(different) < count:
        return different
    values = values.astype(np.float64, copy=False)
    ends = _quantiles(values[~np.isnan(values)], np.array([low, high]))
    if np.allclose(*ends):
        raise ValueError(
            "percentiles are too close to each other, unable to build the grid. Please choose percentiles "
            "that are further apart."
        )
    return np.linspace(*ends, num=count)


def _quantiles(values: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Quantiles after Cunnane, which are about unbiased whatever the distribution: scikit-learn's grid."""
    ranked, n = np.sort(values), len(values)
    at = n * shares + 0.4 + 0.2 * shares
    k = np.floor(np.clip(at, 1, n - 1)).astype(np.int64)
    rest = np.clip(at - k, 0, 1)
    return (1 - rest) * ranked[k - 1] + rest * ranked[k]
