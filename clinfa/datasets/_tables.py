"""Loaders of the tables in ``data/``, under scikit-learn's names."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from clinfa.datasets import _descriptions
from clinfa.datasets._common import Floats, flag, integer
from clinfa.datasets._shipped import ShippedDataset

_FOLDER = Path(__file__).parent / "data"
_GZIP = 31  # zlib's code for "largest window, in a gzip wrapper"; the gzip module costs an import


@overload
def load_iris(*, return_X_y: Literal[False] = ..., as_frame: bool = ...) -> ShippedDataset: ...
@overload
def load_iris(*, return_X_y: Literal[True], as_frame: bool = ...) -> tuple[Any, Any]: ...
def load_iris(*, return_X_y: bool = False, as_frame: bool = False) -> Any:
    """Load the iris flowers: 150 samples, 4 features, 3 classes [1]_.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a dataset.
    as_frame : bool, default=False
        Give ``data``, ``target`` and ``frame`` as pandas objects.

    Returns
    -------
    dataset : ShippedDataset
        `records` of shape (150, 4), float64, and `targets` of shape (150,), int64.
    (data, target) : tuple
        With ``return_X_y=True``: the two alone, as arrays or as pandas objects.

    Raises
    ------
    TypeError
        An argument is not a bool.
    ImportError
        ``as_frame=True`` and pandas is missing.

    References
    ----------
    .. [1] R. A. Fisher (1936). The use of multiple measurements in taxonomic problems.
       Annals of Eugenics 7(2), 179-188.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> X.shape, y[[0, 50, 100]].tolist()
    ((150, 4), [0, 1, 2])
    >>> print(load_iris().target_names)
    ['setosa' 'versicolor' 'virginica']
    """
    return _classes(
        "iris",
        _descriptions.IRIS,
        ["setosa", "versicolor", "virginica"],
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


@overload
def load_wine(*, return_X_y: Literal[False] = ..., as_frame: bool = ...) -> ShippedDataset: ...
@overload
def load_wine(*, return_X_y: Literal[True], as_frame: bool = ...) -> tuple[Any, Any]: ...
def load_wine(*, return_X_y: bool = False, as_frame: bool = False) -> Any:
    """Load the wines: 178 samples, 13 features, 3 classes [1]_.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a dataset.
    as_frame : bool, default=False
        Give ``data``, ``target`` and ``frame`` as pandas objects.

    Returns
    -------
    dataset : ShippedDataset
        `records` of shape (178, 13), float64, and `targets` of shape (178,), int64.
    (data, target) : tuple
        With ``return_X_y=True``: the two alone, as arrays or as pandas objects.

    Raises
    ------
    TypeError
        An argument is not a bool.
    ImportError
        ``as_frame=True`` and pandas is missing.

    References
    ----------
    .. [1] M. Forina, R. Leardi, C. Armanino, S. Lanteri (1988). PARVUS: an extendible package
       for data exploration, classification and correlation. Elsevier.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.datasets import load_wine
    >>> wine = load_wine()
    >>> wine.feature_names[0], np.bincount(wine.target).tolist()
    ('alcohol', [59, 71, 48])
    """
    return _classes(
        "wine",
        _descriptions.WINE,
        ["class_0", "class_1", "class_2"],
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


@overload
def load_breast_cancer(*, return_X_y: Literal[False] = ..., as_frame: bool = ...) -> ShippedDataset: ...
@overload
def load_breast_cancer(*, return_X_y: Literal[True], as_frame: bool = ...) -> tuple[Any, Any]: ...
def load_breast_cancer(*, return_X_y: bool = False, as_frame: bool = False) -> Any:
    """Load the breast tumours: 569 samples, 30 features, 2 classes [1]_.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a dataset.
    as_frame : bool, default=False
        Give ``data``, ``target`` and ``frame`` as pandas objects.

    Returns
    -------
    dataset : ShippedDataset
        `records` of shape (569, 30), float64, and `targets` of shape (569,), int64;
        0 is malignant, 1 is benign.
    (data, target) : tuple
        With ``return_X_y=True``: the two alone, as arrays or as pandas objects.

    Raises
    ------
    TypeError
        An argument is not a bool.
    ImportError
        ``as_frame=True`` and pandas is missing.

    References
    ----------
    .. [1] O. L. Mangasarian, W. N. Street, W. H. Wolberg (1995). Breast cancer diagnosis and
       prognosis via linear programming. Operations Research 43(4), 570-577.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.datasets import load_breast_cancer
    >>> tumours = load_breast_cancer()
    >>> dict(zip(tumours.target_names.tolist(), np.bincount(tumours.target).tolist()))
    {'malignant': 212, 'benign': 357}
    """
    return _classes(
        "breast_cancer",
        _descriptions.BREAST_CANCER,
        ["malignant", "benign"],
        indexable_names=True,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


@overload
def load_digits(
    *, n_class: int = ..., return_X_y: Literal[False] = ..., as_frame: bool = ...
) -> ShippedDataset: ...
@overload
def load_digits(
    *, n_class: int = ..., return_X_y: Literal[True], as_frame: bool = ...
) -> tuple[Any, Any]: ...
def load_digits(*, n_class: int = 10, return_X_y: bool = False, as_frame: bool = False) -> Any:
    """Load the handwritten digits: 1797 samples, 64 pixels, 10 classes [1]_.

    Parameters
    ----------
    n_class : int, default=10
        Keep the digits below this, 1 to 10.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a dataset.
    as_frame : bool, default=False
        Give ``data``, ``target`` and ``frame`` as pandas objects.

    Returns
    -------
    dataset : ShippedDataset
        `records` of shape (n_samples, 64), float64 from 0 to 16, `targets` of shape
        (n_samples,), int64, and the entry ``images``, the records as (n_samples, 8, 8).
        The class names are the digits that are there.
    (data, target) : tuple
        With ``return_X_y=True``: the two alone, as arrays or as pandas objects.

    Raises
    ------
    TypeError, ValueError
        An argument is of the wrong kind or out of range.
    ImportError
        ``as_frame=True`` and pandas is missing.

    References
    ----------
    .. [1] E. Alpaydin, C. Kaynak (1998). Cascading classifiers. Kybernetika 34(4), 369-374.

    Examples
    --------
    >>> from clinfa.datasets import load_digits
    >>> digits = load_digits(n_class=2)
    >>> digits.data.shape, digits.images.shape, digits.target[:4].tolist()
    ((360, 64), (360, 8, 8), [0, 1, 0, 1])
    """
    n_class = integer("n_class", n_class, 1, 10)
    X, y, feature_names, target_names = _read("digits")
    if n_class < 10:
        keep = y[:, 0] < n_class
        X, y = X[keep], y[keep]
    return _package(
        X,
        y[:, 0].astype(np.int64),
        feature_names,
        target_names,
        description=_descriptions.DIGITS,
        class_names=np.arange(n_class),
        extras={"images": X.reshape(-1, 8, 8)},
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


@overload
def load_diabetes(
    *, return_X_y: Literal[False] = ..., as_frame: bool = ..., scaled: bool = ...
) -> ShippedDataset: ...
@overload
def load_diabetes(
    *, return_X_y: Literal[True], as_frame: bool = ..., scaled: bool = ...
) -> tuple[Any, Any]: ...
def load_diabetes(*, return_X_y: bool = False, as_frame: bool = False, scaled: bool = True) -> Any:
    """Load the diabetes patients: 442 samples, 10 features, a number as target [1]_.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a dataset.
    as_frame : bool, default=False
        Give ``data``, ``target`` and ``frame`` as pandas objects.
    scaled : bool, default=True
        Centre each feature and divide it by its norm; otherwise the values are as measured.

    Returns
    -------
    dataset : ShippedDataset
        `records` of shape (442, 10) and `targets` of shape (442,), both float64.
    (data, target) : tuple
        With ``return_X_y=True``: the two alone, as arrays or as pandas objects.

    Raises
    ------
    TypeError
        An argument is not a bool.
    ImportError
        ``as_frame=True`` and pandas is missing.

    References
    ----------
    .. [1] B. Efron, T. Hastie, I. Johnstone, R. Tibshirani (2004). Least angle regression.
       Annals of Statistics 32(2), 407-499.

    Examples
    --------
    >>> from clinfa.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X.shape, (X**2).sum(axis=0).round(12).tolist() == [1.0] * 10
    ((442, 10), True)
    """
    scaled = flag("scaled", scaled)
    X, y, feature_names, target_names = _read("diabetes")
    if scaled:
        # division by the deviation first, then by sqrt(n): the order decides the last bit
        deviation = X.std(axis=0)
        X -= X.mean(axis=0)
        X /= deviation
        X /= len(X) ** 0.5
    return _package(
        X,
        y[:, 0].copy(),
        feature_names,
        target_names,
        description=_descriptions.DIABETES,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


@overload
def load_linnerud(*, return_X_y: Literal[False] = ..., as_frame: bool = ...) -> ShippedDataset: ...
@overload
def load_linnerud(*, return_X_y: Literal[True], as_frame: bool = ...) -> tuple[Any, Any]: ...
def load_linnerud(*, return_X_y: bool = False, as_frame: bool = False) -> Any:
    """Load Linnerud's exercises: 20 samples, 3 features, 3 targets [1]_.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a dataset.
    as_frame : bool, default=False
        Give ``data``, ``target`` and ``frame`` as pandas objects.

    Returns
    -------
    dataset : ShippedDataset
        `records` and `targets`, both of shape (20, 3), float64.
    (data, target) : tuple
        With ``return_X_y=True``: the two alone, as arrays or as pandas objects.

    Raises
    ------
    TypeError
        An argument is not a bool.
    ImportError
        ``as_frame=True`` and pandas is missing.

    References
    ----------
    .. [1] M. Tenenhaus (1998). La regression PLS: theorie et pratique. Editions Technip, Paris.

    Examples
    --------
    >>> from clinfa.datasets import load_linnerud
    >>> men = load_linnerud()
    >>> list(men.target_names), men.target[0].tolist()
    (['Weight', 'Waist', 'Pulse'], [191.0, 36.0, 50.0])
    """
    X, Y, feature_names, target_names = _read("linnerud", n_targets=3)
    return _package(
        X,
        Y,
        feature_names,
        target_names,
        description=_descriptions.LINNERUD,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


def _read(name: str, n_targets: int = 1) -> tuple[Floats, Floats, list[str], list[str]]:
    """Features, targets, and the names of both, of ``data/<name>.csv.gz``."""
    text = zlib.decompress((_FOLDER / f"{name}.csv.gz").read_bytes(), _GZIP).decode("ascii")
    header, _, rows = text.partition("\n")
    names = header.split(",")
    table = np.loadtxt(io.StringIO(rows), delimiter=",")
    n_features = len(names) - n_targets
    # two blocks of their own, so that neither keeps the whole table alive
    X, Y = table[:, :n_features].copy(), table[:, n_features:].copy()
    return X, Y, names[:n_features], names[n_features:]


def _classes(
    name: str,
    description: str,
    class_names: list[str],
    *,
    indexable_names: bool = False,
    return_X_y: bool,
    as_frame: bool,
) -> Any:
    """A table whose target column is a class."""
    X, y, feature_names, target_names = _read(name)
    return _package(
        X,
        y[:, 0].astype(np.int64),
        np.array(feature_names) if indexable_names else feature_names,
        target_names,
        description=description,
        class_names=np.array(class_names),
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


def _package(
    X: Floats,
    y: NDArray[Any],
    feature_names: list[str] | NDArray[np.str_],
    target_names: list[str],
    *,
    description: str,
    class_names: NDArray[Any] | None = None,
    extras: Mapping[str, Any] | None = None,
    return_X_y: bool,
    as_frame: bool,
) -> Any:
    """What the caller asked for: two arrays, pandas objects, or a dataset."""
    return_X_y, as_frame = flag("return_X_y", return_X_y), flag("as_frame", as_frame)
    if return_X_y and not as_frame:
        return X, y
    dataset = ShippedDataset(
        X,
        y,
        feature_names=feature_names,
        target_names=target_names,
        class_names=class_names,
        description=description,
        frame=_frame(X, y, [*feature_names, *target_names]) if as_frame else None,
        extras=extras,
    )
    return (dataset.data, dataset.target) if return_X_y else dataset


def _frame(X: Floats, y: NDArray[Any], names: list[str]) -> Any:
    """All columns in one pandas data frame, each target with its own dtype."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("as_frame=True needs pandas: pip install clinfa[pandas]") from error
    n_features = X.shape[1]
    features = pd.DataFrame(X, columns=names[:n_features])
    return pd.concat([features, pd.DataFrame(y, columns=names[n_features:])], axis=1)
