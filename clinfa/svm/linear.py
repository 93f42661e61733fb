"""Linear support vector machines: classification and regression."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from clinfa.arrays import Table, is_dataset, is_sparse
from clinfa.blas import one_thread
from clinfa.class_weight import class_factors, class_weight_rule
from clinfa.errors import ConvergenceWarning, twin
from clinfa.kinds import Classifier, Regressor, one_column
from clinfa.linalg._blocks import combined
from clinfa.linalg._sparse import product
from clinfa.params import at_least, between, boolean, fitted, one_of, param, positive, seed, shown, verbosity
from clinfa.reports import reporter
from clinfa.rng import generator
from clinfa.svm._linear_solve import Records, Settings, Solution, power_of_two, solve_bands, solve_classes
from clinfa.targets import Labels

__all__ = ["LinearSVC", "LinearSVR"]

# What scikit-learn has an algorithm for: penalty, loss, and whether in the dual.
_KNOWN = {
    ("l2", "hinge"): {True},
    ("l2", "squared_hinge"): {True, False},
    ("l1", "squared_hinge"): {False},
    ("l2", "epsilon_insensitive"): {True},
    ("l2", "squared_epsilon_insensitive"): {True, False},
}


def _check_combination(penalty: str, loss: str, dual: Any) -> None:
    known = _KNOWN.get((penalty, loss))
    if known is None:
        what = f"The combination of penalty='{penalty}' and loss='{loss}' is not supported"
    elif dual != "auto" and bool(dual) not in known:
        what = f"The combination of penalty='{penalty}' and loss='{loss}' are not supported when dual={dual}"
    else:
        return
    given = True if dual == "auto" else dual
    raise ValueError(
        f"Unsupported set of arguments: {what}, Parameters: penalty={penalty!r}, loss={loss!r}, "
        f"dual={given!r}"
    )


def _settings(model: Any, penalty: str, squared: bool) -> Settings:
    state = 1 + int(generator(model.random_state).random() * 2.0**53)
    return Settings(penalty, squared, float(model.tol), int(model.max_iter), state)


def _constant(model: Any) -> float:
    return float(model.intercept_scaling) if model.fit_intercept else 0.0


def _report(model: Any, found: Solution) -> None:
    """Say how it went, and warn where it did not end."""
    owner = type(model).__name__
    reporter(model.verbose)("%s: %d iterations", owner, found.n_iter)
    if not found.converged:
        warnings.warn(
            f"Liblinear failed to converge, increase the number of iterations. (The words are "
            f"scikit-learn's; this is {owner} of clinfa, with max_iter={shown(model.max_iter)}.)",
            twin(ConvergenceWarning),
            stacklevel=5,
        )


def _products(table: Table, coef: Any, intercept: Any) -> np.ndarray:
    """The records times the weights of each model, plus its intercept: shape (n, k)."""
    coef = coef.toarray() if is_sparse(coef) else np.atleast_2d(np.asarray(coef))
    dtype = np.promote_types(table.dtype, coef.dtype)
    table = table if table.dtype == dtype else table.astype(dtype)
    turn = np.ascontiguousarray(coef.T, dtype)
    offset = np.broadcast_to(np.asarray(intercept, dtype), len(coef))
    with np.errstate(over="ignore", under="ignore"):
        if table.sparse:
            return product(table.X, turn) + offset
        return combined(table.X, turn, offset=offset)


@dataclass(frozen=True, slots=True)
class LinearFit:
    """What fitting found."""

    coef: np.ndarray
    intercept: Any
    n_iter: int


class LinearSVC(Classifier):
    """Linear classification by support vector machines: widest margins, for many records.

    The weights w and the intercept b of a class minimise ``penalty(w, b) + C * sum(loss(1 - y * (X @ w +
    b)))``, where y is 1 for records of the class and -1 for others. Several classes are each told from the
    rest, or all at once with ``multi_class="crammer_singer"``.

    Parameters
    ----------
    penalty : {"l1", "l2"}, default "l2"
        "l1" is the sum of the absolute values of the weights, and makes many of them 0; "l2" is half of
        their sum of squares.
    loss : {"hinge", "squared_hinge"}, default "squared_hinge"
        What is lost where ``1 - y * (X @ w + b)`` is above 0: that, or its square.
    dual : "auto" or bool, default "auto"
        In scikit-learn, which of two algorithms is used. Here the shape of the records decides that, and the
        model is the same; combinations that scikit-learn refuses are refused.
    tol : float, default 1e-4
        How exact the weights are to be: see the notes.
    C : float, default 1.0
        How much the losses count beside the penalty.
    multi_class : {"ovr", "crammer_singer"}, default "ovr"
        With "crammer_singer" the penalty is "l2", the loss is what a record's class lacks of lying 1 above
        the next one, and `penalty`, `loss` and `dual` say nothing.
    fit_intercept : bool, default True
    intercept_scaling : float, default 1.0
        The intercept is the weight of a column that holds this number, times this number. So it is
        penalised, the less the greater the number.
    class_weight : dict or "balanced", optional
        What C is multiplied by for the records of a class, by label. "balanced" makes all classes weigh the
        same. With more than two classes told from their rest, a class's factor counts in its own model only.
    verbose : int, default 0
        Whether to report.
    random_state : int, RandomState, Generator, optional
        The order in which coordinate descent goes over the records; other algorithms draw nothing.
    max_iter : int, default 1000
        Most iterations of whichever algorithm it is. A hundred sweeps of the one for "crammer_singer" count
        as one (in scikit-learn there may be 100 000, whatever `max_iter` is).

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        The weights; of two classes, those that tell the second.
    intercept_ : ndarray of shape (1,) or (n_classes,), or 0.0
        0.0 without an intercept.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_iter_ : int
        The most iterations of all models.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed, or there is only one class.

    Notes
    -----
    Records of up to 1500 columns (or rows) that are dense are solved by second-order methods, whose steps
    cost one product of the records with themselves and whose number does not depend on C: Newton's method
    for the squared hinge [1]_, and an interior-point method for the hinge [2]_ (for few records, only if
    some sweeps of coordinate descent do not get there). They stop when the duality gap is `tol` squared
    times the objective. Others are solved by coordinate descent in the dual [3]_, which
    stops when no multiplier's slope is off by `tol`; eight classes go side by side. The L1 penalty has
    coordinate descent on Newton's model, or on the objective itself [4]_, with `tol` as in LIBLINEAR.
    Crammer and Singer's problem is solved as in [5]_.

    References
    ----------
    .. [1] S. S. Keerthi and D. DeCoste, A modified finite Newton method for fast solution of large scale
       linear SVMs, Journal of Machine Learning Research 6, 2005.
    .. [2] M. C. Ferris and T. S. Munson, Interior-point methods for massive support vector machines, SIAM
       Journal on Optimization 13, 2002.
    .. [3] C.-J. Hsieh et al., A dual coordinate descent method for large-scale linear SVM, ICML 2008.
    .. [4] G.-X. Yuan et al., A comparison of optimization methods and software for large-scale
       L1-regularized linear classification, Journal of Machine Learning Research 11, 2010.
    .. [5] S. S. Keerthi et al., A sequential dual method for large scale multi-class linear SVMs, KDD 2008.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.svm import LinearSVC
    >>> iris = load_iris()
    >>> model = LinearSVC().fit(iris)
    >>> round(model.score(iris), 2)
    0.97
    >>> model.predict([[5.0, 3.4, 1.5, 0.2]])
    array([0])
    """

    penalty: Literal["l1", "l2"] = param("l2", one_of("l1", "l2"), positional=True)
    loss: Literal["hinge", "squared_hinge"] = param(
        "squared_hinge", one_of("hinge", "squared_hinge"), positional=True
    )
    dual: Any = param("auto", boolean() | one_of("auto"))
    tol: float = param(1e-4, between(0))
    C: float = param(1.0, positive())
    # (No Literal, no bool: scikit-learn's checks ask of its variants what its own do not do either, weights
    # that are repetitions to seven digits from coordinate descent, and one class found from the origin.)
    multi_class: str = param("ovr", one_of("ovr", "crammer_singer"))
    fit_intercept: Any = param(True, boolean())
    intercept_scaling: float = param(1, positive())
    class_weight: Any = param(None, class_weight_rule())
    verbose: int = param(0, verbosity())
    random_state: Any = param(None, seed())
    max_iter: int = param(1000, at_least(0))

    coef_: Any = fitted()
    intercept_: Any = fitted()
    classes_: np.ndarray = fitted()
    n_iter_: int = fitted()

    _sparse = True

    @one_thread()
    def _fit(self, table: Table, labels: Labels, weights: np.ndarray) -> LinearFit:
        joint = self.multi_class == "crammer_singer"
        if not joint:
            _check_combination(self.penalty, self.loss, self.dual)
        if labels.n_classes < 2:
            raise ValueError(
                f"This solver needs samples of at least 2 classes in the data, but the data contains only "
                f"one class: {labels.classes[0]!r}"
            )
        factors = class_factors(self.class_weight, labels, weights)
        records = Records(table, _constant(self), weights)
        how = _settings(self, self.penalty, self.loss == "squared_hinge")
        codes = np.ascontiguousarray(records.take(labels.codes))
        W, n_iter, converged = solve_classes(records, codes, float(self.C), factors, how, joint)
        if joint and labels.n_classes == 2:
            W = W[1:] - W[:1]
        found = records.solution(W, n_iter, converged, table.dtype)
        _report(self, found)
        return LinearFit(found.coef, found.intercept if self.fit_intercept else 0.0, found.n_iter)

    def _scores(self, table: Table) -> np.ndarray:
        scores = _products(table, self.coef_, self.intercept_)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def decision_function(self, X: Any) -> Any:
        """How far each record lies on the side of each class, in units of margins.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Of two classes, above 0 for the second. A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        scores = self._scores(self._read_new(X))
        return X.with_targets(scores) if is_dataset(X) else scores

    def _codes(self, table: Table) -> np.ndarray:
        scores = self._scores(table)
        return (scores > 0).astype(np.int64) if scores.ndim == 1 else scores.argmax(axis=1)

    def sparsify(self) -> Self:
        """Keep the weights as a sparse matrix, which is smaller where most are 0.

        Returns
        -------
        self

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        from scipy.sparse import csr_array

        self._check_fitted()
        self.coef_ = csr_array(self.coef_)
        return self

    def densify(self) -> Self:
        """Keep the weights as an array, as they were before `sparsify`.

        Returns
        -------
        self

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        self._check_fitted()
        if is_sparse(self.coef_):
            self.coef_ = self.coef_.toarray()
        return self


