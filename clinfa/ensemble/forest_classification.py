"""Forests of trees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np

from clinfa.arrays import Table
from clinfa.ensemble._forest import Forest, ForestFit
from clinfa.ensemble._out_of_bag import ClassesOutOfBag, counted
from clinfa.growing.growth import Targets
from clinfa.growing.learners import TreeClassifier, with_class_weights
from clinfa.growing.settings import COLUMNS
from clinfa.growing.trees import Tree
from clinfa.params import Rule, boolean, instance, none, one_of, param
from clinfa.targets import Labels
from clinfa.tree import DecisionTreeClassifier, ExtraTreeClassifier

__all__ = ["ExtraTreesClassifier", "RandomForestClassifier"]


class RandomForestClassifier(ClassesOutOfBag, TreeClassifier, Forest):
    """Trees on bootstrap samples, each node of which is divided by the best of a few columns [1]_.

    The probability of a class is the mean of its shares in the leaves.

    Parameters
    ----------
    n_estimators : int, default 100
        How many trees.
    criterion : {"gini", "entropy", "log_loss"}, default "gini"
        What a node's mixture of classes is measured by; the last two are one.
    max_depth : int, optional
        The greatest depth; none by default.
    min_samples_split : int or float, default 2
        How many records a node must have to be divided; a float is a share of all.
    min_samples_leaf : int or float, default 1
        How many records each leaf must have; a float is a share of all.
    min_weight_fraction_leaf : float, default 0
        The share of the whole weight that each leaf must have.
    max_features : int, float, {"sqrt", "log2"} or None, default "sqrt"
        How many columns are tried in a node, drawn anew in each; a float is a share. More are tried while all
        are constant.
    random_state : int, RandomState or Generator, optional
        What samples, columns and random thresholds are drawn with.
    max_leaf_nodes : int, optional
        With it the tree grows best first, up to so many leaves.
    min_impurity_decrease : float, default 0
        By how much a split must lower the impurity, as a share of the whole weight.
    class_weight : dict, list of dicts, "balanced" or "balanced_subsample", optional
        Factors of the weights by class (for several targets a list); "balanced" makes all classes weigh the
        same, "balanced_subsample" does so in the sample of each tree.
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

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; a list of such arrays where there are several targets.
    n_classes_ : int
        How many; a list where there are several targets.
    n_outputs_ : int
        Targets.
    estimator_ : DecisionTreeClassifier
        What the trees are.
    estimators_ : list
        The trees, made when asked for.
    estimators_samples_ : list of ndarray
        The records that each tree grew on, as often as they were drawn.
    feature_importances_ : ndarray of shape (n_features,)
        By how much splits on each column lower the impurity, as shares.
    oob_score_ : float
        Where `oob_score` asks for it, as is the next.
    oob_decision_function_ : ndarray of shape (n_samples, n_classes) or (n_samples, n_classes, n_outputs)
        What trees say of the records they have not seen; NaN where all have.
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
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.ensemble import RandomForestClassifier
    >>> iris = load_iris()
    >>> model = RandomForestClassifier(20, random_state=0).fit(iris)
    >>> model.predict([[6.3, 3.3, 6.0, 2.5]])
    array([2])
    """

    criterion: Literal["gini", "entropy", "log_loss"] = param("gini", one_of("gini", "entropy", "log_loss"))
    max_features: Any = param("sqrt", COLUMNS)
    class_weight: Any = param(
        None,
        instance(dict)
        | one_of("balanced", "balanced_subsample")
        | Rule("a list of dicts, one for each target", lambda v: isinstance(v, list))
        | none(),
    )

    def _fit(self, table: Table, targets: Targets, labels: list[Labels], weights: np.ndarray) -> ForestFit:
        self._check_same_classes(labels)
        balance = self._balance(labels) if self.class_weight == "balanced_subsample" else None
        found = self._grown(table, targets, weights, balance)
        if self.oob_score is False:
            return found
        sums, seen = self._out_of_bag(table, found)
        with np.errstate(invalid="ignore"):
            shares = np.split(sums / seen[:, None], np.cumsum(targets.n_classes)[:-1], axis=1)
        guesses = np.stack([share.argmax(axis=1) for share in shares], axis=1)
        several, which = len(labels) > 1, counted(weights)
        if callable(self.oob_score):
            truth = np.stack([some.classes[some.codes[which]] for some in labels], axis=1)
            said = np.stack([some.classes[guesses[which, o]] for o, some in enumerate(labels)], axis=1)
            score = float(self.oob_score(*((truth, said) if several else (truth[:, 0], said[:, 0]))))
        else:
            score = float((guesses == targets.y).all(axis=1)[which].mean())
        if several:
            function = np.full((table.n, int(targets.n_classes.max()), len(labels)), np.nan)
            for o, share in enumerate(shares):
                function[:, : share.shape[1], o] = share
        else:
            function = shares[0]
        return replace(found, _oob=(score, function))

    def _check_same_classes(self, labels: list[Labels]) -> None:
        """Trees that are kept know the classes by number."""
        if not (self.warm_start and self.__sklearn_is_fitted__()):
            return
        known = self.classes_ if self.n_outputs_ > 1 else [self.classes_]
        new = [some.classes for some in labels]
        if len(known) != len(new) or not all(map(np.array_equal, known, new)):
            raise ValueError(f"warm_start goes on with the classes {self.classes_}, got {new}.")

    def _class_weights(self, labels: list[Labels], weights: np.ndarray) -> np.ndarray:
        if self.class_weight == "balanced_subsample":
            if self.bootstrap:
                return weights
            return with_class_weights("balanced", labels, weights)
        return super()._class_weights(labels, weights)

    def _balance(self, labels: list[Labels]) -> Any:
        """Weights of drawn records with which all classes weigh the same."""
        if not self.bootstrap:
            return None

        def balance(rows: np.ndarray, counts: np.ndarray) -> np.ndarray:
            drawn = [Labels(some.codes[rows], some.classes) for some in labels]
            return with_class_weights("balanced", drawn, counts)

        return balance

    def _tree(self) -> type:
        return ExtraTreeClassifier if self._random else DecisionTreeClassifier

    def _learned(self, tree: Tree) -> dict[str, Any]:
        classes = [np.arange(k) for k in tree.n_classes]
        several = self.n_outputs_ > 1
        return {
            "classes_": classes if several else classes[0],
            "n_classes_": tree.n_classes.tolist() if several else int(tree.n_classes[0]),
        }


class ExtraTreesClassifier(RandomForestClassifier):
    """Trees whose thresholds are drawn at random, of which the best of a few columns is taken [1]_.

    Parameters
    ----------
    n_estimators : int, default 100
        How many trees.
    criterion : {"gini", "entropy", "log_loss"}, default "gini"
        What a node's mixture of classes is measured by; the last two are one.
    max_depth : int, optional
        The greatest depth; none by default.
    min_samples_split : int or float, default 2
        How many records a node must have to be divided; a float is a share of all.
    min_samples_leaf : int or float, default 1
        How many records each leaf must have; a float is a share of all.
    min_weight_fraction_leaf : float, default 0
        The share of the whole weight that each leaf must have.
    max_features : int, float, {"sqrt", "log2"} or None, default "sqrt"
        How many columns are tried in a node, drawn anew in each; a float is a share. More are tried while all
        are constant.
    random_state : int, RandomState or Generator, optional
        What samples, columns and random thresholds are drawn with.
    max_leaf_nodes : int, optional
        With it the tree grows best first, up to so many leaves.
    min_impurity_decrease : float, default 0
        By how much a split must lower the impurity, as a share of the whole weight.
    class_weight : dict, list of dicts, "balanced" or "balanced_subsample", optional
        Factors of the weights by class (for several targets a list); "balanced" makes all classes weigh the
        same, "balanced_subsample" does so in the sample of each tree.
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

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; a list of such arrays where there are several targets.
    n_classes_ : int
        How many; a list where there are several targets.
    n_outputs_ : int
        Targets.
    estimator_ : ExtraTreeClassifier
        What the trees are.
    estimators_ : list
        The trees, made when asked for.
    estimators_samples_ : list of ndarray
        The records that each tree grew on, as often as they were drawn.
    feature_importances_ : ndarray of shape (n_features,)
        By how much splits on each column lower the impurity, as shares.
    oob_score_ : float
        Where `oob_score` asks for it, as is the next.
    oob_decision_function_ : ndarray of shape (n_samples, n_classes) or (n_samples, n_classes, n_outputs)
        What trees say of the records they have not seen; NaN where all have.
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
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.ensemble import ExtraTreesClassifier
    >>> iris = load_iris()
    >>> model = ExtraTreesClassifier(20, random_state=0).fit(iris)
    >>> model.predict([[6.3, 3.3, 6.0, 2.5]])
    array([2])
    """

    _splitter: ClassVar[str] = "random"

    bootstrap: bool = param(False, boolean())
