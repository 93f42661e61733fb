"""How well a clustering agrees with a truth: scikit-learn's functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from clinfa.blas import matmul
from clinfa.metrics._contingency import Contingency, entropy, of_matrix, pair_counts, read_contingency
from clinfa.params import between, function, instance, one_of

__all__ = [
    "adjusted_mutual_info_score",
    "adjusted_rand_score",
    "completeness_score",
    "consensus_score",
    "fowlkes_mallows_score",
    "homogeneity_completeness_v_measure",
    "homogeneity_score",
    "mutual_info_score",
    "normalized_mutual_info_score",
    "rand_score",
    "v_measure_score",
]

_BETA = between(0)
_MEANS = one_of("arithmetic", "max", "min", "geometric")
_SIMILARITY = function() | one_of("jaccard")
_TUPLE = instance(tuple)


def rand_score(labels_true: Any, labels_pred: Any) -> float:
    """Rand index: the share of pairs of rows on which two clusterings agree.

    Parameters
    ----------
    labels_true : array-like of shape (n,)
        Ints, strings or bools.
    labels_pred : array-like of shape (n,)

    Returns
    -------
    float
        From 0 to 1; 1 where there is no pair.

    Raises
    ------
    ValueError
        If lengths differ or labels are not labels.

    References
    ----------
    Rand (1971), Objective criteria for the evaluation of clustering methods. JASA 66.

    Examples
    --------
    >>> from clinfa.metrics import rand_score
    >>> rand_score([0, 0, 1, 1], [0, 0, 1, 2])
    0.8333333333333334
    """
    apart, joined, split, together = pair_counts(read_contingency(labels_true, labels_pred, "rand_score"))
    if joined == split == 0:
        return 1.0
    return (apart + together) / (apart + together + joined + split)


def adjusted_rand_score(labels_true: Any, labels_pred: Any) -> float:
    """Rand index, less what chance would give, as a share of what it can be beyond that.

    Parameters
    ----------
    labels_true : array-like of shape (n,)
        Ints, strings or bools.
    labels_pred : array-like of shape (n,)

    Returns
    -------
    float
        From -0.5 to 1; about 0 for labels drawn at random.

    Raises
    ------
    ValueError
        If lengths differ or labels are not labels.

    References
    ----------
    Hubert and Arabie (1985), Comparing partitions. Journal of Classification 2.

    Examples
    --------
    >>> from clinfa.metrics import adjusted_rand_score
    >>> adjusted_rand_score([0, 0, 1, 1], [0, 0, 1, 2])
    0.5714285714285714
    """
    table = read_contingency(labels_true, labels_pred, "adjusted_rand_score")
    apart, joined, split, together = pair_counts(table)
    if joined == split == 0:
        return 1.0
    # (Ints of any size: products of numbers of pairs pass 2^63 for fewer than 100 000 rows.)
    return (
        2
        * (together * apart - split * joined)
        / ((together + split) * (split + apart) + (together + joined) * (joined + apart))
    )


def fowlkes_mallows_score(labels_true: Any, labels_pred: Any) -> float:
    """Geometric mean of precision and recall over pairs of rows.

    Parameters
    ----------
    labels_true : array-like of shape (n,)
        Ints, strings or bools.
    labels_pred : array-like of shape (n,)

    Returns
    -------
    float
        From 0 to 1; 0 where no pair is together in both.

    Raises
    ------
    ValueError
        If lengths differ or labels are not labels.

    References
    ----------
    Fowlkes and Mallows (1983), A method for comparing two hierarchical clusterings. JASA 78.

    Examples
    --------
    >>> from clinfa.metrics import fowlkes_mallows_score
    >>> round(fowlkes_mallows_score([0, 0, 1, 1], [0, 0, 1, 2]), 6)
    0.707107
    """
    table = read_contingency(labels_true, labels_pred, "fowlkes_mallows_score")
    _, joined, split, together = pair_counts(table)
    if not together:
        return 0.0
    return math.sqrt(together / (together + joined)) * math.sqrt(together / (together + split))


def mutual_info_score(labels_true: Any, labels_pred: Any, *, contingency: Any = None) -> float:
    """Mutual information of two clusterings, in nats.

    Parameters
    ----------
    labels_true : array-like of shape (n,) or None
        Ints, strings or bools.
    labels_pred : array-like of shape (n,) or None
    contingency : array-like or sparse matrix of shape (n_classes, n_clusters), optional
        Counts to use instead of the labels.

    Returns
    -------
    float
        At least 0.

    Raises
    ------
    ValueError
        If lengths differ, labels are not labels, or `contingency` does not hold counts.

    References
    ----------
    Cover and Thomas (2006), Elements of Information Theory. Section 2.3.

    Examples
    --------
    >>> from clinfa.metrics import mutual_info_score
    >>> round(mutual_info_score([0, 0, 1, 1], [0, 0, 1, 2]), 6)
    0.693147
    """
    if contingency is not None:
        return of_matrix(contingency).information()
    return read_contingency(labels_true, labels_pred, "mutual_info_score").information()


def normalized_mutual_info_score(
    labels_true: Any, labels_pred: Any, *, average_method: str = "arithmetic"
) -> float:
    """Mutual information as a share of the mean entropy of both clusterings.

    Parameters
    ----------
    labels_true : array-like of shape (n,)
        Ints, strings or bools.
    labels_pred : array-like of shape (n,)
    average_method : {"arithmetic", "max", "min", "geometric"}
        Which mean of both entropies.

    Returns
    -------
    float
        From 0 to 1; 1 where both have one cluster.

    Raises
    ------
    ValueError
        If lengths differ or labels are not labels.

    References
    ----------
    Vinh, Epps and Bailey (2010), Information theoretic measures for clusterings comparison. JMLR 11.

    Examples
    --------
    >>> from clinfa.metrics import normalized_mutual_info_score
    >>> normalized_mutual_info_score([0, 0, 1, 1], [0, 0, 1, 2])
    0.8
    """
    _MEANS.check("average_method", average_method, "normalized_mutual_info_score")
    table = read_contingency(labels_true, labels_pred, "normalized_mutual_info_score")
    if table.pure and table.complete:
        return 1.0
    information = table.information()
    return information / _mean_entropy(table, average_method) if information else 0.0


def adjusted_mutual_info_score(
    labels_true: Any, labels_pred: Any, *, average_method: str = "arithmetic"
) -> float:
    """Mutual information, less what chance would give, as a share of what it can be beyond that.

    Parameters
    ----------
    labels_true : array-like of shape (n,)
        Ints, strings or bools.
    labels_pred : array-like of shape (n,)
    average_method : {"arithmetic", "max", "min", "geometric"}
        Which mean of both entropies is the most it can be.

    Returns
    -------
    float
        At most 1; about 0 for labels drawn at random.

    Raises
    ------
    ValueError
        If lengths differ or labels are not labels.

    References
    ----------
    Vinh, Epps and Bailey (2010), Information theoretic measures for clusterings comparison. JMLR 11.

    Examples
    --------
    >>> from clinfa.metrics import adjusted_mutual_info_score
    >>> round(adjusted_mutual_info_score([0, 0, 1, 1], [0, 0, 1, 2]), 6)
    0.571429
    """
    _MEANS.check("average_method", average_method, "adjusted_mutual_info_score")
    table = read_contingency(labels_true, labels_pred, "adjusted_mutual_info_score")
    if table.pure and table.complete:
        return 1.0
    if min(table.shape) == 1:
        return 0.0
    expected, least = table.expected_information(), float(np.finfo(float).eps)
    # As in scikit-learn neither side of the quotient is nearer to zero than this.
    above, room = (
        math.copysign(max(abs(value), least), value)
        for value in (table.information() - expected, _mean_entropy(table, average_method) - expected)
    )
    return above / room


def _mean_entropy(table: Contingency, method: str) -> float:
    true, found = entropy(table.row_sums), entropy(table.column_sums)
    means = {
        "arithmetic": (true + found) / 2,
        "geometric": math.sqrt(true * found),
        "min": min(true, found),
        "max": max(true, found),
    }
    return means[method]


def homogeneity_completeness_v_measure(
    labels_true: Any, labels_pred: Any, *, beta: float = 1.0
) -> tuple[float, float, float]:
    """Homogeneity, completeness and V-measure of a clustering.

    Parameters
    ----------
    labels_true : array-like of shape (n,)
        Ints, strings or bools.
    labels_pred : array-like of shape (n,)
    beta : float
        What completeness weighs in the V-measure, against homogeneity.

    Returns
    -------
    homogeneity : float
        1 where every cluster lies within one class.
    completeness : float
        1 where every class lies within one cluster.
    v_measure : float
        Their weighted harmonic mean.

    Raises
    ------
    ValueError
        If lengths differ or labels are not labels.

    References
    ----------
    Rosenberg and Hirschberg (2007), V-measure: a conditional entropy-based external cluster evaluation
    measure. EMNLP-CoNLL.

    Examples
    --------
    >>> from clinfa.metrics import homogeneity_completeness_v_measure
    >>> homogeneity_completeness_v_measure([0, 0, 1, 1], [0, 0, 1, 2])
    (1.0, 0.6666666666666667, 0.8)
    """
    _BETA.check("beta", beta, "homogeneity_completeness_v_measure")
    table = read_contingency(labels_true, labels_pred, "homogeneity_completeness_v_measure")
    information = table.information()
    homogeneity = 1.0 if table.pure else min(information / entropy(table.row_sums), 1.0)
    completeness = 1.0 if table.complete else min(information / entropy(table.column_sums), 1.0)
    if homogeneity + completeness == 0:
        return homogeneity, completeness, 0.0
    v = (1 + beta) * homogeneity * completeness / (beta * homogeneity + completeness)
    return homogeneity, completeness, float(v)


def homogeneity_score(labels_true: Any, labels_pred: Any) -> float:
    """Homogeneity: the share of the classes' entropy that the clusters account for.

    Parameters
    ----------
    labels_true : array-like of shape (n,)
        Ints, strings or bools.
    labels_pred : array-like of shape (n,)

    Returns
    -------
    float
        From 0 to 1; 1 where every cluster lies within one class.

    Raises
    ------
    ValueError
        If lengths differ or labels are not labels.

    Examples
    --------
    >>> from clinfa.metrics import homogeneity_score
    >>> homogeneity_score([0, 0, 1, 1], [0, 0, 1, 2])
    1.0
    """
    return homogeneity_completeness_v_measure(labels_true, labels_pred)[0]


def completeness_score(labels_true: Any, labels_pred: Any) -> float:
    """Completeness: the share of the clusters' entropy that the classes account for.

    Parameters
    ----------
    labels_true : array-like of shape (n,)
        Ints, strings or bools.
    labels_pred : array-like of shape (n,)

    Returns
    -------
    float
        From 0 to 1; 1 where every class lies within one cluster.

    Raises
    ------
    ValueError
        If lengths differ or labels are not labels.

    Examples
    --------
    >>> from clinfa.metrics import completeness_score
    >>> completeness_score([0, 0, 1, 1], [0, 0, 1, 2])
    0.6666666666666667
    """
    return homogeneity_completeness_v_measure(labels_true, labels_pred)[1]


def v_measure_score(labels_true: Any, labels_pred: Any, *, beta: float = 1.0) -> float:
    """V-measure: the weighted harmonic mean of homogeneity and completeness.

    Parameters
    ----------
    labels_true : array-like of shape (n,)
        Ints, strings or bools.
    labels_pred : array-like of shape (n,)
    beta : float
        What completeness weighs, against homogeneity.

    Returns
    -------
    float
        From 0 to 1; with beta 1 the same as `normalized_mutual_info_score`.

    Raises
    ------
    ValueError
        If lengths differ or labels are not labels.

    Examples
    --------
    >>> from clinfa.metrics import v_measure_score
    >>> v_measure_score([0, 0, 1, 1], [0, 0, 1, 2])
    0.8
    """
    _BETA.check("beta", beta, "v_measure_score")
    return homogeneity_completeness_v_measure(labels_true, labels_pred, beta=beta)[2]


def consensus_score(a: Any, b: Any, *, similarity: Any = "jaccard") -> float:
    """How much two sets of biclusters have in common.

    Biclusters of both sets are paired so that the sum of their similarities is greatest; the score is that
    sum over the size of the larger set.

    Parameters
    ----------
    a : tuple (rows, columns)
        Indicators of shape (n_biclusters, n_rows) and (n_biclusters, n_columns).
    b : tuple (rows, columns)
    similarity : "jaccard" or callable
        A callable takes the rows and columns of one bicluster of a and those of one of b.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If shapes do not match.

    References
    ----------
    Hochreiter et al. (2010), FABIA: factor analysis for bicluster acquisition. Bioinformatics 26(12).

    Examples
    --------
    >>> from clinfa.metrics import consensus_score
    >>> a = ([[True, False], [False, True]], [[False, True], [True, False]])
    >>> b = ([[False, True], [True, False]], [[True, False], [False, True]])
    >>> consensus_score(a, b)
    1.0
    """
    for name, value in (("a", a), ("b", b)):
        _TUPLE.check(name, value, "consensus_score")
    _SIMILARITY.check("similarity", similarity, "consensus_score")
    first, second = _biclusters(a, "a"), _biclusters(b, "b")
    if similarity == "jaccard":
        if any(p.shape[1] != q.shape[1] for p, q in zip(first, second, strict=True)):
            raise ValueError("The biclusters of a and b must be of the same rows and columns.")
        common = matmul(first[0], second[0].T) * matmul(first[1], second[1].T)
        sizes = [rows.sum(axis=1) * columns.sum(axis=1) for rows, columns in (first, second)]
        with np.errstate(invalid="ignore"):
            matrix = common / (sizes[0][:, None] + sizes[1] - common)
    else:
        pairs = [[similarity(*p, *q) for q in zip(*second, strict=True)] for p in zip(*first, strict=True)]
        matrix = np.array(pairs)
    from scipy.optimize import linear_sum_assignment  # importing it is slow

    best = linear_sum_assignment(1.0 - matrix)
    return float(matrix[best].sum() / max(matrix.shape))


def _biclusters(given: tuple, name: str) -> tuple[np.ndarray, np.ndarray]:
    if len(given) != 2:
        raise ValueError(f"{name} must be a tuple (rows, columns), got {len(given)} items.")
    rows, columns = (np.asarray(part, dtype=np.float64) for part in given)
    if rows.ndim != 2 or columns.ndim != 2:
        raise ValueError(
            f"{name} must hold two indicator matrices, got {rows.ndim} and {columns.ndim} dimensions."
        )
    if len(rows) != len(columns):
        lengths = [len(rows), len(columns)]
        raise ValueError(f"Found input variables with inconsistent numbers of samples: {lengths}")
    return rows, columns
