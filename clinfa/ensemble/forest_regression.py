"""Forests of trees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np

from clinfa.arrays import Table
from clinfa.ensemble._forest import Forest, ForestFit, warn_of_unseen
from clinfa.ensemble._out_of_bag import ValuesOutOfBag, counted
from clinfa.ensemble._quantiles import LeafTargets, read_quantiles
from clinfa.growing.growth import Targets
from clinfa.growing.learners import TreeRegressor
from clinfa.growing.settings import COLUMNS
from clinfa.growing.trees import Tree
from clinfa.many import share
from clinfa.metrics import r2_score
from clinfa.params import boolean, one_of, param
from clinfa.tree import DecisionTreeRegressor, ExtraTreeRegressor

__all__ = ["ExtraTreesRegressor", "RandomForestRegressor"]


class RandomForestRegressor(ValuesOutOfBag, TreeRegressor, Forest):
    """Trees on bootstrap samples; what they predict on average [1]_.

    Parameters
    ----------
    n_estimators : int, default 100
        How many trees.
    criterion : {"squared_error", "friedman_mse", "absolute_error", "poisson"}, default "squared_error"
        What a node's spread is measured by: the variance (the first two are one), absolute deviations from
        the median, or the deviance of counts.
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
        What samples, columns and random thresholds are drawn with.
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
    bootstrap : bool, default True
        Whether each tree grows on records drawn with replacement, by their weights; otherwise on all.
    oob_score : bool or callable, default False
        Whether records are predicted by the trees that have not seen them; a callable is given the true and
        the predicted targets and returns a score.
    n_jobs : int, optional
        Threads; all there are by default and below 1. Results do not depend on it.
    verbose : int, default 0
        Log progress where it is above 0.
    warm_start : bool, default False
        Whether a second `fit` keeps the trees that there are, and adds what is missing.
    max_samples : int or float, optional
        How many records are drawn for a tree; a float is a share. As many as there are by default. Weights
        that are all whole numbers count as repetitions of records.
    keep_targets : bool, default False
        Whether it is kept which records lie in each leaf, and their targets, which `predict_quantiles` needs:
        four bytes for each record and tree.

    Attributes
    ----------
    n_outputs_ : int
        Targets.
    estimator_ : DecisionTreeRegressor
        What the trees are.
    estimators_ : list
        The trees, made when asked for.
    estimators_samples_ : list of ndarray
        The records that each tree grew on, as often as they were drawn.
    feature_importances_ : ndarray of shape (n_features,)
        By how much splits on each column lower the impurity, as shares.
    oob_score_ : float
        Where `oob_score` asks for it, as is the next.
    oob_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        What trees say of the records they have not seen; 0 where all have.
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
    The trees are exact: every value is a candidate. A seed gives the same forest, bit for bit, on any number
    of threads. Records are drawn along an order that depends on what they contain: a record of weight 2 and
    one that stands there twice lead to the same forest. NaN is a value that is missing.

    References
    ----------
    .. [1] L. Breiman, Random forests, Machine Learning 45, 2001.

    Examples
    --------
    >>> from clinfa.ensemble import RandomForestRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 3.0, 3.0]
    >>> RandomForestRegressor(50, random_state=0).fit(X, y).predict([[0.2], [2.9]]).round()
    array([0., 3.])
    """

    criterion: Literal["squared_error", "friedman_mse", "absolute_error", "poisson"] = param(
        "squared_error", one_of("squared_error", "friedman_mse", "absolute_error", "poisson")
    )
    max_features: Any = param(1.0, COLUMNS)
    keep_targets: bool = param(False, boolean())

    def _fit(self, table: Table, targets: Targets, weights: np.ndarray) -> ForestFit:
        found = self._grown(table, targets, weights)
        if self.keep_targets:
            with share(self.n_jobs):
                found = replace(found, _held=LeafTargets.of(table, targets, weights, found))
        if self.oob_score is False:
            return found
        sums, seen = self._out_of_bag(table, found)
        said, truth = sums / np.maximum(seen, 1)[:, None], targets.y
        if said.shape[1] == 1:
            said, truth = said[:, 0], truth[:, 0]
        which = counted(weights)
        score = float((self.oob_score if callable(self.oob_score) else r2_score)(truth[which], said[which]))
        return replace(found, _oob=(score, said))

    def predict_quantiles(self, X: Any, quantiles: Any = 0.5, *, oob: bool = False) -> np.ndarray:
        """Quantiles of the targets that records may have [1]_.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
        quantiles : float or array-like of shape (n_quantiles,), default 0.5
            Each in [0, 1].
        oob : bool, default False
            X are the records that the forest was fitted on, in their order; only trees that have not seen a
            record are asked about it.

        Returns
        -------
        values : ndarray of shape (n_samples,), (n_samples, n_quantiles) or with n_outputs before the last
            Without the last axis where `quantiles` is a number. NaN where, with `oob`, all trees have seen a
            record.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            If the forest was fitted without `keep_targets`, quantiles are not in [0, 1], `oob` is asked of a
            forest without bootstrap or of other records, or X is not such records as were learned from.

        Notes
        -----
        The records in the leaves that a record reaches have its distribution: those of a tree share one
        weight, by how often they were drawn, and trees weigh the same, so that its mean is what `predict`
        says (for squared errors). A quantile q is the least target such that those up to it have at least
        the share q of the weight: always one that was learned, nothing is interpolated.

        References
        ----------
        .. [1] N. Meinshausen, Quantile regression forests, Journal of Machine Learning Research 7, 2006.

        Examples
        --------
        >>> from clinfa.datasets import load_diabetes
        >>> from clinfa.ensemble import RandomForestRegressor
        >>> diabetes = load_diabetes()
        >>> model = RandomForestRegressor(min_samples_leaf=5, keep_targets=True, random_state=0).fit(diabetes)
        >>> between = model.predict_quantiles(diabetes, [0.05, 0.95], oob=True)
        >>> bool(((between[:, 0] <= diabetes.targets) & (diabetes.targets <= between[:, 1])).mean() > 0.85)
        True
        """
        self._check_fitted()
        if self._held is None:
            raise ValueError(
                f"predict_quantiles needs the targets in the leaves, which this {type(self).__name__} was "
                f"fitted without: fit it with keep_targets=True."
            )
        wanted, table = read_quantiles(quantiles), self._read_new(X)
        if oob and self._bags is None:
            raise ValueError("oob=True is only available if bootstrap=True: every tree has seen all records.")
        if oob and table.n != self._n_samples:
            raise ValueError(
                f"With oob=True X must be the {self._n_samples} records of the fit, got {table.n}."
            )
        with share(self.n_jobs):
            out = self._held.quantiles(table, self, wanted, oob)
        if oob and np.isnan(out).any():
            warn_of_unseen()
        out = out.astype(np.promote_types(table.dtype, self._dtype), copy=False)
        out = out[..., 0] if np.ndim(quantiles) == 0 else out
        return out[:, 0] if self.n_outputs_ == 1 else out

    def _tree(self) -> type:
        return ExtraTreeRegressor if self._random else DecisionTreeRegressor

    def _learned(self, tree: Tree) -> dict[str, Any]:
        return {"_dtype": self._dtype}


class ExtraTreesRegressor(RandomForestRegressor):
    """Trees whose thresholds are drawn at random; what they predict on average [1]_.

    Parameters
    ----------
    n_estimators : int, default 100
        How many trees.
    criterion : {"squared_error", "friedman_mse", "absolute_error", "poisson"}, default "squared_error"
        What a node's spread is measured by: the variance (the first two are one), absolute deviations from
        the median, or the deviance of counts.
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
        What samples, columns and random thresholds are drawn with.
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
    bootstrap : bool, default False
        Whether each tree grows on records drawn with replacement, by their weights; otherwise on all.
    oob_score : bool or callable, default False
        Whether records are predicted by the trees that have not seen them; a callable is given the true and
        the predicted targets and returns a score.
    n_jobs : int, optional
        Threads; all there are by default and below 1. Results do not depend on it.
    verbose : int, default 0
        Log progress where it is above 0.
    warm_start : bool, default False
        Whether a second `fit` keeps the trees that there are, and adds what is missing.
    max_samples : int or float, optional
        How many records are drawn for a tree; a float is a share. As many as there are by default. Weights
        that are all whole numbers count as repetitions of records.
    keep_targets : bool, default False
        Whether it is kept which records lie in each leaf, and their targets, which `predict_quantiles` needs:
        four bytes for each record and tree.

    Attributes
    ----------
    n_outputs_ : int
        Targets.
    estimator_ : ExtraTreeRegressor
        What the trees are.
    estimators_ : list
        The trees, made when asked for.
    estimators_samples_ : list of ndarray
        The records that each tree grew on, as often as they were drawn.
    feature_importances_ : ndarray of shape (n_features,)
        By how much splits on each column lower the impurity, as shares.
    oob_score_ : float
        Where `oob_score` asks for it, as is the next.
    oob_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        What trees say of the records they have not seen; 0 where all have.
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
    The trees are exact: every value is a candidate. A seed gives the same forest, bit for bit, on any number
    of threads. Records are drawn along an order that depends on what they contain: a record of weight 2 and
    one that stands there twice lead to the same forest. NaN is a value that is missing.

    References
    ----------
    .. [1] P. Geurts, D. Ernst and L. Wehenkel, Extremely randomized trees, Machine Learning 63, 2006.

    Examples
    --------
    >>> from clinfa.ensemble import ExtraTreesRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 3.0, 3.0]
    >>> ExtraTreesRegressor(50, random_state=0).fit(X, y).predict([[0.2], [2.9]]).round()
    array([0., 3.])
    """

    _splitter: ClassVar[str] = "random"

    bootstrap: bool = param(False, boolean())
