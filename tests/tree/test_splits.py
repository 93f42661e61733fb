"""Every split is the best there is: against a twin in NumPy that tries all of them."""

import numpy as np
import pytest

from clinfa.tree import DecisionTreeClassifier, DecisionTreeRegressor

CRITERIA = {
    DecisionTreeClassifier: ("gini", "entropy"),
    DecisionTreeRegressor: ("squared_error", "absolute_error", "poisson"),
}
PAIRS = [(cls, criterion) for cls, several in CRITERIA.items() for criterion in several]


def impurity(criterion, y, w):
    """Of one target: shares of classes, or numbers."""
    if criterion in ("gini", "entropy"):
        share = np.array([w[y == c].sum() for c in np.unique(y)]) / w.sum()
        return 1 - (share**2).sum() if criterion == "gini" else -(share * np.log2(share)).sum()
    if criterion == "absolute_error":
        order = np.argsort(y)
        passed = np.cumsum(w[order])
        median = y[order][np.searchsorted(passed, w.sum() / 2)]
        return np.average(np.abs(y - median), weights=w)
    mean = np.average(y, weights=w)
    if criterion == "squared_error":
        return np.average((y - mean) ** 2, weights=w)
    some = y > 0
    if not mean > 0:
        return 0.0
    return (w[some] * y[some] * np.log(y[some] / mean)).sum() / w.sum()


def of_node(criterion, Y, w):
    return np.mean([impurity(criterion, y, w) for y in Y.T])


def least(criterion, X, Y, w, min_leaf):
    """The least impurity that one split of all records leaves, by weight."""
    best = np.inf
    for x in X.T:
        known = np.unique(x[~np.isnan(x)])
        cuts = [(x <= a) for a in known[:-1]]
        if np.isnan(x).any():
            cuts += [(x <= a) | np.isnan(x) for a in known[:-1]] + [~np.isnan(x)]
        for left in cuts:
            if min(left.sum(), (~left).sum()) < min_leaf:
                continue
            if criterion == "poisson" and not (Y[left].sum(axis=0).all() and Y[~left].sum(axis=0).all()):
                continue
            parts = [(of_node(criterion, Y[side], w[side]), w[side].sum()) for side in (left, ~left)]
            best = min(best, sum(i * m for i, m in parts) / w.sum())
    return best


def data(rng, cls, n, d, outputs, missing):
    X = rng.integers(0, rng.choice([3, 12, 1000]), (n, d)) / 8.0
    if missing:
        X[rng.random((n, d)) < 0.2] = np.nan
    y = (
        rng.integers(0, 4, (n, outputs))
        if cls is DecisionTreeClassifier
        else rng.gamma(1.0, size=(n, outputs))
    )
    return X, y.astype(np.float64)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("n", [8, 40, 150])
@pytest.mark.parametrize(("cls", "criterion"), PAIRS)
def test_the_best_split_is_found(cls, criterion, n, outputs, missing):
    rng = np.random.default_rng(n + outputs)
    for trial in range(6):
        X, Y = data(rng, cls, n, 3, outputs, missing)
        if cls is DecisionTreeClassifier and trial % 2:
            Y = (Y > 1).astype(float)
        w = rng.uniform(0.5, 2, n) if trial % 3 else np.ones(n)
        min_leaf = 1 + 3 * (trial % 2)
        tree = cls(criterion=criterion, max_depth=1, min_samples_leaf=min_leaf)
        tree = tree.fit(X, Y if outputs > 1 else Y[:, 0], sample_weight=w if trial % 3 else None).tree_
        there = least(criterion, X, Y, w, min_leaf)
        assert tree.impurity[0] == pytest.approx(of_node(criterion, Y, w), rel=1e-12, abs=1e-15)
        if tree.node_count == 1:
            assert there == np.inf or tree.impurity[0] == 0
            continue
        mass = tree.weighted_n_node_samples
        assert (tree.impurity[1:] * mass[1:]).sum() / mass[0] == pytest.approx(there, rel=1e-9, abs=1e-13)
        # The rule that is told is the one that was meant.
        leaf = tree.apply(X)
        for node in (1, 2):
            assert mass[node] == pytest.approx(w[leaf == node].sum(), rel=1e-12)
            assert tree.impurity[node] == pytest.approx(
                of_node(criterion, Y[leaf == node], w[leaf == node]), rel=1e-11, abs=1e-13
            )


@pytest.mark.parametrize(("cls", "criterion"), PAIRS)
def test_small_nodes_with_codes_of_their_own_grow_the_same_tree(cls, criterion):
    """20,000 records are enough for those: each is a leaf of the tree of its own kind of rows."""
    rng = np.random.default_rng(0)
    n = 20_000 if criterion != "absolute_error" else 17_000
    X = rng.standard_normal((n, 3))
    y = X[:, 0] + 0.5 * rng.standard_normal(n)
    y = (y > 0) if cls is DecisionTreeClassifier else np.exp(y)
    X[rng.random(n) < 0.1, 1] = np.nan
    model = cls(criterion=criterion, min_samples_leaf=30).fit(X, y)
    tree, leaf = model.tree_, model.apply(X)
    assert np.bincount(leaf, minlength=tree.node_count)[tree.children_left < 0].min() >= 30
    counts = np.bincount(leaf, minlength=tree.node_count)
    np.testing.assert_array_equal(counts[tree.children_left < 0], tree.n_node_samples[tree.children_left < 0])
    # A tree that ends early, whose leaves need no such codes, is the upper part of it.
    depths = tree.depths()
    upper = cls(criterion=criterion, min_samples_leaf=30, max_depth=4).fit(X, y).tree_
    np.testing.assert_array_equal(upper.n_node_samples, tree.n_node_samples[depths <= 4])
    np.testing.assert_array_equal(upper.threshold[upper.depths() < 4], tree.threshold[depths < 4])
    # A node of some hundreds of records grows alone as it did within the whole.
    node = next(i for i in np.flatnonzero(depths >= 4) if 300 < tree.n_node_samples[i] < 3_000)
    rows = np.flatnonzero(model.decision_path(X)[:, [node]].toarray()[:, 0])
    alone = cls(criterion=criterion, min_samples_leaf=30).fit(X[rows], y[rows]).tree_
    own = slice(node, node + alone.node_count)
    np.testing.assert_array_equal(alone.feature, tree.feature[own])
    np.testing.assert_array_equal(alone.threshold, tree.threshold[own])
