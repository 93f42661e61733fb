"""Support vector classification."""

from __future__ import annotations

import warnings
from typing import ClassVar

import numpy as np

from clinfa.errors import outside
from clinfa.params import between, param
from clinfa.svm._machine import COST, MOST
from clinfa.svm._pairs import PairMachine
from clinfa.svm._problems import c_classification, c_classifications, nu_classification, unscaled
from clinfa.svm._smo import Batch, Problem, Solution
from clinfa.svm._votes import pair_list

__all__ = ["SVC", "NuSVC"]


class SVC(PairMachine):
    """Support vector classification: the widest margin in the space of a kernel.

    One machine for each pair of classes, of which the one that wins most is predicted. All optimise
    ``|w|² / 2 + C * sum of max(0, 1 - margin)`` by blocks of sequential minimal optimisation [1]_ on several
    threads, and to the same bits on any number of them.

    Parameters
    ----------
    C : float, default 1.0
        What a unit of weight inside the margin costs: the greater, the less regular.
    kernel : {"linear", "poly", "rbf", "sigmoid", "precomputed"}, callable, Method or Kernel, default "rbf"
        "precomputed": records are rows of a kernel matrix. A callable gets two matrices and returns that of
        their kernel. A `clinfa.kernels.Method`, or a `Kernel` of one or its params, carries its own
        parameters.
    degree : float, default 3
        Of "poly".
    gamma : {"scale", "auto"} or float, default "scale"
        Of "rbf", "poly" and "sigmoid". "scale" is 1 / (n_features * X.var()), "auto" 1 / n_features.
    coef0 : float, default 0.0
        Of "poly" and "sigmoid".
    shrinking : bool, default True
        For compatibility: blocks leave out whom shrinking would.
    tol : float, default 1e-3
        How much optimality may be violated at the end: the greatest gradient of a dual variable that may grow
        less the least of one that may shrink.
    cache_size : float, default 200
        Megabytes that a fit may take beside the data.
    class_weight : dict, "balanced" or None, default None
        What C is multiplied by for the records of a class.
    verbose : bool or int, default False
        Whether progress is logged.
    max_iter : int, default -1
        Most steps of two variables, -1 for as many as it takes.
    decision_function_shape : {"ovr", "ovo"}, default "ovr"
        What `decision_function` returns of more than two classes.
    break_ties : bool, default False
        Whether, of classes that win equally many pairs, the one is predicted that wins more clearly, and not
        the first.
    probability : bool, default False
        Whether `predict_proba` is learned, by Platt scaling on five held-out folds: six times the work.
    random_state : None, int, RandomState or Generator, default None
        Of the folds for probabilities; None is 0.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    support_ : ndarray of shape (n_support_vectors,), int32
        The places of the support vectors among the records, class by class.
    support_vectors_ : ndarray or csr_matrix of shape (n_support_vectors, n_features)
        Empty where the kernel is given or a callable.
    n_support_ : ndarray of shape (n_classes,), int32
    dual_coef_ : ndarray or csr_matrix of shape (n_classes - 1, n_support_vectors)
        Coefficients in the machines of a support vector's class with each other class.
    coef_ : ndarray or csr_matrix of shape (n_pairs, n_features)
        With a linear kernel only.
    intercept_ : ndarray of shape (n_pairs,)
    n_iter_ : ndarray of shape (n_pairs,), int32
        Steps of two variables.
    objective_ : ndarray of shape (n_pairs,)
        The dual objective: sum of the coefficients' sizes less half the squared norm of w.
    violation_ : ndarray of shape (n_pairs,)
        How much optimality is violated: at most `tol`.
    fit_status_ : int
        0, or 1 where a machine did not converge.
    class_weight_ : ndarray of shape (n_classes,)
    probA_, probB_ : ndarray of shape (n_pairs,)
        The first class of a pair has the probability 1 / (1 + exp(probA * f + probB)); empty without
        `probability`.
    shape_fit_ : tuple of int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed, or there are not two classes.

    References
    ----------
    .. [1] Rong-En Fan, Pai-Hsuen Chen and Chih-Jen Lin, Working set selection using second order information
       for training support vector machines, JMLR 6, 2005.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.svm import SVC
    >>> iris = load_iris()
    >>> model = SVC(C=10.0).fit(iris)
    >>> model.n_support_
    array([ 4, 11, 12], dtype=int32)
    >>> round(model.score(iris), 3)
    0.987
    """

    C: float = param(1.0, COST)

    def _problem(self, C: np.ndarray, first: int) -> Problem:
        return c_classification(np.minimum(float(self.C) * C, MOST), first)

    def _together(self, C: np.ndarray, ends: list[int]) -> Batch:
        return c_classifications(np.minimum(float(self.C) * C, MOST), ends, pair_list(len(ends) - 1))

    def _finished(self, solution: Solution) -> tuple[np.ndarray, float]:
        return solution.b, float(solution.thresholds[0])


class NuSVC(PairMachine):
    """Support vector classification where `nu` says how many records may lie inside the margin.

    Parameters
    ----------
    nu : float in (0, 1], default 0.5
        At most this share of the weight lies inside the margin, and at least this share are support vectors
        [1]_. Two classes of weight a < b allow no more than 2 a / (a + b): beyond that the margin grows
        without bound, so that the heavier is always predicted, and a warning says so.
    kernel, degree, gamma, coef0, shrinking, tol, cache_size, class_weight, verbose, max_iter, \
decision_function_shape, break_ties, probability, random_state
        As for `SVC`; the classes' weights multiply those of their records.

    Attributes
    ----------
    classes_, support_, support_vectors_, n_support_, dual_coef_, coef_, intercept_, n_iter_, objective_, \
violation_, fit_status_, class_weight_, probA_, probB_, shape_fit_, n_features_in_, feature_names_in_
        As for `SVC`.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed, or there are not two classes.

    References
    ----------
    .. [1] Bernhard Schölkopf, Alex J. Smola, Robert C. Williamson and Peter L. Bartlett, New support vector
       algorithms, Neural Computation 12, 2000.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.svm import NuSVC
    >>> iris = load_iris()
    >>> round(NuSVC(nu=0.1).fit(iris).score(iris), 3)
    0.987
    """

    _alone: ClassVar[str] = "specified nu is infeasible"

    nu: float = param(0.5, between(0, 1, closed="right"))

    def _problem(self, C: np.ndarray, first: int) -> Problem | float:
        one, other = float(C[:first].sum()), float(C[first:].sum())
        most = 2 * min(one, other) / (one + other)
        if self.nu <= most * (1 + 1e-12):
            # (tol is for records that weigh one on average, as it is without weights)
            return nu_classification(C / ((one + other) / len(C)), first, min(float(self.nu), most))
        warnings.warn(
            f"specified nu is infeasible: {self.nu:g} is more than {most:.4g}, the most that the weights of "
            f"two classes allow; the heavier of them will always be predicted.",
            stacklevel=outside(),
        )
        return 1.0 if one > other else -1.0

    def _finished(self, solution: Solution) -> tuple[np.ndarray, float]:
        return unscaled(solution)
