"""Small nodes that are cut at random and grow by bits: the trees that numbers lead to."""

import numpy as np
import pytest

from clinfa.tree import ExtraTreeClassifier
from tests.tree.compare import agrees_with_its_fit

RULES = {
    "few columns": {"max_features": 2},
    "all columns": {"max_features": None},
    "leaves of three": {"max_features": 2, "min_samples_leaf": 3},
    "nine at least": {"max_features": 3, "min_samples_split": 9},
    "shallow": {"max_features": 1, "max_depth": 6},
    "by weight": {"max_features": 2, "min_weight_fraction_leaf": 0.01},
}


def data(n, d, dtype):
    rng = np.random.default_rng(n)
    X = rng.standard_normal((n, d)).astype(dtype)
    X[:, 0] = X[:, 0] > 1  # (often constant in small nodes)
    X[:, 1] = np.round(X[:, 1])
    X[rng.random(X.shape) < 0.01] = np.inf
    return X, (X[:, 1] + rng.standard_normal(n) > 0).astype(int)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("how", RULES.values(), ids=RULES)
def test_bits_and_numbers_agree(how, dtype):
    # With weights, if only ones, numbers are added up.
    for n in (2, 7, 16, 63, 64, 65, 400):
        X, y = data(n, 4, dtype)
        for seed in range(3):
            bits = ExtraTreeClassifier(**how, random_state=seed).fit(X, y)
            numbers = ExtraTreeClassifier(**how, random_state=seed).fit(X, y, np.ones(n))
            np.testing.assert_array_equal(bits.tree_.nodes, numbers.tree_.nodes)
            np.testing.assert_array_equal(bits.tree_.n, numbers.tree_.n)
            np.testing.assert_array_equal(bits.tree_.value, numbers.tree_.value)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [3, 8, 21])
def test_tables_of_small_nodes(d, dtype):
    # From 16,384 records on nodes of 8,192 and fewer have tables of their own.
    X, y = data(17_003, d, dtype)
    model = ExtraTreeClassifier(min_samples_leaf=2, random_state=0).fit(X, y)
    leaf = agrees_with_its_fit(model, X)
    second = np.bincount(leaf, y, model.tree_.node_count)[leaf] / model.tree_.n[leaf]
    np.testing.assert_allclose(model.tree_.value[leaf, 0, 1], second, rtol=1e-15)