class LinearSVR(Regressor):
    """Linear regression by support vector machines: errors up to `epsilon` cost nothing, for many records.

    The weights w and the intercept b minimise ``(w @ w + b**2) / 2 + C * sum(loss(abs(y - X @ w - b) -
    epsilon))``.

    Parameters
    ----------
    epsilon : float, default 0.0
        The size of errors that cost nothing, in the units of the targets.
    tol : float, default 1e-4
        How exact the weights are to be: see the notes of `LinearSVC`. In coordinate descent, the sum of what
        slopes are off by in a sweep, by that in the first sweep.
    C : float, default 1.0
        How much the losses count beside the penalty.
    loss : {"epsilon_insensitive", "squared_epsilon_insensitive"}, default "epsilon_insensitive"
        What is lost where ``abs(y - X @ w - b) - epsilon`` is above 0: that, or its square.
    fit_intercept : bool, default True
    intercept_scaling : float, default 1.0
        The intercept is the weight of a column that holds this number, times this number. So it is
        penalised, the less the greater the number.
    dual : "auto" or bool, default "auto"
        In scikit-learn, which of two algorithms is used. Here the shape of the records decides that, and the
        model is the same; combinations that scikit-learn refuses are refused.
    verbose : int, default 0
        Whether to report.
    random_state : int, RandomState, Generator, optional
        The order in which coordinate descent goes over the records; other algorithms draw nothing.
    max_iter : int, default 1000
        Most iterations of whichever algorithm it is.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : ndarray of shape (1,), or 0.0
        0.0 without an intercept.
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    References
    ----------
    .. [1] C.-H. Ho and C.-J. Lin, Large-scale linear support vector regression, Journal of Machine Learning
       Research 13, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.svm import LinearSVR
    >>> X = np.arange(6.0)[:, None]
    >>> y = np.array([1.0, 3.0, 5.0, 70.0, 9.0, 11.0])
    >>> LinearSVR(C=100.0).fit(X, y).predict([[3.0]]).round(3)
    array([7.])
    """

    epsilon: float = param(0.0, between(0))
    tol: float = param(1e-4, between(0))
    C: float = param(1.0, positive())
    loss: Literal["epsilon_insensitive", "squared_epsilon_insensitive"] = param(
        "epsilon_insensitive", one_of("epsilon_insensitive", "squared_epsilon_insensitive")
    )
    fit_intercept: bool = param(True, boolean())
    intercept_scaling: float = param(1.0, positive())
    dual: Any = param("auto", boolean() | one_of("auto"))
    verbose: int = param(0, verbosity())
    random_state: Any = param(None, seed())
    max_iter: int = param(1000, at_least(0))

    coef_: np.ndarray = fitted()
    intercept_: Any = fitted()
    n_iter_: int = fitted()

    _sparse = True

    def _read_targets(self, X: Any, y: Any, table: Table) -> np.ndarray:
        return one_column(super()._read_targets(X, y, table), y)

    @one_thread()
    def _fit(self, table: Table, targets: np.ndarray, weights: np.ndarray) -> LinearFit:
        _check_combination("l2", self.loss, self.dual)
        records = Records(table, _constant(self), weights)
        how = _settings(self, "l2", self.loss == "squared_epsilon_insensitive")
        target = records.take(targets).astype(np.float64)
        # (Targets in units in which squares of them stay in range; weights are in those units, too.)
        unit = power_of_two(max(float(target.max()), -float(target.min()), float(self.epsilon)))
        target, width = target / unit, self.epsilon / unit
        cost = records.costs(float(self.C) / (1.0 if how.squared else unit), 1.0, "l2")
        W, n_iter, converged = solve_bands(records, (target - width, target + width), cost, how)
        found = records.solution(W * unit, n_iter, converged, table.dtype)
        _report(self, found)
        intercept = found.intercept if self.fit_intercept else 0.0
        return LinearFit(found.coef[0], intercept, found.n_iter)

    def _values(self, table: Table) -> np.ndarray:
        return _products(table, self.coef_, self.intercept_)[:, 0]
