"""Where nothing ties, the trees are scikit-learn's: every criterion, way to stop, weights, gaps, outputs."""

import numpy as np
import pytest
import sklearn.tree as peer

from clinfa import tree as own
from tests.cases import cases
from tests.tree.compare import same_tree, theirs

N = 220
RNG = np.random.default_rng(0)
# (scikit-learn sees float32: numbers that are.)
X = RNG.standard_normal((N, 4)).astype(np.float32).astype(np.float64)
GAPS = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
NOISE = RNG.standard_normal(N)
TWO = (X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * NOISE > 0).astype(int)
FOUR = np.digitize(X[:, 0] + 0.5 * X[:, 1] + 0.5 * NOISE, [-0.7, 0.0, 0.7])
SPREAD = np.exp(X[:, 0] + 0.3 * NOISE)
W = RNG.uniform(0.5, 2, N)

LABELS = {"two": TWO, "four": FOUR, "both": np.stack([TWO, FOUR], axis=1)}
NUMBERS = {"one": SPREAD, "pair": np.stack([SPREAD, np.exp(X[:, 1] + 0.2 * NOISE)], axis=1)}
STOPS = [
    {},
    {"max_depth": 3},
    {"max_leaf_nodes": 15},
    {"min_samples_leaf": 7},
    {"min_samples_leaf": 0.04, "min_samples_split": 0.2},
    {"min_weight_fraction_leaf": 0.03},
    {"min_impurity_decrease": 0.01},
    {"min_samples_split": 20, "max_leaf_nodes": 9},
]
KINDS = {
    "DecisionTreeClassifier": (LABELS, ("gini", "entropy", "log_loss")),
    "DecisionTreeRegressor": (NUMBERS, ("squared_error", "friedman_mse", "absolute_error", "poisson")),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize(
    ("name", "criterion"),
    [(name, criterion) for name, (_, several) in KINDS.items() for criterion in several],
)
def test_same_trees(name, criterion, gaps, weighted):
    if criterion == "absolute_error" and gaps:
        return  # scikit-learn's takes none
    same = 0
    with cases() as case:
        for which, y in KINDS[name][0].items():
            for how in STOPS:
                with case(which, how):
                    data = (GAPS if gaps else X, y, W if weighted else None)
                    other = theirs(getattr(peer, name), *data, criterion=criterion, **how)
                    same += same_tree(getattr(own, name)(criterion=criterion, **how).fit(*data), other)
    assert same > 300  # (ties are few)


@pytest.mark.parametrize("how", [{"class_weight": {0: 1, 1: 3}}, {"class_weight": "balanced"}])
def test_class_weight(how):
    other = theirs(peer.DecisionTreeClassifier, X, TWO, min_samples_leaf=5, **how)
    assert same_tree(own.DecisionTreeClassifier(min_samples_leaf=5, **how).fit(X, TWO), other) > 15


def test_balanced_classes_weigh_the_same_with_weights_of_records_too():
    """(scikit-learn counts records.)"""
    root = own.DecisionTreeClassifier(class_weight="balanced").fit(X, FOUR, W).tree_.value[0, 0]
    np.testing.assert_allclose(root, 1 / 4, rtol=1e-12)


def test_class_weight_of_several_targets():
    several = [{0: 1, 1: 3}, {0: 1, 1: 2, 2: 0.5, 3: 1}]
    model = own.DecisionTreeClassifier(min_samples_leaf=5, class_weight=several).fit(X, LABELS["both"])
    factors = np.array([1, 3])[TWO] * np.array([1, 2, 0.5, 1])[FOUR]
    plain = own.DecisionTreeClassifier(min_samples_leaf=5).fit(X, LABELS["both"], factors)
    np.testing.assert_array_equal(model.tree_.threshold, plain.tree_.threshold)
    other = theirs(
        peer.DecisionTreeClassifier, X, LABELS["both"], min_samples_leaf=5, class_weight="balanced"
    )
    model.set_params(class_weight="balanced")
    assert same_tree(model.fit(X, LABELS["both"]), other) > 15


@pytest.mark.parametrize("cst", [(1, -1, 0, 0), (-1, 0, 1, 1)])
@pytest.mark.parametrize(
    ("name", "criterion"),
    [(name, criterion) for name, (_, several) in KINDS.items() for criterion in several],
)
def test_constraints(name, criterion, cst):
    """Predictions rise and fall as they must; the tree is scikit-learn's but for absolute errors."""
    y = TWO if name == "DecisionTreeClassifier" else SPREAD
    stops = [{}, {"min_samples_leaf": 6}]
    if y is SPREAD:  # (where two splits tie, the rest of the leaves may be others)
        stops.append({"max_leaf_nodes": 12})
    for how in stops:
        model = getattr(own, name)(criterion=criterion, monotonic_cst=cst, **how).fit(X, y)
        if criterion != "absolute_error":  # of which scikit-learn's bound is another median
            other = theirs(getattr(peer, name), X, y, criterion=criterion, monotonic_cst=cst, **how)
            assert same_tree(model, other) > 8
        for f, sign in enumerate(cst):
            line = np.repeat(X[:20], 30, axis=0)
            line[:, f] = np.tile(np.linspace(-3, 3, 30), 20)
            told = model.predict_proba(line)[:, 1] if y is TWO else model.predict(line)
            steps = np.diff(told.reshape(20, 30), axis=1)
            assert (sign * steps >= 0).all()


@pytest.mark.parametrize("name", list(KINDS))
def test_pruning(name):
    y = FOUR if name == "DecisionTreeClassifier" else SPREAD
    how = {"min_samples_leaf": 8}
    path = getattr(own, name)(**how).cost_complexity_pruning_path(X, y, W)
    other = getattr(peer, name)(random_state=0, **how).cost_complexity_pruning_path(X, y, W)
    np.testing.assert_allclose(path.ccp_alphas, other.ccp_alphas, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(path["impurities"], other.impurities, rtol=1e-10)
    leaves = []
    for low, high in zip(path.ccp_alphas[:-1], path.ccp_alphas[1:], strict=True):
        alpha = (low + high) / 2
        model = getattr(own, name)(ccp_alpha=alpha, **how).fit(X, y, W)
        same_tree(model, theirs(getattr(peer, name), X, y, W, ccp_alpha=alpha, **how))
        leaves.append(model.get_n_leaves())
    assert leaves == sorted(leaves, reverse=True)
    assert leaves[-1] > 1
    assert getattr(own, name)(ccp_alpha=path.ccp_alphas[-1] + 1, **how).fit(X, y, W).get_n_leaves() == 1
