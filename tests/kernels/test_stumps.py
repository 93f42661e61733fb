"""The best single cut under weights, against all cuts of all columns."""

import numpy as np
import pytest

from clinfa.ensemble._stumps import Sorted
from clinfa.growing.ranks import Ranks


def _impurity(totals, criterion):
    p = totals / totals.sum()
    if criterion == "gini":
        return totals.sum() * (1 - (p**2).sum())
    p = p[p > 0]
    return -totals.sum() * (p * np.log2(p)).sum()


def _twin(X, y, w, k, criterion):
    """The least weighted impurity of both sides, and the first column and cut that has it."""
    best = (np.inf, None)
    for f in range(X.shape[1]):
        x, lacks = X[:, f], np.isnan(X[:, f])
        for at in np.unique(x[~lacks]):
            for missing_left in (False, True) if lacks.any() else (False,):
                left = (x <= at) | (lacks & missing_left)
                if left.all():
                    continue
                sides = [np.bincount(y[side], w[side], k) for side in (left, ~left)]
                cost = sum(_impurity(side, criterion) for side in sides)
                if cost < best[0] - 1e-12:
                    best = (cost, (f, left))
    return best


def _sorted(X, y, k, criterion):
    return Sorted.of(Ranks.of(X), y, k, criterion)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("k", "criterion"), [(2, "gini"), (2, "entropy"), (3, "gini"), (5, "gini")])
@pytest.mark.parametrize("gaps", [0.0, 0.2])
@pytest.mark.parametrize("n", [7, 90, 600])
def test_no_other_cut_is_better(dtype, k, criterion, gaps, n):
    rng = np.random.default_rng([n, k])
    X = rng.integers(0, 4 * n, (n, 3)).astype(dtype)  # (some values are equal)
    X[rng.random(X.shape) < gaps] = np.nan
    y, w = rng.integers(0, k, n), rng.random(n) + 0.1
    y[:k] = np.arange(k)
    tree, said = _sorted(X, y, k, criterion).stump(w)
    cost, (f, left) = _twin(X.astype(np.float64), y, w, k, criterion)
    found = (tree.weighted_n_node_samples * tree.impurity)[1:].sum()
    assert found == pytest.approx(cost, rel=1e-12)
    assert tree.feature[0] == f
    assert tree.n_node_samples.tolist() == [n, left.sum(), n - left.sum()]
    leaves = tree.apply(X)  # what the tree says of the records it grew on
    assert np.array_equal(leaves == 1, left)
    assert np.array_equal(said, tree.values[leaves].argmax(axis=1))


def test_by_hand():
    # Weights 1, 1, 2 of classes 0, 0, 1: one cut between 2 and 5 parts them.
    tree, said = _sorted(np.array([[1.0], [2.0], [5.0]]), np.array([0, 0, 1]), 2, "gini").stump(
        np.array([1.0, 1.0, 2.0])
    )
    assert tree.threshold[0] == 3.5
    assert tree.values.tolist() == [[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]]
    assert tree.impurity.tolist() == [0.5, 0.0, 0.0]
    assert said.tolist() == [0, 0, 1]


@pytest.mark.parametrize("k", [2, 3])
def test_what_cannot_be_divided_is_a_leaf(k):
    same = _sorted(np.ones((4, 2)), np.array([0, 1, 1, k - 1]), k, "gini")
    tree, said = same.stump(np.ones(4))
    assert tree.node_count == 1
    assert said.tolist() == [1] * 4
    lacking = _sorted(np.full((4, 1), np.nan), np.array([0, 1, 1, k - 1]), k, "gini")
    assert lacking.stump(np.ones(4))[0].node_count == 1
    pure = _sorted(np.arange(4.0)[:, None], np.ones(4, np.int64), k, "gini")
    assert pure.stump(np.ones(4))[0].node_count == 1


def test_what_is_missing_parts_from_what_is_not():
    X = np.array([[3.0], [3.0], [np.nan], [np.nan]])
    tree, said = _sorted(X, np.array([0, 0, 1, 1]), 2, "gini").stump(np.ones(4))
    assert said.tolist() == [0, 0, 1, 1]
    assert tree.apply(X).tolist() == [1, 1, 2, 2]


@pytest.mark.parametrize("k", [2, 4])
def test_tiny_weights_on_one_side_do_not_mislead(k):
    # Nearly all of the weight lies left of a cut whose gain is plain; what follows weighs next to nothing.
    rng = np.random.default_rng(k)
    n = 3000
    X, y = np.arange(float(n))[:, None], np.zeros(n, np.int64)
    y[n // 4 : n // 2] = 1
    y[n // 2 :] = rng.integers(0, k, n // 2)
    w = np.where(np.arange(n) < n // 2, 1.0, 1e-16)
    tree, _ = _sorted(X, y, k, "gini").stump(w)
    assert tree.threshold[0] == n // 4 - 0.5
