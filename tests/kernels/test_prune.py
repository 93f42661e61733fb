"""Pruning by costs and complexity against a search for the weakest branch, again and again."""

import itertools

import numpy as np
import pytest

from clinfa.growing.prune import pruned, pruning_path
from clinfa.tree import DecisionTreeClassifier, DecisionTreeRegressor


def weakest_first(tree):
    """After each step: alpha, the impurity of the leaves, and which nodes have become leaves."""
    left, right = tree.children_left.copy(), tree.children_right
    risk = tree.weighted_n_node_samples / tree.weighted_n_node_samples[0] * tree.impurity

    def below(i):
        if left[i] < 0:
            return risk[i], 1
        (a, m), (b, n) = below(left[i]), below(right[i])
        return a + b, m + n

    def there(i):
        return [i] if left[i] < 0 else [i, *there(left[i]), *there(right[i])]

    steps, alpha = [(0.0, below(0)[0])], 0.0
    while left[0] >= 0:
        gains = {}
        for i in there(0):
            if left[i] >= 0:
                whole, leaves = below(i)
                gains[i] = (risk[i] - whole) / (leaves - 1)
        weakest = min(gains.values())
        alpha = max(alpha, weakest)
        left[min(i for i, gain in gains.items() if gain == weakest)] = -1
        steps.append((alpha, below(0)[0]))
    return np.array(steps)


@pytest.mark.parametrize("cls", [DecisionTreeClassifier, DecisionTreeRegressor])
@pytest.mark.parametrize("n", [1, 2, 3, 10, 60])
def test_steps(cls, n):
    rng = np.random.default_rng(n)
    X, w = rng.standard_normal((n, 2)), rng.uniform(0.5, 2, n)
    y = rng.integers(0, 3, n) if cls is DecisionTreeClassifier else rng.standard_normal(n)
    tree = cls().fit(X, y, w).tree_
    alphas, impurities = pruning_path(tree)
    naive = weakest_first(tree)
    # (Steps at one alpha may come in any order, and count as one.)
    for alpha, impurity in zip(alphas, impurities, strict=True):
        at = naive[naive[:, 0] <= alpha + 1e-12]
        assert at[-1, 0] == pytest.approx(alpha, abs=1e-12)
        assert at[-1, 1] == pytest.approx(impurity, rel=1e-12, abs=1e-14)
    assert alphas[-1] == pytest.approx(naive[-1, 0], rel=1e-12, abs=1e-15)
    for low, high in itertools.pairwise(alphas):
        small = pruned(tree, (low + high) / 2)
        leaves = small.children_left < 0
        share = small.weighted_n_node_samples / small.weighted_n_node_samples[0]
        at = naive[naive[:, 0] <= (low + high) / 2]
        assert (share * small.impurity)[leaves].sum() == pytest.approx(at[-1, 1], rel=1e-12, abs=1e-14)
        assert small.max_depth == small.depths().max()
