"""Trees that predict numbers."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from clinfa.arrays import Table
from clinfa.growing.growth import Targets
from clinfa.growing.learners import TreeRegressor
from clinfa.growing.settings import COLUMNS
from clinfa.params import one_of, param
from clinfa.tree._single import Single, TreeFit

__all__ = ["DecisionTreeRegressor", "ExtraTreeRegressor"]

_CRITERIA = one_of("squared_error", "friedman_mse", "absolute_error", "poisson")


class DecisionTreeRegressor(TreeRegressor, Single):
    """A tree of thresholds with a number in each leaf [1]_.

    Parameters
    ----------
    criterion : {"squared_error", "friedman_mse", "absolute_error", "poisson"}, default "squared_error"
        What a node's spread is measured by: the variance (the first two are one), absolute deviations from
        the median, or the deviance of counts.
    splitter : {"best", "random"}, default "best"
        The best threshold of each column, or one drawn uniformly.
    max_depth : int, optional
        The greatest depth; none by default.
    min_samples_split : int or float, default 2
        How many records a node must have to be divided; a float is a share of all.
    min_samples_leaf : int or float, default 1
        How many records each leaf must have; a float is a share of all.
    min_weight_fraction_leaf : float, default 0
        The share of the whole weight that each leaf must have.
    max_features : int, float, {"sqrt", "log2"} or None, default None
        How many columns are tried in a node, drawn anew in each; a float is a share. More are tried while all
        are constant.
    random_state : int, RandomState or Generator, optional
        What columns and random thresholds are drawn with.
    max_leaf_nodes : int, optional
        With it the tree grows best first, up to so many leaves.
    min_impurity_decrease : float, default 0
        By how much a split must lower the impurity, as a share of the whole weight.
    ccp_alpha : float, default 0
        Branches are cut off that lower the impurity by less than this a leaf.
    monotonic_cst : array-like of shape (n_features,), optional
        1 for columns in which predictions (the probability of the second class) may only rise, -1 where they
        may only fall, 0 elsewhere.
    categorical_features : array-like of bool, int or str, of shape (k,), or "from_dtype", optional
        Columns of categories, which are divided into any two groups instead of by a threshold: a mask,
        numbers or names; "from_dtype" for those that a dataframe says are categorical. They may hold numbers,
        or labels of any kind, at most 65,536 different ones. What was not seen in fitting counts as missing.

    Attributes
    ----------
    n_outputs_ : int
        Targets.
    max_features_ : int
        Columns that are tried in a node.
    feature_importances_ : ndarray of shape (n_features,)
        By how much splits on each column lower the impurity, as shares of the whole.
    tree_ : clinfa.growing.trees.Tree
        The tree as flat arrays, under scikit-learn's names.
    is_categorical_ : ndarray of shape (n_features,) or None
        Which columns are of categories; None where none are.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    Notes
    -----
    Values are compared as they are, in double precision; every value that differs is a value of its own. Of
    equally good splits that of the first column tried wins, and of its thresholds the lowest. NaN is a value
    that is missing: each split sends what is missing to the better side.

    References
    ----------
    .. [1] L. Breiman, J. Friedman, R. Olshen and C. Stone, Classification and Regression Trees, Wadsworth
       1984.

    Examples
    --------
    >>> from clinfa.tree import DecisionTreeRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 1.0, 3.0]
    >>> DecisionTreeRegressor(random_state=0).fit(X, y).predict([[0.2], [2.9]])
    array([0., 3.])
    """

    criterion: Literal["squared_error", "friedman_mse", "absolute_error", "poisson"] = param(
        "squared_error", _CRITERIA
    )
    splitter: Literal["best", "random"] = param("best", one_of("best", "random"))

    def _fit(self, table: Table, targets: Targets, weights: np.ndarray) -> TreeFit:
        return self._grown(table, targets, weights, float(self.ccp_alpha))

    def cost_complexity_pruning_path(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """The steps in which the whole tree would be pruned as `ccp_alpha` rises.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        path : PruningPath
            With `ccp_alphas` and `impurities`, both of shape (steps,): from each alpha on, the impurity of
            the leaves. Both are also found by name, as in a dict.

        Raises
        ------
        ValueError, TypeError
            As for `fit`.
        """
        return self._path(X, y, sample_weight)


class ExtraTreeRegressor(DecisionTreeRegressor):
    """A tree whose thresholds are drawn at random, of which the best is taken [1]_.

    Parameters
    ----------
    criterion : {"squared_error", "friedman_mse", "absolute_error", "poisson"}, default "squared_error"
        What a node's spread is measured by: the variance (the first two are one), absolute deviations from
        the median, or the deviance of counts.
    splitter : {"best", "random"}, default "random"
        The best threshold of each column, or one drawn uniformly.
    max_depth : int, optional
        The greatest depth; none by default.
    min_samples_split : int or float, default 2
        How many records a node must have to be divided; a float is a share of all.
    min_samples_leaf : int or float, default 1
        How many records each leaf must have; a float is a share of all.
    min_weight_fraction_leaf : float, default 0
        The share of the whole weight that each leaf must have.
    max_features : int, float, {"sqrt", "log2"} or None, default 1.0
        How many columns are tried in a node, drawn anew in each; a float is a share. More are tried while all
        are constant.
    random_state : int, RandomState or Generator, optional
        What columns and random thresholds are drawn with.
    max_leaf_nodes : int, optional
        With it the tree grows best first, up to so many leaves.
    min_impurity_decrease : float, default 0
        By how much a split must lower the impurity, as a share of the whole weight.
    ccp_alpha : float, default 0
        Branches are cut off that lower the impurity by less than this a leaf.
    monotonic_cst : array-like of shape (n_features,), optional
        1 for columns in which predictions (the probability of the second class) may only rise, -1 where they
        may only fall, 0 elsewhere.
    categorical_features : array-like of bool, int or str, of shape (k,), or "from_dtype", optional
        Columns of categories, which are divided into any two groups instead of by a threshold: a mask,
        numbers or names; "from_dtype" for those that a dataframe says are categorical. They may hold numbers,
        or labels of any kind, at most 65,536 different ones. What was not seen in fitting counts as missing.

    Attributes
    ----------
    n_outputs_ : int
        Targets.
    max_features_ : int
        Columns that are tried in a node.
    feature_importances_ : ndarray of shape (n_features,)
        By how much splits on each column lower the impurity, as shares of the whole.
    tree_ : clinfa.growing.trees.Tree
        The tree as flat arrays, under scikit-learn's names.
    is_categorical_ : ndarray of shape (n_features,) or None
        Which columns are of categories; None where none are.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    Notes
    -----
    Values are compared as they are, in double precision; every value that differs is a value of its own. Of
    equally good splits that of the first column tried wins, and of its thresholds the lowest. NaN is a value
    that is missing: each split sends what is missing to the better side.

    References
    ----------
    .. [1] P. Geurts, D. Ernst and L. Wehenkel, Extremely randomized trees, Machine Learning 63, 2006.

    Examples
    --------
    >>> from clinfa.tree import ExtraTreeRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 1.0, 3.0]
    >>> ExtraTreeRegressor(random_state=0).fit(X, y).predict([[0.2], [2.9]])
    array([0., 3.])
    """

    splitter: Literal["best", "random"] = param("random", one_of("best", "random"))
    max_features: Any = param(1.0, COLUMNS)
